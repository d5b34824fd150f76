"""Fax machines on the other side: an Asterisk with a number for each kind of trouble."""

import asyncio
import re
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk

GOOD, SILENT, VOICE, CUT = "900", "902", "903", "904"
NOBODY, BUSY_ONCE, PATIENT = "905", "906", "907"
STORM = "91"
"""Three digits behind it are a machine of its own."""
STATION = "Muster GmbH"
_DIALPLAN = """
[from-office]
exten => {good},1,Goto(receive,1)
exten => receive,1,Answer()
 same => n,Set(FAXOPT(localstationid)={station})
 same => n,ReceiveFAX({folder}/${{EPOCH}}-${{UNIQUEID}}-${{VM_FAX}}.tif,f)
exten => {silent},1,Ringing()
 same => n,Wait(60)
exten => {patient},1,Ringing()
 same => n,Wait(60)
exten => {voice},1,Answer()
 same => n,Wait(6)
exten => {cut},1,Set(VM_FAX={cut})
 same => n,Goto(receive,1)
exten => _{storm}XXX,1,Set(VM_FAX=${{EXTEN}})
 same => n,Goto(receive,1)
exten => {nobody},1,Hangup(1)
exten => {busy_once},1,Set(VM_FAX={busy_once})
 same => n,GotoIf($["${{GLOBAL(WAS_BUSY)}}"="yes"]?receive,1)
 same => n,Set(GLOBAL(WAS_BUSY)=yes)
 same => n,Busy(1)
"""
_TRUNK = """
[office](private-media)
context=from-office
disallow=all
allow=alaw,ulaw
direct_media=no
t38_udptl=yes
t38_udptl_ec=redundancy
[office]
type=identify
endpoint=office
match=127.0.0.1
"""


class FaxMachines:
    """They run while ``async with`` lasts; what they receive lies in *folder*."""

    def __init__(self, install: AsteriskInstall, directory: Path) -> None:
        self.folder = directory / "received"
        dialplan = _DIALPLAN.format(
            folder=self.folder,
            station=STATION,
            good=GOOD,
            silent=SILENT,
            voice=VOICE,
            cut=CUT,
            nobody=NOBODY,
            patient=PATIENT,
            busy_once=BUSY_ONCE,
            storm=STORM,
        )
        self.asterisk = PrivateAsterisk(
            install,
            Instance(
                directory=directory / "machines",
                sip_port=free_port(socket.SOCK_DGRAM),
                http_port=free_port(),
                ari_password=secrets.token_urlsafe(12),
                trunk_context=None,
                extra_configuration={"extensions.conf": dialplan, "pjsip.conf": _TRUNK},
            ),
        )

    async def __aenter__(self) -> "FaxMachines":
        self.folder.mkdir(parents=True)
        await self.asterisk.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.asterisk.kill()

    def trunks(self) -> str:
        """For the office's pjsip.conf: one that knows T.38, and one that knows audio only."""
        contact = f"sip:127.0.0.1:{self.asterisk.instance.sip_port}"
        return "".join(
            f"[{name}](private-media)\ncontext=default\ndisallow=all\nallow=alaw,ulaw\n"
            f"aors={name}\n{more}[{name}]\ntype=aor\ncontact={contact}\n"
            for name, more in (("t38", "t38_udptl=yes\nt38_udptl_ec=redundancy\n"), ("audio", ""))
        )

    async def cut(self, mark: str) -> None:
        """The line of that fax is lost."""
        listed = await self.asterisk.command("core show channels concise")
        for line in listed.splitlines():
            if f"-{mark}.tif" in line:
                await self.asterisk.command(f"channel request hangup {line.partition('!')[0]}")

    def received(self, mark: str = "") -> Sequence[Path]:
        """The faxes of that kind, the first one first."""
        found = self.folder.glob(f"*-{mark}.tif")
        return sorted(found, key=lambda path: path.name)

    async def sent_by(self, kind: str) -> int:
        """How many faxes have come whole by ``T.38`` or ``G.711``."""
        text = await self.asterisk.command("fax show stats")
        block = re.search(rf"Spandsp {re.escape(kind)}\s+Success\s*: (\d+)", text)
        return int(block[1]) if block else 0


def pages_of(fax: Path) -> list[Image.Image]:
    """As they arrived."""
    with Image.open(fax) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("1"))
        return found


async def until(true: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.2)
