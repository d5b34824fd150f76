"""Users while the directory is down: remembered on a real disk, from a fake and real slapds."""

import asyncio
import json
import sqlite3
import stat
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.adapters.directory_contract import ANNA, BERT, FIRST_ANNA, PIN
from tests.adapters.ldap_people import SITE, crowd, number_of, settings_of, unit
from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from tests.slapd import slapd
from vm_ari.adapters.directory_cache import CachedDirectory
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, DirectoryUnavailable

NUMBER = ANNA.numbers[0]
Story = Callable[[CachedDirectory], Awaitable[None]]


class SetClock:
    """Stands where the test puts it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """See `Clock`."""
        return self.time


class SlowDirectory(FakeDirectory):
    """Needs seconds for an answer."""

    seconds = 0.0

    async def user_by_number(self, number: str) -> User | None:
        """See `Directory`."""
        await asyncio.sleep(self.seconds)
        return await super().user_by_number(number)


def cached(
    base: Path,
    directory: CallDirectory,
    story: Story,
    *,
    clock: SetClock | None = None,
    max_age: timedelta = timedelta(days=1),
    patience: float = 1.5,
) -> None:
    """Run a story on a cache below *base*."""

    async def run() -> None:
        cache = CachedDirectory(
            directory,
            base / "cache" / "users.db",
            KeyRing(base / "keys"),
            clock or SetClock(),
            max_age=max_age,
            patience=patience,
        )
        try:
            await story(cache)
        finally:
            await cache.close()

    asyncio.run(run())


async def look_up(cache: CachedDirectory) -> None:
    assert await cache.user_by_number(NUMBER) == ANNA


def filled(base: Path) -> FakeDirectory:
    """A directory whose Anna has been looked up, and that is down now."""
    directory = FakeDirectory(ANNA, BERT, pin=PIN)
    cached(base, directory, look_up)
    directory.unavailable = True
    return directory


@pytest.mark.feature_part("DIR-08", "the adapter")
def test_who_was_looked_up_is_known_after_a_restart_without_the_directory(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory) -> None:
        for _ in range(2):
            assert await cache.user_by_number(NUMBER) == ANNA
            assert await cache.user_by_id("anna") == ANNA
        for look in (cache.user_by_number("102"), cache.user_by_id("bert"), cache.all_users()):
            with pytest.raises(DirectoryUnavailable):
                await look

    with capture_logs() as lines:
        cached(tmp_path, filled(tmp_path), story)
    assert [line["log_level"] for line in lines] == ["warning"], "one line for the whole outage"


def test_a_pin_is_never_judged_from_memory(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory) -> None:
        assert await cache.check_pin("anna", PIN) is PinCheck.RIGHT
        await look_up(cache)
        await cache.settle()
        directory.unavailable = True
        await look_up(cache)
        with pytest.raises(DirectoryUnavailable):
            await cache.check_pin("anna", PIN)

    directory = FakeDirectory(ANNA, pin=PIN)
    cached(tmp_path, directory, story)


def test_everybody_is_remembered_after_a_question_for_all(tmp_path: Path) -> None:
    async def learn(cache: CachedDirectory) -> None:
        assert await cache.all_users() == [ANNA, BERT]

    async def recall(cache: CachedDirectory) -> None:
        assert await cache.all_users() == [ANNA, BERT]
        for user in (ANNA, BERT):
            assert await cache.user_by_id(user.id) == user
            for number in (*user.numbers, user.mailbox):
                assert await cache.user_by_number(number) == user

    directory = FakeDirectory(ANNA, BERT)
    cached(tmp_path, directory, learn)
    directory.unavailable = True
    cached(tmp_path, directory, recall)


def test_a_number_of_two_people_is_not_remembered(tmp_path: Path) -> None:
    class Both(FakeDirectory):
        async def all_users(self) -> list[User]:
            return [ANNA, replace(BERT, numbers=(NUMBER,))]

    async def story(cache: CachedDirectory) -> None:
        await cache.all_users()
        await cache.settle()
        directory.unavailable = True
        with pytest.raises(DirectoryUnavailable):
            await cache.user_by_number(NUMBER)
        assert await cache.user_by_number(ANNA.mailbox) == ANNA

    directory = Both()
    cached(tmp_path, directory, story)


def test_news_replace_what_was_remembered(tmp_path: Path) -> None:
    async def learn_again(cache: CachedDirectory) -> None:
        await cache.user_by_number(NUMBER)

    async def recall(cache: CachedDirectory) -> None:
        for user in (await cache.user_by_number(NUMBER), await cache.user_by_id("anna")):
            assert user
            assert user.name == "Anna Neu"

    async def change() -> None:
        await directory.remove_user("anna")
        await directory.add_user(replace(ANNA, name="Anna Neu"))

    directory = filled(tmp_path)
    directory.unavailable = False
    asyncio.run(change())
    cached(tmp_path, directory, learn_again)
    directory.unavailable = True
    cached(tmp_path, directory, recall)


def test_who_is_gone_is_forgotten(tmp_path: Path) -> None:
    async def learn(cache: CachedDirectory) -> None:
        assert await cache.user_by_number(NUMBER) is None

    directory = filled(tmp_path)
    cached(tmp_path, FakeDirectory(), learn)
    with pytest.raises(DirectoryUnavailable):
        cached(tmp_path, directory, look_up)


def test_what_is_too_old_is_not_served(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory) -> None:
        await cache.all_users()
        clock.time += timedelta(hours=23)
        await look_up(cache)
        await cache.settle()
        directory.unavailable = True
        clock.time += timedelta(hours=2)
        await look_up(cache)
        for look in (cache.user_by_number("102"), cache.all_users()):
            with pytest.raises(DirectoryUnavailable):
                await look
        clock.time += timedelta(hours=23)
        with pytest.raises(DirectoryUnavailable):
            await cache.user_by_number(NUMBER)

    clock, directory = SetClock(), FakeDirectory(ANNA, BERT)
    cached(tmp_path, directory, story, clock=clock)


def test_who_waits_too_long_gets_what_is_remembered(tmp_path: Path) -> None:
    async def story(cache: CachedDirectory) -> None:
        began = time.monotonic()
        await look_up(cache)
        assert await cache.user_by_number("102") == BERT, "not remembered, so worth waiting for"
        assert time.monotonic() - began > 0.4

    directory = SlowDirectory(ANNA, BERT)
    cached(tmp_path, directory, look_up)
    directory.seconds = 0.4
    cached(tmp_path, directory, story, patience=0.1)


def test_nothing_can_be_read_in_the_file(tmp_path: Path) -> None:
    filled(tmp_path)
    files = [file for file in (tmp_path / "cache").iterdir() if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        numbers = [number for number in ANNA.numbers if len(number) > 6]
        for text in (ANNA.name, ANNA.mail, *numbers, "Auckland"):
            assert text.encode() not in content, "short ones stand in any ciphertext by chance"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_after_a_rotation_of_keys_it_still_opens(tmp_path: Path) -> None:
    directory = filled(tmp_path)
    KeyRing(tmp_path / "keys").rotate()
    cached(tmp_path, directory, look_up)


def in_another_version(base: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Make of everything that is remembered what another version would have written."""
    keys, purpose = KeyRing(base / "keys"), "directory cache"
    with closing(sqlite3.connect(base / "cache" / "users.db")) as db, db:
        for name, sealed in db.execute("SELECT name, sealed FROM items").fetchall():
            stored = json.loads(keys.open(sealed, owner=name.hex(), attribute=purpose))
            change(stored)
            text = keys.seal(json.dumps(stored), owner=name.hex(), attribute=purpose)
            db.execute("UPDATE items SET sealed = ? WHERE name = ?", (text, name))


