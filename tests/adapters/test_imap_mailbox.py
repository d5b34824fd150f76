"""Folders, kinds, quota and hostile mail, on a real mail server."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from tests.adapters.imap_store import ADMINISTRATIVE, INDIVIDUAL, deliver, imap_store, in_box
from tests.adapters.mailbox_contract import ANNA, ORDINARY_MAIL, message
from tests.adapters.maildir_store import write_mail
from tests.dovecot import ADMIN, Dovecot, dovecot, password_of
from tests.imap_proxy import imap_proxy
from vm_ari.adapters.imap.access import Access, Administrator
from vm_ari.adapters.imap.courier import SmtpCourier
from vm_ari.adapters.imap.mailbox import ImapMailbox
from vm_ari.adapters.imap.recognition import VOICE
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import Counts, MessageKind, VoiceMessage
from vm_ari.domain.quota import Quota, is_nearly_full
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed, MessageGone

T = TypeVar("T")

SMALL = """
plugin {
  quota_rule = *:storage=300K
  quota_grace = 0
  quota_max_mail_size = 200K
}
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    running.empty("anna")
    return running


@pytest.fixture
def voice(tmp_path: Path) -> VoiceMessage:
    return message(tmp_path / "recording.wav")


def contents(server: Dovecot, folder: str) -> int:
    with server.mail_program("anna") as client:
        if not client.folder_exists(folder):
            return 0
        client.select_folder(folder)
        return len(client.search())


async def delete_the_one(box: ImapMailbox) -> str:
    [one] = await box.messages(MessageKind.VOICE, new=True)
    await box.delete(one.uid)
    return one.uid


# --- folders


@pytest.mark.feature("INBOX-11")
@pytest.mark.parametrize("way", ["individual", "acting-as", "other-users"])
def test_messages_of_a_user_may_have_a_folder_of_their_own(
    server: Dovecot, voice: VoiceMessage, way: str
) -> None:
    access = {"individual": INDIVIDUAL, **ADMINISTRATIVE}[way]
    anna = replace(ANNA, folder="INBOX/Voice")
    with server.mail_program("anna"):
        pass
    deliver(imap_store(server, access), voice, anna)
    assert contents(server, "INBOX") == 0
    counted = in_box(imap_store(server, access), lambda box: box.counts(), anna)
    assert counted == Counts(new_voice=1)
    in_box(imap_store(server, access), delete_the_one, anna)
    assert contents(server, "Deleted voice messages") == 1


@pytest.mark.feature_part("INBOX-06", "into a folder made at need, the bin, or away for good")
@pytest.mark.parametrize(
    ("setting", "folder"),
    [
        ("Deleted voice messages", "Deleted voice messages"),
        ("Gelöschte Sprachnachrichten", "Gelöschte Sprachnachrichten"),
        ("Archiv/Gelöschtes", "Archiv/Gelöschtes"),
        ("\\Trash", "Bin"),
        ("\\Junk", "Junk"),
    ],
)
def test_deleted_messages_go_where_the_site_wants_them(
    server: Dovecot, voice: VoiceMessage, setting: str, folder: str
) -> None:
    with server.mail_program("anna") as client:
        client.create_folder("Bin")
    deliver(imap_store(server), voice)

    async def story(box: ImapMailbox) -> None:
        uid = await delete_the_one(box)
        assert contents(server, folder) == 1
        await box.undelete(uid)
        assert await box.counts() == Counts(new_voice=1)
        assert contents(server, folder) == 0

    in_box(imap_store(server, deleted_folder=setting), story)
    with server.mail_program("anna") as client:
        assert folder in {name for _, _, name in client.list_sub_folders()} | {"Bin"}


