"""Several directory servers as one: who answers is asked, and no caller waits for who does not.

A look-up that stays without an answer for `Patience.hedge` seconds is asked of the next server,
too, and the first answer counts. A server that was silent, hung up or refused is left alone; trials
in the background find out when it works again.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from vm_ari.adapters.ldap.address import Patience
from vm_ari.adapters.ldap.errors import AccountRefused, LdapError, ServerLost, WriteRefused
from vm_ari.adapters.ldap.health import Health
from vm_ari.adapters.ldap.server_pool import ServerPool
from vm_ari.adapters.ldap.session import Session

T = TypeVar("T")

log = structlog.get_logger("vm_ari.ldap")


class Failover:
    """Does work on one of the servers, first the one that is preferred."""

    def __init__(self, pools: Sequence[ServerPool], patience: Patience) -> None:
        self.pools = pools
        self._patience = patience
        self._health = Health([pool.breaker for pool in pools])
        self._running: set[asyncio.Task[Any]] = set()
        self._trials: asyncio.Task[None] | None = None

    async def ask(self, work: Callable[[Session], T]) -> T:
        """A look-up: it may be done on several servers at once. Raises `LdapError`."""
        return await self._within(self._race(work), self._patience.caller)

    async def do(self, work: Callable[[Session], T], *, seconds: float | None = None) -> T:
        """Work for one server, the next one's only if that cannot do it. Raises `LdapError`.

        Where an answer got lost it may be done twice, so work reads before it changes.
        *seconds* are for work that takes its time.
        """
        return await self._within(self._in_turn(work), seconds or self._patience.caller)

    async def close(self) -> None:
        """Let running work end."""
        if self._trials:
            self._trials.cancel()
            await asyncio.gather(self._trials, return_exceptions=True)
        await asyncio.gather(*(pool.close() for pool in self.pools))
        await asyncio.gather(*self._running, return_exceptions=True)

    # --- asking

    async def _race(self, work: Callable[[Session], T]) -> T:
        waiting = list(self._order())
        racing: dict[asyncio.Task[T], int] = {}
        lost: ServerLost | None = None
        while waiting or racing:
            if waiting:
                server = waiting.pop(0)
                racing[self._start(self._ask(server, work))] = server
            patience = self._patience.hedge if waiting else None
            done, _ = await asyncio.wait(
                racing, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                for server in racing.values():
                    self._note_failure(server, "no answer in time")
            for task in done:
                del racing[task]
                try:
                    return task.result()
                except ServerLost as error:
                    lost = error
        raise lost or ServerLost("")

    async def _in_turn(self, work: Callable[[Session], T]) -> T:
        lost: ServerLost | None = None
        refused: WriteRefused | None = None
        for server in self._order():
            try:
                return await asyncio.shield(self._start(self._ask(server, work)))
            except ServerLost as error:
                lost = error
            except WriteRefused as error:  # a replica; the next one may be what it copies
                refused = error
        raise lost or refused or ServerLost("")

    def _order(self) -> Sequence[int]:
        """Raises `ServerLost` where all are broken: then nobody shall wait."""
        order = self._health.order()
        if not order:
            reasons = "; ".join(pool.breaker.reason for pool in self.pools)
            raise ServerLost(f"No directory server works: {reasons}")
        return order

    async def _ask(self, server: int, work: Callable[[Session], T]) -> T:
        try:
            result = await self.pools[server].run(work)
        except ServerLost as error:
            self._note_failure(server, str(error), refused=isinstance(error, AccountRefused))
            raise
        except LdapError:
            self._note_success(server)
            raise
        self._note_success(server)
        return result

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that goes on when nobody waits for it any more: its end tells about the server."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # noted already

    async def _within(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise ServerLost(f"no directory server has answered within {seconds:.0f} s") from None

    # --- health

    def _note_success(self, server: int) -> None:
        if self.pools[server].breaker.broken:
            log.info("directory server works again", server=str(self.pools[server].server))
        self._health.works(server)

    def _note_failure(self, server: int, reason: str, *, refused: bool = False) -> None:
        breaker = self.pools[server].breaker
        if not breaker.broken:
            log.warning(
                "directory server fails", server=str(self.pools[server].server), reason=reason
            )
        self._health.fails(server, time.monotonic(), reason, refused=refused)
        if self._trials is None or self._trials.done():
            self._trials = asyncio.create_task(self._try_broken_ones(), name="directory trials")

    async def _try_broken_ones(self) -> None:
        while (moment := self._health.next_trial()) is not None:
            await asyncio.sleep(max(moment - time.monotonic(), 0.0) + 0.01)
            due = self._health.due(time.monotonic())
            await asyncio.gather(*(self._try(server) for server in due))

    async def _try(self, server: int) -> None:
        try:
            await self.pools[server].try_out()
        except LdapError as error:
            self._note_failure(server, str(error), refused=isinstance(error, AccountRefused))
        else:
            self._note_success(server)
