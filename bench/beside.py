"""One Asterisk on which callers reach a mailbox of ours, or one of Asterisk's own app_voicemail.

Both play the same recorded words, and take a message of the same speech. app_voicemail keeps
messages in files, or (`Peer.IMAP`) in a mailbox of the same mail server that we use. While callers
talk, both send them nothing, or both a stream of silence.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from bench.imap_voicemail import with_imap_storage
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.config import shared_files
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.world import Person, World

PEER_NUMBER = "7101"
WORDS = shared_files() / "sounds" / "de" / "you-have-reached.wav"
_UNIT = Path(__file__).parents[1] / "packaging" / "systemd" / "vm-ari.service"
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
{general}
[default]
101 => 1234,Anna{mailbox}
"""

_VOICE_MESSAGES = [
    *("OR", "HEADER", "Message-Context", "voice-message"),
    *("HEADER", "X-Asterisk-VM-Message-Type", "Message"),
]
"""Ours, and the peer's; there are other mails, too."""


class Peer(StrEnum):
    """Where app_voicemail keeps messages."""

    FILES = "files"
    IMAP = "imap"

    @property
    def label(self) -> str:
        """As it stands in tables."""
        return "app_voicemail" if self is Peer.FILES else "app_voicemail_imap"


def offer_silence(parser: argparse.ArgumentParser) -> None:
    """An option for what both sides send to callers who talk."""
    parser.add_argument(
        "--transmit-silence",
        choices=("yes", "no"),
        default="no",
        help="both sides alike; app_voicemail sends none unless asterisk.conf says so",
    )


def silence_sent(options: argparse.Namespace) -> str:
    """What was chosen, for the head of a table."""
    sent = "a stream of silence" if options.transmit_silence == "yes" else "nothing"
    return f"while they talk, callers are sent {sent} (transmit_silence, both sides)"


@asynccontextmanager
async def both(
    install: AsteriskInstall,
    directory: Path,
    *,
    dialplan: str = "",
    peer: Peer = Peer.FILES,
    transmit_silence: str = "no",
    **fields: Any,
) -> AsyncIterator[World]:
    """Ours and the peer; *dialplan*: more of it; *peer*: IMAP needs `Part.IMAP` among *parts*.

    *transmit_silence*: "yes" or "no", of both.
    """
    if peer is Peer.IMAP:
        install = await asyncio.to_thread(with_imap_storage, install)
    world = World(
        install,
        directory,
        settings=f"[calls]\ntransmit_silence = {str(transmit_silence == 'yes').lower()}\n",
        extra_modules=("app_voicemail.so",),
        extra_configuration={
            "asterisk.conf": f"transmit_silence = {transmit_silence}\n",
            "extensions.conf": _DIALPLAN + dialplan,
            "voicemail.conf": _VOICEMAIL.format(general="", mailbox=""),
            "rtp.conf": "strictrtp=no\n",  # sipp sends from another port than it names
        },
        **fields,
    )
    async with world:
        _run_as_installed(world.controller_pid)
        if peer is Peer.IMAP:
            await _keep_in_mailbox(world, world.ben)
        mailbox = peer_mailbox(world)
        mailbox.mkdir(parents=True, exist_ok=True)
        shutil.copy(WORDS, mailbox / "unavail.wav")
        await asyncio.to_thread(greet_with, world, WORDS)
        yield world


def _run_as_installed(pid: int) -> None:
    """With the priority that systemd gives it, if we may."""
    [nice] = re.findall(r"^Nice=(-?\d+)$", _UNIT.read_text(), re.MULTILINE)
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), int(nice))
    except PermissionError:
        print(f"the controller runs without its unit's Nice={nice}, which needs root")


async def _keep_in_mailbox(world: World, owner: Person) -> None:
    """The peer's messages: in that person's mailbox, which nobody else uses."""
    general = f"imapserver=127.0.0.1\nimapport={imap_port(world)}\nimapflags=notls\n"
    mailbox = f",,,imapuser={owner.user.id}|imappassword={owner.mail_password}"
    configuration = world.asterisk.instance.etc / "voicemail.conf"
    configuration.write_text(_VOICEMAIL.format(general=general, mailbox=mailbox))
    await world.asterisk.command("voicemail reload")


def imap_port(world: World) -> int:
    """Of the mail server. Raises `TypeError` where there is none."""
    if not isinstance(world.store, MailServer):
        raise TypeError("this world's messages are in files")
    return int(world.store.tables()["imap"]["server"].rpartition(":")[2])


@contextmanager
def mail_program(world: World, owner: Person) -> Iterator[IMAPClient]:
    """That person's, logged in."""
    with IMAPClient("127.0.0.1", imap_port(world), ssl=False, timeout=30) as client:
        client.login(owner.user.id, owner.mail_password)
        yield client


def greet_with(world: World, words: Path = WORDS) -> None:
    """As Anna's own greeting. Blocks."""
    command = [sys.executable, "-m", "vm_ari", "greeting", "import", "-c", str(world.config)]
    subprocess.run(
        [*command, world.anna.user.id, "work", str(words)], check=True, stdout=subprocess.DEVNULL
    )


def kept(world: World, number: str, peer: Peer = Peer.FILES) -> int:
    """How many messages lie in that mailbox by now. Blocks."""
    if number == PEER_NUMBER and peer is Peer.FILES:
        return len(list((peer_mailbox(world) / "INBOX").glob("msg*.txt")))
    owner = world.ben if number == PEER_NUMBER else world.anna
    if isinstance(world.store, MailServer):
        with mail_program(world, owner) as client:
            client.select_folder("INBOX", readonly=True)
            return len(client.search(_VOICE_MESSAGES))
    return len(list((world.mail_directory(owner) / "new").iterdir()))


def peer_mailbox(world: World) -> Path:
    """Where app_voicemail keeps what belongs to it."""
    return world.asterisk.instance.spool / "voicemail" / "default" / "101"
