"""What was recorded while nobody looked becomes a message, once; on the virtual clock."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.recordings import killed, record, silent, spoken, wav
from tests.services.post import ANNA, START, Post, ScriptedCourier, facts_of, on
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.settings import Rules
from vm_ari.services.adoption import Fate
from vm_ari.services.outbox import LOOK_AGAIN, LOOK_AGAIN_SOON, QUIET

# -- what was left behind


@pytest.mark.parametrize(
    ("takes", "fate", "seconds"),
    [
        ([wav(spoken(3))], Fate.KEPT, 3.0),
        ([killed(spoken(5))], Fate.KEPT, 4.1),
        ([wav(spoken(3)), wav(spoken(4))], Fate.KEPT, 4.0),
        ([wav(spoken(3)), b""], Fate.KEPT, 3.0),
        ([wav(spoken(3)), wav(silent(9))], Fate.KEPT, 3.0),
        ([wav(spoken(3)), b"rubbish" * 99], Fate.KEPT, 3.0),
        ([], Fate.NOTHING_SAID, None),
        ([b""], Fate.NOTHING_SAID, None),
        ([wav(b"")], Fate.NOTHING_SAID, None),
        ([wav(spoken(1.5))], Fate.NOTHING_SAID, None),
        ([wav(silent(9))], Fate.NOTHING_SAID, None),
        ([b"rubbish" * 99], Fate.UNREADABLE, None),
    ],
)
def test_recordings_of_a_dead_controller(
    tmp_path: Path, takes: list[bytes], fate: Fate, seconds: float | None
) -> None:
    got: list[VoiceMessage] = []

    async def story(post: Post) -> None:
        await post.abandon("a", *takes)
        fates = await post.outbox.adopt(post.alive)
        assert [known for known, count in fates.items() if count] == [fate]
        await asyncio.sleep(1)

    post = on(Post(tmp_path, courier=ScriptedCourier(on_delivery=got.append)), story)
    assert [round(message.seconds, 1) for message in got] == ([seconds] if seconds else [])
    assert [message.partial for message in got] == ([seconds == 4.1] if seconds else [])
    assert post.lies("open") == []
    rubbish = [path.read_bytes() for path in (tmp_path / "corrupt").rglob("*.wav")]
    assert rubbish == [take for take in takes if take[:7] == b"rubbish"]


def test_a_caller_who_still_talks_is_left_alone_and_looked_at_again(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        await post.abandon("a", wav(spoken(3)))
        post.talking.add("channel-of-a")
        fates = await post.outbox.adopt(post.alive)
        assert fates[Fate.STILL_TALKING] == 1
        await asyncio.sleep(2 * LOOK_AGAIN_SOON)
        assert post.courier.delivered == []
        post.talking.clear()
        await asyncio.sleep(2 * LOOK_AGAIN)

    assert on(Post(tmp_path), story).courier.delivered == [("a", "anna")]


def test_a_recording_in_hand_of_a_dialogue_is_not_adopted(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        facts = facts_of("a", ANNA.id, "101")
        await post.spool.begin(facts)
        record(post.spool.recording_path("a", 1), wav(spoken(3)))
        fates = await post.outbox.adopt(post.alive)
        assert not any(fates.values())
        await post.spool.keep(facts, 1, partial=False)

    on(Post(tmp_path), story)


def test_without_asterisk_nothing_is_adopted_and_deliveries_go_on(tmp_path: Path) -> None:
    async def away(channel_id: str) -> bool:
        raise ConnectionError

    async def story(post: Post) -> None:
        await post.abandon("a", wav(spoken(3)))
        with pytest.raises(ConnectionError):
            await post.outbox.adopt(away)
        await asyncio.sleep(3 * LOOK_AGAIN)
        await post.leave("b")
        await asyncio.sleep(1)

    post = on(Post(tmp_path), story)
    assert (post.courier.delivered, post.lies("open")) == ([("b", "anna")], ["a"])


# -- what the dialplan took alone

NAME = "1767300000_1767300000.12_102_+49891234567__SsO2cmcgPGI+.wav"


def by_dialplan(root: Path, name: str, content: bytes, age: float = 60.0) -> Path:
    file = root / "fallback" / name
    file.write_bytes(content)
    os.utime(file, (START.timestamp() - age,) * 2)
    return file


def test_a_message_that_the_dialplan_took_is_delivered_with_its_facts(tmp_path: Path) -> None:
    got: list[VoiceMessage] = []

    async def story(post: Post) -> None:
        by_dialplan(tmp_path, NAME, wav(spoken(3)))
        assert (await post.outbox.adopt(post.alive))[Fate.KEPT] == 1
        assert not any((await post.outbox.adopt(post.alive)).values())
        await asyncio.sleep(1)

    post = on(Post(tmp_path, courier=ScriptedCourier(on_delivery=got.append)), story)
    [message] = got
    assert post.courier.delivered == [(message.facts.id, "bert")]
    assert message.facts.caller == Caller("+49891234567", "Jörg <b>")
    assert message.facts.started == datetime.fromtimestamp(1767300000, UTC)
    assert (message.facts.called, message.facts.channel_id) == ("102", "1767300000.12")
    assert message.facts.message_id == f"<{message.facts.id}@pbx.example>"
    assert not message.partial


@pytest.mark.feature_part("CALL-08", "without the controller")
@pytest.mark.parametrize(
    ("called", "redirecting", "meant"),
    [
        ("", "102", "102"),
        ("", "101-102", "101"),
        ("", "+49891234567-102", "102"),
        ("", "+49891234567", "+49891234567"),
        ("102", "101", "102"),
    ],
)
def test_at_the_common_number_the_redirecting_one_tells_the_mailbox(
    tmp_path: Path, called: str, redirecting: str, meant: str
) -> None:
    got: list[VoiceMessage] = []

    async def story(post: Post) -> None:
        by_dialplan(tmp_path, f"1767300000_1.2_{called}__{redirecting}_.wav", wav(spoken(3)))
        await post.outbox.adopt(post.alive)
        await asyncio.sleep(1)

    rules = Rules(default_recipient="office@site.example")
    on(Post(tmp_path, rules=rules, courier=ScriptedCourier(on_delivery=got.append)), story)
    assert [message.facts.called for message in got] == [meant]


def test_a_second_recording_under_the_same_name_is_a_second_message(tmp_path: Path) -> None:
    async def story(post: Post) -> None:
        for _ in range(3):
            by_dialplan(tmp_path, NAME, wav(spoken(3)))
            await post.outbox.adopt(post.alive)
        await asyncio.sleep(1)

    post = on(Post(tmp_path), story)
    assert len({name for name, _ in post.courier.delivered}) == 3


@pytest.mark.parametrize("talking", [True, False])
def test_a_file_of_the_dialplan_that_still_grows_is_left_alone(
    tmp_path: Path, talking: bool
) -> None:
    async def story(post: Post) -> None:
        by_dialplan(tmp_path, NAME, wav(spoken(3)), age=60 if talking else 1)
        if talking:
            post.talking.add("1767300000.12")
        assert (await post.outbox.adopt(post.alive))[Fate.STILL_TALKING] == 1
        post.talking.clear()
        await asyncio.sleep(QUIET.total_seconds() + LOOK_AGAIN_SOON)

    assert len(on(Post(tmp_path), story).courier.delivered) == 1


@pytest.mark.parametrize("content", [b"", wav(b""), wav(silent(5)), wav(spoken(0.5))])
def test_an_empty_recording_of_the_dialplan_is_no_message(tmp_path: Path, content: bytes) -> None:
    async def story(post: Post) -> None:
        by_dialplan(tmp_path, NAME, content)
        assert (await post.outbox.adopt(post.alive))[Fate.NOTHING_SAID] == 1
        await asyncio.sleep(1)

    post = on(Post(tmp_path), story)
    assert post.courier.delivered == []
    assert [post.lies(state) for state in ("open", "new", "fallback", "tmp")] == [[], [], [], []]


@pytest.mark.parametrize("name", ["holiday.wav", "1_2_3.wav", NAME + ".bak", "x" * 250])
def test_a_file_that_is_not_the_dialplans_is_kept_for_a_person(tmp_path: Path, name: str) -> None:
    async def story(post: Post) -> None:
        by_dialplan(tmp_path, name, wav(spoken(3)))
        with capture_logs() as logs:
            assert (await post.outbox.adopt(post.alive))[Fate.UNREADABLE] == 1
        assert [line["log_level"] for line in logs if "strange file" in line["event"]] == ["error"]

    post = on(Post(tmp_path), story)
    assert (len(post.lies("corrupt")), post.lies("fallback")) == (1, [])
