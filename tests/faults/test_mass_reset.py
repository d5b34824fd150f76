"""A mass reset on a real OpenLDAP server, killed twice (WELCOME-06).

The server itself writes down every change (slapo-auditlog), so nobody has to believe the journal.

    VM_ARI_RESET_USERS=10000 pytest tests/faults/test_mass_reset.py

takes more users than CI does; where the run is killed moves with their number.
"""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.ldap_people import (
    PEOPLE,
    UserDirectory,
    crowd,
    on_ldap,
    person,
    settings_of,
    unit,
)
from tests.cli.ldap_site import on_servers
from tests.cli.site import ROOT, CliSite
from tests.patience import AT_MOST
from tests.slapd import READER, Slapd, slapd
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.domain.login_state import WELCOME_DUE, LoginState
from vm_ari.domain.welcome import with_mail
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.mail import open_post

SIZE = int(os.environ.get("VM_ARI_RESET_USERS", "2500"))
KILLED_AFTER = (0.02, 0.4), (0.45, 0.8)
"""Of all users: between these shares the first run ends, and then the second."""
TOLD = "246813"
"""The new PIN in mails that have left."""
AUDIT = "moduleload auditlog\noverlay auditlog\nauditlog audit.ldif\n"
WELCOME = "[welcome]\nenabled = true\n"
RESET = ("welcome", "reset")

pytestmark = pytest.mark.slow


@contextmanager
def site_of(size: int, base: Path) -> Iterator[tuple[CliSite, Slapd]]:
    """So many users on a server that writes down what is changed."""
    with slapd(unit("people") + crowd(size), settings=AUDIT) as server:
        yield on_servers(base, server, more=WELCOME), server


def marks(server: Slapd) -> Counter[str]:
    """How often the server was made to note that somebody's welcome mail is due."""
    text = (server.base / "audit.ldif").read_text(encoding="utf-8")
    found: Counter[str] = Counter()
    for record in text.split("\n\n"):
        if name := re.search(r"^dn: uid=([^,]+),", record, re.MULTILINE):
            added = re.findall(r"^vmAriSetting: welcome=due$", _added(record), re.MULTILINE)
            found[name[1]] += len(added)
    return +found


def _added(record: str) -> str:
    """The parts that add values."""
    parts = re.split(r"^-$", record, flags=re.MULTILINE)
    return "\n".join(part for part in parts if re.search("^add: ", part, re.MULTILINE))


