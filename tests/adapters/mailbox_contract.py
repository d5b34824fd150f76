"""What every message store keeps, whatever it is made of: inherit and give the *store*."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import soundfile

from tests.recordings import spoken, wav
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts, Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import Courier, Mailbox, Mailboxes, MessageGone

T = TypeVar("T")

ANNA = User("anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org", "de")
BERT = User("bert", "Bert", "102", ("+4930555102",), "bert@example.org")
CALLED_AT = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)
CALLER = Caller("+4989123456", "Jörg Müller, Fa. Huber")
FOLDER = "Archív"
ORDINARY_MAIL = b"From: Eve <eve@example.org>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"


class Store(Protocol):
    """A store under test, with two hands that are not ours."""

    @property
    def mailboxes(self) -> Mailboxes: ...

    @property
    def courier(self) -> Courier: ...

    def post(self, user: User, mail: bytes) -> None:
        """Some mail program delivers *mail* (CRLF)."""

    def lose(self, user: User, uid: str) -> None:
        """Some mail program removes a message for good."""


def message(recording: Path, number: int = 1, *, urgent: bool = False) -> VoiceMessage:
    """A message of 2.5 s; *number* tells them apart and makes later ones newer."""
    if not recording.exists():
        recording.write_bytes(wav(spoken(2.5)))
    facts = CallFacts(
        id=f"{number:016x}",
        message_id=f"<{number:016x}@pbx.example>",
        channel_id="1700000000.1",
        called="+4930555101",
        user_id="anna",
        caller=CALLER,
        started=CALLED_AT + timedelta(minutes=number),
        urgent=urgent,
    )
    return VoiceMessage(facts, str(recording), 2.5)


class MailboxContract:
    """The promises of the ports `Mailboxes`, `Mailbox` and `Courier`."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def recording(self, tmp_path: Path) -> Path:
        return tmp_path / "recording.wav"

    def test_a_new_user_has_an_empty_mailbox(self, store: Store) -> None:
        assert in_mailbox(store, lambda box: box.counts()) == Counts()

    def test_a_delivered_message_is_new_and_says_who_called_when(
        self, store: Store, recording: Path
    ) -> None:
        deliver(store, message(recording, 7))
        [got] = listed(store, new=True)
        assert got == StoredMessage(
            uid=got.uid,
            kind=MessageKind.VOICE,
            received=CALLED_AT + timedelta(minutes=7),
            caller=CALLER,
            seconds=2.5,
            genuine=True,
        )
        assert counts(store) == Counts(new_voice=1)
        assert listed(store, new=False) == []

    def test_it_is_in_the_mailbox_of_its_owner_only(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))
        assert counts(store, BERT) == Counts()
        assert not has(store, message(recording), BERT)

    def test_a_second_delivery_changes_nothing(self, store: Store, recording: Path) -> None:
        assert not has(store, message(recording))
        for _ in range(3):
            deliver(store, message(recording))
        assert has(store, message(recording))
        assert not has(store, message(recording, 2))
        assert counts(store) == Counts(new_voice=1)

    @pytest.mark.parametrize("step", ["mark", "delete"])
    def test_nor_when_the_user_was_faster(self, store: Store, recording: Path, step: str) -> None:
        deliver(store, message(recording))
        handle = mark_heard if step == "mark" else delete
        handle(store, listed(store, new=True)[0].uid)
        before = counts(store)
        deliver(store, message(recording))
        assert has(store, message(recording))
        assert counts(store) == before

    def test_it_is_found_by_its_message_id_until_it_is_deleted(
        self, store: Store, recording: Path
    ) -> None:
        for number in (1, 2):
            deliver(store, message(recording, number))
        wanted = message(recording, 1).facts

        def found() -> str | None:
            return in_mailbox(store, lambda box: box.find(wanted.message_id, wanted.started))

        [uid] = [one.uid for one in listed(store, new=True) if one.received == wanted.started]
        assert found() == uid
        mark_heard(store, uid)
        assert found() == uid
        delete(store, uid)
        assert found() is None
        for odd in ("", "<>", "<nothing@pbx.example>", '<"@pbx.example>\r\nX NOOP'):
            nothing = in_mailbox(store, partial(_find, message_id=odd, since=wanted.started))
            assert nothing is None

    def test_the_plain_envelope_carries_the_same_message(
        self, store: Store, recording: Path
    ) -> None:
        deliver(store, message(recording), plain=True)
        [got] = listed(store, new=True)
        assert (got.caller.number, got.seconds, got.kind) == (
            CALLER.number,
            2.5,
            MessageKind.VOICE,
        )

    def test_urgent_messages_are_counted_while_they_are_new(
        self, store: Store, recording: Path
    ) -> None:
        deliver(store, message(recording, 1, urgent=True))
        deliver(store, message(recording, 2))
        assert counts(store) == Counts(new_voice=2, urgent_voice=1)
        [urgent] = [m for m in listed(store, new=True) if m.urgent]
        mark_heard(store, urgent.uid)
        assert counts(store) == Counts(new_voice=1, heard_voice=1)
        assert listed(store, new=False) == [replace(urgent, new=False)]

    def test_the_audio_is_what_was_said(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))

        async def story(box: Mailbox) -> tuple[bytes, int]:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            samples, rate = soundfile.read(await box.audio(got.uid), dtype="int16")
            return samples.tobytes(), rate

        assert in_mailbox(store, story) == (spoken(2.5), 8000)

    def test_the_mail_is_what_was_sent_or_its_beginning(self, store: Store) -> None:
        sent = ORDINARY_MAIL + b"The same\r\n\r\nagain.\r\n" * 60_000
        assert counts(store) == Counts()
        store.post(ANNA, sent)

        async def story(box: Mailbox) -> None:
            [got] = await box.messages(MessageKind.MAIL, new=True)
            for most in (None, 0, 5, 1 << 20, len(sent) + 1):
                path = await box.mail(got.uid, most=most)
                assert path.read_bytes() == sent[:most]
                assert path.stat().st_mode & 0o077 == 0  # it is a letter to somebody
            assert [m.uid for m in await box.messages(MessageKind.MAIL, new=True)] == [got.uid]

        in_mailbox(store, story)

    def test_files_of_a_session_go_with_it(self, store: Store) -> None:
        assert counts(store) == Counts()
        store.post(ANNA, ORDINARY_MAIL)

        async def story(box: Mailbox) -> list[Path]:
            [got] = await box.messages(MessageKind.MAIL, new=True)
            return [await box.mail(got.uid), await box.mail(got.uid, most=9)]

        whole, part = in_mailbox(store, story)
        assert whole != part
        assert not whole.exists()
        assert not part.exists()

    def test_heard_and_new_again(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))

        async def story(box: Mailbox) -> list[Counts]:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            seen = []
            for new in (False, False, True):
                await box.mark(got.uid, new=new)
                seen.append(await box.counts())
            return seen

        heard, new = Counts(heard_voice=1), Counts(new_voice=1)
        assert in_mailbox(store, story) == [heard, heard, new]

    @pytest.mark.parametrize("new", [True, False])
    def test_a_deleted_message_comes_back_as_it_was(
        self, store: Store, recording: Path, new: bool
    ) -> None:
        deliver(store, message(recording, urgent=True))

        async def story(box: Mailbox) -> None:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            await box.mark(got.uid, new=new)
            before = await box.messages(MessageKind.VOICE, new=new)
            await box.delete(got.uid)
            assert await box.counts() == Counts()
            assert await box.messages(MessageKind.VOICE, new=new) == []
            await box.undelete(got.uid)
            assert await box.messages(MessageKind.VOICE, new=new) == before

        in_mailbox(store, story)

    @pytest.mark.feature_part("STORE-05", "move to a folder and back, on each store")
    def test_a_message_goes_to_another_folder_and_back(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording, urgent=True))

        async def story() -> None:
            opened = store.mailboxes.open
            async with opened(ANNA) as box:
                [got] = await box.messages(MessageKind.VOICE, new=True)
                await box.move(got.uid, FOLDER)
                assert await box.counts() == Counts()
                with pytest.raises(MessageGone):
                    await box.move(got.uid, FOLDER)
            async with opened(ANNA, FOLDER) as folder:
                [there] = await folder.messages(MessageKind.VOICE, new=True)
                assert replace(there, uid=got.uid) == got
                assert (await folder.audio(there.uid)).stat().st_size > 0
                await folder.mark(there.uid, new=False)
                await folder.delete(there.uid)
                assert await folder.counts() == Counts()
                await folder.undelete(there.uid)
                await folder.move(there.uid, "")
                assert await folder.counts() == Counts()
            async with opened(ANNA) as box:
                [back] = await box.messages(MessageKind.VOICE, new=False)
                assert replace(back, uid=got.uid, new=True) == got

        asyncio.run(story())

    def test_ordinary_mail_is_another_kind(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))
        store.post(ANNA, ORDINARY_MAIL)
        assert counts(store) == Counts(new_voice=1, new_other=1)
        assert len(listed(store, new=True)) == 1
        [mail] = in_mailbox(store, lambda box: box.messages(MessageKind.MAIL, new=True))
        assert (mail.caller, mail.kind) == (Caller(name="Eve"), MessageKind.MAIL)
        mark_heard(store, mail.uid)
        assert counts(store) == Counts(new_voice=1)

    def test_faxes_and_sms_are_counted_apart(self, store: Store) -> None:
        assert counts(store) == Counts()
        store.post(ANNA, b"Message-Context: fax-message\r\n\r\nTwo pages.\r\n")
        store.post(ANNA, b"Message-Context: pager-message\r\n\r\nHello.\r\n")
        store.post(ANNA, ORDINARY_MAIL)
        assert counts(store) == Counts(new_other=3, new_fax=1, new_text=1)
        [text] = in_mailbox(store, lambda box: box.messages(MessageKind.TEXT, new=True))
        mark_heard(store, text.uid)
        assert counts(store) == Counts(new_other=2, new_fax=1)

    def test_what_comes_and_is_heard_while_it_is_open_counts(self, store: Store) -> None:
        async def story(box: Mailbox) -> None:
            assert await box.counts() == Counts()
            mail = b"Message-Context: voice-message\r\n\r\nHello.\r\n"
            await asyncio.to_thread(store.post, ANNA, mail)
            [came] = await box.messages(MessageKind.VOICE, new=True)
            await box.mark(came.uid, new=False)
            assert await box.counts() == Counts(heard_voice=1)

        in_mailbox(store, story)

    def test_a_message_that_somebody_else_removed_is_gone(
        self, store: Store, recording: Path
    ) -> None:
        deliver(store, message(recording))

        async def story(box: Mailbox) -> None:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            store.lose(ANNA, got.uid)
            await each_step_says_gone(box, got.uid)
            assert await box.counts() == Counts()

        in_mailbox(store, story)

    @pytest.mark.parametrize("uid", ["", "never-was", "../../etc/passwd"])
    def test_so_is_one_that_never_was(self, store: Store, uid: str) -> None:
        in_mailbox(store, lambda box: each_step_says_gone(box, uid))

    def test_a_deleted_message_cannot_be_deleted_again(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))

        async def story(box: Mailbox) -> None:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            await box.delete(got.uid)
            for step in (box.delete(got.uid), box.mark(got.uid, new=True), box.audio(got.uid)):
                with pytest.raises(MessageGone):
                    await step

        in_mailbox(store, story)

    def test_two_open_sessions_see_the_same(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording, 1))

        async def story() -> None:
            opened = store.mailboxes.open
            async with opened(ANNA) as phone, opened(ANNA) as portal:
                [first] = await phone.messages(MessageKind.VOICE, new=True)
                await store.courier.deliver(message(recording, 2), ANNA)
                await portal.mark(first.uid, new=False)
                assert await phone.counts() == Counts(new_voice=1, heard_voice=1)
                await phone.delete(first.uid)
                assert await portal.counts() == Counts(new_voice=1)

        asyncio.run(story())


