"""What other voicemail systems are known to have done wrong: each of it, done to us.

The numbers are those of the public trackers where somebody reported it: ``#n`` is an issue of
Asterisk's repository, ``ASTERISK-n`` one of its tracker before that.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.imap_store import imap_store
from tests.adapters.mailbox_contract import ANNA, message
from tests.adapters.maildir_store import maildir_store
from tests.dialogues.exchange import THANKS, Exchange
from tests.dialogues.leaving import records
from tests.dovecot import Dovecot, dovecot
from tests.fakes import FakeDirectory, FakeLamps
from tests.patience import AT_MOST
from tests.phone import Phone
from tests.slapd import need_slapd
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.imap.address import Patience
from vm_ari.domain.messages import Counts
from vm_ari.ports import DeliveryPostponed
from vm_ari.services.lamps import LampKeeper
from vm_ari.speech.catalogue import P

IMPATIENT = Patience(connect=2, answer=1, caller=2, delivery=2)
REDO_KEY = "3"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna") as running:
        yield running


@pytest.mark.parametrize("end", ["#1", "#", ""])
def test_a_full_disk_reported_as_recorded(end: str) -> None:
    """The disk is full, the recording is reported as finished, and the caller is thanked for it.

    Asterisk's own REST interface reports "done" then, with an empty file or a part of it. With a
    disk that is really full: `test_disks.py`.
    """
    site = Exchange()
    line = site.line()
    line.disk_full = True

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end=end)
        await phone.hears_the_end()

    told = site.phone_call(caller, line=line)
    assert THANKS not in told.phone.heard_names()
    assert told.phone.heard_names()[-1] in ("en/goodbye",)
    assert site.messages == []


def test_a_lock_time_out_loses_a_message(server: Dovecot, tmp_path: Path) -> None:
    """Somebody holds the lock of the mailbox, the wait for it ends, the recording is deleted.

    ASTERISK-20207 and ASTERISK-28567 are about locks that a crash has left there.
    """
    voice = message(tmp_path / "voice.wav")
    server.empty("anna")
    with server.mail_program("anna"):
        [uids] = server.mail_directory("anna").rglob("dovecot-uidlist")
    lock = uids.with_name("dovecot-uidlist.lock")

    async def story() -> None:
        first = imap_store(server, patience=IMPATIENT)
        lock.touch()
        lock.chmod(0o666)
        try:
            with pytest.raises(DeliveryPostponed):
                await first.courier.deliver(voice, ANNA)
        finally:
            lock.unlink()
            await first.doorman.close()
        assert Path(voice.audio).exists()
        again = imap_store(server)
        async with asyncio.timeout(AT_MOST):  # the server may still finish what it was told then
            while not await again.courier.has(voice, ANNA):
                await again.courier.deliver(voice, ANNA)
        await again.doorman.close()

    asyncio.run(story())
    with server.mail_program("anna") as client:
        assert len(client.search()) == 1


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("trouble", ["dead", "hung"])
def test_minus_one_messages_light_the_lamp(
    server: Dovecot, tmp_path: Path, trouble: str, before: int
) -> None:
    """The mail server is away, the count is -1, and the phones show waiting messages (#64)."""
    lamps = FakeLamps()
    server.empty("anna")

    async def counted(patience: Patience) -> Counts | None:
        store = imap_store(server, patience=patience)
        keeper = LampKeeper(lamps, store.mailboxes, FakeDirectory(ANNA))
        try:
            return await keeper.recount(ANNA)
        finally:
            await store.doorman.close()

    async def story() -> None:
        store = imap_store(server)
        for number in range(before):
            await store.courier.deliver(message(tmp_path / "voice.wav", number), ANNA)
        await store.doorman.close()
        assert await counted(Patience()) == Counts(new_voice=before)
        server.stop() if trouble == "dead" else server.freeze()
        try:
            assert await counted(IMPATIENT) is None
        finally:
            server.start() if trouble == "dead" else server.thaw()

    asyncio.run(story())
    assert lamps.history == [(ANNA.mailbox, before, 0)]


def test_two_callers_get_one_number(tmp_path: Path) -> None:
    """Two callers end at the same moment, and one message takes the place of the other (#1653).

    Here two nodes deliver forty messages of the same second into one mailbox, all at once.
    """
    nodes = [maildir_store(tmp_path / "mail") for _ in range(2)]
    voices = [message(tmp_path / "voice.wav", number) for number in range(40)]
    same_time = [
        replace(voice, facts=replace(voice.facts, started=voices[0].facts.started))
        for voice in voices
    ]

    async def story() -> None:
        await asyncio.gather(
            *(nodes[n % 2].courier.deliver(voice, ANNA) for n, voice in enumerate(same_time))
        )

    asyncio.run(story())
    heads = Counter(
        line
        for file in nodes[0].files()
        for line in file.read_bytes().splitlines()
        if line.startswith(b"Message-ID:")
    )
    assert heads == {b"Message-ID: " + v.facts.message_id.encode(): 1 for v in voices}


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.5, 1.0, 1.5, 2.0, 3.5])
def test_a_mail_without_audio_after_a_hang_up(moment: float) -> None:
    """Who hangs up when he is about to record again leaves a mail without a message
    (ASTERISK-29391).
    """
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_SEND)
        phone.presses(REDO_KEY)
        await phone.waits(moment)
        phone.hangs_up()

    site.phone_call(caller)
    assert site.messages == [5]


