"""One Asterisk on which callers reach a mailbox of ours, or one of Asterisk's own app_voicemail.

Both play the same recorded words, and take a message of the same speech.
"""

import asyncio
import io
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import soundfile

from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.config import shared_files
from vm_ari.demo.world import World

PEER_NUMBER = "7101"
SIPP_PORT = 24100
_TICKS = os.sysconf("SC_CLK_TCK")
_SCENARIO = Path(__file__).parent / "sipp_call.xml"
WORDS = shared_files() / "sounds" / "de" / "you-have-reached.wav"
_DIALPLAN = f"""
[vm-ari-trunk](+)
exten => {PEER_NUMBER},1,VoiceMail(101@default,us)
 same => n,Hangup()
"""
_VOICEMAIL = """
[general]
format=wav
maxsecs=180
minsecs=0
maxsilence=10
maxmsg=9999
[default]
101 => 1234,Anna
"""


@asynccontextmanager
async def both(
    install: AsteriskInstall, directory: Path, *, dialplan: str = "", **fields: Any
) -> AsyncIterator[World]:
    """Ours and the peer; *dialplan*: more of it."""
    world = World(
        install,
        directory,
        extra_modules=("app_voicemail.so",),
        extra_configuration={
            "extensions.conf": _DIALPLAN + dialplan,
            "voicemail.conf": _VOICEMAIL,
            "rtp.conf": "strictrtp=no\n",  # sipp sends from another port than it names
        },
        **fields,
    )
    async with world:
        mailbox = peer_mailbox(world)
        mailbox.mkdir(parents=True, exist_ok=True)
        shutil.copy(WORDS, mailbox / "unavail.wav")
        await asyncio.to_thread(_greet_with, world, WORDS)
        yield world


def _greet_with(world: World, words: Path) -> None:
    """As Anna's own greeting."""
    command = [sys.executable, "-m", "vm_ari", "greeting", "import", "-c", str(world.config)]
    subprocess.run(
        [*command, world.anna.user.id, "work", str(words)], check=True, stdout=subprocess.DEVNULL
    )


def kept(world: World, number: str) -> int:
    """How many messages lie in that mailbox by now."""
    if number == PEER_NUMBER:
        return len(list((peer_mailbox(world) / "INBOX").glob("msg*.txt")))
    return len(list((world.mail_directory(world.anna) / "new").iterdir()))


def _speech() -> bytes:
    """Seconds of a voice, as A-law."""
    sounds = [soundfile.read(path) for path in sorted(WORDS.parent.glob("you-*.wav"))]
    with io.BytesIO() as raw:
        for samples, rate in sounds:
            soundfile.write(raw, samples, rate, format="RAW", subtype="ALAW")
        return raw.getvalue()


def peer_mailbox(world: World) -> Path:
    """Where app_voicemail keeps what belongs to it."""
    return world.asterisk.instance.spool / "voicemail" / "default" / "101"


def cpu_seconds(pid: int) -> float:
    """Of all threads of a process, until now."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def call_in(
    world: World, number: str, place: Path, *, calls: int, rate: float, talk_ms: int
) -> None:
    """So many calls at *rate* per second, each with *talk_ms* of speech, then BYE."""
    speech = place / "speech.alaw"
    speech.write_bytes(_speech())
    scenario = _SCENARIO.read_text().replace("@SPEECH@", str(speech))
    (place / "scenario.xml").write_text(scenario.replace("@PAUSE@", str(talk_ms)))
    seconds = calls / rate + talk_ms / 1000 + 60
    sipp = await asyncio.create_subprocess_exec(
        "sipp", f"{world.server[0]}:{world.server[1]}", "-sf", str(place / "scenario.xml"),
        "-s", number, "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(SIPP_PORT),
        "-m", str(calls), "-r", f"{rate:.3f}", "-l", str(calls), "-nostdin",
        "-timeout", f"{seconds:.0f}",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd=place,
    )  # fmt: skip
    _, errors = await sipp.communicate()
    if sipp.returncode:
        print(f"sipp ended with {sipp.returncode}: {errors.decode()[-300:]}", file=sys.stderr)
