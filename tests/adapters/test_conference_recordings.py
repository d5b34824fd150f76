"""The mail with a conference's recording, and recordings of hours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.adapters.sample_mail import JANE, parsed, recorded, text_of, written
from vm_ari.adapters.audio import BadAudio, read, speech_seconds
from vm_ari.adapters.long_audio import PIECE_SECONDS, as_mp3, pieces
from vm_ari.adapters.spool_takes import LISTENING, speech_of
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import VoiceMessage

RATE = 8000


def hum(path: Path, seconds: int, *, quiet: int = 0) -> Path:
    """A tone behind so many seconds of silence."""
    times = np.arange(seconds * RATE) / RATE
    sound = np.concatenate([np.zeros(quiet * RATE), 0.2 * np.sin(2 * np.pi * 440 * times)])
    soundfile.write(path, sound, RATE, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def conference(tmp_path_factory: pytest.TempPathFactory) -> VoiceMessage:
    message = recorded(tmp_path_factory.mktemp("conference"))
    facts = replace(
        message.facts, conference=True, called="+4930555103", caller=Caller("+4930555103", "")
    )
    return replace(message, facts=facts)


@pytest.mark.feature_part("UM-04", "the mail with a recording says which conference it is of")
def test_the_mail_names_the_room(conference: VoiceMessage) -> None:
    mail = parsed(written(conference))
    assert mail["Subject"].startswith("Aufzeichnung der Konferenz in ")
    assert mail["From"].addresses[0].display_name.startswith("Konferenz ")
    for subtype in ("plain", "html"):
        assert "1 Minute 17 Sekunden" in text_of(mail, subtype)
        assert "gekürzt" not in text_of(mail, subtype)
    cut = parsed(written(replace(conference, partial=True), JANE))
    assert "cut short" in text_of(cut)
    assert "Recording of the conference" in cut["Subject"]
    assert mail["Message-Context"] == "voice-message"


def test_a_long_one_goes_as_mp3(conference: VoiceMessage, tmp_path: Path) -> None:
    audio = hum(tmp_path / "long.wav", 20)
    long = replace(conference, audio=str(audio), seconds=3600.0)
    [attached] = parsed(written(long)).iter_attachments()
    assert attached.get_content_type() == "audio/mpeg"
    short = replace(long, seconds=20.0)
    [attached] = parsed(written(short)).iter_attachments()
    assert attached.get_content_type() != "audio/mpeg"
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    [attached] = parsed(written(replace(long, audio=str(broken)))).iter_attachments()
    assert attached.get_content() == b"RIFF"


def test_pieces_together_are_the_whole(tmp_path: Path) -> None:
    path = hum(tmp_path / "x.wav", PIECE_SECONDS + 5)
    whole, rate = read(path)
    parts = [samples for samples, _ in pieces(path)]
    assert len(parts) == 2
    assert np.array_equal(np.concatenate(parts), whole)
    heard, mp3_rate = soundfile.read(_written(tmp_path, as_mp3(path)))
    assert mp3_rate == rate
    assert abs(len(heard) - len(whole)) < rate / 2
    assert 0.1 < np.abs(heard).max() < 0.4


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "x.mp3"
    path.write_bytes(data)
    return path


def test_speech_is_found_late_in_a_long_one_and_no_more_is_measured_than_shows_it(
    tmp_path: Path,
) -> None:
    late = hum(tmp_path / "late.wav", 3, quiet=PIECE_SECONDS + 10)
    assert speech_of(late, 313.0) > 1
    short = hum(tmp_path / "short.wav", 5, quiet=1)
    samples, rate = read(short)
    assert speech_of(short, 6.0) == speech_seconds(samples[: round(LISTENING * rate)], rate) > 0
    with pytest.raises(BadAudio):
        list(pieces(tmp_path / "none.wav"))
