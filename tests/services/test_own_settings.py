"""What users set for themselves, in a real directory."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.fakes import FakeDirectory
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.dialling import DiallingRules, parse_rule
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.numbers import Site
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryReadOnly, DirectoryUnavailable, UnknownUser
from vm_ari.services.own_settings import NotOffered, NotStored, NumberRefused, OwnSettings

SITE = Site(base_number="+4930555", area="30", outside_prefix="0")
RULES = Rules(site=SITE, further_sites=(Site(base_number="+4989777", name="Munich"),))
ANNA = User("anna", "Anna", "101", ("+4930555101", "+4915112345678"), "anna@example.org")
WORK, HOME, VACATION = ProfileName.WORK, ProfileName.HOME, ProfileName.VACATION
DEFAULTS = {"transfer_work": "+4930555100", "language": "fr"}
DIALLING = DiallingRules((parse_rule("deny +4989", SITE), parse_rule("allow AT", SITE)))

Change = Callable[[OwnSettings, User], Awaitable[User]]
CHANGES: dict[str, Change] = {
    "profile": lambda own, user: own.activate(user, HOME),
    "vacation": lambda own, user: own.activate(user, VACATION, date(2026, 12, 24)),
    "transfer": lambda own, user: own.set_transfer(user, HOME, "030 555-102"),
    "no transfer": lambda own, user: own.remove_transfer(user, WORK),
    "language": lambda own, user: own.set_language(user, "de"),
    "greeting language": lambda own, user: own.set_greeting_language(user, LanguageMode.MENU),
    "greeting type": lambda own, user: own.set_greeting_type(user, GreetingType.PERSONALISED),
}


def in_directory(base: Path, change: Change) -> tuple[User, User | None]:
    """What the change says the user is then, and what the directory says to somebody else."""

    async def story() -> tuple[User, User | None]:
        url, keys = f"sqlite:///{base / 'users.db'}", KeyRing(base / "keys")
        directory = EmbeddedDirectory(url, keys, defaults=DEFAULTS)
        other = EmbeddedDirectory(url, keys, defaults=DEFAULTS)
        try:
            if await directory.user_by_id("anna") is None:
                await directory.add_user(ANNA)
            before = await directory.user_by_id("anna")
            assert before is not None
            after = await change(OwnSettings(directory, RULES, DIALLING), before)
            return after, await other.user_by_id("anna")
        finally:
            await directory.close()
            await other.close()

    return asyncio.run(story())


@pytest.mark.parametrize("name", CHANGES)
def test_the_user_that_comes_back_is_the_one_in_the_directory(tmp_path: Path, name: str) -> None:
    told, stored = in_directory(tmp_path, CHANGES[name])
    assert told == stored
    assert replace(told, transfers=()) != ANNA or told.transfers


def test_changes_add_up(tmp_path: Path) -> None:
    for change in CHANGES.values():
        told, stored = in_directory(tmp_path, change)
        assert told == stored
    assert stored is not None
    assert stored.profile is VACATION
    assert stored.profile_until == datetime(2026, 12, 25)
    assert stored.profile_after is HOME
    assert stored.transfer_in(HOME) == "+4930555102"
    assert (stored.language, stored.greeting_language) == ("de", LanguageMode.MENU)


def test_a_removed_transfer_is_removed_though_the_site_has_one_for_everybody(
    tmp_path: Path,
) -> None:
    told, stored = in_directory(tmp_path, CHANGES["no transfer"])
    assert stored is not None
    assert told.transfer_in(WORK) == stored.transfer_in(WORK) == ""


@pytest.mark.feature_part("SITE-03", "a forbidden destination is refused when it is stored")
@pytest.mark.parametrize(
    ("number", "stored"),
    [
        ("102", "+4930555102"),
        ("030 555 102", "+4930555102"),
        ("+49 (30) 98765", "+493098765"),
        ("0043 1 58858", "+43158858"),
        ("+4989777", None),
        ("+498912345", None),
        ("0900 123456", None),
        ("+44 20 7946 0018", None),
        ("nonsense", None),
        ("", None),
        ("110", None),
        ("101", None),
        ("+4930555101", None),
        ("0151 12345678", None),
    ],
)
def test_a_destination_follows_the_dialling_rules_and_is_not_the_mailbox_itself(
    number: str, stored: str | None
) -> None:
    own = OwnSettings(FakeDirectory(ANNA), RULES, DIALLING)
    if stored:
        assert own.destination(ANNA, number) == stored
    else:
        with pytest.raises(NumberRefused, match=r"\."):
            own.destination(ANNA, number)


def test_a_number_typed_on_a_telephone_may_begin_with_the_outside_line() -> None:
    own = OwnSettings(FakeDirectory(ANNA), RULES, DIALLING)
    assert own.destination(ANNA, "0030987654", dialled=True) == "+4930987654"


def test_a_profile_that_is_not_offered_is_refused() -> None:
    directory = FakeDirectory(ANNA)
    own = OwnSettings(directory, replace(RULES, profiles=(WORK, HOME)))
    for profile in (VACATION, ProfileName.INTERNAL):
        with pytest.raises(NotOffered, match="there are work, home"):
            asyncio.run(own.activate(ANNA, profile))
    assert directory.users["anna"] == ANNA


class Refusing:
    """A directory that refuses every change."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def change_settings(self, *_: object) -> None:
        raise self.error


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "error", [DirectoryUnavailable, DirectoryReadOnly, UnknownUser, Unstorable]
)
def test_what_is_not_stored_is_told(name: str, error: type[Exception]) -> None:
    own = OwnSettings(Refusing(error("the reason")), RULES, DIALLING)
    with pytest.raises(NotStored, match="the reason"):
        asyncio.run(_awaited(CHANGES[name](own, ANNA)))


async def _awaited(change: Awaitable[User]) -> User:
    return await change
