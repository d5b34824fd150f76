"""Texts become speech: real engines, hostile texts, the cache, and engines that fail."""

import asyncio
import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.patience import AT_MOST
from vm_ari.adapters import audio
from vm_ari.adapters.audio_intake import AudioIntake
from vm_ari.adapters.speech_synthesis import Synthesis, VoiceSettings, speakable
from vm_ari.ports import Unspeakable, VoiceUnavailable

SENTENCE = "Guten Tag. Sie sind mit dem Anschluss von Anna Berg verbunden."
needs_pico = pytest.mark.skipif(
    not (shutil.which("pico2wave") or importlib.util.find_spec("ttspico")),
    reason="neither pico2wave nor ttspico is installed",
)
needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="no espeak-ng")
HUM = """
import sys, wave
text = open(sys.argv[1], encoding="utf-8").read()
open(sys.argv[3], "a").write(text + "\\n")
with wave.open(sys.argv[2], "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(16000)
    out.writeframes(bytes(range(256)) * 200)
"""


def speak(cache: Path, text: str, language: str = "de", **settings: Any) -> Path:
    voice = Synthesis(cache, VoiceSettings(**settings))
    return asyncio.run(voice.spoken(text, language))


def hummer(notes: Path) -> str:
    """A program that hums, and notes every text that it was given."""
    return shlex.join([sys.executable, "-c", HUM]) + " {text_file} {out} " + str(notes)


def noted(notes: Path) -> list[str]:
    return notes.read_text().splitlines()


@pytest.mark.parametrize(
    ("engine", "language"),
    [
        pytest.param("pico", "de", marks=needs_pico),
        pytest.param("pico", "en", marks=needs_pico),
        pytest.param("pico", "fr", marks=needs_pico),
        pytest.param("espeak", "de", marks=needs_espeak),
        pytest.param("auto", "en", marks=needs_espeak),
        pytest.param("auto", "nl", marks=needs_espeak),
    ],
)
def test_a_text_becomes_speech_that_can_be_a_greeting(
    tmp_path: Path, engine: str, language: str
) -> None:
    spoken = speak(tmp_path / "cache", SENTENCE, language, engine=engine)
    sound = asyncio.run(AudioIntake().prepare(spoken))
    assert 2.0 < sound.seconds < 12.0
    samples, rate = audio.read(spoken)
    assert audio.speech_seconds(samples, rate) > 1.5


@needs_pico
def test_the_longer_the_text_the_longer_the_speech(tmp_path: Path) -> None:
    seconds = []
    for times in (1, 3, 6):
        samples, rate = audio.read(speak(tmp_path, SENTENCE * times))
        seconds.append(len(samples) / rate)
    assert seconds[0] * 2 < seconds[1] < seconds[2]


@pytest.mark.feature_part("SPEECH-02", "rendered text is cached")
def test_the_same_text_is_spoken_once(tmp_path: Path) -> None:
    notes, cache = tmp_path / "notes", tmp_path / "cache"
    how: dict[str, Any] = {"engine": "command", "command": hummer(notes)}
    first = speak(cache, "Hello  Anna", "en", **how)
    again = speak(cache, " Hello Anna\n", "en", **how)
    assert first == again
    assert noted(notes) == ["Hello Anna"]
    other = speak(cache, "Hello Anna", "de", **how)
    assert other != first
    assert noted(notes) == ["Hello Anna", "Hello Anna"]


def test_the_cache_forgets_what_was_not_used_for_the_longest_time(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    how: dict[str, Any] = {"engine": "command", "command": hummer(notes), "cache_bytes": 120_000}
    made = []
    for text in ("one", "two", "three", "four"):
        made.append(speak(tmp_path / "cache", text, **how))
        time.sleep(0.02)
        speak(tmp_path / "cache", "one", **how)
    assert made[0].is_file()
    assert not made[1].exists()
    assert made[3].is_file()


@pytest.mark.feature_part("SPEECH-02", "a better voice is a setting")
def test_any_program_can_be_the_voice(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    spoken = speak(tmp_path / "cache", "Hello", "en", engine="command", command=hummer(notes))
    assert audio.read(spoken)[1] == 16_000
    assert noted(notes) == ["Hello"]


@pytest.mark.parametrize(
    "text",
    [
        "a <speed level='500'>b</speed>",
        'x<phoneme alphabet="xsampa" ph="f"/>y',
        "a\0b\x1b[31mc\r\nd\u202ee",
        "{text_file} {out} {python}",
        "; rm -rf / $(id) `id` | cat",
        "-w /etc/passwd",
        "[[_:h@l'oU]] \\x",
    ],
)
def test_an_engine_is_given_words_and_nothing_else(tmp_path: Path, text: str) -> None:
    notes = tmp_path / "notes"
    speak(tmp_path / "cache", text, engine="command", command=hummer(notes))
    assert noted(notes) == [speakable(text)]
    assert not set("<>[]{}|\\\0\x1b\r\u202e") & set(noted(notes)[0])


def test_real_words_stay_as_they_are() -> None:
    assert speakable("Grüß Gott! Ça va? 10:30 – 50 %") == "Grüß Gott! Ça va? 10:30 – 50 %"


@needs_pico
def test_markup_does_not_change_how_pico_speaks(tmp_path: Path) -> None:
    plain = audio.read(speak(tmp_path, "Guten Tag speed level 500 Anna"))[0]
    marked = audio.read(speak(tmp_path, "Guten Tag <speed level 500> Anna"))[0]
    assert len(plain) == len(marked)


@pytest.mark.parametrize("text", ["", " \n", "…!?", "<>", "\0"])
def test_a_text_without_words_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unspeakable, match="no words"):
        speak(tmp_path, text)


def test_a_text_that_is_too_long_is_refused_with_its_length(tmp_path: Path) -> None:
    with pytest.raises(Unspeakable, match=r"2001 characters; shorten it to 2000"):
        speak(tmp_path, "a" * 2001)


@pytest.mark.parametrize("language", ["", "../x", "-w", "de en", "DE", "x" * 50, "d\0e"])
def test_a_language_is_a_code_and_nothing_else(tmp_path: Path, language: str) -> None:
    with pytest.raises(Unspeakable, match="is no language"):
        speak(tmp_path, "Hello", language)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("echo hello", "needs {text_file} and {out}"),
        ("no-such-program {text_file} {out}", "no-such-program"),
        ("false {text_file} {out}", "failed"),
        ("true {text_file} {out}", "has said nothing"),
        ("touch {out} {text_file}", "has said nothing"),
    ],
)
def test_an_engine_that_fails_is_named(tmp_path: Path, command: str, reason: str) -> None:
    with pytest.raises(VoiceUnavailable, match=reason):
        speak(tmp_path, "Hello", engine="command", command=command)
    assert list(tmp_path.glob("*.wav")) == []
    assert list(tmp_path.glob("speaking-*")) == []


