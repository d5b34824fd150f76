"""Received faxes, as configured: what they are made of, and whose outbox they go into."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from vm_ari.adapters.fax_spool import DIRECTORY, FileFaxSpool
from vm_ari.adapters.fax_text import FaxText
from vm_ari.config import Config
from vm_ari.domain.faxes import LONGEST_TEXT
from vm_ari.ports import Clock, FaxUnreadable, NoOcr
from vm_ari.ports.fax import ArrivedFax, Recognise
from vm_ari.services.fax_reception import Alive, FaxReception
from vm_ari.services.message_records import MessageRecords

log = structlog.get_logger("vm_ari.faxes")

TIFF = "image/tiff"


@dataclass(frozen=True)
class OpenFaxReception:
    """What a controller runs; its spool must be claimed before."""

    spool: FileFaxSpool
    reception: FaxReception

    async def run(self) -> None:
        """Adopt faxes, until cancelled. Raises `SpoolFull`."""
        await self.spool.claim()
        await self.reception.run()

    async def run_alone(self) -> None:
        """The same for the spool of a node that is gone: there are no calls any more."""
        await self.spool.claim()
        await replace(self.reception, alive=_nobody_calls).run()

    def close(self) -> None:
        """What is under way begins anew after the next start."""
        self.spool.close()


def open_fax_reception(
    config: Config,
    clock: Clock,
    alive: Alive,
    wake: Callable[[], None],
    records: MessageRecords,
) -> OpenFaxReception:
    """Nothing is begun yet; *wake* tells the outbox that there is something to deliver."""
    spool = FileFaxSpool(config.spool.directory)
    reception = FaxReception(
        spool,
        clock,
        alive,
        config.rules().site,
        host=config.mail.sender.rpartition("@")[2],
        on_kept=wake,
        on_failed=records.fax_failed,
        recognise=_recognise(config),
    )
    return OpenFaxReception(spool, reception)


async def _nobody_calls(_channel: str) -> bool:
    return False


def _recognise(config: Config) -> Recognise | None:
    table = config.fax_reception
    if not table.text:
        return None
    reader = FaxText(
        config.inbox.languages, most_pages=table.text_pages, patience=float(table.text_seconds)
    )

    async def recognise(document: Path) -> str:
        """As much as there is: nothing about it keeps a fax from its owner."""
        pages: list[str] = []
        try:
            await _collect(reader.pages(document, TIFF), pages)
        except (FaxUnreadable, NoOcr) as error:
            log.warning("fax not recognised", reason=str(error))
        return "\n\n".join(page for page in pages if page.strip())[:LONGEST_TEXT]

    return recognise


async def _collect(found: AsyncGenerator[str, None], pages: list[str]) -> None:
    async with aclosing(found):
        async for page in found:
            pages.append(page)


async def received_faxes(spool: Path) -> Sequence[ArrivedFax]:
    """What lies in a spool and is no message yet. Raises `SpoolFull`."""
    faxes = FileFaxSpool(spool)
    try:
        return await faxes.arrived() if (spool / DIRECTORY).is_dir() else ()
    finally:
        faxes.close()