def test_the_ten_thousandth_message_is_not_saved(tmp_path: Path) -> None:
    """A mailbox holds 9,999 messages, and those that come then are lost (#2007, #86)."""
    store = maildir_store(tmp_path / "mail")

    async def deliver(number: int) -> None:
        voice = message(tmp_path / "voice.wav", number)
        await store.courier.deliver(voice, ANNA)
        assert await store.courier.has(voice, ANNA)

    asyncio.run(deliver(1))
    for number in range(10_000):
        (store.inbox / "cur" / f"1774745970.M{number}P1.host,S=9:2,S").touch()
    asyncio.run(deliver(2))
    assert len(store.files()) == 10_002


def test_a_crash_when_lamps_are_set_up_while_the_mail_server_is_down(tmp_path: Path) -> None:
    """Phones come, their messages shall be counted, IMAP does not answer: the process dies (#2163).

    Here it starts into an outage of everything: no Asterisk, no directory, no mail server.
    """
    need_slapd()
    config, log = tmp_path / "vm-ari.toml", tmp_path / "log"
    config.write_text(_everything_away(tmp_path))
    config.chmod(0o600)
    (tmp_path / "password").write_text("x\n")
    (tmp_path / "password").chmod(0o600)
    command = [sys.executable, "-m", "vm_ari", "run", "-c", str(config)]

    async def story() -> int:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            async with asyncio.timeout(AT_MOST):
                while not all(word in log.read_text() for word in ("Asterisk cannot be", "fails")):
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            assert process.returncode is None
        finally:
            process.terminate()
        return await asyncio.wait_for(process.wait(), AT_MOST)

    assert asyncio.run(story()) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _everything_away(base: Path) -> str:
    nobody = [free_port() for _ in range(3)]
    return f"""
[asterisk]
url = "http://127.0.0.1:{nobody[0]}"
password = "x"
[directory]
kind = "ldap"
keys = "{base / "keys"}"
[directory.ldap]
servers = ["ldap://127.0.0.1:{nobody[1]}"]
plaintext = true
bases = ["dc=example,dc=org"]
account = "cn=vm-ari,dc=example,dc=org"
password_file = "{base / "password"}"
cache = "{base / "cache.db"}"
[store]
kind = "imap"
[imap]
server = "imap://127.0.0.1:{nobody[2]}"
plaintext = true
account = "vm-ari"
password_file = "{base / "password"}"
[mail]
sender = "voicemail@example.org"
[spool]
directory = "{base / "recording" / "vm-ari"}"
[greetings]
directory = "{base / "greetings"}"
[journal]
url = "sqlite:///{base / "journal.db"}"
[speech]
cache = "{base / "speech"}"
"""