@pytest.mark.feature_part("INBOX-06", "for good, and nothing but that message")
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_what_was_deleted_can_be_removed_for_good_and_nothing_else_is(
    server: Dovecot, voice: VoiceMessage, poor: bool
) -> None:
    """Other messages that are marked for removal are not ours to remove."""
    deliver(imap_store(server), voice)
    for folder in ("INBOX", "Deleted voice messages"):
        with server.mail_program("anna") as client:
            client.create_folder(folder) if folder != "INBOX" else None
            client.append(folder, ORDINARY_MAIL, ["\\Deleted"])

    async def story(box: ImapMailbox) -> None:
        [one] = await box.messages(MessageKind.VOICE, new=True)
        with pytest.raises(MessageGone):
            await box.purge(one.uid)
        await box.delete(one.uid)
        await box.purge(one.uid)
        for step in (box.purge(one.uid), box.undelete(one.uid), box.delete(one.uid)):
            with pytest.raises(MessageGone):
                await step
        assert await box.counts() == Counts()

    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = poor
        in_box(imap_store(server, url=proxy.url), story)
    left = 2 if poor else 1  # without UID EXPUNGE a message can only be marked
    assert contents(server, "INBOX") == left
    assert contents(server, "Deleted voice messages") == left


# --- kinds


def mail(*fields: str) -> bytes:
    usual = ["From: Eve <eve@example.org>", "Date: Tue, 3 Mar 2026 10:00:00 +0100"]
    head = "\r\n".join([*usual, *fields])
    return f"{head}\r\nMessage-ID: <{abs(hash(fields))}@x>\r\n\r\nHello.\r\n".encode()


RECOGNISED = {
    "standard": (mail("Message-Context: voice-message"), MessageKind.VOICE),
    "exchange": (
        mail(
            "Content-Class: Voice-CA", "X-VoiceMessageDuration: 12", "X-CallingTelephoneNumber: 5"
        ),
        MessageKind.VOICE,
    ),
    "vpim": (
        mail("Content-Type: Multipart/Voice-Message; boundary=x; version=2.0"),
        MessageKind.VOICE,
    ),
    "asterisk": (
        mail("X-Asterisk-VM-Extension: 101", "X-Asterisk-VM-Duration: 7"),
        MessageKind.VOICE,
    ),
    "fax": (mail("Message-Context: fax-message", "Content-Class: voice"), MessageKind.FAX),
    "sms": (mail("Message-Context: pager-message"), MessageKind.TEXT),
    "recall": (mail("X-VoiceMessageDuration: 35"), MessageKind.MAIL),
    "sham": (mail("Message-Context: no-voice-message"), MessageKind.MAIL),
    "forged": (mail("X-VM-ARI-Duration: 3.0", "X-VM-ARI-Caller: +1"), MessageKind.MAIL),
}


@pytest.mark.feature_part("INBOX-02", "messages that others put there are recognised")
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_messages_of_others_are_what_their_headers_say(server: Dovecot, poor: bool) -> None:
    with server.mail_program("anna") as client:
        for raw, _ in RECOGNISED.values():
            client.append("INBOX", raw)

    async def story(box: ImapMailbox) -> None:
        assert await box.counts() == Counts(new_voice=4, new_other=5, new_fax=1, new_text=1)
        for kind in MessageKind:
            listed = await box.messages(kind, new=True)
            wanted = [raw for raw, real in RECOGNISED.values() if real is kind]
            assert len(listed) == len(wanted), kind
        voices = await box.messages(MessageKind.VOICE, new=True)
        assert {m.seconds for m in voices} == {0.0, 12.0, 7.0}
        for one in voices:
            await box.mark(one.uid, new=False)
        assert await box.counts() == Counts(heard_voice=4, new_other=5, new_fax=1, new_text=1)

    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = poor
        in_box(imap_store(server, url=proxy.url), story)


def test_the_servers_question_finds_every_kind_of_voice_message(server: Dovecot) -> None:
    """Whatever `mail_summary` takes for one must be among what is searched for."""
    with server.mail_program("anna") as client:
        for raw, kind in RECOGNISED.values():
            client.append("INBOX", raw, ["\\Flagged"] if kind is MessageKind.VOICE else [])
            assert summary_of(raw, [b"key"]).kind is kind
        assert set(client.search(["FLAGGED"])) <= set(client.search(list(VOICE)))


def test_a_message_heard_in_a_mail_program_before_anybody_looked_is_counted_as_heard(
    server: Dovecot,
) -> None:
    with server.mail_program("anna") as client:
        client.append("INBOX", RECOGNISED["standard"][0], ["\\Seen"])
    assert in_box(imap_store(server), lambda box: box.counts()) == Counts(heard_voice=1)


