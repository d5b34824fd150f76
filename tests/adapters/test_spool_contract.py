"""What every spool keeps, whatever it is made of: the one in memory, and the one on a disk."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.adapters.spool_sides import Asterisk, DiskAsterisk, FakeAsterisk
from tests.adapters.unfinished import left_unfinished
from tests.clock import run_virtually
from tests.fake_spool import FakeSpool
from tests.recordings import spoken, wav
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Take
from vm_ari.domain.sending import Colleague, Errand, Sending
from vm_ari.domain.sending_parts import parts_of
from vm_ari.ports import RecordingUnreadable, Spool, SpoolFull, Whole

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FACTS = CallFacts(
    id="0123456789abcdef",
    message_id="<0123456789abcdef@pbx.example>",
    channel_id="1700000000.1",
    called="101",
    user_id="anna",
    caller=Caller("+49891234567", "Jörg <b>"),
    started=NOW,
)
ID = FACTS.id
FALLBACK = "1700000000_1.1_101___.wav"


Story = Callable[[Spool, Asterisk], Awaitable[None]]
Tell = Callable[..., None]


@pytest.fixture(params=["memory", "disk"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """Tells a story on one of the spools; *room* False: its disk is full."""

    async def in_memory(story: Story, room: bool) -> None:
        spool = FakeSpool(refuses=set() if room else {"begin"})
        await story(spool, FakeAsterisk(spool))

    async def on_disk(story: Story, room: bool) -> None:
        root = tmp_path / "recordings" / "vm-ari"
        spool = FileSpool(root, min_free=0 if room else 10**18)
        await spool.claim()
        try:
            await story(spool, DiskAsterisk(spool, root))
        finally:
            spool.close()

    run = in_memory if request.param == "memory" else on_disk
    return lambda story, room=True: run_virtually(run(story, room))


async def kept(spool: Spool, asterisk: Asterisk, facts: CallFacts = FACTS) -> VoiceMessage:
    """A message that waits to be delivered."""
    await spool.begin(facts)
    asterisk.records(facts.id, 1, 3)
    return await spool.keep(facts, 1, partial=False)


# --- while the caller talks


def test_asterisk_records_where_we_look(tell: Tell) -> None:
    async def story(spool: Spool, _: Asterisk) -> None:
        name, path = spool.recording_name(ID, 2), spool.recording_path(ID, 2)
        assert path.is_absolute()
        assert path.as_posix().endswith(f"/{name}")
        assert name != spool.recording_name(ID, 1)

    tell(story)


def test_a_take_is_measured(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        await spool.begin(FACTS)
        assert await spool.inspect(ID, 1) is None
        asterisk.records(ID, 1, 4)
        asterisk.records(ID, 2, 5, silence=True)
        said, silence = await spool.inspect(ID, 1), await spool.inspect(ID, 2)
        assert said
        assert silence == Take(5, 0)
        assert said.seconds == 4
        assert said.speech_seconds > 0
        assert not spool.was_cut(ID, 1)

    tell(story)


def test_what_is_kept_waits_to_be_delivered(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        facts = replace(FACTS)
        await spool.begin(facts)
        asterisk.records(ID, 1, 3)
        asterisk.records(ID, 2, 4)
        message = await spool.keep(replace(facts, urgent=True), 2, partial=False)
        assert message.facts == replace(FACTS, urgent=True)
        assert (message.seconds, message.partial) == (4, False)
        assert await spool.waiting() == [(message, Attempts(), False)]
        del facts
        assert await spool.unfinished() == []

    tell(story)


def test_only_audio_can_be_kept(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        await spool.begin(FACTS)
        asterisk.writes_rubbish(ID, 2)
        for take in (1, 2):
            with pytest.raises(RecordingUnreadable):
                await spool.keep(FACTS, take, partial=False)
        assert await spool.waiting() == []

    tell(story)


@pytest.mark.parametrize("fault", ["dies_recording", "finds_no_room", "fills_the_disk"])
def test_a_take_whose_end_could_not_be_written_is_partial(tell: Tell, fault: str) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        await spool.begin(FACTS)
        getattr(asterisk, fault)(ID, 1, 6)
        found = await spool.inspect(ID, 1)
        assert found
        assert found.speech_seconds > 0
        assert spool.was_cut(ID, 1)
        assert (await spool.keep(FACTS, 1, partial=False)).partial

    tell(story)


def test_what_is_no_audio_is_set_aside_and_the_rest_stays(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        facts = replace(FACTS)
        await spool.begin(facts)
        asterisk.records(ID, 1, 3)
        asterisk.writes_rubbish(ID, 2)
        with pytest.raises(RecordingUnreadable):
            await spool.inspect(ID, 2)
        await spool.set_aside(facts, 2, "no audio")
        assert await spool.inspect(ID, 2) is None
        del facts
        assert await left_unfinished(spool) == [(FACTS, [1])]

    tell(story)


def test_what_is_discarded_is_gone(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        facts = replace(FACTS)
        await spool.begin(facts)
        asterisk.records(ID, 1, 3)
        await spool.discard(ID)
        await spool.discard(ID)
        del facts
        assert await spool.inspect(ID, 1) is None
        assert await spool.unfinished() == []

    tell(story)


def test_no_room_is_said_before_the_tone(tell: Tell) -> None:
    async def story(spool: Spool, _: Asterisk) -> None:
        facts = replace(FACTS)
        with pytest.raises(SpoolFull):
            await spool.begin(facts)
        del facts
        assert await spool.unfinished() == []

    tell(story, room=False)


# --- calls that nobody finished


def test_a_call_is_unfinished_once_its_dialogue_has_let_go_of_it(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        facts = replace(FACTS)
        await spool.begin(facts)
        asterisk.records(ID, 1, 3)
        asterisk.records(ID, 2, 3)
        assert await spool.unfinished() == []
        del facts
        assert await left_unfinished(spool) == [(FACTS, [1, 2])]

    tell(story)


def test_new_facts_replace_the_old_ones(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        await spool.begin(replace(FACTS))
        asterisk.records(ID, 1, 3)
        await spool.begin(replace(FACTS, urgent=True))
        assert await left_unfinished(spool) == [(replace(FACTS, urgent=True), [1])]

    tell(story)


# --- recorded by the dialplan


def test_the_recordings_of_the_dialplan_are_found_oldest_first(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        asterisk.records_alone("b.wav", 2, NOW)
        asterisk.records_alone("c.wav", 3, NOW - timedelta(minutes=1))
        size = len(wav(spoken(3)))
        oldest = FallbackFile("c.wav", size, NOW - timedelta(minutes=1))
        assert (await spool.fallback_files())[0] == oldest
        await spool.set_aside_fallback("c.wav")
        assert [file.name for file in await spool.fallback_files()] == ["b.wav"]

    tell(story)


def test_such_a_recording_becomes_the_first_take_of_a_call(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        asterisk.records_alone(FALLBACK, 3, NOW)
        name = await spool.fallback_id(FALLBACK)
        assert name == await spool.fallback_id(FALLBACK)
        await spool.import_fallback(FALLBACK, replace(FACTS, id=name))
        assert await spool.fallback_files() == []
        assert await left_unfinished(spool) == [(replace(FACTS, id=name), [1])]
        await spool.keep(replace(FACTS, id=name), 1, partial=False)
        assert await spool.fallback_id(FALLBACK) != name

    tell(story)


# --- on the way


def test_the_oldest_call_is_delivered_first(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        late = replace(FACTS, id="a", started=NOW + timedelta(seconds=1))
        for facts in (late, FACTS):
            await kept(spool, asterisk, facts)
        waiting = [message.facts for message, _, _ in await spool.waiting()]
        assert waiting == [FACTS, late]

    tell(story)


def test_an_attempt_is_marked_and_its_end_remembered(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        message = await kept(spool, asterisk)
        await spool.mark_attempt(message)
        assert await spool.waiting() == [(message, Attempts(), True)]
        history = Attempts(failed=1, not_before=NOW, last_error="busy")
        await spool.clear_attempt(message, history)
        assert await spool.waiting() == [(message, history, False)]
        await spool.done(message)
        assert await spool.waiting() == []

    tell(story)


def test_what_was_refused_waits_for_an_admin(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        message = await kept(spool, asterisk)
        history = Attempts(failed=2, not_before=NOW, last_error="no such user")
        await spool.hold(message, history)
        assert await spool.waiting() == []
        assert await spool.held() == [(FACTS, history)]
        await spool.release(ID)
        assert await spool.held() == []
        [(again, attempts, begun)] = await spool.waiting()
        assert again.facts == FACTS
        assert attempts == replace(history, not_before=None)
        assert not begun

    tell(story)


def test_the_sweeper_leaves_what_is_not_delivered(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        message = await kept(spool, asterisk)
        await spool.sweep(NOW + timedelta(days=365))
        assert await spool.waiting() == [(message, Attempts(), False)]

    tell(story)


# --- what users send


SENT = replace(
    FACTS, sending=Sending(Errand.FORWARD, "anna", (Colleague("bert"), Colleague("carla")))
)
BOTH = parts_of(SENT)


async def forwarded(spool: Spool, asterisk: Asterisk, *, words: bool) -> VoiceMessage:
    await spool.begin(SENT)
    await spool.attach(ID, Path(__file__))
    if words:
        asterisk.records(ID, 1, 3)
    return await spool.keep(SENT, 1 if words else None, partial=False)


@pytest.mark.parametrize("words", [True, False])
def test_what_is_forwarded_waits_with_its_original(tell: Tell, words: bool) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        kept = await forwarded(spool, asterisk, words=words)
        assert (kept.facts, bool(kept.audio), bool(kept.original)) == (SENT, words, True)
        [(waiting, _, begun)] = await spool.waiting()
        assert (waiting, begun) == (kept, False)

    tell(story)


def test_without_a_word_and_an_original_there_is_nothing_to_keep(tell: Tell) -> None:
    async def story(spool: Spool, _: Asterisk) -> None:
        await spool.begin(SENT)
        with pytest.raises(RecordingUnreadable):
            await spool.keep(SENT, None, partial=False)

    tell(story)


@pytest.mark.parametrize("with_original", [True, False])
def test_a_message_is_divided_into_parts_that_go_their_own_ways(
    tell: Tell, with_original: bool
) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        whole = await forwarded(spool, asterisk, words=True)
        gets = Whole(whole.audio, 4.5, with_original=with_original)
        await spool.divide(whole, BOTH, gets)
        waiting = {message.facts.id: message for message, _, _ in await spool.waiting()}
        assert set(waiting) == {ID, *(part.id for part in BOTH)}
        for part in BOTH:
            made = waiting[part.id]
            assert (made.facts, made.seconds) == (part, 4.5)
            assert made.audio
            assert bool(made.original) is with_original

    tell(story)


def test_a_message_that_is_divided_again_makes_nothing_twice(tell: Tell) -> None:
    async def story(spool: Spool, asterisk: Asterisk) -> None:
        whole = await forwarded(spool, asterisk, words=False)
        await spool.divide(whole, BOTH[:1], Whole("", 0.0))
        [first] = [message for message, _, _ in await spool.waiting() if message != whole]
        assert (first.audio, bool(first.original)) == ("", True)
        await spool.done(first)
        await spool.sweep(NOW + timedelta(days=10_000))
        await spool.divide(whole, BOTH, Whole("", 0.0))
        left = {message.facts.id for message, _, _ in await spool.waiting()}
        assert left == {ID, BOTH[1].id}
        await spool.hold((await spool.waiting())[-1][0], Attempts(failed=1))
        await spool.divide(whole, BOTH, Whole("", 0.0))
        assert len(await spool.waiting()) == 1

    tell(story)
