"""A controller reduced to spool and outbox, started a thousand times to be killed.

`serve` is a process that has imported everything and forks one controller per job, so that a run
costs milliseconds. All system calls of a run come from one thread: strace counts per thread.
"""

import asyncio
import ctypes
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.audio import speech_seconds
from vm_ari.adapters.maildir import MaildirCourier
from vm_ari.adapters.spool import FileSpool
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import compose
from vm_ari.domain.callers import Caller
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.recording import Ending, Limits
from vm_ari.domain.sending import Colleague, Errand, Sending
from vm_ari.domain.sending_parts import parts_of
from vm_ari.domain.sending_rules import SendingRules
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import Courier, DeliveryPostponed, SpoolFull, Whole
from vm_ari.services.deliveries import Pace
from vm_ari.services.dispatching import Dispatching
from vm_ari.services.drafts import Drafts
from vm_ari.services.outbox import Outbox
from vm_ari.services.people import People
from vm_ari.services.sendings import Sendings

PR_SET_PTRACER = 0x59616D61
"""prctl(2): where Yama restricts ptrace, allow it to anybody of the same user."""

ANNA = User("anna", "Anna", "101", ("101",), "anna@site.example")
CALLER = Caller("+49891234567", "Jörg")
SENDING = SendingRules(per_day=0)
MAILS = MailTemplates(Path(__file__).parents[2] / "templates")

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One life of the controller in *directory* (spool and mailbox)."""

    directory: str
    call: bool = False
    """Take a message first; otherwise only adopt and deliver."""
    sends: bool = False
    """It is a user who forwards something to two colleagues, with a comment."""
    redo: bool = False
    """The caller marks the message urgent and says it again."""
    dies_recording: bool = False
    """Die as soon as the recording is complete."""
    deliver: bool = True
    hours_later: int = 0
    """What the clock is ahead when it starts."""
    courier: str = "maildir"
    """``maildir``, ``relay``, ``forgetful`` or ``answer lost`` (see `courier_of`)."""

    @property
    def spool(self) -> Path:
        """Where recordings lie."""
        return Path(self.directory) / "vm-ari"

    @property
    def mail(self) -> Path:
        """Where mail arrives."""
        return Path(self.directory) / "mail"


class Relay:
    """Takes a message as often as it is given, like a mail server: one file each.

    *forgetful*: it cannot be asked. *loses_first*: it stores the first one and says "later".
    """

    def __init__(
        self, mail: Path, threads: Executor, *, forgetful: bool, loses_first: bool
    ) -> None:
        self._mail = mail
        self._threads = threads
        self._forgetful = forgetful
        self._loses = loses_first

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise DeliveryPostponed("the relay's disk") from error

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Store a copy; durable on return."""
        await self._run(lambda: self._store(message))
        if self._loses:
            self._loses = False
            raise DeliveryPostponed("connection lost")

    def _store(self, message: VoiceMessage) -> None:
        name = f"{message.facts.id}.{secrets.token_hex(4)}"
        durable.write_file(self._mail / "tmp" / name, Path(message.audio).read_bytes())
        durable.move(self._mail / "tmp" / name, self._mail / "new" / name)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is there a copy?"""
        if self._forgetful:
            return False
        return await self._run(lambda: any((self._mail / "new").glob(f"{message.facts.id}.*")))


def courier_of(job: Job, threads: Executor) -> Courier:
    """The Maildir of the product, or a relay with or without memory."""
    if job.courier == "maildir":
        mail = partial(compose, sender="voicemail@site.example", templates=MAILS, site=Site())
        return MaildirCourier(job.mail, mail)
    return Relay(
        job.mail,
        threads,
        forgetful=job.courier == "forgetful",
        loses_first=job.courier == "answer lost",
    )


class HastyClock:
    """A minute passes whenever somebody looks, so that no pause lasts."""

    def __init__(self, hours: int) -> None:
        self._ahead = timedelta(hours=hours)

    def now(self) -> datetime:
        """The time in UTC."""
        self._ahead += timedelta(seconds=61)
        return datetime.now(UTC) + self._ahead


class OneUser:
    """A directory with one entry."""

    async def user_by_number(self, number: str) -> User | None:
        """Anna."""
        return ANNA

    async def user_by_id(self, user_id: str) -> User | None:
        """Anna."""
        return ANNA

    async def all_users(self) -> list[User]:
        """Anna."""
        return [ANNA]

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Nobody logs in here."""
        raise NotImplementedError

    async def login_state(self, user_id: str) -> LoginState:
        """Nobody logs in here."""
        raise NotImplementedError

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """Nobody logs in here, and nothing is counted."""
        raise NotImplementedError


