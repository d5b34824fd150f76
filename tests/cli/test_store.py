"""``vm-ari store``: messages move at the command line, and it says where they lie."""

import asyncio
import mailbox
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import soundfile
from structlog.testing import capture_logs

from tests.adapters.mailbox_contract import message
from tests.adapters.store_sides import (
    Lying,
    all_sorts,
    arrival,
    lying_local,
    lying_remote,
    put_local,
    put_remote,
    voice,
)
from tests.cli.site import ROOT, CliSite
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.patience import AT_MOST
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.domain.entries import effective_user
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.users import User
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.moving import tell_leftovers
from vm_ari.wiring.store import MessageStore, open_store

T = TypeVar("T")

TABLE = """
[store]
kind = "{kind}"
maildir = "{base}/mail"
{more}
[imap]
server = "{url}"
plaintext = true
account = "{account}"
password = "{password}"
"""
TO_IMAP = ("store", "migrate", "--from", "local", "--to", "imap")


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


@pytest.fixture
def both(people: CliSite, server: Dovecot) -> CliSite:
    """Anna and Bert have messages in their Maildirs; new ones go to the server."""
    for user in ("anna", "bert"):
        server.empty(user)
    configure(people, server)
    put_local(people.base / "mail" / "101", all_sorts()[:6])
    put_local(people.base / "mail" / "102", all_sorts()[:2])
    return people


def configure(site: CliSite, server: Dovecot, kind: str = "imap", more: str = "") -> None:
    site.configure(
        TABLE.format(
            kind=kind,
            base=site.base,
            more=more,
            url=server.url,
            account=ADMIN,
            password=ADMIN_PASSWORD,
        )
    )


async def with_store(
    site: CliSite, story: Callable[[MessageStore, User], Awaitable[T]], who: str = "anna"
) -> T:
    """What the controller does with its store, as it is configured now."""
    config = load(site.config)
    keys = KeyRing(config.directory.keys)
    register = open_register(config, keys)
    store = open_store(config, keys, register, site.base)
    try:
        entry = await register.entry_by_id(who)
        assert entry
        return await story(store, effective_user(entry, None, config.user_defaults()))
    finally:
        await store.close()
        await register.close()


async def heard_by_telephone(store: MessageStore, user: User) -> list[tuple[StoredMessage, bytes]]:
    """Every voice message with its sound, as remote inquiry gives them."""
    found = []
    async with store.mailboxes.open(user) as box:
        for new in (True, False):
            for one in await box.messages(MessageKind.VOICE, new=new):
                samples, _ = soundfile.read(await box.audio(one.uid), dtype="int16")
                found.append((replace(one, uid=""), samples.tobytes()))
    return sorted(found, key=lambda pair: pair[0].received)


@pytest.mark.feature("STORE-04")
def test_earlier_messages_stay_readable_and_follow_when_the_choice_is_changed(
    people: CliSite, server: Dovecot, tmp_path: Path
) -> None:
    server.empty("anna")
    people.configure(f'[store]\nmaildir = "{people.base}/mail"\n')

    async def leave_three(store: MessageStore, user: User) -> None:
        for number in (1, 2, 3):
            sent = message(tmp_path / "recording.wav", number, urgent=number == 2)
            await store.courier.deliver(sent, user)
        async with store.mailboxes.open(user) as box:
            first, *_, last = await box.messages(MessageKind.VOICE, new=True)
            await box.mark(first.uid, new=False)
            await box.delete(last.uid)

    asyncio.run(with_store(people, leave_three))
    before = asyncio.run(with_store(people, heard_by_telephone))
    assert len(before) == 2
    configure(people, server)
    assert asyncio.run(with_store(people, heard_by_telephone)) == []
    inbox = mailbox.Maildir(people.base / "mail" / "101", create=False)
    assert [len(inbox), len(inbox.get_folder("Deleted voice messages"))] == [2, 1]
    assert all(mail["Message-Context"] == "voice-message" for mail in inbox)
    people.run(*TO_IMAP, "--all", "--remove-source")
    assert asyncio.run(with_store(people, heard_by_telephone)) == before
    assert [one.folder for one in lying_remote(server, "anna")].count("INBOX") == 2
    assert len(lying_remote(server, "anna")) == 3


@pytest.mark.feature_part("STORE-04", "vm-ari store migrate")
def test_messages_move_and_the_sums_add_up(both: CliSite, server: Dovecot) -> None:
    shown = both.run(*TO_IMAP, "--all").stdout
    assert "8 messages: 8 copied, 0 there already, 0 gone meanwhile, 0 failed." in shown
    assert lying_remote(server, "anna") == sorted(all_sorts()[:6])
    assert lying_remote(server, "bert") == sorted(all_sorts()[:2])
    again = both.run(*TO_IMAP, "--all", "--remove-source").stdout
    assert "0 copied, 8 there already" in again
    assert "8 removed at the old place" in again
    assert lying_local(both.base / "mail") == []
    back = both.ask("store", "migrate", "--to", "local", "anna")
    assert back == [
        {"user": "anna", "result": "done", "found": 6, "copied": 6, "there": 0, "gone": 0,
         "failed": 0, "removed": 0, "reason": ""}
    ]  # fmt: skip
    assert lying_local(both.base / "mail" / "101") == sorted(all_sorts()[:6])


def test_a_dry_run_only_looks(both: CliSite, server: Dovecot) -> None:
    shown = both.run(*TO_IMAP, "-n", "anna").stdout
    assert "6 messages: 6 would be copied" in shown
    assert lying_remote(server, "anna") == []
    assert not list(both.base.rglob("*.jsonl"))


