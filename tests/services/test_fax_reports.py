"""Who is told what of a fax, and what the journal knows of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes import FakeDirectory
from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.journal import JournalEntry, Kind, Result, merged
from vm_ari.domain.orders import Way
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.services.fax_reports import fax_told
from vm_ari.services.order_reports import OrderReports

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
WAITING = FaxOrder("a1", "anna", "+49301234567", NOON, Way.PORTAL, pages=3)
SENT = replace(WAITING, state=FaxState.SENT, confirmed=3, calls=2, seconds=61.0, ended=NOON)
FAILED = replace(WAITING, state=FaxState.FAILED, cause=Cause.BUSY, reason="cause 17", ended=NOON)


@dataclass
class Told:
    """What was told."""

    mails: list[tuple[str, SystemMail, Mapping[str, object], str]] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """See `Notices`."""
        self.mails.append((user.id, mail, values, occasion))

    async def note(self, entry: JournalEntry) -> None:
        """See `Journal`."""
        self.entries.append(entry)


def told_of(*orders: FaxOrder, user: User = ANNA) -> Told:
    told = Told()
    reports = OrderReports(FakeDirectory(user), told, told, fax_told, node="pbx1")

    async def story() -> None:
        for order in orders:
            await (reports.ends if order.state.is_over else reports.begins)(order)

    asyncio.run(story())
    return told


@pytest.mark.parametrize(
    ("wanted", "order", "told"),
    [
        (FaxReport.ALWAYS, SENT, True),
        (FaxReport.ALWAYS, FAILED, True),
        (FaxReport.ALWAYS, replace(FAILED, state=FaxState.CANCELLED), False),
        (FaxReport.FAILED, SENT, False),
        (FaxReport.FAILED, FAILED, True),
        (FaxReport.NEVER, FAILED, False),
    ],
)
def test_a_user_gets_the_reports_that_he_wants(
    wanted: FaxReport, order: FaxOrder, told: bool
) -> None:
    assert bool(told_of(order, user=replace(ANNA, fax_report=wanted)).mails) is told


def test_the_mail_says_what_a_person_understands() -> None:
    [(user, mail, values, occasion)] = told_of(FAILED).mails
    assert (user, mail, occasion) == ("anna", SystemMail.FAX_REPORT, "a1 1")
    assert values["number"] == "+49 30 1234567"
    assert (values["cause"], values["reason"]) == ("busy", "")
    refused = replace(FAILED, cause=Cause.UNPRINTABLE, reason="this PDF is damaged")
    [(_, _, values, _)] = told_of(refused).mails
    assert values["reason"] == "this PDF is damaged"
    [(_, _, values, _)] = told_of(SENT).mails
    assert (values["cause"], values["lasted"]) == ("", timedelta(seconds=61))


def test_each_time_a_person_begins_it_is_an_occasion_of_its_own() -> None:
    mails = told_of(FAILED, replace(SENT, round=2)).mails
    assert [occasion for *_, occasion in mails] == ["a1 1", "a1 2"]


def test_the_journal_has_one_entry_from_beginning_to_end() -> None:
    begun, over = told_of(WAITING, SENT).entries
    assert (begun.kind, begun.result, begun.ended) == (Kind.FAX_SENT, Result.QUEUED, None)
    entry = merged(begun, over)
    assert (entry.result, entry.called, entry.caller.number) == (
        Result.SENT,
        "+49301234567",
        "+4930555101",
    )
    assert entry.why == "3 of 3 pages in 2 calls"


def test_a_sender_who_is_gone_stands_in_the_journal_all_the_same() -> None:
    told = told_of(FAILED, user=replace(ANNA, id="bert"))
    assert not told.mails
    [entry] = told.entries
    assert (entry.user_id, entry.result) == ("anna", Result.FAILED)
    assert "busy" in entry.why
