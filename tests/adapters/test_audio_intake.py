"""Audio that comes in: every format, and files that were made to do harm."""

import asyncio
import os
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.greeting_sounds import pitch, speech_like, syllables
from tests.patience import AT_MOST
from vm_ari.adapters import audio
from vm_ari.adapters.audio_intake import AudioIntake, IntakeLimits, Sound
from vm_ari.adapters.worker_process import Finished, WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import GreetingsUnavailable, UnusableAudio

RATE = 48_000
FORMATS = [
    *(("WAV", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *(("WAV", subtype) for subtype in ("ULAW", "ALAW", "GSM610", "IMA_ADPCM", "MS_ADPCM")),
    *(("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16")),
    *(("AU", "ULAW"), ("CAF", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")),
    ("MP3", "MPEG_LAYER_III"),
]


def prepare(path: Path, limits: IntakeLimits | None = None, **how: float) -> Sound:
    return asyncio.run(AudioIntake(limits, **how).prepare(path))


def refused(path: Path, limits: IntakeLimits | None = None) -> str:
    """What the person is told."""
    with pytest.raises(UnusableAudio) as caught:
        prepare(path, limits)
    return str(caught.value)


def samples_of(sound: Sound, folder: Path) -> dict[int, audio.Samples]:
    """By rate."""
    found = {}
    for content, rate in ((sound.wav, 8000), (sound.wav16, 16_000)):
        path = folder / f"{rate}.wav"
        path.write_bytes(content)
        found[rate], there = audio.read(path)
        assert there == rate
    return found


@pytest.mark.feature("GREET-09")
@pytest.mark.parametrize(("container", "codec"), FORMATS, ids=lambda name: name)
def test_every_common_format_is_accepted(tmp_path: Path, container: str, codec: str) -> None:
    rate = 8000 if codec == "GSM610" else RATE
    path = tmp_path / "upload"
    soundfile.write(path, syllables(2.0, rate), rate, format=container, subtype=codec)
    sound = prepare(path)
    assert sound.seconds == pytest.approx(2.0, abs=0.2)
    for at, samples in samples_of(sound, tmp_path).items():
        assert audio.active_level(samples, at) == pytest.approx(-19, abs=0.5)
        assert pitch(tmp_path / f"{at}.wav") == pytest.approx(440, abs=5)


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 96_000, 192_000])
def test_any_rate_and_several_channels(tmp_path: Path, rate: int, channels: int) -> None:
    one = syllables(1.0, rate)
    soundfile.write(tmp_path / "a.wav", np.stack([one] * channels, axis=1), rate)
    assert prepare(tmp_path / "a.wav").seconds == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("gain", [0.03, 1.0, 3.3, 40.0])
def test_quiet_and_overdriven_ones_come_out_equally_loud_and_never_clipped(
    tmp_path: Path, gain: float
) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, syllables(2.0, RATE) * gain, RATE, subtype="FLOAT")
    for rate, samples in samples_of(prepare(path), tmp_path).items():
        assert np.abs(samples).max() <= 10 ** (-3 / 20) + 0.001
        assert audio.active_level(samples, rate) == pytest.approx(-19, abs=0.6)


def test_silence_at_both_ends_and_hum_are_taken_away(tmp_path: Path) -> None:
    speech = syllables(2.0, RATE)
    hum = 0.2 * np.sin(2 * np.pi * 20 * np.arange(RATE * 8) / RATE)
    whole = np.concatenate([np.zeros(RATE * 3), speech, np.zeros(RATE * 3)])
    soundfile.write(tmp_path / "a.wav", whole + 0.05 * hum, RATE)
    sound = prepare(tmp_path / "a.wav")
    assert sound.seconds == pytest.approx(2.15, abs=0.2)


def test_what_is_too_long_too_short_silent_or_no_audio_says_what_to_do(tmp_path: Path) -> None:
    long = speech_like(tmp_path / "long.wav", 5.0)
    short = speech_like(tmp_path / "short.wav", 0.25)
    silent = tmp_path / "silent.wav"
    audio.write_wav(silent, audio.silence(4.0, 16_000), 16_000)
    line = tmp_path / "line.wav"
    noise = np.random.default_rng(1).normal(0, 0.001, 64_000)
    audio.write_wav(line, noise, 16_000)
    letter = tmp_path / "letter.mp3"
    letter.write_text("Dear Anna, this is no sound. " * 50)
    empty = tmp_path / "empty.wav"
    empty.touch()
    limits = IntakeLimits(longest=4.0)
    assert refused(long, limits) == "This is longer than 4 seconds; shorten it."
    assert "shorter than 0.5 seconds; record it again" in refused(short)
    assert "nothing to be heard" in refused(silent)
    assert "nothing to be heard" in refused(line)
    assert "nothing to be heard" in refused(empty)
    assert "save it as WAV, MP3, Ogg or FLAC" in refused(letter)
    assert "larger than 0 MB" in refused(long, IntakeLimits(most_bytes=1000))
    assert str(tmp_path / "none.wav") in refused(tmp_path / "none.wav")


def test_the_longest_recording_is_whole(tmp_path: Path) -> None:
    path = speech_like(tmp_path / "long.wav", 119.9, rate=8000)
    assert prepare(path).seconds == pytest.approx(119.9, abs=0.3)


def test_directories_and_pipes_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        assert "is not a file" in refused(path)


def test_a_header_that_lies_costs_what_is_there_not_what_it_says(tmp_path: Path) -> None:
    path = speech_like(tmp_path / "a.wav", 1.0)
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(content)
    assert prepare(path).seconds == pytest.approx(1.0, abs=0.1)


def test_a_small_file_that_becomes_hours_of_sound_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.flac"
    soundfile.write(path, np.zeros(RATE * 3600, dtype=np.int16), RATE, format="FLAC")
    assert path.stat().st_size < 5_000_000
    assert "longer than 120 seconds" in refused(path)


def test_many_channels_and_wild_rates_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "many.wav", np.zeros((100, 200)), RATE)
    soundfile.write(tmp_path / "fast.wav", np.zeros(100), 4_000_000)
    for name in ("many.wav", "fast.wav"):
        assert "damaged or very unusual" in refused(tmp_path / name)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_numbers_that_are_none_do_no_harm(tmp_path: Path, value: float) -> None:
    samples = syllables(2.0, RATE).astype(np.float32)
    samples[1000:1010] = value
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    for found in samples_of(prepare(tmp_path / "a.wav"), tmp_path).values():
        assert np.isfinite(found).all()


