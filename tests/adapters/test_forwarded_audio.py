"""A comment and a voice message become one recording (INBOX-08)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.sample_mail import FACTS
from vm_ari.adapters.audio import active_level, read
from vm_ari.adapters.forwarded_audio import PAUSE, TONE_SECONDS, ForwardedAudio, joined
from vm_ari.domain.messages import VoiceMessage

BETWEEN = 2 * PAUSE + TONE_SECONDS


def tone(path: Path, hertz: float, seconds: float, rate: int, loud: float) -> Path:
    time = np.arange(round(seconds * rate)) / rate
    samples = loud * np.sin(2 * np.pi * hertz * time)
    soundfile.write(path, samples, rate, format="WAV", subtype="PCM_16")
    return path


def loudest_hertz(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * rate / len(samples))


@pytest.mark.parametrize(("comment_rate", "rate"), [(8000, 8000), (8000, 16000), (16000, 8000)])
def test_first_the_comment_then_a_tone_then_the_message(
    tmp_path: Path, comment_rate: int, rate: int
) -> None:
    comment = tone(tmp_path / "take-1.wav", 300, 2.0, comment_rate, 0.02)
    original = tone(tmp_path / "original", 700, 3.0, rate, 0.2)
    path, seconds = joined(comment, original)
    assert path.parent == tmp_path
    samples, made_rate = read(path)
    assert made_rate == max(comment_rate, rate)
    assert seconds == pytest.approx(5.0 + BETWEEN, abs=0.01)
    said = samples[: int(1.9 * made_rate)]
    left = samples[-int(2.9 * made_rate) :]
    middle = samples[int((2 + PAUSE) * made_rate) :][: int(TONE_SECONDS * made_rate)]
    assert loudest_hertz(said, made_rate) == pytest.approx(300, abs=2)
    assert loudest_hertz(middle, made_rate) == pytest.approx(440, abs=5)
    assert loudest_hertz(left, made_rate) == pytest.approx(700, abs=2)
    assert active_level(said, made_rate) == pytest.approx(
        active_level(left, made_rate) - 20 + 15, abs=1
    )


def test_a_loud_comment_is_brought_down_and_silence_is_not_brought_up(tmp_path: Path) -> None:
    original = tone(tmp_path / "original", 700, 2.0, 8000, 0.1)
    loud, _ = joined(tone(tmp_path / "a.wav", 300, 2.0, 8000, 0.5), original)
    samples, rate = read(loud)
    assert active_level(samples[:15000], rate) == pytest.approx(
        active_level(samples[-15000:], rate), abs=0.5
    )
    silent, _ = joined(tone(tmp_path / "b.wav", 300, 2.0, 8000, 0.0), original)
    assert not read(silent)[0][:15000].any()


def test_a_message_without_a_comment_is_itself(tmp_path: Path) -> None:
    original = tone(tmp_path / "original", 700, 2.0, 16000, 0.1)
    path, seconds = joined(None, original)
    assert seconds == 2.0
    assert np.allclose(read(path)[0], read(original)[0], atol=1e-4)


def test_what_is_no_audio_is_not_joined(tmp_path: Path) -> None:
    (tmp_path / "original").write_bytes(b"RIFF but no more")
    message = replace(VoiceMessage(FACTS, "", 0.0), original=str(tmp_path / "original"))
    work = ForwardedAudio()
    assert asyncio.run(work(message)) is None
    work.close()