def test_without_any_engine_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoiceUnavailable, match=r"Pico does not speak “nl”.*install espeak-ng"):
        speak(tmp_path, "Hello", "nl")


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VoiceUnavailable, match="file"):
        speak(tmp_path / "file" / "cache", "Hello", engine="espeak")


SPEAKS = """
import asyncio, json, sys
from pathlib import Path
sys.modules["ttspico"] = None  # the package's own extra is not part of "out of the box"
from vm_ari.config import load
from vm_ari.ports import VoiceUnavailable
from vm_ari.wiring.inbox import open_telephone_voice

async def say():
    voice = open_telephone_voice(load(Path(sys.argv[1])))
    for text, language in json.loads(sys.argv[2]):
        try:
            yield str(await voice.spoken(text, language))
        except VoiceUnavailable as error:
            yield f"no voice: {error}"

async def all_of_it():
    return [one async for one in say()]

print(json.dumps(asyncio.run(all_of_it())))
"""
TEXTS = (("Hallo, hier ist Anna. " + SENTENCE, "de"), ("You have reached Anna Berg.", "en"))


@dataclass(frozen=True)
class Machine:
    """Where espeak-ng is the only engine; each `says` is a new process, without a network."""

    base: Path

    @property
    def programs(self) -> Path:
        return self.base / "bin"

    def says(self, *texts: tuple[str, str], speech: str = "") -> list[str]:
        """Files that Asterisk could play, or why there are none."""
        config, trace = self.base / "vm-ari.toml", self.base / "trace"
        config.write_text(
            f'[asterisk]\npassword = "x"\n[speech]\ncache = "{self.base}/cache"\n{speech}'
        )
        child = [sys.executable, "-c", SPEAKS, str(config), json.dumps(texts)]
        alone: tuple[str, ...] = ("unshare", "--map-root-user", "--net")
        if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
            alone = ("strace", "-f", "-e", "trace=connect,sendto,sendmsg", "-o", str(trace))
        done = subprocess.run(
            [shutil.which(alone[0]) or alone[0], *alone[1:], *child],
            env={"PATH": str(self.programs)},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=AT_MOST,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not trace.exists() or "AF_INET" not in trace.read_text(), "it asks a network"
        said: list[str] = json.loads(done.stdout.splitlines()[-1])
        return said


@needs_espeak
@pytest.mark.feature("SPEECH-02")
def test_speech_needs_no_network_a_better_voice_is_a_setting_and_all_is_kept(
    tmp_path: Path,
) -> None:
    machine, notes = Machine(tmp_path), tmp_path / "notes"
    machine.programs.mkdir()
    espeak = machine.programs / "espeak-ng"
    espeak.symlink_to(shutil.which("espeak-ng") or "")

    spoken = machine.says(*TEXTS)
    for path in spoken:
        samples, rate = audio.read(Path(path))
        assert rate == 16_000
        assert audio.speech_seconds(samples, rate) > 1
    content = [Path(path).read_bytes() for path in spoken]
    assert (tmp_path / "cache").stat().st_mode & 0o007 == 0, "everybody may read it"

    espeak.unlink()
    espeak.write_text("#!/bin/sh\nexit 1\n")
    espeak.chmod(0o755)
    *again, new = machine.says(*TEXTS, ("Something new.", "en"))
    assert again == spoken, "it is not remembered over a restart"
    assert [Path(path).read_bytes() for path in again] == content
    assert new.startswith("no voice: ")

    better = f'engine = "command"\ncommand = {json.dumps(hummer(notes))}\n'
    first = machine.says(*TEXTS, speech=better)
    assert machine.says(*TEXTS, speech=better) == first
    assert noted(notes) == [text for text, _ in TEXTS], "each is spoken once, by the new voice"
    assert not set(first) & set(spoken)
