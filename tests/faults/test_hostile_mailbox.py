"""The hostile mails in real mailboxes: told, read or passed over, by the dialogue that users have.

``bench/hostile_mailbox.py`` does it with all of them and prints the figures; here are those that
were made against the mailbox, and some against each part of the reading.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.corpus.hostile_mails import claimed_voice_mails, forged_voice_mails
from tests.dialogues.exchange import ANNA, START
from tests.fake_voice import FakeFaxes, FakeVoice
from tests.fakes import FakeDirectory
from tests.faults.hostile_mailboxes import (
    BOXES,
    Box,
    Memory,
    all_mails,
    listen_to_the_only_one,
)
from tests.patience import AT_MOST
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.domain.access import Proof
from vm_ari.domain.call_back import CallBackRules, NoCallBack
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.reading import Readings

PATIENCE = AT_MOST
"""Seconds; on a busy machine a worker waits for its turn. Its CPU seconds are limited."""
HEARD = (
    *("subject-of-encoded-words", "50000-fields", "broken-date-0", "wrong-charset-9"),
    *("large-attachment", "claimed-with-sound"),
)
MOST_GROWTH = 48.0
"""Megabytes, however large a mail is."""


@pytest.fixture(params=BOXES)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    with BOXES[request.param](tmp_path) as made:
        made.empty()
        yield made


def is_speech(name: str) -> bool:
    return name.startswith("/spoken/")


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.feature_part("INBOX-10", "mails made to do harm are read or passed over")
def test_hostile_mails_are_heard_and_the_memory_stays_small(box: Box) -> None:
    mails = dict(all_mails())
    readings = Readings(MailReader(patience=PATIENCE), FakeFaxes(), FakeVoice(), ("en", "de", "fr"))
    memory = Memory()
    for name in HEARD:
        box.empty()
        box.put(name, mails[name])
        listening = listen_to_the_only_one(box, readings, is_speech)
        heard = asyncio.run(asyncio.wait_for(listening, 1.5 * PATIENCE))
        if name in {"large-attachment", "claimed-with-sound"}:
            assert any("Please call me back" in sound for sound in heard.sounds)
        [path] = [path for state in ("new", "cur") for path in (box.inbox / state).iterdir()]
        assert "S" in path.name.partition(":2,")[2], "it was heard, and is not told again"
    assert memory.growth < MOST_GROWTH


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
def test_all_of_them_in_one_mailbox_are_counted_listed_and_moved(box: Box) -> None:
    """And the one honest caller's message among them is found."""
    memory = Memory()
    names = [name for name, portions in all_mails() if box.put(name, portions)]

    async def story() -> list[StoredMessage]:
        async with box.mailboxes.open(ANNA) as mailbox:
            counts = await mailbox.counts()
            listed: list[StoredMessage] = []
            for kind in MessageKind:
                listed += await mailbox.messages(kind, new=True)
            assert len(listed) == len(names)
            assert counts.new_voice + counts.new_other == len(names)
            for one in listed:
                await mailbox.mark(one.uid, new=False)
                await mailbox.delete(one.uid)
            assert await mailbox.counts() == Counts()
            return listed

    listed = asyncio.run(story())
    assert len(listed) > 100
    assert memory.growth < MOST_GROWTH


@pytest.mark.feature_part("INBOX-09", "nobody who only claims to have called is called back")
def test_no_forged_voice_mail_gives_a_number_that_could_be_called_back(box: Box) -> None:
    everywhere = CallBackRules(outside=True)
    judge = CallBacks(FakeDirectory(ANNA), _Clock(), everywhere).judge
    forged = [*forged_voice_mails(), *claimed_voice_mails()]
    for name, content in forged:
        box.put(name, iter([content]))

    async def story() -> list[StoredMessage]:
        async with box.mailboxes.open(ANNA) as mailbox:
            kinds = [await mailbox.messages(kind, new=True) for kind in MessageKind]
            return [one for listed in kinds for one in listed]

    listed = asyncio.run(story())
    assert len(listed) == len(forged)
    assert {one.kind for one in listed} == {MessageKind.VOICE, MessageKind.MAIL}
    assert any(one.caller.number for one in listed), "some other system's number is announced"
    for one in listed:
        assert judge(one, ANNA, Proof.PIN) is NoCallBack.NOT_VOUCHED_FOR


class _Clock:
    """Always the same time."""

    def now(self) -> datetime:
        return START
