"""``vm-ari pin`` and ``vm-ari users reset-pin``, on a directory on the disk."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.cli.site import CliSite
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.domain.login_state import LoginState, with_pin
from vm_ari.domain.pin import PinCheck
from vm_ari.wiring.directories import open_register

GOOD = "730264"


@pytest.fixture
def people(site: CliSite) -> CliSite:
    """Three users; who they are does not matter."""
    for name, number in (("anna", "101"), ("bert", "102"), ("carl", "103")):
        site.run("users", "add", name, "--number", number)
    return site


def on_directory(site: CliSite, story: Callable[[EmbeddedDirectory], Awaitable[None]]) -> None:
    async def run() -> None:
        config = load(site.config)
        directory = open_register(config, KeyRing(config.directory.keys))
        assert isinstance(directory, EmbeddedDirectory)
        try:
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


def state_of(site: CliSite, user: str) -> LoginState:
    found: list[LoginState] = []

    async def look(directory: EmbeddedDirectory) -> None:
        found.append(await directory.login_state(user))

    on_directory(site, look)
    return found[0]


def give(site: CliSite, user: str, pin: str, *, days_ago: float = 0) -> None:
    since = SystemClock().now() - timedelta(days=days_ago)

    async def change(directory: EmbeddedDirectory) -> None:
        await directory.change_login(user, lambda state: with_pin(state, pin, since))

    on_directory(site, change)


def lock(site: CliSite, user: str) -> None:
    async def guess(directory: EmbeddedDirectory) -> None:
        for _ in range(6):
            result = await directory.check_pin(user, "0")
        assert result is PinCheck.LOCKED

    on_directory(site, guess)


# --- reset-pin


@pytest.mark.feature("LOGIN-05")
def test_a_random_pin_is_shown_once_and_must_be_changed(people: CliSite) -> None:
    [row] = people.ask("users", "reset-pin", "anna")
    state = state_of(people, "anna")
    assert (row["pin"], state.must_change) == (state.pin, True)
    assert len(state.pin) == 6
    assert state.pin_set is not None
    assert people.run("users", "reset-pin", "102").stdout.startswith("bert: new PIN; the PIN is ")
    [row] = people.ask("users", "reset-pin", "anna", "--lasting")
    assert (state_of(people, "anna").must_change, row["result"]) == (False, "changed")


@pytest.mark.feature("LOGIN-05")
@pytest.mark.feature_part("LOGIN-02", "the reason is shown")
def test_an_admin_types_a_pin(people: CliSite) -> None:
    done = people.run("users", "reset-pin", "anna", "--type", "--lasting", typed=f"{GOOD}\n")
    assert done.stdout == "anna: new PIN\n"
    assert state_of(people, "anna").pin == GOOD
    for pin, reason in ((GOOD, "one of those before"), ("123456", "sequence"), ("7302", "least 6")):
        refused = people.run("users", "reset-pin", "anna", "--type", typed=f"{pin}\n", code=1)
        assert state_of(people, "anna").pin == GOOD
        assert reason in refused.stderr
        assert pin not in refused.stdout


def test_one_pin_is_not_given_to_several(people: CliSite) -> None:
    people.run("users", "reset-pin", "anna", "bert", "--type", typed=f"{GOOD}\n", code=2)
    assert state_of(people, "anna").pin == state_of(people, "bert").pin == ""


@pytest.mark.feature_part("LOGIN-03", "unlocking clears it")
def test_a_locked_user_gets_in_again(people: CliSite) -> None:
    give(people, "anna", GOOD)
    lock(people, "anna")
    people.ask("users", "reset-pin", "anna")
    assert state_of(people, "anna").failures == 5, "a lock stays"
    people.ask("users", "reset-pin", "anna", "--unlock")
    assert state_of(people, "anna").failures == 0
    lock(people, "anna")
    people.run("users", "unlock", "anna")
    assert state_of(people, "anna").failures == 0


def test_a_dry_run_changes_nothing(people: CliSite) -> None:
    assert "would get a new PIN" in people.run("users", "reset-pin", "--all", "-n").stdout
    assert state_of(people, "anna") == LoginState()


# --- audit, expire, reminders


@pytest.mark.feature_part("LOGIN-02", "weak PINs are found, and never shown")
def test_an_audit_names_what_is_wrong_and_no_pin(people: CliSite) -> None:
    give(people, "anna", "123456")
    give(people, "bert", GOOD)
    lock(people, "bert")
    done = people.run("pin", "audit", "-o", "tsv", code=5)
    found = {line.split("\t")[0]: line.split("\t")[1] for line in done.stdout.splitlines()[1:]}
    assert found == {"anna": "weak: sequence", "bert": "locked", "carl": "none"}
    assert "123456" not in done.output + done.stderr
    give(people, "anna", "835271")
    people.run("pin", "audit", "anna")


@pytest.mark.feature("LOGIN-04")
def test_everybody_must_change_the_pin_now(people: CliSite) -> None:
    give(people, "anna", GOOD)
    give(people, "bert", GOOD)
    done = people.run("pin", "expire", "--all")
    assert "2 changed, 1 unchanged" in done.stdout
    assert state_of(people, "anna").must_change
    assert not state_of(people, "carl").must_change, "who has none has nothing to change"
    people.run("pin", "expire", code=2)


@pytest.mark.feature("LOGIN-04")
def test_reminders_are_queued_once(people: CliSite) -> None:
    people.configure(
        f'[logins]\npin_days = 90\n[mail]\nqueue = "{people.base}/queue"\n'
        f'[store]\nmaildir = "{people.base}/mail"\n'
    )
    people.run("users", "set", "anna", "mail=anna@example.org")
    give(people, "anna", GOOD, days_ago=85)
    lock(people, "anna")
    first = people.run("pin", "reminders")
    assert first.stdout == "1 reminded, 1 told of a lock\n"
    assert people.run("pin", "reminders").stdout.startswith("0 reminded")
    assert state_of(people, "anna").pin_told is not None
