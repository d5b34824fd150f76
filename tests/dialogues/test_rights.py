"""Calls that are made for a user keep to his rights, and who waits hears why (UM-05)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.dialogues.test_call_back import BERLIN, MOBILE, OWNER, Office
from tests.dialogues.test_transfer import OWNER as MAILBOX_OWNER
from tests.dialogues.test_transfer import Mailbox
from tests.fake_counts import FakeCounts
from vm_ari.domain.call_back import CallBackRules
from vm_ari.domain.callers import Caller
from vm_ari.domain.rights import Caps
from vm_ari.domain.rights_settings import Scope
from vm_ari.domain.transfer import Outcome
from vm_ari.services.call_records import Record, unnoted
from vm_ari.services.rights import Rights
from vm_ari.speech.catalogue import P

OUTSIDE = CallBackRules(outside=True)


class Noon:
    """See `Clock`."""

    def now(self) -> datetime:
        return datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def limited(office: Office, counts: FakeCounts | None = None) -> Office:
    """With the limits of a day."""
    desk = office.site.desk
    assert desk.call_backs
    rights = Rights(counts or FakeCounts(), Noon(), Caps(), (BERLIN,))
    office.site.desk = replace(desk, call_backs=replace(desk.call_backs, rights=rights))
    return office


@pytest.mark.feature_part("UM-05", "call-backs keep to scope and limit, and say why")
def test_call_backs_keep_to_the_limit_of_a_day() -> None:
    owner = replace(OWNER, voice_per_day=1)
    office = limited(Office(MOBILE, owner, OUTSIDE))
    office.hears(P.PLEASE_HOLD, P.TO_REPEAT, confirm="1")
    office.calls_again()
    office.hears(P.NO_MORE_CALLS_TODAY, P.TO_REPEAT, confirm="1")
    assert len(office.legs) == 1


def test_call_backs_that_nobody_can_count_are_not_made() -> None:
    office = limited(Office(MOBILE, replace(OWNER, voice_per_day=9), OUTSIDE), FakeCounts(True))
    office.hears(P.NOT_POSSIBLE_NOW, P.TO_REPEAT, confirm="1")
    assert office.legs == []


@pytest.mark.parametrize("scope", [Scope.NOBODY, Scope.INTERNAL])
def test_call_backs_that_go_too_far_are_refused(scope: Scope) -> None:
    office = Office(MOBILE, replace(OWNER, voice_scope=scope), OUTSIDE)
    office.hears(P.NUMBER_NOT_ALLOWED)
    assert office.legs == []


def test_who_is_called_back_sees_only_a_number_that_is_listed() -> None:
    owner = replace(OWNER, sender_numbers=("+4930555100",))
    office = Office(MOBILE, owner, OUTSIDE)
    office.hears(P.PLEASE_HOLD, P.TO_REPEAT, confirm="1")
    assert office.legs[0].shown == Caller("+4930555100", "Anna")


@pytest.mark.feature_part("UM-05", "forwards of callers to the outside keep to scope and limit")
@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"voice_scope": Scope.NATIONAL, "voice_per_day": 1}, True),
        ({"voice_scope": Scope.INTERNAL}, False),
        ({"voice_scope": Scope.NOBODY}, False),
    ],
)
def test_callers_are_forwarded_to_the_outside_within_the_rights(
    settings: dict[str, object], allowed: bool
) -> None:
    owner = replace(MAILBOX_OWNER, **settings)  # type: ignore[arg-type]
    mailbox = Mailbox("030 98765432", owner)
    record: Record = unnoted()
    rights = Rights(FakeCounts(), Noon(), Caps(), (BERLIN,))
    mailbox.desk = replace(mailbox.desk, rights=rights, record=record)
    heard = mailbox.connects()
    assert mailbox.outcome is (Outcome.TALKED if allowed else Outcome.NOT_ALLOWED)
    assert heard == (["en/please-hold"] if allowed else ["en/not-reached"])
    if allowed:
        again = Mailbox("030 98765432", owner)
        again.desk = replace(mailbox.desk, rights=rights)
        again.connects()
        assert (again.outcome, again.legs) == (Outcome.NOT_ALLOWED, [])
        assert "1 are allowed" in record.entry.why
    else:
        assert mailbox.legs == []
        assert "calls are" in record.entry.why


def test_calls_inside_the_house_need_no_right_but_any() -> None:
    mailbox = Mailbox("102", replace(MAILBOX_OWNER, voice_scope=Scope.INTERNAL, voice_per_day=1))
    counts = FakeCounts()
    mailbox.desk = replace(mailbox.desk, rights=Rights(counts, Noon(), Caps(), (BERLIN,)))
    mailbox.connects()
    assert (mailbox.outcome, counts.taken) == (Outcome.TALKED, {})
