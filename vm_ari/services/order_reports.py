"""What became of an order is told: to its sender by mail, and to the journal (UM-04, SPEECH-04)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic

import structlog

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.journal import LONGEST_TEXT, JournalEntry, Kind, Result
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.orders import Kept, Stage
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import Directory, Journal, Notices

log = structlog.get_logger("vm_ari.orders")


@dataclass(frozen=True)
class OrderTold:
    """What is told of an order of one kind, beside what is told of every order."""

    entry: str
    """Its name in the journal."""
    kind: Kind
    mail: SystemMail
    occasion: str
    """Of the mail, which is sent once."""
    values: Mapping[str, object]
    """For the template."""
    said: str
    """For the journal: how far it came."""
    sender: str = ""
    """The number that it came from."""
    failure: Result = Result.FAILED
    """What its cause means, where it has not arrived."""
    reason: str = ""
    """Why, where the sender understands the words: those of others are the telephone system's."""
    partial: bool = False


@dataclass(frozen=True)
class OrderReports(Generic[Kept]):
    """Tells each thing once, however often it is told to."""

    directory: Directory
    notices: Notices
    journal: Journal
    tell: Callable[[Kept, User | None], OrderTold]
    """What is there to tell? The sender is None where nobody knows him any more."""
    node: str = ""
    site: Site = field(default_factory=Site)

    async def begins(self, order: Kept) -> None:
        """It is on its way. Raises `DirectoryUnavailable`."""
        if not order.calls:
            await self.recalls(order)

    async def ends(self, order: Kept) -> None:
        """It is over. Raises `DirectoryUnavailable`, `MailNotQueued`."""
        user = await self.directory.user_by_id(order.user_id)
        told = self.tell(order, user)
        await self._note(order, user, told)
        if user is None:
            log.warning("nobody is told what became of an order: no such user", order=told.entry)
        elif _is_wanted(order, user):
            values = {**self._values(order), "reason": told.reason, **told.values}
            await self.notices.tell(user, told.mail, values, occasion=told.occasion)

    async def recalls(self, order: Kept) -> None:
        """It is over, and perhaps the journal has lost that. Raises `DirectoryUnavailable`."""
        user = await self.directory.user_by_id(order.user_id)
        await self._note(order, user, self.tell(order, user))

    def _values(self, order: Kept) -> Mapping[str, object]:
        """For every template."""
        failed = order.state.stage is Stage.FAILED
        return {
            "state": order.state.value,
            "number": printable(readable(order.number, self.site), 60),
            "when": order.made,
            "seconds": round(order.seconds),
            "lasted": timedelta(seconds=round(order.seconds)),
            "calls": order.calls,
            "cause": order.cause.value if failed and order.cause else "",
        }

    async def _note(self, order: Kept, user: User | None, told: OrderTold) -> None:
        entry = JournalEntry(
            id=told.entry,
            kind=told.kind,
            started=order.made,
            ended=order.ended,
            result=_result(order, told),
            user_id=order.user_id,
            mailbox=user.mailbox if user else "",
            caller=Caller(told.sender, printable(user.name) if user else ""),
            called=printable(order.number),
            why=_why(order, told),
            seconds=order.seconds,
            partial=told.partial,
            node=self.node,
        )
        await self.journal.note(entry)


def _is_wanted(order: Kept, user: User) -> bool:
    """As the user wishes it for faxes; whoever has cancelled it knows."""
    match user.fax_report:
        case FaxReport.ALWAYS:
            return order.state.stage is not Stage.CANCELLED
        case FaxReport.FAILED:
            return order.state.stage is Stage.FAILED
        case FaxReport.NEVER:
            return False


def _result(order: Kept, told: OrderTold) -> Result:
    match order.state.stage:
        case Stage.ARRIVED:
            return Result.SENT
        case Stage.FAILED | Stage.CANCELLED:
            return told.failure
        case Stage.WAITING | Stage.ON_THE_LINE:
            return Result.QUEUED


def _why(order: Kept, told: OrderTold) -> str:
    """In a sentence for the journal; empty before the first call."""
    if not order.state.is_over:
        return ""
    cause = f", {order.cause.value}: {order.reason}" if order.cause else ""
    return printable(told.said + cause, LONGEST_TEXT)