@pytest.mark.feature_part("STORE-04", "store status says where messages lie")
def test_the_status_says_where_messages_lie(both: CliSite, server: Dovecot) -> None:
    put_remote(server, "bert", all_sorts()[:1])
    put_local(both.base / "mail" / "199", [Lying("INBOX", (), arrival(1), voice(1))])
    rows = both.ask("store", "status")
    assert [(row["user"], row["mailbox"], row["local"], row["imap"]) for row in rows] == [
        ("anna", "101", 6, 0),
        ("bert", "102", 2, 1),
        ("", "199", 1, 0),
    ]
    assert "9 in Maildirs, 1 on mail servers" in both.run("store", "status").stdout
    assert "New messages go to the users' mailboxes" in both.run("store", "status", "anna").stdout
    server.stop()
    try:
        refused = both.run("store", "status", "-o", "tsv", code=1).stdout
    finally:
        server.start()
    assert refused.count("Connection refused") == 2


def test_who_has_no_mail_servers_is_told(people: CliSite) -> None:
    people.configure(f'[store]\nmaildir = "{people.base}/mail"\n')
    assert "write a table [imap]" in people.run(*TO_IMAP, "--all", code=3).stderr
    assert "0 in Maildirs, 0 on mail servers" in people.run("store", "status").stdout


def test_both_stores_can_be_configured_while_messages_move(both: CliSite, server: Dovecot) -> None:
    configure(both, server, "local", "moving = true")
    assert "6 copied" in both.run(*TO_IMAP, "anna").stdout
    assert "New messages go to Maildirs" in both.run("store", "status").stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--all",), "Say where from"),
        (("--from", "imap", "--to", "imap", "--all"), "name two different stores"),
        (("--from", "local"), "Say for whom"),
        (("--resume", "--all"), "say no more"),
        (("--from", "tape", "--all"), "'tape' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    both: CliSite, words: tuple[str, ...], complaint: str
) -> None:
    assert complaint in both.run("store", "migrate", *words, code=2).output


def test_what_has_failed_is_told_and_tried_again(both: CliSite, server: Dovecot) -> None:
    both.run("users", "add", "carl", "name=Carl", "--number", "103")
    put_local(both.base / "mail" / "103", all_sorts()[:3])
    failed = both.run(*TO_IMAP, "--all", code=5)
    assert "11 messages: 8 copied, 0 there already, 0 gone meanwhile, 3 failed." in failed.stdout
    assert "carl: " in failed.stderr
    assert "store migrate --resume" in failed.stderr
    assert len(lying_local(both.base / "mail" / "103")) == 3
    assert "Go on with" in both.run(*TO_IMAP, "--all", code=1).stderr
    both.run("users", "delete", "carl", "--yes")
    gone = both.run("store", "migrate", "--resume", code=5)
    assert "There is no user carl any more." in gone.stderr
    assert "nothing to go on with" not in gone.stderr
    both.run(*TO_IMAP, "--all", "--anew")
    assert "nothing to go on with" in both.run("store", "migrate", "--resume", code=1).stderr


@pytest.mark.slow
@pytest.mark.feature_part("STORE-04", "killed at random moments and resumed")
def test_a_killed_command_is_resumed(both: CliSite, server: Dovecot) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    many = [
        replace(all_sorts()[n % 6], arrived=arrival(n), mail=voice(n + 100)) for n in range(150)
    ]
    put_local(both.base / "mail" / "101", many)
    wanted = sorted([*many, *all_sorts()[:6]])
    words = [*TO_IMAP[2:], "anna", "--remove-source"]
    code, _ = stopped(both, words, chance.randrange(5, 60), signal.SIGKILL)
    assert code == -signal.SIGKILL
    code, told = stopped(both, ["--resume"], chance.randrange(5, 60), signal.SIGINT)
    assert code == 130, told
    assert "not yet looked at" in told
    assert "Go on with: vm-ari store migrate --resume" in told
    code, told = stopped(both, ["--resume"], 10**6, signal.SIGKILL)
    assert code == 0, told
    assert "156 messages: 156 copied" in told
    assert lying_remote(server, "anna") == wanted
    assert lying_local(both.base / "mail" / "101") == []


def stopped(site: CliSite, words: list[str], lines: int, how: signal.Signals) -> tuple[int, str]:
    """Run it, and end it when its journal has grown by so many lines; its code and its words."""
    command = [sys.executable, "-m", "vm_ari", "store", "migrate", *words, "-c", str(site.config)]
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    journal = site.base / "journals" / "store-migration.jsonl"
    before = written(journal)
    while running.poll() is None and written(journal) < before + lines:
        time.sleep(0.002)
    if running.poll() is None:
        running.send_signal(how)
    told, _ = running.communicate(timeout=AT_MOST)
    return running.returncode, told


def written(journal: Path) -> int:
    try:
        return journal.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


@pytest.mark.feature_part("STORE-04", "leftovers are told by check")
def test_the_check_tells_of_messages_that_the_telephone_does_not_find(both: CliSite) -> None:
    told = [line for line in both.ask("check", "--only", "store") if "Maildirs" in line["what"]]
    assert [line["what"] for line in told] == [
        "8 messages lie in 2 Maildirs, not on the mail servers."
    ]
    with capture_logs() as logs:
        tell_leftovers(load(both.config))  # as a controller does when it starts
    assert [(line["log_level"], line["messages"]) for line in logs] == [("warning", 8)]
    both.run(*TO_IMAP, "--all", "--remove-source")
    assert not [line for line in both.ask("check", "--only", "store") if "Maildirs" in line["what"]]
