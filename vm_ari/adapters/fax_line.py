"""Faxes over Asterisk: it is told to call, and does the rest alone (`vm-ari-fax-out`).

    <call>.tif    the pages, written before the call is made
    <call>.begun  somebody has answered
    <call>.txt    how it ended

The call has our name for it, so it is found again by a controller that was restarted; what the
dialplan has written is there also when the channel has long gone.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import aiohttp

from vm_ari.adapters import durable
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.leg import shown_as
from vm_ari.adapters.ari.line import FAR
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport
from vm_ari.domain.callers import Caller
from vm_ari.domain.fax_calls import (
    LONGEST,
    NEVER_MADE,
    VANISHED,
    ending_of,
    not_dialled,
    read_report,
)
from vm_ari.domain.fax_orders import Ending
from vm_ari.ports.fax_sending import FaxCall, Progress
from vm_ari.ports.orders import LineAway

T = TypeVar("T")

CONTEXT, EXTENSION, LABEL = "vm-ari-fax-out", "send", "begin"
"""Asterisk refuses a call to a label that it does not know, but not one to a context: nobody shall
be called by an Asterisk without our dialplan."""
AT_THE_END = "vm-ari-fax-sent,s,1"
DIALPLAN = "extensions_vm_ari_fax_out.conf"
FOLDER = "fax-out"
"""Below the spool; the dialplan knows it, too."""
FILE_MODE = 0o640
DIRECTORY_MODE = 0o2770
"""Asterisk writes there; what is made there is of the same group."""
PAGES, BEGUN, REPORT, REFUSED = ".tif", ".begun", ".txt", ".refused"
SECONDS_FOR_A_PAGE = 180
"""The slowest machines need that long for a page full of ink."""
LEFT_BEHIND = timedelta(days=2)
"""So old is what a crash has left, and nobody will ask for."""
_SETTLE = 1.0
"""Seconds that the dialplan has for its last line, when the channel has gone."""


class AsteriskFaxLine:
    """`ports.fax_sending.FaxLine`; *endpoint* is dialled, with ``{number}`` in it."""

    def __init__(
        self,
        address: Address,
        app: str,
        spool: Path,
        endpoint: str,
        *,
        how: str = "f",
        rate: int = 14400,
        ring_seconds: int = 60,
    ) -> None:
        self._address = address
        self._app = app
        self._folder = spool / FOLDER
        self._endpoint = endpoint
        self._how = how
        self._rate = rate
        self._ring_seconds = ring_seconds
        self._session: aiohttp.ClientSession | None = None

    async def call(self, call: FaxCall) -> None:
        """See `FaxLine`; an endpoint that Asterisk does not know ends at once."""
        await self._on_disk(lambda: self._write(call))
        try:
            await self._client().channels.originate(
                self._endpoint.format(number=call.number.dial),
                variables=self._variables(call),
                context=CONTEXT,
                extension=EXTENSION,
                label=LABEL,
                timeout=str(self._ring_seconds),
                channelId=self._channel(call.id),
                otherChannelId=self._channel(call.id) + FAR,
                **self._shown(call),
            )
        except AriUnavailable as error:
            raise LineAway(f"Asterisk: {error}") from error
        except AriError as error:
            why = f"include {DIALPLAN} in extensions.conf" if isinstance(error, NotFound) else ""
            text = f"{call.number.dial}: {error} {why}"[:LONGEST].encode()
            place = self._place(call.id, REFUSED)
            await self._on_disk(lambda: durable.replace_file(place, text))

    async def progress(self, call_id: str) -> Progress:
        """See `FaxLine`."""
        try:
            channel = await self._client().channels.get(self._channel(call_id))
        except NotFound:
            return Progress.OVER
        except (AriUnavailable, AriError) as error:
            raise LineAway(f"Asterisk: {error}") from error
        return Progress.CONNECTED if channel["state"] == "Up" else Progress.RINGING

    async def ending(self, call_id: str) -> Ending:
        """See `FaxLine`."""
        text = await self._on_disk(lambda: self._read(call_id, REPORT))
        if read_report(text) is None:
            await asyncio.sleep(_SETTLE)
            text = await self._on_disk(lambda: self._read(call_id, REPORT))
        if report := read_report(text):
            return ending_of(report)
        if why := await self._on_disk(lambda: self._read(call_id, REFUSED)):
            return not_dialled(why)
        answered = await self._on_disk(self._place(call_id, BEGUN).exists)
        return VANISHED if answered else NEVER_MADE

    async def hang_up(self, call_id: str) -> None:
        """See `FaxLine`."""
        try:
            await self._client().channels.handle(self._channel(call_id)).hangup()
        except NotFound:
            return
        except (AriUnavailable, AriError) as error:
            raise LineAway(f"Asterisk: {error}") from error

    async def forget(self, call_id: str) -> None:
        """See `FaxLine`."""

        def work() -> None:
            for suffix in (PAGES, BEGUN, REPORT, REFUSED):
                self._place(call_id, suffix).unlink(missing_ok=True)

        await self._on_disk(work)

    async def sweep(self, known: Collection[str]) -> None:
        """See `FaxLine`."""
        await self._on_disk(lambda: self._sweep(known))

    async def close(self) -> None:
        """Calls go on without us."""
        if self._session:
            await self._session.close()
            self._session = None

    def _client(self) -> AriClient:
        if self._session is None:
            limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            headers = self._address.authorization()
            self._session = aiohttp.ClientSession(headers=headers, timeout=limit)
        return AriClient(HttpTransport(self._session, self._address))

    def _variables(self, call: FaxCall) -> dict[str, str]:
        """The dialplan's; the last one makes it write down how every call ends, answered or not."""
        return {
            "VM_ARI_FAX_OUT": call.id,
            "VM_ARI_FAX_HOW": self._how,
            "VM_ARI_FAX_FROM": call.sender,
            "VM_ARI_FAX_RATE": str(self._rate),
            "VM_ARI_FAX_SECONDS": str(120 + SECONDS_FOR_A_PAGE * call.pages),
            "CHANNEL(hangup_handler_push)": AT_THE_END,
        }

    def _shown(self, call: FaxCall) -> dict[str, str]:
        shown = shown_as(Caller(call.sender, call.name)) if call.sender else ""
        return {"callerId": shown} if shown else {}

    def _channel(self, call_id: str) -> str:
        return f"{self._app}-fax-{call_id}"

    # --- blocking

    def _write(self, call: FaxCall) -> None:
        durable.ensure_directory(self._folder, DIRECTORY_MODE)
        durable.replace_file(self._place(call.id, PAGES), call.tiff)
        self._place(call.id, PAGES).chmod(FILE_MODE)  # whatever the umask

    def _sweep(self, known: Collection[str]) -> None:
        if not self._folder.is_dir():
            return
        oldest = time.time() - LEFT_BEHIND.total_seconds()
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stem not in known and path.stat().st_mtime < oldest:
                    path.unlink()

    def _read(self, call_id: str, suffix: str) -> str:
        """Empty where there is nothing."""
        try:
            with self._place(call_id, suffix).open("rb") as file:
                return file.read(LONGEST).decode("ascii", "replace")
        except FileNotFoundError:
            return ""

    def _place(self, call_id: str, suffix: str) -> Path:
        if not call_id.replace("-", "").isalnum() or not call_id.isascii():
            raise ValueError("not the name of a call")
        return self._folder / f"{call_id}{suffix}"

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Raises `LineAway` where the disk refuses."""
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            where = error.filename or self._folder
            raise LineAway(f"{error.strerror or error}: {where}") from error
