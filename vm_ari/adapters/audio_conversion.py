"""Formats that libsndfile does not read, by the program ffmpeg where it is installed.

A program, not a library: what its builds contain is under the GPL, and it may crash. It reads the
one file it is given, in one of `FORMATS`: others can name further files, or servers.
"""

import io
import shutil
import tempfile
import wave
from typing import IO

import structlog

from vm_ari.adapters.wav_header import SAMPLE_BYTES
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.confined_program"
LIMITS = ("1024", "30", "0")
"""Megabytes of address space, seconds of CPU time; it may write no file."""
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,amr,asf"
RATE = 16_000


async def wav_by_ffmpeg(descriptor: int, longest: float, *, seconds: float) -> IO[bytes] | None:
    """The first *longest* seconds of an open file as a WAV file without a name.

    None where ffmpeg is not installed, or does not know it either. Raises OSError.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        return None
    most = round((longest + 2) * RATE) * SAMPLE_BYTES
    command = (*LIMITS, program, *_arguments(longest))
    try:
        done = await run_module(WORKER, command, descriptor, seconds=seconds, most_output=most)
    except (WorkerTooSlow, WorkerTooChatty) as error:
        log.warning("audio not converted", reason=repr(error))
        return None
    samples = done.output[: len(done.output) // SAMPLE_BYTES * SAMPLE_BYTES]
    if not samples:
        log.info("audio not converted", code=done.code, reason=done.complaint[:200])
        return None
    converted = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    converted.write(wav_file(samples, RATE))
    converted.flush()
    converted.seek(0)
    return converted


def _arguments(longest: float) -> tuple[str, ...]:
    """Standard input by its name: a pipe could not be read from its end, as M4A needs."""
    return (
        *("-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"),
        *("-protocol_whitelist", "file", "-format_whitelist", FORMATS),
        *("-i", "file:/proc/self/fd/0", "-map", "0:a:0", "-t", str(longest + 1)),
        *("-ac", "1", "-ar", str(RATE), "-f", "s16le", "-threads", "1", "pipe:1"),
    )


def wav_file(samples: bytes, rate: int) -> bytes:
    """16-bit mono samples as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(samples)
    return out.getvalue()
