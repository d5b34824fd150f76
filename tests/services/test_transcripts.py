"""Messages leave first; what was said follows in writing, once, or is named in the log."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.recordings import record, silent, spoken, wav
from tests.services.post import ANNA, LoopClock, facts_of
from tests.services.transcript_house import (
    SAID,
    WORDS,
    House,
    ScriptedTranscriber,
    on,
    text_of,
)
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.sending import Colleague, Errand, Sending
from vm_ari.domain.transcript_jobs import Fate
from vm_ari.domain.transcripts import NotTranscribed, Passage, Transcript, TranscriptRules
from vm_ari.ports import MailNotQueued
from vm_ari.services.transcripts import KEPT, LOOK_AGAIN

WAITING = TranscriptRules(wait_seconds=10)
FAILS = NotTranscribed("the engine failed")


def slow(seconds: float, answer: Transcript | Exception | None = SAID) -> ScriptedTranscriber:
    return ScriptedTranscriber(answer, seconds)


async def one_message(house: House) -> None:
    await house.leave("a")
    await asyncio.sleep(100)


def assert_followed(house: House) -> None:
    """One message without, and one mail with what was said."""
    [voice], [follower] = house.voice_messages, house.followers
    assert WORDS not in text_of(voice)
    assert follower["In-Reply-To"] == follower["References"] == voice["Message-ID"]
    assert follower["Auto-Submitted"] == "auto-generated"
    assert WORDS in text_of(follower)


def lost(logs: Sequence[Any]) -> list[str]:
    return [line["call"] for line in logs if line["event"] == "transcript lost"]


def test_a_message_leaves_before_a_slow_engine_ends(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave("a")
        await asyncio.sleep(1)
        assert len(house.voice_messages) == 1
        assert not house.followers
        await asyncio.sleep(70)
        assert_followed(house)
        await asyncio.sleep(1000)

    house = on(House(tmp_path, slow(60)), story)
    assert_followed(house)
    assert (house.arrivals, house.put_aside) == ([0.0], [])


def test_the_mail_that_follows_says_whose_message_it_was_and_that_it_is_a_machines(
    tmp_path: Path,
) -> None:
    house = on(House(tmp_path), one_message)
    [mail] = house.followers
    assert mail["Subject"] == "Transcript: voice message from Secret Name"
    for subtype in ("plain", "html"):
        text = text_of(mail, subtype)
        assert "Secret Name (+49 89 1234567)" in text
        assert "Language: English" in text
        assert f"{WORDS} " in text
        assert "[? Bring the folder. ?]" in text
        assert "by a machine" in text
        assert "are uncertain" in text


def test_a_message_that_waits_brings_its_transcript_along(tmp_path: Path) -> None:
    house = on(House(tmp_path, slow(5), WAITING), one_message)
    [mail] = house.mails
    assert house.arrivals == [5.0]
    for subtype in ("plain", "html"):
        text = text_of(mail, subtype)
        assert WORDS in text
        assert "[? Bring the folder. ?]" in text
        assert "Transcript by machine (English)" in text


def test_a_message_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    house = on(House(tmp_path, slow(60), WAITING), one_message)
    assert house.arrivals == [10.0]
    assert_followed(house)
    assert len(house.ears.asked) == 1, "what was begun is gone on with"


@pytest.mark.parametrize("rules", [TranscriptRules(), WAITING])
def test_an_engine_that_fails_costs_the_transcript_only(
    tmp_path: Path, rules: TranscriptRules
) -> None:
    with capture_logs() as logs:
        house = on(House(tmp_path, slow(2, FAILS), rules), one_message)
    assert len(house.voice_messages) == 1
    assert (house.followers, house.put_aside) == ([], [])
    assert house.arrivals == [2.0 if rules.wait_seconds else 0.0]
    assert lost(logs) == ["a"]
    assert len(house.ears.asked) == 1


@pytest.mark.parametrize("rules", [TranscriptRules(), WAITING])
def test_an_engine_that_breaks_in_an_unknown_way_stops_nothing(
    tmp_path: Path, rules: TranscriptRules
) -> None:
    async def story(house: House) -> None:
        await house.leave("a")
        await asyncio.sleep(1)
        house.ears.answer = SAID
        await house.leave("b")
        await asyncio.sleep(100)

    with capture_logs() as logs:
        house = on(House(tmp_path, slow(0, RuntimeError(WORDS)), rules), story)
    assert len(house.voice_messages) == 2
    assert lost(logs) == ["a"]
    assert sum(WORDS in text_of(mail) for mail in house.mails) == 1
    assert WORDS not in str(logs), "what was said is nobody's business"


def test_many_messages_at_once_each_get_their_own(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for name in "abcde":
            await house.leave(name)
        await asyncio.sleep(200)

    house = on(House(tmp_path, slow(3)), story)
    ids = {mail["Message-ID"] for mail in house.voice_messages}
    assert len(ids) == 5
    assert {mail["In-Reply-To"] for mail in house.followers} == ids
    assert len(house.followers) == 5


def test_who_wants_no_transcript_gets_none(tmp_path: Path) -> None:
    house = on(House(tmp_path, user=replace(ANNA, transcribe=False)), one_message)
    assert (len(house.mails), house.ears.asked, house.put_aside) == (1, [], [])


def test_a_long_message_is_not_written_down(tmp_path: Path) -> None:
    house = on(House(tmp_path, rules=TranscriptRules(longest_seconds=2.9)), one_message)
    assert (len(house.mails), house.ears.asked) == (1, [])


def test_a_silent_message_is_followed_by_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave("a", silent(3))
        await asyncio.sleep(100)

    with capture_logs() as logs:
        house = on(House(tmp_path), story)
    assert (len(house.mails), house.put_aside, lost(logs)) == (1, [], [])


def test_what_a_colleague_sends_does_not_wait(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        sending = Sending(Errand.MESSAGE, "bert", (Colleague(ANNA.id),), part_of="whole")
        facts = replace(facts_of("a", ANNA.id, ""), sending=sending)
        await house.spool.begin(facts)
        record(house.spool.recording_path("a", 1), wav(spoken(3)))
        await house.spool.keep(facts, 1, partial=False)
        house.outbox.wake()
        await asyncio.sleep(100)

    house = on(House(tmp_path, slow(5), WAITING), story)
    assert house.arrivals == [0.0]
    assert_followed(house)


def test_an_engine_is_told_a_language_that_is_spoken_here() -> None:
    rules = TranscriptRules(languages=("en", "fr"))
    assert [rules.language_for(usual) for usual in ("fr-CH", "de")] == ["fr", "en"]
    assert TranscriptRules().language_for("de_AT") == "de"


# -- crashes


@pytest.mark.parametrize("rules", [TranscriptRules(), WAITING])
def test_what_was_owed_at_a_crash_follows_after_the_next_start(
    tmp_path: Path, rules: TranscriptRules
) -> None:
    async def story(house: House) -> None:
        await house.leave("a")
        await asyncio.sleep(20)

    house = on(House(tmp_path, slow(3600), rules), story)
    assert (len(house.mails), house.put_aside) == (1, ["a"])
    assert_followed(on(House(tmp_path, slow(1), rules), lambda _: asyncio.sleep(100)))


def test_at_the_end_of_the_program_a_message_waits_no_longer(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.leave("a")
        await asyncio.sleep(2)
        assert not house.mails

    house = on(House(tmp_path, slow(60), WAITING), story)
    assert len(house.voice_messages) == 1
    assert house.arrivals == [2.0]
    assert_followed(on(House(tmp_path, slow(1), WAITING), lambda _: asyncio.sleep(100)))


def as_if_unseen(house: House) -> None:
    """The message has arrived, but the controller died before it could note that."""
    done, new = house.root / "spool" / "done" / "a", house.root / "spool" / "new" / "a"
    done.rename(new)
    (new / "attempt").write_bytes(b"")


def test_a_delivery_whose_end_was_not_seen_is_followed_all_the_same(tmp_path: Path) -> None:
    house = on(House(tmp_path, slow(3600)), one_message)
    as_if_unseen(house)
    shutil.rmtree(tmp_path / "spool" / "transcripts")  # it died even before that
    assert_followed(on(House(tmp_path), lambda _: asyncio.sleep(200)))


def test_a_transcript_that_is_in_the_mail_does_not_follow_after_a_crash(tmp_path: Path) -> None:
    house = on(House(tmp_path, rules=WAITING), one_message)
    as_if_unseen(house)
    house = on(House(tmp_path, rules=WAITING), lambda _: asyncio.sleep(200))
    assert len(house.mails) == 1
    assert (tmp_path / "spool" / "done" / "a").is_dir()


def test_a_transcript_that_was_mailed_is_not_mailed_again(tmp_path: Path) -> None:
    house = on(House(tmp_path), one_message)
    as_if_unseen(house)
    house = on(House(tmp_path), lambda _: asyncio.sleep(200))
    assert_followed(house)
    assert house.put_aside == []


def test_a_full_disk_costs_the_transcript_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        (tmp_path / "spool" / "transcripts").write_bytes(b"no directory")
        await house.leave("a")
        await asyncio.sleep(100)

    for rules in (TranscriptRules(), WAITING):
        with capture_logs() as logs:
            house = on(House(tmp_path, rules=rules), story)
        assert lost(logs) == ["a"]
        assert len(house.mails) == 1
        shutil.rmtree(tmp_path)


@pytest.mark.parametrize("rules", [TranscriptRules(), WAITING])
def test_a_fault_of_ours_costs_the_transcript_only(tmp_path: Path, rules: TranscriptRules) -> None:
    async def story(house: House) -> None:
        await house.leave("tmp")  # no name for what is put aside
        await asyncio.sleep(100)

    with capture_logs() as logs:
        house = on(House(tmp_path, rules=rules), story)
        done, new = tmp_path / "spool" / "done" / "tmp", tmp_path / "spool" / "new" / "tmp"
        done.rename(new)
        (new / "attempt").write_bytes(b"")
        house = on(House(tmp_path, rules=rules), lambda _: asyncio.sleep(200))
    assert len(house.mails) == 1
    assert lost(logs) == ["tmp", "tmp"]
    assert (tmp_path / "spool" / "done" / "tmp").is_dir()


def test_a_mail_that_cannot_be_queued_now_is_queued_later(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        tell, house.post.tell = house.post.tell, refuse  # type: ignore[method-assign]
        await house.leave("a")
        await asyncio.sleep(LOOK_AGAIN * 1.5)
        assert (len(house.mails), house.put_aside) == (1, ["a"])
        house.post.tell = tell  # type: ignore[method-assign]
        await asyncio.sleep(LOOK_AGAIN * 2)

    async def refuse(*_: object, **__: object) -> None:
        raise MailNotQueued("no space left on device")

    house = on(House(tmp_path), story)
    assert_followed(house)
    assert len(house.ears.asked) == 1, "once is enough"


def test_what_could_not_be_mailed_for_a_day_is_named_in_the_log(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.directory.away = True
        message = VoiceMessage(facts_of("a", ANNA.id, "101"), str(audio), 3.0)
        await house.jobs.put_aside(message)
        await house.jobs.note("a", Fate.OWED, ANNA.id)
        await house.jobs.sweep(KEPT)
        assert [job.message.facts for job in await house.jobs.owed()] == [message.facts]
        assert await house.jobs.sweep(-KEPT) == ["a"]
        assert not await house.jobs.owed()

    audio = tmp_path / "audio.wav"
    audio.write_bytes(spoken(1))
    assert on(House(tmp_path, clock=LoopClock()), story).put_aside == []


def test_a_damaged_note_is_passed_over(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        message = VoiceMessage(facts_of("a", ANNA.id, "101"), str(audio), 3.0)
        for name in ("a", "b"):
            facts = replace(message.facts, id=name)
            await house.jobs.put_aside(replace(message, facts=facts))
            await house.jobs.note(name, Fate.OWED, ANNA.id)
        (tmp_path / "spool" / "transcripts" / "a" / "message.json").write_text("{")
        assert [job.message.facts.id for job in await house.jobs.owed()] == ["b"]

    audio = tmp_path / "audio.wav"
    audio.write_bytes(spoken(1))
    with capture_logs() as logs:
        on(House(tmp_path), story)
    assert "a" in lost(logs)


# -- what an engine may say


def test_a_caller_cannot_write_html_into_the_mail(tmp_path: Path) -> None:
    evil = Transcript((Passage("<img src=x onerror=alert(1)> {{ 7 * 7 }} & so on"),), "en")
    for rules in (TranscriptRules(), WAITING):
        house = on(House(tmp_path / str(rules.wait_seconds), slow(0, evil), rules), one_message)
        mail = house.mails[0] if rules.wait_seconds else house.followers[0]
        assert "<img src=x" not in text_of(mail, "html")
        assert "&lt;img src=x onerror=alert(1)&gt; {{ 7 * 7 }} &amp; so on" in text_of(mail, "html")
        assert "<img src=x onerror=alert(1)> {{ 7 * 7 }} & so on" in text_of(mail)
