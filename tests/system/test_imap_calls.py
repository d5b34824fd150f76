"""Calls whose messages lie on a mail server: left, heard, deleted, handled by a mail program."""

import asyncio
import email
import email.policy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from io import BytesIO

import numpy as np
import pytest
import soundfile

from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.patience import AT_MOST
from tests.private_ca import PrivateCa
from tests.system.callers import assert_kept, babble
from tests.system.mails import on_their_way
from tests.system.test_remote_inquiry import leave, logged_in
from tests.system.worlds import NewWorld
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import Person, World

DELETED = "Deleted voice messages"
CARLAS = 1
"""Message on its way while the first tests run."""
CONFIGURATION = """
[store]
kind = "imap"
[imap]
server = "{url}"
ca_file = "{ca}"
access = "administrative"
account = "{account}"
password = "{password}"
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Dovecot]:
    with dovecot("anna", "ben", "carla", identity=authority.identity()) as running:
        yield running


@pytest.fixture(scope="module")
def world(new_world: NewWorld, server: Dovecot, authority: PrivateCa) -> Iterator[World]:
    """Its controller keeps messages in the users' mailboxes, and nowhere else."""
    settings = CONFIGURATION.format(
        url=server.tls_url, ca=authority.file, account=ADMIN, password=ADMIN_PASSWORD
    )
    shared = new_world(settings=settings)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


@pytest.fixture
def ben(world: World, server: Dovecot) -> Person:
    """Nothing is in his mailbox, whatever an earlier try of a test has left there."""
    server.empty("ben")
    return world.ben


@pytest.fixture
def anna(world: World, server: Dovecot) -> Person:
    """The same."""
    server.empty("anna")
    return world.anna


@pytest.fixture(scope="module")
def left_while_away(world: World, server: Dovecot) -> Audio:
    """What somebody said to Carla's mailbox before all other tests, while no mail server was there.

    It is tried again after a minute: meanwhile the others run.
    """
    carla, said = Person("Carla", "150", "de"), babble(2.5, 7)

    async def story() -> None:
        await world.add(carla)
        await asyncio.to_thread(server.stop)
        try:
            await leave(world, carla, said)
            async with logged_in(world, carla) as caller:
                await caller.hears("mailbox-unavailable")
        finally:
            await asyncio.to_thread(server.start)
        assert on_their_way(world)

    asyncio.run(story())
    return said


@dataclass(frozen=True)
class Found:
    """One message as a mail program sees it."""

    uid: int
    flags: frozenset[str]
    mail: EmailMessage

    @property
    def audio(self) -> Audio:
        [part] = self.mail.iter_attachments()
        content = part.get_content()
        assert isinstance(content, bytes)
        samples, rate = soundfile.read(BytesIO(content), dtype="float32")
        assert rate == 8000
        return np.asarray(samples, np.float32)


def in_folder(server: Dovecot, user: str, folder: str = "INBOX") -> list[Found]:
    """All messages there, oldest first."""
    with server.mail_program(user) as client:
        if not client.folder_exists(folder):
            return []
        client.select_folder(folder)
        answers = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[]"])
    return [
        Found(
            uid,
            frozenset(flag.decode() for flag in answer[b"FLAGS"]) - {"\\Recent"},
            _parsed(answer[b"BODY[]"]),
        )
        for uid, answer in sorted(answers.items())
    ]


def _parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


async def arrived(
    world: World, server: Dovecot, user: str, count: int, waiting: int = 0
) -> Sequence[Found]:
    """Wait until so many are there and no more than *waiting* are on their way."""
    async with asyncio.timeout(AT_MOST):
        while True:
            there = await asyncio.to_thread(in_folder, server, user)
            if len(there) >= count and len(on_their_way(world)) <= waiting:
                break
            await asyncio.sleep(0.1)
    assert len(there) == count
    return there


