"""What waits to be delivered, as a command sees and changes it beside the running controller.

Voice messages lie in the spool, mails of the system and notices in queues of their own. Every
change is one rename or one new file, and the controllers look for them at least once a minute.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool import FileSpool
from vm_ari.config import Config
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.system_mails import Letter
from vm_ari.ports import MailNotQueued, NoticeNotKept, SpoolFull
from vm_ari.wiring.channels import open_notice_queue

UNUSABLE = (SpoolFull, MailNotQueued, NoticeNotKept)
"""What can go wrong with every method here."""
BY_HAND = "held by an administrator"


class What(Enum):
    """In which queue something lies."""

    VOICE = "voice"
    MAIL = "mail"
    NOTICE = "notice"


class NotLikeThat(Exception):
    """This cannot be done with what has that id. The text says why."""


@dataclass(frozen=True)
class Waiting:
    """One thing that is not delivered."""

    id: str
    what: What
    kind: str
    """``voice``, the kind of a mail, ``notice by sms`` …"""
    for_whom: str
    """The user, or the number where the user is not known yet."""
    held: bool
    """Refused for good; else it is tried again by itself."""
    since: datetime
    attempts: Attempts
    facts: CallFacts | None = None
    """Of a voice message."""
    message: VoiceMessage | None = field(default=None, repr=False)
    """Of one that is not held."""


class OutboxDesk:
    """All three queues. Every method raises one of `UNUSABLE`."""

    def __init__(self, spool: FileSpool, mails: MailQueue, notices: NoticeQueue) -> None:
        self._spool = spool
        self._mails = mails
        self._notices = notices

    async def everything(self) -> Sequence[Waiting]:
        """Voice messages first, then mails, then notices; of each the oldest first."""
        found = [_voice(m.facts, tries, m) for m, tries, _ in await self._spool.waiting()]
        found += [_voice(facts, tries) for facts, tries in await self._spool.held()]
        for name, tries in await self._mails.waiting():
            letter = await self._mails.letter(name)
            found += [_mail(letter, tries, held=False)] if letter else []
        found += [_mail(letter, tries, held=True) for letter, tries in await self._mails.held()]
        notices = await self._notices.all_waiting()
        found += [_notice(job, tries, held=False) for job, tries in notices]
        gone = await self._notices.held()
        return found + [_notice(job, tries, held=True) for job, tries in gone]

    async def release(self, one: Waiting) -> None:
        """Try again what was refused for good. Raises `NotLikeThat`, too."""
        if not one.held:
            raise NotLikeThat(f"{one.id} is not held")
        match one.what:
            case What.VOICE:
                await self._spool.release(one.id)
            case What.MAIL:
                await self._mails.retry(one.id)
            case What.NOTICE:
                await self._notices.retry(one.id, datetime.now(UTC))

    async def retry(self, one: Waiting) -> None:
        """Let what waits be tried now. Raises `NotLikeThat`, too."""
        if one.held:
            raise NotLikeThat(f"{one.id} is held; release it")
        now = replace(one.attempts, not_before=None, hurried=True)
        match one.what:
            case What.VOICE:
                await self._spool.hurry(one.id, now)
            case What.MAIL:
                await self._mails.postpone(one.id, now)
            case What.NOTICE:
                raise NotLikeThat(f"{one.id} is a notice, which is tried every minute or two")

    async def hold(self, one: Waiting) -> None:
        """Keep what waits from being tried, until it is released. Raises `NotLikeThat`, too."""
        if one.held:
            raise NotLikeThat(f"{one.id} is held already")
        tries = replace(one.attempts, last_error=BY_HAND, not_before=None)
        match one.what:
            case What.VOICE:
                assert one.message
                await self._spool.hold(one.message, tries)
            case What.MAIL:
                await self._mails.hold(one.id, tries)
            case What.NOTICE:
                await self._hold_notice(one.id, tries)

    async def _hold_notice(self, notice_id: str, tries: Attempts) -> None:
        if kept := await self._notices.read(notice_id):
            await self._notices.hold(kept[0], tries)

    def close(self) -> None:
        """Let running work end."""
        self._mails.close()
        self._notices.close()


@asynccontextmanager
async def open_outbox_desk(config: Config) -> AsyncIterator[OutboxDesk]:
    """Beside whoever works on it. Raises `KeysUnusable`."""
    keys = KeyRing(config.directory.keys)
    place = config.mail.queue or config.spool.directory / "system-mails"
    spool, mails = FileSpool(config.spool.directory), MailQueue(place, keys)
    desk = OutboxDesk(spool, mails, open_notice_queue(config, keys))
    try:
        yield desk
    finally:
        desk.close()


def _voice(facts: CallFacts, tries: Attempts, message: VoiceMessage | None = None) -> Waiting:
    whom = facts.user_id or facts.called
    held = message is None
    return Waiting(facts.id, What.VOICE, "voice", whom, held, facts.started, tries, facts, message)


def _mail(letter: Letter, tries: Attempts, *, held: bool) -> Waiting:
    whom, kind = letter.recipient.user_id, letter.kind.value
    return Waiting(letter.id, What.MAIL, kind, whom, held, letter.written, tries)


def _notice(job: NoticeJob, tries: Attempts, *, held: bool) -> Waiting:
    kind = f"notice by {job.channel.value}"
    return Waiting(job.id, What.NOTICE, kind, job.user_id, held, job.made, tries)
