"""The connections to one mail server, and the few threads that wait for it."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from vm_ari.adapters.breaker import REST_OF_REFUSED, Breaker
from vm_ari.adapters.imap.address import Patience
from vm_ari.adapters.imap.connection import Wire
from vm_ari.adapters.imap.errors import (
    AppendUnsure,
    CannotTrust,
    ConnectionLost,
    ImapError,
    LoginRefused,
    Referred,
)
from vm_ari.adapters.imap.logins import Login
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.measures import Asking

T = TypeVar("T")

log = structlog.get_logger("vm_ari.imap")

LONGEST_IDLE = 60.0
"""Seconds; firewalls and servers forget connections that nobody uses, some without a word."""
MOST_FOLDERS = 500
"""Opened on one connection: some servers keep 100 kB for each until it is closed."""
_QUICK = 1.0
"""Seconds; a server that hung up says so at once, and a new connection helps."""


class Job:
    """Work that a caller waits for; he may give it up while a thread is busy with it.

    Work in the *background* finds out that a server fails before any caller would: callers are not
    sent away because of that.
    """

    def __init__(self, *, background: bool = False) -> None:
        self.background = background
        self._wire: Wire | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def uses(self, wire: Wire) -> None:
        """From now on this is what has to be cut. Raises `ConnectionLost` if it is too late."""
        with self._lock:
            self._wire = wire
            if self._given_up:
                raise ConnectionLost("nobody waits for this any more")

    @property
    def given_up(self) -> bool:
        """Does nobody wait for it any more?"""
        return self._given_up

    def give_up(self) -> None:
        """The thread that works for it becomes free at once."""
        with self._lock:
            self._given_up = True
            if self._wire:
                self._wire.cut()


class ServerPool:
    """At most *size* connections at work, each used by one thread; some more may be idle.

    A server that hangs holds up only its own threads, and those only until its callers give up.
    Work may be done twice where a connection turns out to be dead, so it reads before it changes.
    """

    def __init__(
        self,
        server: Server,
        context: ssl.SSLContext | None,
        patience: Patience,
        size: int = 8,
    ) -> None:
        self.server = server
        self.breaker = Breaker()
        self._context = context
        self._patience = patience
        self._size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=f"imap-{server}")
        self._idle: list[tuple[str, Session]] = []
        self._refused: dict[str, tuple[str, float, str]] = {}
        self._lock = threading.Lock()
        self._closed = False

    async def run(
        self,
        login: Login,
        work: Callable[[Session], T],
        *,
        seconds: float | None = None,
        background: bool = False,
    ) -> T:
        """Do it in a thread, on a connection of that login. Raises `ImapError`.

        *background*: nobody waits for it; its failures do not count against the server.
        """
        seconds = seconds or self._patience.caller
        self._ask_breaker(background=background)
        job = Job(background=background)
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, self._do, job, login, work)
        try:
            with Asking("imap", TimeoutError, ConnectionLost):
                async with asyncio.timeout(seconds):
                    return await running
        except TimeoutError:
            if not background:
                self._note_failure("no answer in time")
            text = f"{self.server} has not answered within {seconds:.0f} s"
            raise ConnectionLost(text) from None
        finally:
            if not running.done() or running.cancelled():
                job.give_up()

    async def hang_up(self) -> None:
        """Close the connections that nobody uses now."""
        await asyncio.to_thread(self._forget, lambda _: True)

    async def close(self) -> None:
        """Let running work end, and hang up."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        self._forget(lambda _: True)

    def _ask_breaker(self, *, background: bool) -> None:
        """Who calls while the server is known to hang shall not wait for it, too.

        When its rest is over, one caller tries it for all.
        """
        with self._lock:
            now = time.monotonic()
            if not self.breaker.broken:
                return
            if now < self.breaker.next_try:
                raise ConnectionLost(f"{self.server} is left alone: {self.breaker.reason}")
            if not background:
                self.breaker.next_try = now + self._patience.caller

    def _do(self, job: Job, login: Login, work: Callable[[Session], T]) -> T:
        """On a connection that breaks at once it is begun a second time, on a new one."""
        began = time.monotonic()
        session = self._take(login) or self._open(job, login)
        try:
            return self._use(job, login, session, work)
        except AppendUnsure:
            raise
        except ConnectionLost:
            self._forget(lambda key: key == login.key)  # the others are as old, or older
            if time.monotonic() - began > _QUICK:
                raise
        return self._use(job, login, self._open(job, login), work)

    def _use(self, job: Job, login: Login, session: Session, work: Callable[[Session], T]) -> T:
        try:
            job.uses(session.wire)
            result = work(session)
        except ConnectionLost:
            session.close()
            raise
        except ImapError:
            self._give_back(login, session)
            raise
        except BaseException:
            session.close()
            raise
        self._note_success()
        self._give_back(login, session)
        return result

    def _open(self, job: Job, login: Login) -> Session:
        """Log in, unless just this was refused a moment ago: that slows down everybody else."""
        self._recall_refusal(login)
        try:
            return self._logged_in(job, login)
        except LoginRefused as error:
            self._note_success()  # it does answer
            self._remember_refusal(login, str(error))
            raise
        except Referred:
            self._note_success()
            raise
        except ConnectionLost as error:
            if not job.given_up and not job.background:  # else it was us who cut it
                self._note_failure(str(error))
            raise

    def _logged_in(self, job: Job, login: Login) -> Session:
        """A connection that breaks at once is opened a second time: a restart cuts logins, too."""
        began = time.monotonic()
        try:
            return self._connected(job, login)
        except CannotTrust:
            raise
        except ConnectionLost:
            if time.monotonic() - began > _QUICK:
                raise
        return self._connected(job, login)

    def _connected(self, job: Job, login: Login) -> Session:
        wire = Wire(self.server, self._context, self._patience.connect)
        job.uses(wire)
        return Session(self.server, login, self._context, self._patience, wire)

    # --- idle connections

    def _take(self, login: Login) -> Session | None:
        """The connection that was used last, so that superfluous ones grow old."""
        self._forget_old()
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == login.key:
                    return self._idle.pop(place)[1]
        return None

    def _give_back(self, login: Login, session: Session) -> None:
        if session.handed_over:
            return
        session.used = time.monotonic()
        with self._lock:
            if not self._closed and session.folders_opened < MOST_FOLDERS:
                self._idle.append((login.key, session))
                superfluous = self._idle[: -2 * self._size]
                self._idle = self._idle[-2 * self._size :]
            else:
                superfluous = [(login.key, session)]
        for _, other in superfluous:
            other.close()

    def _forget_old(self) -> None:
        limit = time.monotonic() - LONGEST_IDLE
        with self._lock:
            old = [session for _, session in self._idle if session.used < limit]
            self._idle = [(key, session) for key, session in self._idle if session.used >= limit]
        for session in old:
            session.close()

    def _forget(self, which: Callable[[str], bool]) -> None:
        with self._lock:
            gone = [session for key, session in self._idle if which(key)]
            self._idle = [(key, session) for key, session in self._idle if not which(key)]
        for session in gone:
            session.close()

    # --- health

    def _note_success(self) -> None:
        with self._lock:
            if self.breaker.broken:
                log.info("mail server works again", server=str(self.server))
            self.breaker.works()

    def _note_failure(self, reason: str) -> None:
        with self._lock:
            if not self.breaker.broken:
                log.warning("mail server fails", server=str(self.server), reason=reason)
            else:
                self.breaker.next_try = 0.0  # this was the trial: the rest grows
            self.breaker.fails(time.monotonic(), reason)

    def _recall_refusal(self, login: Login) -> None:
        with self._lock:
            proof, until, reason = self._refused.get(login.key, ("", 0.0, ""))
        if proof and proof == login.proof() and time.monotonic() < until:
            raise LoginRefused(f"{reason}; it is tried again when it has changed, or in some time")

    def _remember_refusal(self, login: Login, reason: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._refused = {k: r for k, r in self._refused.items() if r[1] > now}
            self._refused[login.key] = (login.proof(), now + REST_OF_REFUSED, reason)
