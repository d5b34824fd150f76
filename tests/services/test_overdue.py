"""Messages that wait for hours are told to the default recipient, in one mail a day (MAIL-08)."""

import asyncio
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.services.post import ANNA, LoopClock, Post, ScriptedCourier, on
from tests.services.welcome_node import node
from vm_ari.domain.settings import Rules
from vm_ari.ports import DeliveryPostponed, DeliveryRefused
from vm_ari.services.default_recipient import DefaultRecipient
from vm_ari.services.overdue import MOST_TOLD, OverdueMessages

FULL = DeliveryPostponed("the mailbox of user anna is full")


def on_late(post: Post, base: Path, *looks: float) -> list[tuple[int, str]]:
    """What is overdue after so many hours, and what was mailed until then."""
    found: list[tuple[int, str]] = []

    async def story(running: Post) -> None:
        one, clock = node(base), LoopClock()
        one.post._clock = clock
        overdue = OverdueMessages(
            running.outbox.waiting,
            running.spool.held,
            DefaultRecipient(running.directory, Rules(default_recipient=ANNA.mail)),
            one.post,
            clock,
            timedelta(hours=24),
        )
        for name in ("a", "b"):
            await running.leave(name)
        for hours in looks:
            await asyncio.sleep(hours * 3600)
            count = await overdue.look()
            await one.post.send_what_is_due()
            found.append((count, " ".join(str(mail["Subject"]) for mail in one.mails(ANNA))))
            bodies = [mail.get_body(("plain",)) for mail in one.mails(ANNA)]
            texts.extend(str(body.get_content()) for body in bodies if body)
        await one.directory.close()

    texts.clear()
    on(post, story)
    return found


texts: list[str] = []


@pytest.mark.feature_part("MAIL-08", "what waits for hours is told to the default recipient")
def test_what_waits_for_a_day_is_told_once_a_day(tmp_path: Path) -> None:
    courier = ScriptedCourier([FULL] * 500)
    told = on_late(Post(tmp_path / "spool", courier=courier), tmp_path, 23, 1, 1, 24)
    subject = "2 voice messages wait for delivery"
    assert told == [(0, ""), (2, subject), (2, subject), (2, f"{subject} {subject}")]
    assert "mailbox 101: the mailbox of user anna is full" in texts[0]
    assert "891234567" not in texts[0], "who called is none of an admin's business"


def test_what_was_refused_for_good_is_told_as_held(tmp_path: Path) -> None:
    courier = ScriptedCourier([DeliveryRefused("550 no such user"), None])
    told = on_late(Post(tmp_path / "spool", courier=courier), tmp_path, 25)
    assert told == [(1, "1 voice message waits for delivery")]
    assert "550 no such user (held until somebody releases it)" in texts[0]


def test_many_are_counted_and_some_are_named(tmp_path: Path) -> None:
    async def story(running: Post) -> None:
        one = node(tmp_path)
        overdue = OverdueMessages(
            running.outbox.waiting,
            running.spool.held,
            DefaultRecipient(running.directory, Rules(default_recipient="office@example.org")),
            one.post,
            LoopClock(timedelta(days=2)),
            timedelta(hours=24),
        )
        for number in range(MOST_TOLD + 5):
            await running.leave(f"m{number}")
        await asyncio.sleep(1)
        assert await overdue.look() == MOST_TOLD + 5
        [(letter_id, _)] = await one.queue.waiting()
        letter = await one.queue.letter(letter_id)
        assert letter is not None
        assert letter.recipient.mail == "office@example.org"
        parts = message_from_bytes(letter.content).walk()
        [words] = [part for part in parts if part.get_content_type() == "text/plain"]
        plain = words.get_payload(decode=True)
        assert isinstance(plain, bytes)
        assert plain.count(b"- mailbox 101: ") == MOST_TOLD
        assert b"- and 5 more\r\n" in plain
        await one.directory.close()

    on(Post(tmp_path / "spool", courier=ScriptedCourier([FULL] * 500)), story)
