"""Every directory lets users change their settings in the same way: the port `SettingsStore`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.adapters.ldap_people import UserDirectory, settings_of, unit
from tests.fakes import FakeDirectory
from tests.slapd import ADMIN, Slapd, slapd
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.directory_cache import CachedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.numbers import Site
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, DirectoryUnavailable, UnknownUser

ANNA = User("anna", "Anna", "101", ("+498142479101",), "anna@example.org", language="de")
BERT = User("bert", "Bert", "102", ("+498142479102",), "bert@example.org")
SITE = Site(base_number="+498142479", area="8142")
Story = Callable[[CallDirectory], Awaitable[None]]
NUMBER = "+498142479101"


class NoonClock:
    """It is always noon."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


def on_fake(_base: Path, story: Story) -> None:
    asyncio.run(_run(story, FakeDirectory(ANNA, BERT)))


def on_embedded(base: Path, story: Story) -> None:
    async def run() -> None:
        directory = EmbeddedDirectory(f"sqlite:///{base / 'users.db'}", KeyRing(base / "keys"))
        try:
            for user in (ANNA, BERT):
                await directory.add_user(user)
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


def on_cached(base: Path, story: Story) -> None:
    async def cached(directory: CallDirectory) -> None:
        keys = KeyRing(base / "keys")
        cache = CachedDirectory(directory, base / "cache" / "users.db", keys, NoonClock())
        try:
            await story(cache)
        finally:
            await cache.close()

    on_embedded(base, cached)


def on_ldap(base: Path, story: Story) -> None:
    async def run(server: Slapd) -> None:
        directory = UserDirectory(settings_of(server, dn=ADMIN), KeyRing(base / "keys"), site=SITE)
        try:
            for user in (ANNA, BERT):
                await directory.add_user(user)
            await story(directory)
        finally:
            await directory.close()

    with slapd(unit("people")) as server:
        asyncio.run(run(server))


async def _run(story: Story, directory: CallDirectory) -> None:
    await story(directory)


WHERE = {"fake": on_fake, "embedded": on_embedded, "cached": on_cached, "ldap": on_ldap}


@pytest.fixture(params=WHERE)
def on_directory(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Run a story on a directory with Anna and Bert."""
    where: Callable[[Path, Story], None] = WHERE[request.param]
    return lambda story: where(tmp_path, story)


OnDirectory = Callable[[Story], None]


def test_a_change_is_seen_by_the_next_call(on_directory: OnDirectory) -> None:
    async def story(directory: CallDirectory) -> None:
        assert await directory.user_by_number(NUMBER) == ANNA
        await directory.change_settings("anna", {"profile": "home", "transfer_home": "102"})
        changed = replace(ANNA, profile=ProfileName.HOME, transfers=((ProfileName.HOME, "102"),))
        assert await directory.user_by_number(NUMBER) == changed
        assert await directory.user_by_id("anna") == changed
        assert await directory.user_by_id("bert") == BERT

    on_directory(story)


def test_what_is_removed_is_the_default_again(on_directory: OnDirectory) -> None:
    async def story(directory: CallDirectory) -> None:
        await directory.change_settings("anna", {"profile": "home", "language": None})
        await directory.change_settings("anna", {"profile": None})
        assert await directory.user_by_id("anna") == replace(ANNA, language="en")

    on_directory(story)


def test_several_changes_at_once_are_all_there(on_directory: OnDirectory) -> None:
    async def story(directory: CallDirectory) -> None:
        new = [{"profile": "mobile"}, {"transfer_work": "102"}, {"greeting_type": "personalised"}]
        await asyncio.gather(*(directory.change_settings("anna", dict(one)) for one in new))
        anna = await directory.user_by_id("anna")
        assert anna is not None
        assert anna.profile is ProfileName.MOBILE
        assert anna.transfer_in(ProfileName.WORK) == "102"
        assert anna.greeting_type.value == "personalised"

    on_directory(story)


def test_nobody_can_be_changed_who_is_not_there(on_directory: OnDirectory) -> None:
    async def story(directory: CallDirectory) -> None:
        with pytest.raises(UnknownUser):
            await directory.change_settings("otto", {"language": "de"})

    on_directory(story)


# --- what the cache must not remember


def with_cache(
    base: Path, story: Callable[[CachedDirectory, FakeDirectory], Awaitable[None]]
) -> None:
    """A cache over a directory that can go down."""

    async def run() -> None:
        directory = FakeDirectory(ANNA, BERT)
        keys = KeyRing(base / "keys")
        cache = CachedDirectory(directory, base / "cache" / "users.db", keys, NoonClock())
        try:
            await cache.user_by_number(NUMBER)
            await cache.user_by_number("102")
            await cache.settle()
            await story(cache, directory)
        finally:
            await cache.close()

    asyncio.run(run())


@pytest.mark.feature_part("DIR-08", "a change of one's own settings is remembered, not what was")
def test_during_an_outage_callers_meet_what_was_set_last(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory, directory: FakeDirectory) -> None:
        await cache.change_settings("anna", {"profile": "vacation"})
        await cache.settle()
        directory.unavailable = True
        for look in (cache.user_by_number(NUMBER), cache.user_by_id("anna")):
            anna = await look
            assert anna == replace(ANNA, profile=ProfileName.VACATION)
        assert await cache.user_by_number("102") == BERT

    with_cache(tmp_path, story)


def test_what_cannot_be_read_again_after_a_change_is_forgotten(tmp_path: Path) -> None:
    class Dying(FakeDirectory):
        async def change_settings(self, user_id: str, new: object) -> None:
            await super().change_settings(user_id, new)  # type: ignore[arg-type]
            self.unavailable = True

    async def run() -> None:
        keys = KeyRing(tmp_path / "keys")
        cache = CachedDirectory(
            Dying(ANNA, BERT), tmp_path / "cache" / "users.db", keys, NoonClock()
        )
        try:
            await cache.user_by_number(NUMBER)
            await cache.user_by_number("102")
            await cache.settle()
            await cache.change_settings("anna", {"transfer_work": "none"})
            await cache.settle()
            for look in (cache.user_by_number(NUMBER), cache.user_by_id("anna")):
                with pytest.raises(DirectoryUnavailable):
                    await look
            assert await cache.user_by_number("102") == BERT
        finally:
            await cache.close()

    asyncio.run(run())


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory, directory: FakeDirectory) -> None:
        directory.unavailable = True
        with pytest.raises(DirectoryUnavailable):
            await cache.change_settings("anna", {"profile": "vacation"})
        assert await cache.user_by_number(NUMBER) == ANNA

    with_cache(tmp_path, story)