class Controller:
    """One life: a call perhaps, then adoption, then delivery of everything."""

    def __init__(self, job: Job, wire: socket.socket) -> None:
        self._job = job
        self._wire = wire
        self._threads = ThreadPoolExecutor(1)
        self._delivered = asyncio.Semaphore(0)

    async def live(self) -> None:
        """Everything; what happened is told over the wire."""
        asyncio.get_running_loop().set_default_executor(self._threads)
        clock, job = HastyClock(self._job.hours_later), self._job
        self._clock = clock
        self._spool = FileSpool(job.spool, min_free=0, threads=self._threads)
        outbox = Outbox(
            self._spool,
            OneUser(),
            Dispatching(
                courier=courier_of(job, self._threads),
                spool=self._spool,
                join=_nothing_to_join,
                compose=_nothing_outside,
                mailer=None,
                rules=SENDING,
                sites=(Site(),),
            ),
            clock,
            rules=Rules(),
            host="pbx.example",
            pace=Pace(settle=timedelta(0)),
            quiet=timedelta(0),
            on_delivered=self._on_delivered,
        )
        try:
            await self._spool.claim()
            if job.sends:
                await self._send(outbox)
            if job.call:
                drafts = Drafts(self._spool, clock, Limits(), "pbx.example", outbox.take)
                await self._take_message(drafts)
            if job.deliver:
                await outbox.adopt(_nobody_talks)
                await self._deliver(outbox)
            await self._tell("finished")
        except SpoolFull:
            await self._tell("refused")

    async def _tell(self, what: str) -> None:
        """From the one thread, so that strace can tell the order."""
        line = f"{what}\n".encode()
        await asyncio.get_running_loop().run_in_executor(self._threads, self._wire.send, line)

    async def _take_message(self, drafts: Drafts) -> None:
        draft = await drafts.begin(channel_id="1.1", called="101", user=ANNA, caller=CALLER)
        await self._record(draft.next_take())
        said = await draft.judge(Ending.HANG_UP)
        if self._job.redo:
            await draft.toggle_urgent()
            await self._record(draft.next_take())
            await draft.judge(Ending.HANG_UP)
        if await drafts.close(draft):
            await self._tell("kept")
        elif not said:
            await self._tell("discarded")

    async def _send(self, outbox: Outbox) -> None:
        sendings = Sendings(
            spool=self._spool,
            directory=OneUser(),
            records=OneUser(),
            people=People(OneUser()),
            clock=self._clock,
            limits=Limits(),
            rules=SENDING,
            host="pbx.example",
            on_kept=outbox.wake,
        )
        sending = Sending(Errand.FORWARD, ANNA.id, (Colleague("bert"), Colleague("carla")))
        dispatch = await sendings.begin(channel_id="1.1", owner=ANNA, sending=sending)
        name = dispatch.next_take()
        await self._spool.attach(Path(name).parent.name, Path(__file__))
        await self._record(name)
        await dispatch.judge(Ending.HANG_UP)
        if await dispatch.send():
            await self._tell("kept")

    async def _record(self, name: str) -> None:
        """Asterisk, on the other side of the wire, writes the file and answers."""
        await self._tell(f"record {name}")
        self._wire.recv(1)
        if self._job.dies_recording:
            os.kill(os.getpid(), signal.SIGKILL)

    async def _on_delivered(self, user: User) -> None:
        self._delivered.release()

    async def _deliver(self, outbox: Outbox) -> None:
        expected = await self._to_be_delivered()
        running = asyncio.create_task(outbox.run())
        for _ in range(expected):
            await self._delivered.acquire()
        running.cancel()
        await asyncio.wait([running])

    async def _to_be_delivered(self) -> int:
        """Parts of what is divided count, the whole does not."""
        waiting = [message.facts for message, _, _ in await self._spool.waiting()]
        wholes = [facts for facts in waiting if facts.sending and facts.sending.is_whole]
        ids = {facts.id for facts in waiting if facts not in wholes}
        ids |= {part.id for whole in wholes for part in parts_of(whole)}
        return sum(not (self._job.spool / "done" / name).exists() for name in ids)


async def _nothing_to_join(message: VoiceMessage) -> Whole | None:
    """What is forwarded here is no voice message."""
    return None


async def _nothing_outside(message: VoiceMessage, sender: User, address: str) -> bytes:
    """Everybody is a colleague."""
    raise NotImplementedError


async def _nobody_talks(channel_id: str) -> bool:
    return False


def live(job: Job, wire: socket.socket) -> None:
    """One life, to its end."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_long(-1))  # strace is no parent of ours
    wire.send(f"pid {os.getpid()}\n".encode())
    wire.recv(1)
    asyncio.run(Controller(job, wire).live())


def serve(orders: socket.socket) -> None:
    """Fork one controller for each job that comes with its wire, until nobody orders any more."""
    _be_quiet()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, wires, _, _ = socket.recv_fds(orders, 10_000, 1)
        if not order:
            return
        with socket.socket(fileno=wires[0]) as wire:
            if os.fork() == 0:
                orders.close()
                live(Job(**json.loads(order)), wire)
                os._exit(0)


def order(orders: socket.socket, job: Job) -> socket.socket:
    """Have a controller started; the other end of its wire."""
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(orders, [json.dumps(asdict(job)).encode()], [theirs.fileno()])
    return ours


def _be_quiet() -> None:
    """No log lines (they would be system calls too), and everything imported and read before."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    speech_seconds(np.zeros(8000), 8000)
    facts = CallFacts("warm", "<warm@up>", "1", "101", "anna", CALLER, datetime.now(UTC))
    message = VoiceMessage(facts, os.devnull, 1.0)
    compose(message, ANNA, sender="voicemail@site.example", templates=MAILS, site=Site())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