def test_what_was_recognised_once_is_marked_so_that_it_is_found_at_once(server: Dovecot) -> None:
    old = RECOGNISED["standard"][0]
    with server.mail_program("anna") as client:
        client.append("INBOX", old, msg_time=datetime(2020, 1, 1, tzinfo=UTC))

    async def story(box: ImapMailbox) -> None:
        assert await box.counts() == Counts(new_voice=1)
        with server.mail_program("anna") as client:
            [uid] = client.search(["KEYWORD", "$VoiceMessage"])
            client.add_flags([uid], ["\\Seen"])
        assert await box.counts() == Counts(heard_voice=1)

    in_box(imap_store(server), story)


def test_an_unchanged_folder_is_not_searched_again(server: Dovecot, voice: VoiceMessage) -> None:
    deliver(imap_store(server), voice)
    with imap_proxy(server.port) as proxy:

        async def story(box: ImapMailbox) -> None:
            first = await box.counts()
            proxy.plan.commands.clear()
            assert await box.counts() == first == Counts(new_voice=1)
            said = [command.split()[0] for command in proxy.plan.commands]
            assert said == [b"NOOP", b"STATUS"]
            with server.mail_program("anna") as client:
                client.append("INBOX", ORDINARY_MAIL)
            assert await box.counts() == Counts(new_voice=1, new_other=1)

        in_box(imap_store(server, url=proxy.url), story)


# --- quota


@pytest.mark.feature_part("MAIL-08", "how full a mailbox is; a full one postpones deliveries")
def test_a_full_mailbox_takes_the_message_later(voice: VoiceMessage) -> None:
    with dovecot("anna", settings=SMALL) as small:
        store = imap_store(small)
        assert in_box(store, lambda box: box.quota()) == Quota(0, 300)
        with small.mail_program("anna") as client:
            client.append("INBOX", ORDINARY_MAIL + b"x" * 150_000)
            client.append("INBOX", ORDINARY_MAIL + b"x" * 150_000)
        full = in_box(imap_store(small), lambda box: box.quota())
        assert full is not None
        assert is_nearly_full(full, 90)
        with pytest.raises(DeliveryPostponed, match="mailbox of user anna is full"):
            deliver(imap_store(small), voice)
        with small.mail_program("anna") as client:
            client.delete_messages(client.search())
            client.expunge()
        deliver(imap_store(small), voice)
        assert in_box(imap_store(small), lambda box: box.counts()) == Counts(new_voice=1)


def test_a_mailbox_without_a_limit_has_no_quota(server: Dovecot) -> None:
    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = True
        assert in_box(imap_store(server, url=proxy.url), lambda box: box.quota()) is None


# --- sending instead


class Taken:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        self.mails.append((recipient.mail, mail))


def test_by_smtp_the_mailbox_is_asked_whether_the_message_has_arrived(
    server: Dovecot, voice: VoiceMessage
) -> None:
    store, mailer = imap_store(server), Taken()

    async def story() -> None:
        courier = SmtpCourier(mailer, write_mail, store.courier)
        await courier.deliver(voice, ANNA)
        [(address, raw)] = mailer.mails
        assert address == ANNA.mail
        assert not await courier.has(voice, ANNA), "it is on its way"
        with server.mail_program("anna") as client:
            client.append("INBOX", raw)
        assert await courier.has(voice, ANNA)
        assert not await SmtpCourier(mailer, write_mail, None).has(voice, ANNA)
        await store.doorman.close()

    asyncio.run(story())


def test_a_wrong_password_of_the_administrator_costs_nobody_a_message(
    server: Dovecot, voice: VoiceMessage
) -> None:
    with pytest.raises(DeliveryPostponed, match="Authentication failed"):
        deliver(imap_store(server, Access(Administrator(ADMIN, "wrong"))), voice)


def test_no_password_and_no_word_of_a_mail_gets_into_a_log(
    server: Dovecot, voice: VoiceMessage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    deliver(imap_store(server), voice)
    in_box(imap_store(server), delete_the_one)
    said = caplog.text
    assert password_of("anna") not in said
    assert Caller("+4989123456").number not in said
    assert "RIFF" not in said