@pytest.mark.feature("CALL-01", "INBOX-02")
@pytest.mark.feature_part("MAIL-05", "IMAP APPEND")
@pytest.mark.usefixtures("left_while_away")
def test_a_message_is_left_heard_and_deleted_in_the_users_own_mailbox(
    world: World, server: Dovecot, anna: Person
) -> None:
    said = [babble(2.5, 1), babble(2.5, 2)]

    async def story() -> None:
        await leave(world, anna, said[0], "+4989555")
        [first] = await arrived(world, server, "anna", 1, CARLAS)
        assert first.flags == {"$VoiceMessage"}
        assert_kept(said[0], first.audio)
        async with logged_in(world, anna, "1") as caller:
            await caller.hears("message-number", "digits/1")
            await caller.hears_audio(said[0])
            await caller.hears("to-repeat")
            [first] = await asyncio.to_thread(in_folder, server, "anna")
            assert "\\Seen" in first.flags
            await caller.presses("7")
            await caller.hears("message-deleted")
        assert in_folder(server, "anna") == []
        [deleted] = in_folder(server, "anna", DELETED)
        assert_kept(said[0], deleted.audio)
        assert {"\\Seen", "$VoiceMessage"} == deleted.flags

    asyncio.run(story())


def test_what_a_mail_program_does_meanwhile_shows_on_the_phone(
    world: World, server: Dovecot, ben: Person
) -> None:
    async def story() -> None:
        for seed in (1, 2):
            await leave(world, ben, babble(2.5, seed), f"+498955{seed}")
        await arrived(world, server, "ben", 2, CARLAS)
        async with logged_in(world, ben, "1") as caller:
            await caller.hears("message-number", "digits/1")
            await caller.hears("to-repeat")
            await asyncio.to_thread(remove_all, server, "ben")
            await caller.presses("7")
            await caller.hears("message-gone")
            await caller.hears("message-gone")
            await caller.hears("no-more-messages")
        assert in_folder(server, "ben") == []
        assert in_folder(server, "ben", DELETED) == []

    asyncio.run(story())


@pytest.mark.slow
def test_a_message_that_is_left_while_the_mail_server_is_away_arrives_later_and_once(
    world: World, server: Dovecot, left_while_away: Audio
) -> None:
    async def story() -> None:
        async with asyncio.timeout(AT_MOST):
            while on_their_way(world):
                await asyncio.sleep(0.2)
        [mail] = await arrived(world, server, "carla", 1)
        assert_kept(left_while_away, mail.audio)

    asyncio.run(story())


def test_a_restart_of_the_mail_server_during_a_call_goes_unnoticed(
    world: World, server: Dovecot, ben: Person
) -> None:
    async def story() -> None:
        await leave(world, ben, babble(2.5, 5), "+4989777")
        await arrived(world, server, "ben", 1)
        async with logged_in(world, ben, "1") as caller:
            await caller.hears("message-number", "digits/1")
            await caller.hears("to-repeat")
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            await caller.presses("7")
            await caller.hears("message-deleted")
        assert in_folder(server, "ben") == []
        assert len(in_folder(server, "ben", DELETED)) == 1

    asyncio.run(story())


@pytest.mark.slow
def test_a_mail_server_that_hangs_ends_the_call_politely_and_nothing_is_lost(
    world: World, server: Dovecot, ben: Person
) -> None:
    async def story() -> None:
        await leave(world, ben, babble(2.5, 6), "+4989666")
        await arrived(world, server, "ben", 1)
        async with logged_in(world, ben, "1") as caller:
            await caller.hears("message-number", "digits/1")
            await caller.hears("to-repeat")
            server.freeze()
            try:
                await caller.presses("7")
                await caller.hears("mailbox-unavailable", "goodbye")
                await caller.is_hung_up_on()
            finally:
                server.thaw()
        there = [in_folder(server, "ben", folder) for folder in ("INBOX", DELETED)]
        assert sum(map(len, there)) == 1

    asyncio.run(story())


def remove_all(server: Dovecot, user: str) -> None:
    """A mail program expunges everything."""
    with server.mail_program(user) as client:
        client.delete_messages(client.search(), silent=True)
        client.expunge()
