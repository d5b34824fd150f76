"""What everything that recognises speech does, whatever it is (`services.transcripts`)."""

import asyncio
import textwrap
from pathlib import Path

import pytest

from tests.recordings import silent, wav
from vm_ari.domain.transcripts import NotTranscribed, Transcript
from vm_ari.services.transcripts import Transcriber

SOUNDS = Path(__file__).parents[2] / "sounds" / "en"
SPEECH = SOUNDS / "fallback-greeting.wav"
EARS = """
    import array, os, sys, time, wave
    file, language, how = sys.argv[1], sys.argv[2], " ".join(sys.argv[3:])
    with wave.open(file) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
        loudest = max(map(abs, array.array("h", sound.readframes(sound.getnframes()))))
    if loudest > 1000:
        if how: exec(how)
        else: print("Please leave a message after the tone.")
"""
"""An engine: says what it was told to, if the file is as it should be and not silent."""


def ears(home: Path) -> Path:
    """The program."""
    program = home / "ears.py"
    program.write_text(textwrap.dedent(EARS))
    return program


def heard(transcriber: Transcriber, audio: Path, language: str = "en") -> Transcript | None:
    return asyncio.run(transcriber.transcribe(audio, language))


class TranscriberContract:
    """The promises of `Transcriber`."""

    @pytest.fixture
    def transcriber(self, tmp_path: Path) -> Transcriber:
        raise NotImplementedError

    def test_speech_of_a_telephone_becomes_words(self, transcriber: Transcriber) -> None:
        transcript = heard(transcriber, SPEECH)
        assert transcript is not None
        assert "leave a message after the tone" in transcript.text.lower()
        assert transcript.sure

    def test_silence_is_no_transcript(self, transcriber: Transcriber, tmp_path: Path) -> None:
        (tmp_path / "silence.wav").write_bytes(wav(silent(3)))
        assert heard(transcriber, tmp_path / "silence.wav") is None

    def test_what_is_no_audio_cannot_be_transcribed(
        self, transcriber: Transcriber, tmp_path: Path
    ) -> None:
        (tmp_path / "words.wav").write_bytes(b"RIFF no audio")
        for path in (tmp_path / "words.wav", tmp_path / "gone.wav", tmp_path):
            with pytest.raises(NotTranscribed):
                heard(transcriber, path)
