"""What became of a spoken message: told to its sender by mail, and to the journal (SPEECH-04)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.journal import LONGEST_TEXT, JournalEntry, Kind, Result
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.rights import shown_number
from vm_ari.domain.spoken_orders import Cause, SpokenOrder, SpokenState
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import Directory, Journal, Notices

log = structlog.get_logger("vm_ari.spoken")

_OUR_WORDS = {Cause.REFUSED, Cause.UNSPEAKABLE}
"""Causes whose reason a sender understands; that of others is the telephone system's."""
_RESULTS: Mapping[Cause, Result] = {
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.REFUSED: Result.REFUSED,
    Cause.HUNG_UP: Result.HUNG_UP,
}


@dataclass(frozen=True)
class SpokenReports:
    """Tells each thing once, however often it is told to."""

    directory: Directory
    notices: Notices
    journal: Journal
    node: str = ""
    site: Site = field(default_factory=Site)

    async def begins(self, order: SpokenOrder) -> None:
        """It is on its way. Raises `DirectoryUnavailable`."""
        if not order.calls:
            await self._note(order, await self.directory.user_by_id(order.user_id))

    async def ends(self, order: SpokenOrder) -> None:
        """It is over. Raises `DirectoryUnavailable`, `MailNotQueued`."""
        user = await self.directory.user_by_id(order.user_id)
        await self._note(order, user)
        if user is None:
            log.warning("nobody is told of a message: its sender is unknown", order=order.id)
        elif _is_wanted(order, user):
            mail, values = SystemMail.SPOKEN_REPORT, self._values(order)
            await self.notices.tell(user, mail, values, occasion=f"spoken {order.id}")

    def _values(self, order: SpokenOrder) -> Mapping[str, object]:
        """For the templates."""
        failed = order.state is SpokenState.FAILED
        return {
            "state": order.state.value,
            "number": printable(readable(order.number, self.site), 60),
            "when": order.made,
            "text": order.text,
            "seconds": round(order.seconds),
            "lasted": timedelta(seconds=round(order.seconds)),
            "calls": order.calls,
            "confirmed": order.confirm and order.state is SpokenState.HEARD,
            "cause": order.cause.value if failed and order.cause else "",
            "reason": order.reason if order.cause in _OUR_WORDS else "",
        }

    async def _note(self, order: SpokenOrder, user: User | None) -> None:
        number = shown_number(user) if user else ""
        entry = JournalEntry(
            id=f"spoken/{order.id}",
            kind=Kind.SPOKEN_SENT,
            started=order.made,
            ended=order.ended,
            result=_result(order),
            user_id=order.user_id,
            mailbox=user.mailbox if user else "",
            caller=Caller(number, printable(user.name) if user else ""),
            called=printable(order.number),
            why=_why(order),
            seconds=order.seconds,
            node=self.node,
        )
        await self.journal.note(entry)


def _is_wanted(order: SpokenOrder, user: User) -> bool:
    """As with faxes; whoever has cancelled it knows."""
    match user.fax_report:
        case FaxReport.ALWAYS:
            return order.state is not SpokenState.CANCELLED
        case FaxReport.FAILED:
            return order.state is SpokenState.FAILED
        case FaxReport.NEVER:
            return False


def _result(order: SpokenOrder) -> Result:
    match order.state:
        case SpokenState.HEARD:
            return Result.SENT
        case SpokenState.FAILED | SpokenState.CANCELLED:
            return _RESULTS.get(order.cause, Result.FAILED) if order.cause else Result.FAILED
        case _:
            return Result.QUEUED


def _why(order: SpokenOrder) -> str:
    """In a sentence for the journal, without any of the words; empty before the first call."""
    if not order.state.is_over:
        return ""
    said = f"{order.state.value} after {round(order.seconds)} s in {order.calls} calls"
    if order.cause:
        said += f", {order.cause.value}: {order.reason}"
    return printable(said, LONGEST_TEXT)
