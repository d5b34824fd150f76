"""A fax machine that calls us: another Asterisk, with SendFAX of SpanDSP."""

import asyncio
import io
import itertools
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2
from PIL import Image, ImageSequence

from tests.faxes import A4, page, tiff
from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk

STATION = "+49 89 123456"
T38 = "t38_udptl=yes\nt38_udptl_ec=redundancy\n"
_WAYS = {"t38": T38, "audio": "t38_udptl=no\n"}
_ENDPOINT = """
[{name}]
type=endpoint
context=none
disallow=all
allow=alaw
direct_media=no
from_user={number}
aors={name}
{way}[{name}]
type=aor
contact=sip:127.0.0.1:{port}
"""
_DIALPLAN = f"""
[fax-machine]
exten => _X!,1,Set(FAX_ID=${{EXTEN}})
 same => n,Set(FAXOPT(localstationid)={STATION})
 same => n,Set(FAXOPT(headerinfo)=)
 same => n,SendFAX(${{ASTSPOOLDIR}}/${{EXTEN}}.tif,df)
 same => n,Hangup()
exten => h,1,Set(SAYS=${{FAXSTATUS}} ${{FAXPAGES}} ${{FAXMODE}} ${{FAXERROR}})
 same => n,Log(NOTICE,FAX ${{FAX_ID}} SENT ${{SAYS}})
"""


def short_pages(count: int, lines: int = 500) -> list[Image.Image]:
    """Different ones, of so many lines: a modem needs a second for some 300."""
    texts = [f"Seite {number + 1} von {count}" for number in range(count)]
    return [page([text, "Mit freundlichen Grüßen"]).crop((0, 0, A4[0], lines)) for text in texts]


def pages_in_tiff(content: bytes) -> list[Image.Image]:
    """In black and white."""
    with Image.open(io.BytesIO(content)) as document:
        return [frame.convert("1") for frame in ImageSequence.Iterator(document)]


def pages_in_pdf(content: bytes) -> list[Image.Image]:
    """The pictures in it as they were put in."""
    document = pypdfium2.PdfDocument(content)
    pages = []
    for page_of in document:
        [picture] = page_of.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
        pages.append(picture.get_bitmap().to_pil().convert("1"))
    return pages


def same_dots(sent: Sequence[Image.Image], came: Sequence[Image.Image]) -> bool:
    """Do these pages hold what was sent, dot by dot? A machine may add a line above."""
    return len(came) == len(sent) and all(map(_same, sent, came))


def _same(sent: Image.Image, came: Image.Image) -> bool:
    below = came.crop((0, came.height - sent.height, sent.width, came.height))
    return came.width == sent.width and below.tobytes() == sent.tobytes()


@dataclass
class Sending:
    """One fax on its way."""

    id: str
    machine: "FaxMachine"

    async def over(self, within: float = 90.0) -> str:
        """Wait for the end; what the machine says of it."""
        mark = f"FAX {self.id} SENT "
        async with asyncio.timeout(within):
            while True:
                for line in self.machine.asterisk.log.read_text(errors="replace").splitlines():
                    if mark in line:
                        return line.partition(mark)[2].strip()
                await asyncio.sleep(0.1)


@dataclass
class FaxMachine:
    """Sends faxes, several at the same time."""

    asterisk: PrivateAsterisk
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1000))

    async def send(self, number: str, pages: Sequence[Image.Image], *, way: str = "t38") -> Sending:
        """Begin to send; *way*: t38 or audio."""
        sending = Sending(str(next(self._ids)), self)
        document = self.asterisk.instance.spool / f"{sending.id}.tif"
        document.write_bytes(tiff(pages, compression="group4"))
        target = f"PJSIP/{number}@{way}"
        await self.asterisk.command(
            f"channel originate {target} extension {sending.id}@fax-machine"
        )
        return sending

    async def cut(self, sending: Sending) -> None:
        """Hang up in the middle of that one."""
        for line in (await self.asterisk.command("core show channels concise")).splitlines():
            name, _, exten = (*line.split("!"), "", "", "")[:3]
            if exten == sending.id:
                await self.asterisk.command(f"channel request hangup {name}")


def fax_machine(install: AsteriskInstall, directory: Path, port: int, number: str) -> FaxMachine:
    """One with that number that calls the SIP server on that port; to be started by the caller."""
    endpoints = "".join(
        _ENDPOINT.format(name=name, number=number, way=way, port=port)
        for name, way in _WAYS.items()
    )
    instance = Instance(
        directory=directory,
        sip_port=free_port(socket.SOCK_DGRAM),
        http_port=free_port(),
        ari_password=secrets.token_urlsafe(12),
        trunk_context=None,
        extra_configuration={"pjsip.conf": endpoints, "extensions.conf": _DIALPLAN},
    )
    return FaxMachine(PrivateAsterisk(install, instance))
