"""Messages that cannot be delivered for hours: whoever looks after the site is told (MAIL-08)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.system_mails import SystemMail
from vm_ari.ports import Clock, DirectoryUnavailable, MailNotQueued, Notices, SpoolFull
from vm_ari.services.default_recipient import DefaultRecipient

log = structlog.get_logger("vm_ari.outbox")

LOOK_AGAIN = 600.0
"""Seconds."""
MOST_TOLD = 20
"""Messages in one mail."""

Waiting = tuple[CallFacts, Attempts]


@dataclass(frozen=True)
class OverdueMessages:
    """Looks at what waits, and at what was refused for good."""

    waiting: Callable[[], Sequence[Waiting]]
    held: Callable[[], Awaitable[Sequence[Waiting]]]
    recipient: DefaultRecipient
    notices: Notices
    clock: Clock
    after: timedelta
    """So long after its call a message is overdue; zero: nobody is told."""

    async def run(self) -> None:
        """Look from time to time, until cancelled."""
        while self.after:
            await asyncio.sleep(LOOK_AGAIN)
            try:
                await self.look()
            except (DirectoryUnavailable, MailNotQueued, SpoolFull) as error:
                log.warning("nobody is told of what waits", reason=str(error))
            except Exception:  # calls and deliveries go on
                log.exception("nobody is told of what waits")

    async def look(self) -> int:
        """How many messages are overdue; the default recipient gets one mail a day.

        Raises `DirectoryUnavailable`, `MailNotQueued`, `SpoolFull`.
        """
        now = self.clock.now()
        held = list(await self.held())
        lies = [(facts, tries, False) for facts, tries in self.waiting()]
        lies += [(facts, tries, True) for facts, tries in held]
        late = sorted(
            (one for one in lies if now - one[0].started >= self.after),
            key=lambda one: one[0].started,
        )
        if not late:
            return 0
        log.error("messages are overdue", count=len(late), oldest=str(late[0][0].started))
        user = await self.recipient.user()
        if user is not None:
            values = {
                "count": len(late),
                "oldest": late[0][0].started,
                "waiting": [_told(*one) for one in late[:MOST_TOLD]],
                "more": max(0, len(late) - MOST_TOLD),
            }
            await self.notices.tell(user, SystemMail.MESSAGES_WAIT, values, occasion=_day(now))
        return len(late)


def _told(facts: CallFacts, attempts: Attempts, held: bool) -> dict[str, object]:
    """Nothing of who called: that is between caller and user."""
    reason = attempts.last_error or "not tried yet"
    return {"mailbox": printable(facts.called, 40), "reason": printable(reason, 160), "held": held}


def _day(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()