def started(site: CliSite, *words: str | Path) -> "subprocess.Popen[str]":
    """The command as a program of its own."""
    command = [sys.executable, "-m", "vm_ari", *RESET, *map(str, words), "-c", str(site.config)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lines(journal: Path) -> list[dict[str, Any]]:
    """All whole ones."""
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").split("\n")[:-1]]


def ended(journal: Path) -> int:
    """How many ends are noted."""
    return journal.read_bytes().count(b'\n{"end": ') if journal.exists() else 0


def half_done(journal: Path) -> list[str]:
    """Whose try has begun, and not ended."""
    state = {line.get("try") or line.get("end"): "try" in line for line in lines(journal)}
    return sorted(user for user, open_ in state.items() if user and open_)


def until(holds: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait for it, as long as the process works."""
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)


def killed_at(process: "subprocess.Popen[str]", journal: Path, users: int, pause: float) -> None:
    """So many users have ended, and somewhat later it is struck down."""
    until(lambda: ended(journal) >= users, process)
    time.sleep(pause)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


async def mails_leave(directory: UserDirectory, users: list[str]) -> set[str]:
    """The controller goes on serving: what is due leaves with calls. Returns whose mail has."""
    now = datetime.now(UTC)

    def send(state: LoginState) -> LoginState:
        if state.welcome != WELCOME_DUE:
            return state
        return with_mail(state, state, TOLD, now, one_time=False)

    changes = {user: await directory.change_login(user, send) for user in users}
    return {user for user, change in changes.items() if change.before != change.after}


@pytest.mark.feature("WELCOME-06")
def test_killed_twice_and_resumed_every_user_is_reset_exactly_once(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    journal = tmp_path / "journal.jsonl"
    with site_of(SIZE, tmp_path) as (site, server):
        settings, keys = settings_of(server), tmp_path / "keys"
        first = started(site, "--all", "--new-pin", "--yes-i-mean", str(SIZE), "--journal", journal)
        early, late = (round(SIZE * chance.uniform(*share)) for share in KILLED_AFTER)
        killed_at(first, journal, early, chance.uniform(0, 0.05))
        left = half_done(journal)
        changed = [user for user in left if marks(server)[user]]
        print(f"killed: {ended(journal)} ended, {len(left)} begun, {len(changed)} of them changed")
        told = on_ldap(settings, keys, lambda d: mails_leave(d, left[::2]))
        second = started(site, "--resume", journal)
        killed_at(second, journal, late, chance.uniform(0, 0.05))
        again = half_done(journal)
        print(f"killed: {ended(journal)} ended, {len(again)} begun, {len(told)} had their mails")
        done = site.run(*RESET, "--resume", journal)

        assert done.stdout == f"{SIZE} reset, 0 unchanged, 0 failed\n"
        everybody = {f"u{number:05}": 1 for number in range(SIZE)}
        assert marks(server) == everybody
        results = Counter(line["end"] for line in lines(journal) if "end" in line)
        assert results == everybody
        for user in told:  # what has left stays so, and the PIN it told counts
            assert "welcome=due" not in server.read(f"uid={user},{PEOPLE}", "vmAriSetting")
            state = on_ldap(settings, keys, partial(UserDirectory.login_state, user_id=user))
            assert state.pin == TOLD
        before = (server.base / "audit.ldif").stat().st_size
        assert site.run(*RESET, "--resume", journal).stdout == done.stdout
        assert (server.base / "audit.ldif").stat().st_size == before


async def letters_in(site: CliSite) -> Counter[str]:
    """Whose welcome mails go out, after the controller has judged what a crash has kept back."""
    config, clock = load(site.config), SystemClock()
    keys = KeyRing(config.directory.keys)
    register = open_register(config, keys)
    post = open_post(config, keys, clock, register, register)
    try:
        await post.welcome.recover(clock.now() + timedelta(minutes=1))
        assert not await post.queue.prepared()
        names = [name for name, _ in await post.queue.waiting()]
        letters = [await post.queue.letter(name) for name in names]
    finally:
        await post.close()
        await register.close()
    return Counter(letter.recipient.user_id for letter in letters if letter)


@pytest.mark.feature_part("WELCOME-06", "with --now, killed twice, every user gets one mail")
def test_mails_that_leave_at_once_leave_once_although_the_run_is_killed(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, size = random.Random(seed), 40
    journal = tmp_path / "journal.jsonl"
    with slapd(unit("people") + crowd(size), settings=AUDIT) as server:
        more = f'{WELCOME}guide = false\n[mail]\nqueue = "{tmp_path}/queue"\n'
        site = on_servers(tmp_path, server, more=more)
        words = ("--all", "--new-pin", "--now", "--yes-i-mean", str(size), "--journal", journal)
        killed_at(started(site, *words, "--rate", "1200"), journal, 3, chance.uniform(0, 0.1))
        second = started(site, "--resume", journal, "--rate", "1200")
        killed_at(second, journal, 15, chance.uniform(0, 0.1))
        done = site.run(*RESET, "--resume", journal)
        assert done.stdout == f"{size} reset, 0 unchanged, 0 failed\n"
        assert asyncio.run(letters_in(site)) == {f"u{number:05}": 1 for number in range(size)}
        for user in range(size):
            values = server.read(f"uid=u{user:05},{PEOPLE}", "vmAriSetting")
            assert [value for value in values if value.startswith("pin=v1.")]
            assert not [value for value in values if value.startswith("welcome_wish=")]


@pytest.mark.feature_part("WELCOME-06", "while users change their settings, both are kept")
def test_nothing_that_users_change_meanwhile_is_lost(tmp_path: Path) -> None:
    journal, size = tmp_path / "journal.jsonl", 400
    with site_of(size, tmp_path) as (site, server):
        process = started(site, "--all", "--yes-i-mean", str(size), "--journal", journal)
        users = [f"u{number:05}" for number in range(size)]

        async def change_all(directory: UserDirectory) -> None:
            # from the other end and from this one, so that some meet
            for user in (*reversed(users), *users):
                await directory.change_settings(user, {"folder": f"INBOX/{user}"})

        on_ldap(settings_of(server), tmp_path / "keys", change_all)
        said, trouble = process.communicate(timeout=AT_MOST)
        assert (said, process.returncode) == (f"{size} reset, 0 unchanged, 0 failed\n", 0), trouble
        for user in users:
            values = server.read(f"uid={user},{PEOPLE}", "vmAriSetting")
            assert {"welcome=due", f"folder=INBOX/{user}", "language=de"} <= set(values)
        assert marks(server) == dict.fromkeys(users, 1)


@pytest.mark.feature_part("WELCOME-06", "a directory that goes away: the run ends, and is resumed")
def test_a_directory_that_goes_away_ends_the_run(tmp_path: Path) -> None:
    journal, size = tmp_path / "journal.jsonl", 2000
    with site_of(size, tmp_path) as (site, server):
        process = started(site, "--all", "--yes-i-mean", str(size), "--journal", journal)
        until(lambda: ended(journal) >= 100, process)
        server.stop()
        said, trouble = process.communicate(timeout=AT_MOST)
        assert process.returncode == 5, trouble
        done = ended(journal)
        assert said == f"{done} reset, 0 unchanged, 0 failed, {size - done} open\n"
        assert "Stopped: " in trouble
        assert f"--resume {journal}" in trouble
        server.start()
        assert site.run(*RESET, "--resume", journal).stdout.startswith(f"{size} reset, 0 unch")
        assert marks(server) == {f"u{number:05}": 1 for number in range(size)}


def test_a_server_that_hangs_for_a_while_is_waited_for(tmp_path: Path) -> None:
    journal, size = tmp_path / "journal.jsonl", 600
    with site_of(size, tmp_path) as (site, server):
        process = started(site, "--all", "--yes-i-mean", str(size), "--journal", journal)
        until(lambda: ended(journal) >= 50, process)
        server.freeze()
        time.sleep(3.5)  # longer than one answer is waited for
        server.thaw()
        said, trouble = process.communicate(timeout=AT_MOST)
        assert (said, process.returncode) == (f"{size} reset, 0 unchanged, 0 failed\n", 0), trouble
        assert marks(server) == {f"u{number:05}": 1 for number in range(size)}


@pytest.mark.feature_part("WELCOME-06", "a subtree of LDAP")
def test_only_a_subtree_is_reset(tmp_path: Path) -> None:
    sales = f"ou=sales,{PEOPLE}"
    people = unit("people") + unit("sales", PEOPLE) + crowd(2) + person("sonja", sales)
    with slapd(people, settings=AUDIT) as server:
        site = on_servers(tmp_path, server, more=WELCOME)
        site.run(*RESET, "--ou", "sales", "--yes-i-mean", "1")
        assert marks(server) == {"sonja": 1}
        everybody = site.run(*RESET, "--ou", "people", "--yes-i-mean", "3").stdout
        assert everybody == "2 reset, 1 unchanged, 0 failed\n"
        assert marks(server) == {"sonja": 1, "u00000": 1, "u00001": 1}


def test_users_whom_we_may_not_change_are_named(tmp_path: Path) -> None:
    with site_of(3, tmp_path) as (_, server):
        reader = on_servers(tmp_path, server, account=READER, more=WELCOME)
        failed = reader.run(*RESET, "--all", "--yes-i-mean", "3", "-o", "json", code=1)
        rows = json.loads(failed.stdout)
        assert [(row["user"], row["result"]) for row in rows] == [
            (f"u{number:05}", "failed") for number in range(3)
        ]
        assert all("insufficientAccessRights" in row["reason"] for row in rows)
        (journal,) = (tmp_path / "journals").iterdir()
        writer = on_servers(tmp_path, server, more=WELCOME)
        assert writer.run(*RESET, "--resume", journal).stdout.startswith("3 reset, 0 unchanged")


def test_one_who_cannot_be_changed_does_not_keep_the_others(tmp_path: Path) -> None:
    """One string holds all settings here, and somebody has two of them."""
    form = '[directory.ldap.attributes]\nform = "one-string"\n'
    people = unit("people") + crowd(1) + person("anna") + person("bert")
    with slapd(people, settings=AUDIT) as server:
        site = on_servers(tmp_path, server, more=form + WELCOME)
        told = site.run(*RESET, "--all", "--yes-i-mean", "3", "-o", "json", code=5)
        rows = {row["user"]: row for row in json.loads(told.stdout)}
        assert {user: row["result"] for user, row in rows.items()} == {
            "anna": "done", "bert": "done", "u00000": "failed"
        }  # fmt: skip
        assert "there are 2 values instead of one" in rows["u00000"]["reason"]