@pytest.mark.parametrize("container", ["WAV", "OGG", "FLAC", "MP3"])
def test_damaged_files_are_refused_or_shorter_and_never_more(
    tmp_path: Path, container: str
) -> None:
    path = tmp_path / "a"
    codec = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(container, "PCM_16")
    soundfile.write(path, syllables(2.0, RATE), RATE, format=container, subtype=codec)
    whole = path.read_bytes()
    dice = np.random.default_rng(7)

    async def story() -> None:
        intake = AudioIntake()
        for turn in range(12):
            damaged = bytearray(whole[: dice.integers(1, len(whole))])
            for _ in range(turn):
                damaged[dice.integers(len(damaged))] = dice.integers(256)
            path.write_bytes(damaged)
            with suppress(UnusableAudio):
                sound = await intake.prepare(path)
                assert 0.5 <= sound.seconds <= 3

    asyncio.run(story())


# --- the worker itself

GREEDY = """
from vm_ari.adapters.confinement import confine
confine()
{deed}
"""
DEEDS = {
    "memory": "x = bytearray(2 << 30)",
    "a file": "with open('{folder}/written', 'wb') as file: file.write(b'x' * 10)",
    "many files": "files = [open('/dev/null') for _ in range(100)]",
}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module that a worker can run; gives its name."""

    def write(text: str) -> str:
        monkeypatch.setattr("vm_ari.adapters.worker_process._SOURCE", f"{tmp_path}:{SOURCE}")
        (tmp_path / "deed.py").write_text(text)
        return "deed"

    return write


SOURCE = Path(audio.__file__).parents[2]


@pytest.mark.parametrize("deed", DEEDS)
def test_a_confined_process_cannot_take(
    tmp_path: Path, module: Callable[[str], str], deed: str
) -> None:
    name = module(GREEDY.format(deed=DEEDS[deed].format(folder=tmp_path)))
    done = run(name)
    assert done.code != 0
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


def test_a_worker_does_not_see_our_environment(
    module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VM_ARI__ASTERISK__PASSWORD", "secret")
    done = run(module("import os; print(sorted(os.environ))"))
    assert done.code == 0
    assert b"VM_ARI" not in done.output


def test_one_that_never_ends_or_talks_without_end_is_killed(
    tmp_path: Path, module: Callable[[str], str]
) -> None:
    sleeper = f"import os, time; open('{tmp_path}/pid', 'w').write(str(os.getpid())); "
    name = module(sleeper + "time.sleep(600)")
    with pytest.raises(WorkerTooSlow):
        run(name, seconds=3.0)
    assert not _lives(tmp_path / "pid")
    name = module("import sys\nwhile True: sys.stdout.write('x' * 1000)")
    with pytest.raises(WorkerTooChatty):
        run(name)


def test_a_cancelled_one_is_killed(tmp_path: Path, module: Callable[[str], str]) -> None:
    pid = tmp_path / "pid"
    name = module(f"import os, time; open('{pid}', 'w').write(str(os.getpid())); time.sleep(600)")

    async def story() -> None:
        task = asyncio.create_task(_run(name, 600.0))
        while not (pid.exists() and pid.read_text()):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert not _lives(pid)


def test_without_a_worker_it_is_our_fault_not_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = speech_like(tmp_path / "a.wav", 1.0)
    monkeypatch.setattr("vm_ari.adapters.audio_intake.WORKER", "vm_ari.no_such_module")
    with pytest.raises(GreetingsUnavailable, match="no_such_module"):
        prepare(path)
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(GreetingsUnavailable, match="No process"):
        prepare(path)


@pytest.mark.parametrize(
    "answer",
    ["", "nonsense", "[]", "{}", '{"flaw": "?"}', '{"narrow": 5, "wide": -5}', '{"narrow": "x"}'],
)
def test_an_answer_that_makes_no_sense_is_not_believed(
    tmp_path: Path, module: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("vm_ari.adapters.audio_intake.WORKER", module(f"print({answer!r})"))
    assert "damaged" in refused(speech_like(tmp_path / "a.wav", 1.0))


def run(module: str, seconds: float = 60.0) -> Finished:
    return asyncio.run(_run(module, seconds))


async def _run(module: str, seconds: float) -> Finished:
    with Path(os.devnull).open("rb") as nothing:
        return await run_module(module, (), nothing.fileno(), seconds=seconds, most_output=10_000)


def _lives(pid: Path) -> bool:
    """Does the process of that number exist?"""
    end = time.monotonic() + AT_MOST
    while time.monotonic() < end:
        try:
            os.kill(int(pid.read_text()), 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
