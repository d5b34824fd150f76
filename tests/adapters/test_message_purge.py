"""Removing for good what was deleted: every message store keeps the same promise (INBOX-06)."""

from pathlib import Path

import pytest

from tests.adapters.mailbox_contract import (
    ANNA,
    Store,
    counts,
    deliver,
    in_mailbox,
    listed,
    message,
)
from tests.adapters.maildir_store import maildir_store
from tests.adapters.test_maildir import FakeStore
from vm_ari.domain.messages import Counts, MessageKind
from vm_ari.ports import Mailbox, MessageGone


class PurgeContract:
    """The promise of `Mailbox.purge`: inherit and give the *store*."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def recording(self, tmp_path: Path) -> Path:
        return tmp_path / "recording.wav"

    def test_it_removes_this_message_and_no_other(self, store: Store, recording: Path) -> None:
        for number in (1, 2, 3):
            deliver(store, message(recording, number))

        async def story(box: Mailbox) -> None:
            messages = await box.messages(MessageKind.VOICE, new=True)
            first, second, third = sorted(messages, key=lambda m: m.received)
            await box.delete(first.uid)
            await box.delete(second.uid)
            await box.purge(first.uid)
            with pytest.raises(MessageGone):
                await box.undelete(first.uid)
            await box.undelete(second.uid)
            left = await box.messages(MessageKind.VOICE, new=True)
            assert {m.uid for m in left} == {second.uid, third.uid}

        in_mailbox(store, story)
        assert counts(store) == Counts(new_voice=2)

    def test_what_was_not_deleted_is_not_removed(self, store: Store, recording: Path) -> None:
        deliver(store, message(recording))
        [got] = listed(store, new=True)

        async def story(box: Mailbox) -> None:
            for uid in (got.uid, "", "never-was", "../../etc/passwd"):
                with pytest.raises(MessageGone):
                    await box.purge(uid)

        in_mailbox(store, story)
        assert listed(store, new=True) == [got]

    def test_a_message_that_somebody_else_removed_is_gone(
        self, store: Store, recording: Path
    ) -> None:
        deliver(store, message(recording))

        async def story(box: Mailbox) -> None:
            [got] = await box.messages(MessageKind.VOICE, new=True)
            await box.delete(got.uid)
            store.lose(ANNA, got.uid)
            with pytest.raises(MessageGone):
                await box.purge(got.uid)

        in_mailbox(store, story)


class TestMaildir(PurgeContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return maildir_store(tmp_path / "mail")


class TestFakeMailboxes(PurgeContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FakeStore()


@pytest.mark.feature_part("INBOX-06", "no file is left")
def test_no_file_of_it_is_left(tmp_path: Path) -> None:
    store, recording = maildir_store(tmp_path / "mail"), tmp_path / "recording.wav"
    deliver(store, message(recording))
    [got] = listed(store, new=True)

    async def story(box: Mailbox) -> None:
        await box.delete(got.uid)
        await box.purge(got.uid)

    in_mailbox(store, story)
    assert store.files() == []
