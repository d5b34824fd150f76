"""Messages at another speed: as long as they should be, at the same pitch, and still the same."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from vm_ari.adapters import audio
from vm_ari.adapters.audio import Samples
from vm_ari.adapters.playback_audio import PIECE, PlaybackAudio
from vm_ari.config import shared_files
from vm_ari.domain.playback import Speed

OTHER = [speed for speed in Speed if speed is not Speed.NORMAL]
VOICE = shared_files() / "sounds" / "en" / "demo" / "caller-1"


def pitch(samples: Samples, rate: int) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * rate / len(samples)


def at_speed(path: Path, speed: Speed) -> Path | None:
    async def ask() -> Path | None:
        prepares = PlaybackAudio()
        try:
            return await prepares.at_speed(path, speed)
        finally:
            prepares.close()

    return asyncio.run(ask())


def stretched(folder: Path, samples: Samples, rate: int, speed: Speed) -> Samples:
    """What is heard of a message at that speed."""
    message = folder / "message.wav"
    audio.write_wav(message, samples, rate)
    made = at_speed(message, speed)
    assert made is not None
    heard, its_rate = audio.read(made)
    assert its_rate == rate
    return heard


@pytest.mark.feature_part("INBOX-05", "slower and faster without changing pitch")
@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("speed", OTHER)
@pytest.mark.parametrize("hertz", [110.0, 440.0, 1234.0])
def test_the_pitch_stays(tmp_path: Path, speed: Speed, rate: int, hertz: float) -> None:
    tone = audio.tone(hertz, 4.0, rate, -12)
    made = stretched(tmp_path, tone, rate, speed)
    assert len(made) / rate == pytest.approx(4 / speed.value, abs=3 * PIECE)
    assert pitch(made[rate // 2 : -rate // 2], rate) == pytest.approx(hertz, rel=0.01)
    assert audio.active_level(made, rate) == pytest.approx(-12, abs=0.5)


@pytest.mark.feature_part("INBOX-05", "the same place at every speed")
@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("speed", OTHER)
def test_every_second_is_where_it_should_be(tmp_path: Path, speed: Speed, rate: int) -> None:
    """A tone of its own for each second, and never a gap."""
    steps = [400.0 + 100 * second for second in range(20)]
    message = np.concatenate([audio.tone(hertz, 1.0, rate, -12) for hertz in steps])
    made = stretched(tmp_path, message, rate, speed)
    for second, hertz in enumerate(steps):
        middle = round((second + 0.5) / speed.value * rate)
        heard = made[middle - rate // 10 : middle + rate // 10]
        assert pitch(heard, rate) == pytest.approx(hertz, abs=10)


@pytest.mark.parametrize("speed", OTHER)
def test_speech_keeps_its_level_and_its_pauses(tmp_path: Path, speed: Speed) -> None:
    samples, rate = audio.read(VOICE.with_suffix(".wav"))
    made = stretched(tmp_path, samples, rate, speed)
    assert audio.active_level(made, rate) == pytest.approx(audio.active_level(samples, rate), abs=1)
    there = audio.speech_seconds(samples, rate)
    assert audio.speech_seconds(made, rate) * speed.value == pytest.approx(there, rel=0.1)
    assert np.abs(made).max() <= 1


@pytest.mark.parametrize("suffix", [".wav", ".wav16"])
def test_a_file_is_made_once_beside_the_message(tmp_path: Path, suffix: str) -> None:
    message = tmp_path / f"message{suffix}"
    message.write_bytes(VOICE.with_suffix(suffix).read_bytes())
    message.chmod(0o640)
    made = at_speed(message, Speed.FASTEST)
    assert made is not None
    assert made.name == f"message-150{suffix}"
    assert made.stat().st_mode & 0o777 == 0o640
    assert audio.read(made)[1] == (8000 if suffix == ".wav" else 16000)
    before = made.stat().st_mtime_ns
    assert at_speed(message, Speed.FASTEST) == made
    assert made.stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [made.name, message.name]


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05])
@pytest.mark.parametrize("speed", OTHER)
def test_next_to_nothing_can_be_stretched_too(tmp_path: Path, seconds: float, speed: Speed) -> None:
    message = tmp_path / "message.wav"
    audio.write_wav(message, audio.silence(seconds, 8000), 8000)
    assert at_speed(message, speed) is not None


def test_a_header_that_lies_about_the_length_ends_with_the_file(tmp_path: Path) -> None:
    message = tmp_path / "message.wav"
    audio.write_wav(message, audio.tone(440, 2.0, 8000, -12), 8000)
    content = bytearray(message.read_bytes())
    content[40:44] = (0x7FFFFFFE).to_bytes(4, "little")
    message.write_bytes(content)
    made = at_speed(message, Speed.FASTEST)
    assert made is not None
    assert len(audio.read(made)[0]) / 8000 == pytest.approx(2 / 1.5, abs=3 * PIECE)


@pytest.mark.parametrize("content", [b"", b"no audio", b"RIFF\x00\x00\x00\x00WAVE"])
def test_what_cannot_be_read_is_told_not_raised(tmp_path: Path, content: bytes) -> None:
    message = tmp_path / "message.wav"
    message.write_bytes(content)
    with capture_logs() as logs:
        assert at_speed(message, Speed.SLOW) is None
    assert [entry["event"] for entry in logs] == ["no other speed"]


def test_a_message_that_has_vanished_is_told_not_raised(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert at_speed(tmp_path / "gone" / "message.wav", Speed.SLOW) is None
    assert [entry["event"] for entry in logs] == ["no other speed"]
