"""The port `Lamps` on Asterisk: takes counts at any time and tells the phones as soon as it can."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Protocol

import structlog

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.lamps.board import Board
from vm_ari.adapters.lamps.choice import Choice, LampSettings, build, probe
from vm_ari.adapters.lamps.method import MOST, LampCounts, LampNotTold, LampRefused, Method
from vm_ari.measures import LAMPS

log = structlog.get_logger("vm_ari.lamps")

MAILBOX = re.compile(r"[+0-9A-Za-z]{1,32}")
AT_ONCE = 8
"""Mailboxes told side by side: more is not quicker, and calls are served beside it."""
APART = 0.05
"""Seconds between two changes of one lamp: of what changes faster the last state is told."""
CALM = 1.0
"""A lamp that changed again within so many seconds is told its last state once more.

Asterisk sends each NOTIFY from another of its threads, except to a phone that subscribes. On a busy
machine an older one has been seen to come last, even at 50 ms distance.
"""
BOOT_SECONDS = 3.0
"""When it has started, Asterisk tells every phone what it knows: mostly 0/0, in its own time."""
RETRY_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class Connection(Protocol):
    """The connection to Asterisk (`AriConnection`): a new client each time it was made anew."""

    @property
    def client(self) -> AriClient:
        """Raises `AriUnavailable` while there is none."""
        ...


class AsteriskLamps:
    """Nobody waits for a lamp: `show` notes what is wanted, a few tasks see to it.

    The newest counts of a mailbox win. What cannot be told is kept and tried again, at the latest
    when the connection is back; then all lamps that are on are shown again, as Asterisk may have
    forgotten them. Call `connected` after each connect, and `close` at the end.
    """

    def __init__(self, connection: Connection, settings: LampSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._board = Board()
        self._tellers: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._meeting = asyncio.Lock()
        self._client: AriClient | None = None
        self._choice: Choice | None = None
        self._method: Method | None = None
        self._resting = 0
        self._restless: dict[str, tuple[LampCounts, bool]] = {}
        """Lamps told lately: what was told last, and whether it was a change of a change."""
        self._faltering = False
        self._closed = False

    async def show(self, mailbox: str, new: int, old: int) -> None:
        """See `Lamps`. Returns at once; impossible names and counts are logged and not shown."""
        if not MAILBOX.fullmatch(mailbox):
            log.error("lamp left as it is: not a mailbox", mailbox=mailbox[:40])
        elif new < 0 or old < 0:
            log.error("lamp left as it is: not a count", mailbox=mailbox, new=new, old=old)
        else:
            self._board.want(mailbox, LampCounts(min(new, MOST), min(old, MOST)))
            self._tell()

    @property
    def accounts(self) -> MessageAccounts:
        """Which numbers belong to the lamps."""
        return self._settings.accounts

    def shown(self, mailbox: str) -> LampCounts | None:
        """What phones of that mailbox were told last; None while they are still to be told."""
        return self._board.shown(mailbox)

    def was_told(self, mailbox: str) -> tuple[int, int] | None:
        """The same, as new and old messages."""
        counts = self._board.shown(mailbox)
        return None if counts is None else (counts.new, counts.old)

    async def connected(self) -> None:
        """There is a new connection: choose the way, and light what was lit."""
        try:
            await self._meet()
        except LampNotTold as error:
            self._falter(error)
        self._tell()

    async def settled(self) -> None:
        """Wait until everything is told, or cannot be told for now."""
        while self._tellers or self._resting:
            await asyncio.sleep(APART / 2)

    async def close(self) -> None:
        """Tell what is waiting if that is quick, then stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.settled()
        self._closed = True
        for teller in self._tellers:
            teller.cancel()
        await asyncio.gather(*self._tellers, return_exceptions=True)
        for timer in self._timers.values():
            timer.cancel()
        if self._method:
            await self._method.close()

    def _tell(self) -> None:
        """See to it that somebody works; not in the context of the call that asked for it."""
        if self._closed:
            return
        for _ in range(min(AT_ONCE - len(self._tellers), self._board.due)):
            teller = asyncio.create_task(self._tell_all(), context=Context())
            self._tellers.add(teller)
            teller.add_done_callback(self._tellers.discard)

    async def _tell_all(self) -> None:
        loop = asyncio.get_running_loop()
        while taken := self._board.take():
            mailbox, counts = taken
            if not await self._told(mailbox, counts):
                self._board.not_told(mailbox)
                return
            self._resting += 1
            loop.call_later(APART, self._rested, mailbox, context=Context())
            if mailbox not in self._restless:
                loop.call_later(CALM, self._calm, mailbox, context=Context())
            self._restless[mailbox] = counts, mailbox in self._restless

    def _rested(self, mailbox: str) -> None:
        self._resting -= 1
        self._board.told(mailbox)
        self._tell()

    def _calm(self, mailbox: str) -> None:
        counts, changed_again = self._restless.pop(mailbox)
        if changed_again:
            self._board.want_again(mailbox, counts)
            self._tell()

    async def _told(self, mailbox: str, counts: LampCounts) -> bool:
        """Is this one settled, for good or ill? False: it must be tried again later."""
        try:
            method = await self._meet()
            await method.tell(mailbox, counts)
        except LampNotTold as error:
            LAMPS.add("waits")
            self._falter(error)
            return False
        except LampRefused as error:
            LAMPS.add("refused")
            log.error("lamp not shown", mailbox=mailbox, reason=str(error))
        except Exception:  # a lamp that cannot be shown must not keep the others dark
            LAMPS.add("failed")
            log.exception("lamp not shown", mailbox=mailbox)
        else:
            LAMPS.add("told")
            log.debug("lamp", mailbox=mailbox, new=counts.new, old=counts.old)
            self._recovered()
        return True

    def _falter(self, error: LampNotTold) -> None:
        if not self._faltering:
            log.warning("lamps wait", reason=str(error))
        self._faltering = True
        self._after(RETRY_SECONDS, "retry", self._tell)

    def _recovered(self) -> None:
        if self._faltering:
            log.info("lamps are shown again")
        self._faltering = False

    async def _meet(self) -> Method:
        """The way to tell on this connection. Raises `LampNotTold`."""
        async with self._meeting:
            try:
                client = self._connection.client
                if client is not self._client or self._method is None:
                    await self._choose(client)
            except (AriError, AriUnavailable) as error:
                raise LampNotTold(str(error)) from error
        if self._method is None:
            raise LampNotTold("this Asterisk offers no way to show a lamp")
        return self._method

    async def _choose(self, client: AriClient) -> None:
        choice = await probe(client, self._settings)
        if client is self._client and choice == self._choice:
            return  # still no way
        _report(choice)
        if self._method:
            await self._method.close()
        self._method = build(choice.method, client, self._settings) if choice.method else None
        self._client, self._choice = client, choice
        self._show_all_again()
        self._after(BOOT_SECONDS, "boot", self._show_all_again)

    def _show_all_again(self) -> None:
        self._board.want_all_again()
        self._tell()

    def _after(self, seconds: float, what: str, do: Callable[[], None]) -> None:
        """Do it later, once."""
        if what in self._timers:
            self._timers[what].cancel()
        loop = asyncio.get_running_loop()
        self._timers[what] = loop.call_later(seconds, do, context=Context())


def _report(choice: Choice) -> None:
    why = {name.value: reason for name, reason in choice.why.items()}
    if choice.method:
        log.info("lamps", method=choice.method.value, **why)
    else:
        log.error("no way to show lamps", **why)
