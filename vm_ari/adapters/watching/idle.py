"""Mail servers tell by IDLE what happens in mailboxes; a bounded number of connections to each."""

import asyncio
import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import ImapError, ServerBusy
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.watching.idle_choice import IdleChoice
from vm_ari.adapters.watching.idle_line import IdleLine
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import Directory, DirectoryUnavailable, MailboxUnavailable

log = structlog.get_logger("vm_ari.watching")

SHARED_LOGIN_MOST = 2
"""Where one account opens all mailboxes: servers allow it few connections (Dovecot 10), and calls
need eight."""
ARRANGE_SECONDS = 1.0
"""Whom to watch is decided at most so often."""
AT_ONCE = 2
"""Connections to one server that are opened side by side: calls open some, too."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
WITHOUT = 3600.0
"""Seconds until a server that offers no IDLE is asked again."""
CROWDED = 300.0
"""Seconds until we ask for more connections where a server has refused one."""


class NoIdle(ImapError):
    """The server does not offer it."""


@dataclass
class _Place:
    """One mail server, as far as IDLE is concerned."""

    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    most: int = 0
    limited_until: float = 0.0


class IdleWatcher:
    """`services.watching.Watcher` for mailboxes on mail servers; *changed* hears whose it was.

    *most* is for each server. Who is not watched is counted in rounds only.
    """

    def __init__(
        self,
        doorman: Doorman,
        directory: Directory,
        changed: Callable[[str], None],
        *,
        most: int = 200,
        anew: float = 540.0,
    ) -> None:
        self._doorman = doorman
        self._directory = directory
        self._changed = changed
        self._most = most
        self._anew = anew
        self._choice: IdleChoice[Server] = IdleChoice()
        self._strangers: dict[str, User] = {}
        self._places: dict[Server, _Place] = {}
        self._lines: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        self._listening: set[str] = set()
        self._news = asyncio.Event()

    @property
    def listening(self) -> int:
        """How many mailboxes servers tell us about now."""
        return len(self._listening)

    def meet(self, users: Sequence[User]) -> None:
        """See `Watcher`."""
        self._choice.meet({user.id for user in users})
        self._news.set()

    def counted(self, user: User, counts: Counts) -> None:
        """See `Watcher`."""
        if not user.mailbox:
            return
        if not self._choice.knows(user.id):
            self._strangers[user.id] = user
        now = asyncio.get_running_loop().time()
        if self._choice.counted(user.id, counts, now) or self._strangers:
            self._news.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._learn_servers()
                self._arrange()
                await asyncio.sleep(ARRANGE_SECONDS)
        finally:
            lines = [task for _, task in self._lines.values()]
            for task in lines:
                task.cancel()
            await asyncio.gather(*lines, return_exceptions=True)

    # --- whom to watch

    async def _learn_servers(self) -> None:
        strangers, self._strangers = self._strangers, {}
        for user in strangers.values():
            try:
                server = await self._doorman.server_of(user)
            except MailboxUnavailable as error:
                log.debug("not watched", user=user.id, reason=str(error))
                continue
            self._choice.at(user.id, server)
            self._places.setdefault(server, _Place(most=self._most))

    def _arrange(self) -> None:
        now = asyncio.get_running_loop().time()
        wanted: dict[str, Server] = {}
        for server, place in self._places.items():
            if place.limited_until < now:
                place.most = self._most
            chosen = self._choice.chosen(server, place.most, self._lines.keys(), now)
            wanted |= dict.fromkeys(chosen, server)
        for user_id, (server, task) in list(self._lines.items()):
            if wanted.get(user_id) != server:
                task.cancel()
                del self._lines[user_id]
        for user_id, server in wanted.items():
            if user_id not in self._lines:
                task = asyncio.create_task(self._keep(user_id, server))
                self._lines[user_id] = server, task

    # --- one mailbox

    async def _keep(self, user_id: str, server: Server) -> None:
        """Watch it as long as it is wanted, however often the connection breaks."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while True:
            began = loop.time()
            try:
                await self._listen(user_id, self._places[server])
            except NoIdle:
                self._limit(server, 0, WITHOUT)
                log.warning("mail server offers no IDLE: its mailboxes are counted in rounds only")
                return
            except ServerBusy as error:
                self._crowded(server, str(error))
            except (MailboxUnavailable, DirectoryUnavailable) as error:
                log.debug("not watched now", user=user_id, reason=str(error))
            except Exception:  # one odd mailbox must not end the others' watch
                log.exception("not watched now", user=user_id)
            pause = (
                FIRST_PAUSE if loop.time() - began > pause * 2 else min(pause * 2, LONGEST_PAUSE)
            )
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _listen(self, user_id: str, place: _Place) -> None:
        """Until the connection breaks. Raises `MailboxUnavailable`, `DirectoryUnavailable`."""
        user = await self._directory.user_by_id(user_id)
        if user is None:
            return
        async with place.gate:
            door = replace(await self._doorman.open(user), background=True)
            connection = await _connected(door)

        def heard() -> None:
            self._listening.add(user_id)
            self._changed(user_id)

        try:
            await IdleLine(connection, heard, anew=self._anew).run()
        finally:
            self._listening.discard(user_id)
            self._changed(user_id)  # what happens from now on is not told

    def _crowded(self, server: Server, reason: str) -> None:
        """Leave one place to calls, and ask again later."""
        lines = (self._lines.get(user_id) for user_id in self._listening)
        here = sum(line is not None and line[0] == server for line in lines)
        self._limit(server, max(here - 1, 0), CROWDED)
        log.warning(
            "mail server takes no more connections", watched=max(here - 1, 0), reason=reason
        )

    def _limit(self, server: Server, most: int, seconds: float) -> None:
        place, loop = self._places[server], asyncio.get_running_loop()
        place.most = most
        place.limited_until = loop.time() + seconds
        self._news.set()
        loop.call_later(seconds + 1, self._news.set)


async def _connected(door: Open) -> socket.socket:
    """Logged in, with the user's folder selected, between two commands."""
    handover = _Handover()

    def step(session: Session) -> None:
        if not session.has("IDLE"):
            raise NoIdle(f"{session.server} offers no IDLE")
        door.folders.open_inbox(session)
        handover.bring(session.hand_over())

    try:
        await door.run(step)
        return handover.take()
    except BaseException:
        handover.refuse()
        raise


class _Handover:
    """A connection on its way out of a thread, which may come when nobody waits any more."""

    def __init__(self) -> None:
        self._connection: socket.socket | None = None
        self._refused = False

    def bring(self, connection: socket.socket) -> None:
        """In the thread."""
        self._connection = connection
        if self._refused:
            connection.close()

    def take(self) -> socket.socket:
        """It is the taker's from now on. Raises `LookupError` if there is none."""
        if self._connection is None:
            raise LookupError("no connection was brought")
        return self._connection

    def refuse(self) -> None:
        """Nobody waits for it."""
        self._refused = True
        if self._connection:
            self._connection.close()
