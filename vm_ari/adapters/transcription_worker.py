"""One message through faster-whisper, in a process of its own.

``python -m vm_ari.adapters.transcription_worker MEGABYTES SECONDS FILE_MEGABYTES FILE MODEL THREADS
LANGUAGE…``: writes JSON with the language and passages, each with a probability. The model is never
fetched from anywhere.
"""

import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vm_ari.adapters.confinement import NICENESS, confine

LAST = 19
NO_SPEECH = 0.6
"""Passages that are rather no speech are invented: "Thank you for watching"."""


def main() -> None:
    """Recognise what is in the file."""
    megabytes, seconds, _, file, model, threads, *languages = sys.argv[1:]
    os.nice(LAST - NICENESS)  # the rest of it comes with the limits
    confine(memory=int(megabytes) << 20, cpu_seconds=int(seconds))
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.stdout.write(json.dumps(_heard(file, model, int(threads), languages)))


def _heard(file: str, model: str, threads: int, languages: Sequence[str]) -> dict[str, object]:
    from faster_whisper import WhisperModel

    from vm_ari.adapters.audio import read

    whisper = WhisperModel(
        model, device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )
    samples = read(Path(file))[0].astype("float32")
    language = _language(whisper, samples, languages)
    segments, info = whisper.transcribe(
        samples, language=language, vad_filter=True, condition_on_previous_text=False
    )
    passages = [
        {"text": one.text, "probability": math.exp(min(0.0, one.avg_logprob))}
        for one in segments
        if one.no_speech_prob < NO_SPEECH
    ]
    return {"language": info.language, "passages": passages}


def _language(whisper: Any, samples: Any, languages: Sequence[str]) -> str | None:
    """The likeliest of *languages*; None: the model finds out among all."""
    if not whisper.model.is_multilingual:
        return "en"
    if len(languages) < 2:
        return languages[0] if languages else None
    _, _, likely = whisper.detect_language(samples)
    known = [code for code, _ in sorted(likely, key=lambda one: -one[1]) if code in languages]
    return known[0] if known else languages[0]


if __name__ == "__main__":
    main()
