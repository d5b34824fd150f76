"""What waits to be delivered, and what was refused for good, in one list (MAIL-08, WEB-02)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.system_mails import Letter
from vm_ari.ports import Clock, MailNotQueued, NoticeNotKept, SpoolFull


class Matter(StrEnum):
    """What it is."""

    VOICE = "voice"
    MAIL = "mail"
    NOTICE = "notice"


VOICE, MAIL, NOTICE = Matter


class Spool(Protocol):
    """Of voice messages. Raises `SpoolFull`."""

    async def waiting(self) -> Sequence[tuple[VoiceMessage, Attempts, bool]]:
        """Everything that is tried by itself."""
        ...

    async def held(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """What was refused for good."""
        ...

    async def release(self, facts_id: str) -> None:
        """Try it again."""
        ...


class Mails(Protocol):
    """Of the system. Raises `MailNotQueued`."""

    async def waiting(self) -> Sequence[tuple[str, Attempts]]:
        """Everything that is tried by itself, by name."""
        ...

    async def letter(self, letter_id: str) -> Letter | None:
        """One of them."""
        ...

    async def held(self) -> Sequence[tuple[Letter, Attempts]]:
        """What was refused for good."""
        ...

    async def retry(self, letter_id: str) -> None:
        """Try it again."""
        ...


class Notices(Protocol):
    """SMS, calls and web requests. Raises `NoticeNotKept`."""

    async def all_waiting(self) -> Sequence[tuple[NoticeJob, Attempts]]:
        """Everything that is tried by itself."""
        ...

    async def held(self) -> Sequence[tuple[NoticeJob, Attempts]]:
        """What was given up."""
        ...

    async def retry(self, job_id: str, now: datetime) -> None:
        """Try it again."""
        ...


@dataclass(frozen=True)
class Waiting:
    """One thing that is not delivered."""

    id: str
    matter: Matter
    kind: str
    """Of a mail or notice: which; else empty."""
    user_id: str
    """Empty: nobody knows yet, and *called* says what was dialled."""
    called: str
    held: bool
    since: datetime
    tries: int
    next_try: datetime | None
    reason: str

    @property
    def key(self) -> str:
        """Names it among all."""
        return f"{self.matter.value}:{self.id}"


@dataclass(frozen=True)
class Listed:
    """What is there."""

    things: tuple[Waiting, ...]
    unreadable: Mapping[Matter, str]
    """Kinds of things of which nothing or not all is known, and why: the controller works on
    another machine, or has never run."""


@dataclass(frozen=True)
class WaitingList:
    """Everything that the controller works on, seen from beside it."""

    spool: Spool
    mails: Mails
    notices: Notices
    clock: Clock

    async def all(self) -> Listed:
        """Refused things first, then the oldest first; of what can be read."""
        found, unreadable = list[Waiting](), dict[Matter, str]()
        for matter, read in ((VOICE, self._voices), (MAIL, self._letters), (NOTICE, self._jobs)):
            try:
                found += [one async for one in read()]
            except (SpoolFull, MailNotQueued, NoticeNotKept) as error:
                unreadable[matter] = str(error)
        found.sort(key=lambda one: (not one.held, one.since))
        return Listed(tuple(found), unreadable)

    async def _voices(self) -> AsyncIterator[Waiting]:
        for message, tries, _ in await self.spool.waiting():
            yield _voice(message.facts, tries, held=False)
        for facts, tries in await self.spool.held():
            yield _voice(facts, tries, held=True)

    async def _letters(self) -> AsyncIterator[Waiting]:
        for name, tries in await self.mails.waiting():
            if letter := await self.mails.letter(name):
                yield _mail(letter, tries, held=False)
        for letter, tries in await self.mails.held():
            yield _mail(letter, tries, held=True)

    async def _jobs(self) -> AsyncIterator[Waiting]:
        for job, tries in await self.notices.all_waiting():
            yield _notice(job, tries, held=False)
        for job, tries in await self.notices.held():
            yield _notice(job, tries, held=True)

    async def release(self, one: Waiting) -> None:
        """Let the controller try it within a minute.

        Raises `SpoolFull`, `MailNotQueued`, `NoticeNotKept`.
        """
        match one.matter:
            case Matter.VOICE:
                await self.spool.release(one.id)
            case Matter.MAIL:
                await self.mails.retry(one.id)
            case Matter.NOTICE:
                await self.notices.retry(one.id, self.clock.now())


def _voice(facts: CallFacts, tries: Attempts, *, held: bool) -> Waiting:
    whose = facts.user_id or ""
    return _row(facts.id, Matter.VOICE, "", whose, facts.called, facts.started, tries, held=held)


def _mail(letter: Letter, tries: Attempts, *, held: bool) -> Waiting:
    whose, kind = letter.recipient.user_id, letter.kind.value
    return _row(letter.id, Matter.MAIL, kind, whose, "", letter.written, tries, held=held)


def _notice(job: NoticeJob, tries: Attempts, *, held: bool) -> Waiting:
    kind = job.channel.value
    return _row(job.id, Matter.NOTICE, kind, job.user_id, "", job.made, tries, held=held)


def _row(
    name: str,
    matter: Matter,
    kind: str,
    user_id: str,
    called: str,
    since: datetime,
    tries: Attempts,
    *,
    held: bool,
) -> Waiting:
    later = None if held else tries.not_before
    return Waiting(
        name, matter, kind, user_id, called, held, since, tries.failed, later, tries.last_error
    )