def test_what_the_first_version_remembered_serves_during_an_update(tmp_path: Path) -> None:
    def as_first(stored: dict[str, Any]) -> None:
        settings = {
            "language": ANNA.language,
            "time_zone": ANNA.time_zone,
            "voice_mail_enabled": ANNA.voice_mail_enabled,
            "takes_messages": ANNA.takes_messages,
            "may_log_in": ANNA.may_log_in,
        }
        del stored["version"], stored["user"]["settings"]
        stored["user"] |= settings

    async def story(cache: CachedDirectory) -> None:
        assert await cache.user_by_number(NUMBER) == FIRST_ANNA

    directory = filled(tmp_path)
    in_another_version(tmp_path, as_first)
    cached(tmp_path, directory, story)


@pytest.mark.parametrize("stored", [{"version": 99}, {"user": {}}, {"user": {"settings": 1}}])
def test_what_a_later_version_remembered_is_not_guessed_at(
    tmp_path: Path, stored: dict[str, Any]
) -> None:
    directory = filled(tmp_path)
    in_another_version(tmp_path, lambda there: there.update(stored))
    with pytest.raises(DirectoryUnavailable):
        cached(tmp_path, directory, look_up)


def test_another_installation_cannot_open_it(tmp_path: Path) -> None:
    directory = filled(tmp_path)
    for key in (tmp_path / "keys").iterdir():
        key.unlink()
    with pytest.raises(DirectoryUnavailable):
        cached(tmp_path, directory, look_up)


def test_a_broken_file_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "users.db"
    file.parent.mkdir()
    file.write_bytes(b"no database at all" * 100)
    with capture_logs() as lines:
        cached(tmp_path, FakeDirectory(ANNA), look_up)
    assert "cannot be used" in lines[0]["event"]
    cached(tmp_path, filled(tmp_path), look_up)


def test_a_disk_that_cannot_be_written_costs_nobody_a_call(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the directory should be")
    with capture_logs() as lines:
        cached(tmp_path, FakeDirectory(ANNA), look_up)
    assert lines


@pytest.mark.feature_part("DIR-08", "the adapter")
def test_callers_are_served_while_every_server_is_down(tmp_path: Path) -> None:
    """Two real servers: the first hangs, then the second dies; then both are back."""

    async def story(cache: CachedDirectory) -> None:
        async def name_of(user: int) -> str:
            began = time.monotonic()
            found = await cache.user_by_number(number_of(user))
            assert time.monotonic() - began < 15  # nobody waits for each of two servers
            return found.id if found else ""

        assert len(await cache.all_users()) == 200
        await cache.settle()
        first.freeze()
        assert await name_of(1) == "u00001"
        second.freeze()
        assert await asyncio.gather(*(name_of(n) for n in range(50))) == [
            f"u{n:05}" for n in range(50)
        ]
        second.stop()
        assert await name_of(7) == "u00007"
        with pytest.raises(DirectoryUnavailable):
            await cache.check_pin("u00007", PIN)
        first.thaw()
        end = time.monotonic() + AT_MOST
        while not await can_log_in(cache):
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        assert await name_of(8) == "u00008"

    async def can_log_in(cache: CachedDirectory) -> bool:
        try:
            return await cache.check_pin("u00007", PIN) is PinCheck.WRONG
        except DirectoryUnavailable:
            return False

    async def run() -> None:
        keys = KeyRing(tmp_path / "keys")
        directory = LdapDirectory(settings_of(first, second), keys, site=SITE)
        cache = CachedDirectory(directory, tmp_path / "users.db", keys, SetClock())
        try:
            await story(cache)
        finally:
            await cache.close()
            await directory.close()

    people = unit("people") + crowd(200)
    with slapd(people) as first, slapd(people) as second:
        asyncio.run(run())
