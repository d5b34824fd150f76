"""The connections to one directory server, and the few threads that wait for it."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from vm_ari.adapters.breaker import Breaker
from vm_ari.adapters.ldap.address import Account, Patience
from vm_ari.adapters.ldap.errors import ServerLost
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.measures import Asking

T = TypeVar("T")

LONGEST_IDLE = 60.0
"""Seconds; firewalls and servers forget connections that nobody uses, some without a word."""
_QUICK = 0.5
"""Seconds; a server that hung up says so at once, and a new connection helps."""


class ServerPool:
    """At most *size* connections, each used by one thread at a time.

    A server that hangs holds up only its own threads. Work may be done twice, where a connection
    turns out to have been closed by the server meanwhile.
    """

    def __init__(
        self,
        server: Server,
        account: Account,
        context: ssl.SSLContext | None,
        patience: Patience,
        size: int = 4,
    ) -> None:
        self.server = server
        self.breaker = Breaker()
        self._open = partial(Session, server, account, context, patience)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"ldap-{server}")
        self._idle: list[Session] = []
        self._lock = threading.Lock()
        self._closed = False

    async def run(self, work: Callable[[Session], T]) -> T:
        """Do it in a thread, on a connection. Raises what it raises, and `ServerLost`."""
        loop = asyncio.get_running_loop()
        with Asking("ldap", ServerLost):
            return await loop.run_in_executor(self._threads, self._work_unless_broken, work)

    async def try_out(self) -> None:
        """Connect anew, whatever the breaker says. Raises `ServerLost`."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._try_out)

    async def close(self) -> None:
        """Let running work end, and hang up."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        self._forget()

    def _work_unless_broken(self, work: Callable[[Session], T]) -> T:
        """Who had to wait for a thread shall not wait for a server that is known to hang, too."""
        if self.breaker.broken:
            raise ServerLost(self.breaker.reason)
        began = time.monotonic()
        if session := self._take():
            try:
                return self._use(session, work)
            except ServerLost:
                self._forget()  # the others are as old, or older
                if time.monotonic() - began > _QUICK:
                    raise
        return self._use(self._open(), work)

    def _try_out(self) -> None:
        self._forget()
        self._use(self._open(), Session.ping)

    def _use(self, session: Session, work: Callable[[Session], T]) -> T:
        try:
            result = work(session)
        except ServerLost:
            session.close()
            raise
        except BaseException:
            self._give_back(session)
            raise
        self._give_back(session)
        return result

    def _take(self) -> Session | None:
        """The connection that was used last, so that superfluous ones grow old."""
        with self._lock:
            session = self._idle.pop() if self._idle else None
        if session and time.monotonic() - session.used > LONGEST_IDLE:
            session.close()
            self._forget()
            return None
        return session

    def _give_back(self, session: Session) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(session)
                return
        session.close()

    def _forget(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for session in idle:
            session.close()
