"""Callers by the hundred: sipp plays their speech, and says how many calls went well."""

import asyncio
import csv
import io
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import soundfile

from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.config import shared_files

CALLER = "+493098765432"
MEDIA = 40000
"""From here on callers say that they listen: above the ports of Asterisks and of servers."""
_SCENARIO = Path(__file__).parent / "sipp_call.xml"
_SPEECH = shared_files() / "sounds" / "de"


@dataclass(frozen=True)
class Tally:
    """What the callers themselves saw."""

    well: int
    failed: int
    sent_again: int
    """SIP messages that were not answered in half a second."""


async def call_in(
    server: tuple[str, int],
    number: str,
    place: Path,
    *,
    calls: int,
    rate: float,
    talk_ms: int,
    caller: str = CALLER,
) -> Tally:
    """So many calls at *rate* per second, each with *talk_ms* of speech, then BYE.

    *place*: a directory for sipp's files. *caller*: may hold sipp's ``[call_number]``.
    """
    scenario = _SCENARIO.read_text().replace("@CALLER@", caller)
    speech = place / "speech.alaw"
    speech.write_bytes(_speech())
    scenario = scenario.replace("@SPEECH@", str(speech)).replace("@PAUSE@", str(talk_ms))
    (place / "scenario.xml").write_text(scenario)
    seconds = calls / rate + talk_ms / 1000 + 60
    counts = place / "counts.csv"
    counts.unlink(missing_ok=True)
    sipp = await asyncio.create_subprocess_exec(
        "sipp", f"{server[0]}:{server[1]}", "-sf", str(place / "scenario.xml"),
        "-s", number, "-i", server[0], "-mi", server[0],
        "-mp", str(MEDIA), "-p", str(free_port(socket.SOCK_DGRAM)),
        "-m", str(calls), "-r", f"{rate * 10:.0f}", "-rp", "10000", "-l", str(calls), "-nostdin",
        "-timeout", f"{seconds:.0f}", "-trace_stat", "-stf", str(counts), "-fd", "1",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd=place,
    )  # fmt: skip
    try:
        _, errors = await sipp.communicate()
    except asyncio.CancelledError:
        sipp.kill()
        await sipp.wait()
        raise
    if sipp.returncode:
        print(f"sipp ended with {sipp.returncode}: {errors.decode()[-300:]}", file=sys.stderr)
    return tally(counts.read_text() if counts.exists() else "")


def tally(counts: str) -> Tally:
    """The last line of sipp's statistics; all 0 where there is none."""
    rows = list(csv.DictReader(io.StringIO(counts), delimiter=";"))
    last: Mapping[str, str] = rows[-1] if rows else {}
    return Tally(*(int(last.get(f"{name}(C)") or 0) for name in _COLUMNS))


_COLUMNS = ("SuccessfulCall", "FailedCall", "Retransmissions")


def _speech() -> bytes:
    """Seconds of a voice, as A-law."""
    sounds = [soundfile.read(path) for path in sorted(_SPEECH.glob("you-*.wav"))]
    with io.BytesIO() as raw:
        for samples, rate in sounds:
            soundfile.write(raw, samples, rate, format="RAW", subtype="ALAW")
        return raw.getvalue()