async def each_step_says_gone(box: Mailbox, uid: str) -> None:
    """Whatever is done to it."""
    steps: list[Awaitable[object]] = [
        box.audio(uid),
        box.mail(uid),
        box.mark(uid, new=False),
        box.delete(uid),
        box.undelete(uid),
    ]
    for step in steps:
        with pytest.raises(MessageGone):
            await step


def in_mailbox(store: Store, story: Callable[[Mailbox], Awaitable[T]], user: User = ANNA) -> T:
    """Run a story in one session."""

    async def run() -> T:
        async with store.mailboxes.open(user) as box:
            return await story(box)

    return asyncio.run(run())


def deliver(store: Store, voice: VoiceMessage, *, plain: bool = False) -> None:
    """To Anna."""
    asyncio.run(store.courier.deliver(voice, ANNA, plain=plain))


def has(store: Store, voice: VoiceMessage, user: User = ANNA) -> bool:
    """Is it there?"""
    return asyncio.run(store.courier.has(voice, user))


def counts(store: Store, user: User = ANNA) -> Counts:
    """In a session of its own."""
    return in_mailbox(store, lambda box: box.counts(), user)


def listed(store: Store, *, new: bool) -> list[StoredMessage]:
    """Anna's voice messages."""
    return list(in_mailbox(store, lambda box: box.messages(MessageKind.VOICE, new=new)))


def mark_heard(store: Store, uid: str) -> None:
    """In a session of its own."""
    in_mailbox(store, lambda box: box.mark(uid, new=False))


def delete(store: Store, uid: str) -> None:
    """In a session of its own."""
    in_mailbox(store, lambda box: box.delete(uid))


async def _find(box: Mailbox, *, message_id: str, since: datetime) -> str | None:
    return await box.find(message_id, since)
