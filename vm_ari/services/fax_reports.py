"""What became of a fax is told: to its sender by mail, and to the journal (UM-04)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState, sender_number
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.journal import LONGEST_TEXT, JournalEntry, Kind, Result
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import Directory, Journal, Notices

log = structlog.get_logger("vm_ari.faxes")

_OUR_WORDS = {Cause.REFUSED, Cause.UNPRINTABLE}
"""Causes whose reason a sender understands; that of others is the telephone system's."""
_RESULTS: Mapping[Cause, Result] = {
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.REFUSED: Result.REFUSED,
}


@dataclass(frozen=True)
class FaxReports:
    """Tells each thing once, however often it is told to."""

    directory: Directory
    notices: Notices
    journal: Journal
    node: str = ""
    site: Site = field(default_factory=Site)

    async def begins(self, order: FaxOrder) -> None:
        """It is on its way. Raises `DirectoryUnavailable`."""
        if not order.calls:
            await self._note(order, await self.directory.user_by_id(order.user_id))

    async def ends(self, order: FaxOrder) -> None:
        """It is over. Raises `DirectoryUnavailable`, `MailNotQueued`."""
        user = await self.directory.user_by_id(order.user_id)
        await self._note(order, user)
        if user is None:
            log.warning("nobody is told of a fax: its sender is unknown", fax=order.id)
            return
        if _is_wanted(order, user):
            occasion = f"{order.id} {order.round}"
            values = self._values(order)
            await self.notices.tell(user, SystemMail.FAX_REPORT, values, occasion=occasion)

    def _values(self, order: FaxOrder) -> Mapping[str, object]:
        """For the templates."""
        failed = order.state is FaxState.FAILED
        return {
            "state": order.state.value,
            "number": printable(readable(order.number, self.site), 60),
            "when": order.made,
            "pages": order.pages,
            "confirmed": order.confirmed,
            "station": order.station,
            "seconds": round(order.seconds),
            "lasted": timedelta(seconds=round(order.seconds)),
            "calls": order.calls,
            "cause": order.cause.value if failed and order.cause else "",
            "reason": order.reason if order.cause in _OUR_WORDS else "",
        }

    async def _note(self, order: FaxOrder, user: User | None) -> None:
        number = sender_number(user) if user else ""
        entry = JournalEntry(
            id=f"fax/{order.id}/{order.round}",
            kind=Kind.FAX_SENT,
            started=order.made,
            ended=order.ended,
            result=_result(order),
            user_id=order.user_id,
            mailbox=user.mailbox if user else "",
            caller=Caller(number, printable(user.name) if user else ""),
            called=printable(order.number),
            why=_why(order),
            seconds=order.seconds,
            partial=order.state.is_over and 0 < order.confirmed < order.pages,
            node=self.node,
        )
        await self.journal.note(entry)


def _is_wanted(order: FaxOrder, user: User) -> bool:
    """Whoever has cancelled it knows."""
    match user.fax_report:
        case FaxReport.ALWAYS:
            return order.state is not FaxState.CANCELLED
        case FaxReport.FAILED:
            return order.state is FaxState.FAILED
        case FaxReport.NEVER:
            return False


def _result(order: FaxOrder) -> Result:
    match order.state:
        case FaxState.SENT:
            return Result.SENT
        case FaxState.FAILED | FaxState.CANCELLED:
            return _RESULTS.get(order.cause, Result.FAILED) if order.cause else Result.FAILED
        case _:
            return Result.QUEUED


def _why(order: FaxOrder) -> str:
    """In a sentence for the journal; empty before the first call."""
    if not order.state.is_over:
        return ""
    said = f"{order.confirmed} of {order.pages} pages in {order.calls} calls"
    if order.state is FaxState.CANCELLED:
        said += ", cancelled"
    elif order.cause:
        said += f", {order.cause.value}: {order.reason}"
    return printable(said, LONGEST_TEXT)
