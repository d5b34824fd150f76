"""Mails that the system writes: kept durably, and sent until they are there (STORE-03)."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from traceback import extract_tb
from typing import Protocol

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.delivery import Attempts, Step, Verdict, after
from vm_ari.domain.system_mails import Letter, SystemMail, letter_id, recipient_of
from vm_ari.domain.users import User
from vm_ari.measures import MAILS
from vm_ari.ports import (
    Clock,
    DeliveryPostponed,
    DeliveryRefused,
    Letters,
    Mailer,
    MailNotQueued,
)

log = structlog.get_logger("vm_ari.mail")

AT_ONCE = 4
"""Mails side by side."""
LOOK_AGAIN = 5.0
"""Seconds: a command may have queued one."""
BREATHE = 60.0
"""Seconds without a try, after the server has taken none of several mails in a row."""
IN_A_ROW = 3
SWEEP_EVERY = 3600.0
LONGEST_REASON = 200


class Compose(Protocol):
    """Writes the whole mail; blocks, and raises whatever a site's template can do wrong."""

    def __call__(
        self,
        mail: SystemMail,
        user: User,
        values: Mapping[str, object],
        *,
        message_id: str,
        written: datetime,
    ) -> bytes:
        """With CRLF line ends, ASCII only."""
        ...


class SystemMails:
    """`ports.Notices`, and the loop that sends what is queued.

    *host* is the right side of Message-IDs.
    """

    def __init__(
        self,
        letters: Letters,
        mailer: Mailer,
        compose: Compose,
        clock: Clock,
        *,
        host: str,
        silent: Collection[SystemMail] = (),
    ) -> None:
        self.letters = letters
        self._mailer = mailer
        self._compose = compose
        self._clock = clock
        self._host = host or "localhost"
        self.silent = frozenset(silent)
        """Kinds that the site does not want: nobody is told."""
        self._stir = asyncio.Event()
        self._there: set[str] = set()
        """Mails that have arrived, but the disk would not take the news."""

    def wake(self) -> None:
        """There is something to send."""
        self._stir.set()

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """See `Notices`."""
        if mail in self.silent:
            log.info("not told, as the site wants it", mail=mail.value, user=user.id)
            return
        if await self.letters.was_sent(letter_id(mail, user.id, occasion)):
            return
        letter = await self.write(user, mail, values, occasion=occasion, at=self._clock.now())
        await self.letters.prepare(letter)
        await self.letters.release(letter.id)
        self.wake()

    async def write(
        self,
        user: User,
        mail: SystemMail,
        values: Mapping[str, object],
        *,
        occasion: str,
        at: datetime,
        dialled: str = "",
    ) -> Letter:
        """A finished mail, not yet kept anywhere. Raises `MailNotQueued`."""
        own_id, written = letter_id(mail, user.id, occasion), at.replace(microsecond=0)
        message_id = f"<{own_id}@{self._host}>"
        try:
            content = await asyncio.to_thread(
                self._compose, mail, user, values, message_id=message_id, written=written
            )
        except Exception as error:  # a site's template can do anything wrong
            log.error("a mail cannot be written", mail=mail.value, why=_place(error))
            raise MailNotQueued(f"the {mail} mail cannot be written: {_place(error)}") from error
        recipient = recipient_of(user)
        return Letter(own_id, message_id, mail, recipient, written, content, dialled)

    async def run(self) -> None:
        """Send until cancelled."""
        sweep_at = 0.0
        while True:
            self._stir.clear()
            try:
                pause = await self.send_what_is_due()
                if _loop_time() >= sweep_at:
                    sweep_at = _loop_time() + SWEEP_EVERY
                    await self.letters.sweep()
            except MailNotQueued as error:
                log.error("the queue of mails cannot be used", reason=str(error))
                pause = BREATHE
            except Exception as error:  # calls go on, whatever this is
                log.error("no mails are sent", why=_place(error))
                pause = BREATHE
            await self._nap(pause)

    async def _nap(self, seconds: float) -> None:
        if seconds == BREATHE:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stir.wait()
        except TimeoutError:
            pass

    async def send_what_is_due(self) -> float:
        """Try each of them once; in how many seconds to look again. Raises `MailNotQueued`.

        A server that takes none of several in a row is down: the others are not even tried.
        """
        now = self._clock.now()
        waiting = await self.letters.waiting()
        due = iter([(name, tries) for name, tries in waiting if tries.is_due(now)])
        round_ = _Round()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work_through(due, round_))
        return BREATHE if round_.is_over else LOOK_AGAIN

    async def _work_through(self, due: Iterator[tuple[str, Attempts]], round_: "_Round") -> None:
        for name, attempts in due:
            if round_.is_over:
                return
            round_.note(await self._send(name, attempts))

    async def _send(self, name: str, attempts: Attempts) -> Verdict:
        """A disk that does not take the news counts as a server that is down."""
        try:
            letter = await self.letters.letter(name)
            if letter is None:
                return Verdict.DELIVERED
            verdict, reason = await self._attempt(letter)
            step, history = after(attempts, verdict, reason, self._clock.now())
            _report(letter, verdict, history)
            MAILS.add(verdict.value)
            await self._book(name, step, history)
        except MailNotQueued as error:
            log.error("the queue of mails cannot be used", reason=str(error))
            return Verdict.LATER
        return verdict

    async def _book(self, name: str, step: Step, history: Attempts) -> None:
        match step:
            case Step.DONE:
                self._there.add(name)
                await self.letters.sent(name)
                self._there.discard(name)
            case Step.WAIT:
                await self.letters.postpone(name, history)
            case Step.HOLD:
                await self.letters.hold(name, history)

    async def _attempt(self, letter: Letter) -> tuple[Verdict, str]:
        if letter.id in self._there:
            return Verdict.DELIVERED, ""
        try:
            await self._mailer.send(letter.content, letter.recipient, message_id=letter.message_id)
        except DeliveryPostponed as error:
            return Verdict.LATER, printable(str(error), LONGEST_REASON)
        except DeliveryRefused as error:
            return Verdict.REFUSED, printable(str(error), LONGEST_REASON)
        except Exception as error:  # whatever breaks on this mail must not stop the others
            return Verdict.FAULT, _place(error)
        return Verdict.DELIVERED, ""


class _Round:
    """How the server behaves."""

    def __init__(self) -> None:
        self._postponed = 0

    def note(self, verdict: Verdict) -> None:
        """One mail was tried."""
        self._postponed = self._postponed + 1 if verdict is Verdict.LATER else 0

    @property
    def is_over(self) -> bool:
        """Is it no use to go on?"""
        return self._postponed >= IN_A_ROW


def _report(letter: Letter, verdict: Verdict, history: Attempts) -> None:
    line = log.bind(mail=letter.kind.value, user=letter.recipient.user_id, id=letter.id)
    match verdict:
        case Verdict.DELIVERED:
            line.info("mail sent")
        case Verdict.REFUSED:
            line.error("mail refused for good, held", reason=history.last_error)
        case _:
            until = str(history.not_before)
            line.warning("mail not sent yet", reason=history.last_error, until=until)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _place(error: BaseException) -> str:
    """Kind and place of a fault: its text could hold what is in the mail."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
