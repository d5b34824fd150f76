"""The spool on a real disk: where a message lies at each step, and what is never lost."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.adapters.spool_home import FACTS, NOW, kept, on_spool, tree
from tests.adapters.unfinished import left_unfinished
from tests.recordings import killed, record, silent, spoken, wav
from vm_ari.adapters.spool import FileSpool
from vm_ari.adapters.spool_records import facts_from_json
from vm_ari.adapters.wav_header import wav_seconds
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts
from vm_ari.ports import RecordingUnreadable

# -- while the caller talks


def test_a_recording_becomes_a_message(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        assert tree(tmp_path) == [f"open/{FACTS.id}/facts.json"]
        record(spool.recording_path(FACTS.id, 1), wav(spoken(3)))
        take = await spool.inspect(FACTS.id, 1)
        assert take is not None
        assert take.seconds == 3.0
        assert take.speech_seconds > 1
        message = await spool.keep(replace(FACTS, urgent=True), 1, partial=False)
        assert (message.seconds, message.partial, message.facts.urgent) == (3.0, False, True)
        assert Path(message.audio).read_bytes() == wav(spoken(3))
        assert await spool.waiting() == [(message, Attempts(), False)]

    on_spool(tmp_path, story)
    assert tree(tmp_path) == [f"new/{FACTS.id}/facts.json", f"new/{FACTS.id}/take-1.wav"]


def test_asterisk_records_into_the_item_below_its_recording_directory(tmp_path: Path) -> None:
    root = tmp_path / "recording" / "vm-ari"

    async def story(spool: FileSpool) -> None:
        name = spool.recording_name(FACTS.id, 2)
        assert name == f"vm-ari/open/{FACTS.id}/take-2"
        assert tmp_path / "recording" / name == spool.recording_path(FACTS.id, 2)

    on_spool(root, story)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "a" * 65, "ä", "x.y", "a\n"])
def test_only_names_of_our_own_making_become_paths(tmp_path: Path, name: str) -> None:
    async def story(spool: FileSpool) -> None:
        with pytest.raises(ValueError, match="not the id"):
            spool.recording_path(name, 1)
        with pytest.raises(ValueError, match="not the id"):
            await spool.begin(replace(FACTS, id=name))

    on_spool(tmp_path, story)


def test_a_recording_whose_asterisk_died_is_mended_and_marked_partial(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        file = record(spool.recording_path(FACTS.id, 1), killed(spoken(5)))
        take = await spool.inspect(FACTS.id, 1)
        assert take is not None
        assert 4.0 < take.seconds < 5.0
        assert spool.was_cut(FACTS.id, 1)
        assert wav_seconds(file) == take.seconds
        message = await spool.keep(FACTS, 1, partial=False)
        assert message.partial

    on_spool(tmp_path, story)


@pytest.mark.parametrize("content", [None, b"", wav(b"")])
def test_no_audio_is_no_take(tmp_path: Path, content: bytes | None) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        if content is not None:
            record(spool.recording_path(FACTS.id, 1), content)
        assert await spool.inspect(FACTS.id, 1) is None

    on_spool(tmp_path, story)


def test_a_silent_take_holds_no_speech(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        record(spool.recording_path(FACTS.id, 1), wav(silent(3)))
        take = await spool.inspect(FACTS.id, 1)
        assert take is not None
        assert (take.seconds, take.speech_seconds) == (3.0, 0.0)

    on_spool(tmp_path, story)


def test_what_is_no_audio_is_neither_kept_nor_erased(tmp_path: Path) -> None:
    rubbish = b"not a recording " * 100

    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        record(spool.recording_path(FACTS.id, 1), rubbish)
        with pytest.raises(RecordingUnreadable):
            await spool.inspect(FACTS.id, 1)
        with pytest.raises(RecordingUnreadable):
            await spool.keep(FACTS, 1, partial=False)
        with pytest.raises(RecordingUnreadable):
            await spool.keep(FACTS, 2, partial=False)
        await spool.set_aside(FACTS, 1, "no WAV file")
        await spool.discard(FACTS.id)

    on_spool(tmp_path, story)
    grave = tmp_path / "corrupt" / FACTS.id
    assert (grave / "take-1.wav").read_bytes() == rubbish
    assert (grave / "reason.txt").read_text() == "no WAV file"
    assert facts_from_json((grave / "facts.json").read_bytes()) == (FACTS, None)
    assert {name.split("/")[0] for name in tree(tmp_path)} == {"corrupt"}


def test_discarded_is_gone_and_may_be_discarded_again(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        record(spool.recording_path(FACTS.id, 1), wav(spoken(1)))
        await spool.discard(FACTS.id)
        await spool.discard(FACTS.id)

    on_spool(tmp_path, story)
    assert tree(tmp_path) == []


def test_begun_again_means_new_facts(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        record(spool.recording_path(FACTS.id, 1), wav(spoken(2)))
        await spool.begin(replace(FACTS, urgent=True))
        assert await left_unfinished(spool) == [(replace(FACTS, urgent=True), [1])]

    on_spool(tmp_path, story)


def test_a_call_is_unfinished_only_when_its_dialogue_has_forgotten_it(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        facts: CallFacts | None = replace(FACTS, called="102")
        assert facts is not None
        await spool.begin(facts)
        for take in (10, 9, 2):
            record(spool.recording_path(FACTS.id, take), wav(spoken(2)))
        assert await spool.unfinished() == []
        del facts
        assert await left_unfinished(spool) == [(replace(FACTS, called="102"), [2, 9, 10])]

    on_spool(tmp_path, story)


# -- on its way


def test_messages_wait_in_the_order_of_their_calls(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        for number, minute in (("b", 5), ("c", 1), ("a", 3)):
            await kept(spool, replace(FACTS, id=number, started=NOW.replace(minute=minute)))
        assert [message.facts.id for message, _, _ in await spool.waiting()] == ["c", "a", "b"]

    on_spool(tmp_path, story)


def test_the_history_of_attempts_outlives_the_process(tmp_path: Path) -> None:
    later = Attempts(failed=2, faults=1, not_before=NOW, last_error="no route")

    async def story(spool: FileSpool) -> None:
        await kept(spool)
        [(message, _, _)] = await spool.waiting()
        await spool.mark_attempt(message)
        assert await spool.waiting() == [(message, Attempts(), True)]
        await spool.clear_attempt(message, later)
        assert await spool.waiting() == [(message, later, False)]
        await spool.mark_attempt(message)

    async def afterwards(spool: FileSpool) -> None:
        [(_, attempts, begun)] = await spool.waiting()
        assert (attempts, begun) == (later, True)

    on_spool(tmp_path, story)
    on_spool(tmp_path, afterwards)


def test_a_history_that_cannot_be_read_counts_as_a_failed_attempt(tmp_path: Path) -> None:
    on_spool(tmp_path, kept)
    (tmp_path / "new" / FACTS.id / "attempts.json").write_bytes(b"\0" * 20)

    async def story(spool: FileSpool) -> None:
        [(_, attempts, _)] = await spool.waiting()
        assert attempts.failed == 1

    on_spool(tmp_path, story)


def test_delivered_audio_is_erased_after_its_grace_only(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await kept(spool)
        [(message, _, _)] = await spool.waiting()
        await spool.mark_attempt(message)
        await spool.done(message)
        assert await spool.waiting() == []
        now = datetime.now(UTC)
        await spool.sweep(now + timedelta(hours=23))
        assert tree(tmp_path) == [f"done/{FACTS.id}/facts.json", f"done/{FACTS.id}/take-1.wav"]
        await spool.sweep(now + timedelta(hours=25))
        assert tree(tmp_path) == []

    on_spool(tmp_path, story)


def test_a_refused_message_is_held_until_it_is_released(tmp_path: Path) -> None:
    refused = Attempts(failed=1, not_before=NOW, last_error="no such user")

    async def story(spool: FileSpool) -> None:
        await kept(spool)
        [(message, _, _)] = await spool.waiting()
        await spool.mark_attempt(message)
        await spool.hold(message, refused)
        assert await spool.waiting() == []
        assert await spool.held() == [(FACTS, refused)]
        await spool.release(FACTS.id)
        assert await spool.waiting() == [(message, replace(refused, not_before=None), False)]

    on_spool(tmp_path, story)


@pytest.mark.parametrize("state", ["open", "new", "hold"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\0\0\0", b'{"id": "x"}', None])
def test_damaged_facts_go_to_corrupt_with_their_audio(
    tmp_path: Path, state: str, content: bytes | None
) -> None:
    async def story(spool: FileSpool) -> None:
        assert await spool.unfinished() == []
        assert await spool.waiting() == []
        assert await spool.held() == []

    item = tmp_path / state / FACTS.id
    item.mkdir(parents=True)
    (item / "take-1.wav").write_bytes(wav(spoken(2)))
    if content is not None:
        (item / "facts.json").write_bytes(content)
    on_spool(tmp_path, story)
    [grave] = (tmp_path / "corrupt").iterdir()
    assert (grave / "take-1.wav").read_bytes() == wav(spoken(2))


def test_a_message_whose_audio_is_gone_goes_to_corrupt(tmp_path: Path) -> None:
    on_spool(tmp_path, kept)
    (tmp_path / "new" / FACTS.id / "take-1.wav").unlink()

    async def story(spool: FileSpool) -> None:
        assert await spool.waiting() == []

    on_spool(tmp_path, story)
    [grave] = (tmp_path / "corrupt").iterdir()
    assert [path.name for path in grave.iterdir()] == ["facts.json"]


# -- recorded by the dialplan


def test_files_of_the_dialplan_are_listed_oldest_first(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        for age, name in ((10, "new.wav"), (30, "old.wav")):
            file = tmp_path / "fallback" / name
            file.write_bytes(wav(spoken(1)))
            os.utime(file, (NOW.timestamp() - age,) * 2)
        (tmp_path / "fallback" / ".hidden.wav").write_bytes(b"x")
        (tmp_path / "fallback" / "link.wav").symlink_to("/etc/passwd")
        found = await spool.fallback_files()
        assert [file.name for file in found] == ["old.wav", "new.wav"]
        assert found[0].modified == NOW - timedelta(seconds=30)
        assert found[0].size == len(wav(spoken(1)))

    on_spool(tmp_path, story)


def test_a_file_of_the_dialplan_becomes_an_open_item_in_one_step(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        (tmp_path / "fallback" / "a.wav").write_bytes(wav(spoken(2)))
        name = await spool.fallback_id("a.wav")
        assert name == await spool.fallback_id("a.wav")
        await spool.import_fallback("a.wav", replace(FACTS, id=name))
        assert await left_unfinished(spool) == [(replace(FACTS, id=name), [1])]
        assert await spool.fallback_files() == []
        await spool.keep(replace(FACTS, id=name), 1, partial=False)
        assert await spool.fallback_id("a.wav") != name

    on_spool(tmp_path, story)


def test_files_outside_are_out_of_reach(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        with pytest.raises(ValueError, match="name of a file"):
            await spool.import_fallback("../new/x", FACTS)

    on_spool(tmp_path, story)


def test_strange_files_keep_their_names_in_corrupt(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        for _ in range(2):
            (tmp_path / "fallback" / "strange").write_bytes(b"?")
            await spool.set_aside_fallback("strange")

    on_spool(tmp_path, story)
    names = sorted(path.name for path in (tmp_path / "corrupt").iterdir())
    assert len(names) == 2
    assert all(name.endswith("-strange") for name in names)
