"""SMS, webhooks and calls about new messages: what they say, to whom, and when."""

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.dialling import Allowed, DiallingRules, Kind, parse_rule
from vm_ari.domain.messages import Counts
from vm_ari.domain.notice_call import (
    BadNoticeCall,
    NoticeCall,
    NoticeCallRules,
    arguments_for,
    may_ring,
    next_time,
    shown,
    still_new,
    wanted_in,
)
from vm_ari.domain.notice_jobs import is_due, job_id
from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.numbers import Site
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.short_messages import LONGEST, fitted, obstacle
from vm_ari.domain.users import User
from vm_ari.domain.webhooks import event, signature

BERLIN = Site("DE", "+4930555", 3, outside_prefix="0")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@site.example")
ZONE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
"""A Wednesday."""


def septets(text: str) -> int:
    """As a telephone counts."""
    return sum(2 if one in "^{}\\[~]|€" else 1 for one in text)


# --- the text of an SMS


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Voicemail 101: 2 neue Sprachnachrichten.", "Voicemail 101: 2 neue Sprachnachrichten."),
        ("Abhören: ÄÖÜß é à €", "Abhören: ÄÖÜß é à €"),
        ("À écouter – «où»…", 'A écouter - "où"...'),
        ("Ça coûte: 1\u202f000\u00a0€", "Ça coute: 1 000 €"),
        ("Zażółć \N{EURO SIGN} Œuvre ő", "Zazo?c € OEuvre o"),
        ("a\n\n  b\tc\r\n", "a b c"),
        ("\N{PARTY POPPER}x\x00\x1b", "?x??"),
        ("x" * 300, "x" * 160),
        ("€" * 300, "€" * 80),
        ("x" * 159 + "€", "x" * 159),
    ],
)
def test_a_text_fits_into_one_message(text: str, sent: str) -> None:
    assert fitted(text) == sent


@given(st.text(max_size=400))
def test_any_text_fits_into_one_message(text: str) -> None:
    sent = fitted(text)
    assert septets(sent) <= LONGEST
    assert fitted(sent) == sent
    assert "\n" not in sent


@pytest.mark.feature_part("NOTIFY-03", "no SMS to a number that costs, whatever the rules")
@pytest.mark.parametrize(
    ("number", "rules", "why"),
    [
        ("", (), "no mobile number"),
        ("0170 1234567", (), ""),
        ("030 8765432", (), ""),
        ("+43 664 1234567", (), "dialling rules"),
        ("+43 664 1234567", ("allow AT",), ""),
        ("0170 1234567", ("deny mobile",), "deny mobile"),
        ("0900 1234567", ("allow all",), "gets no SMS"),
        ("0137 1234567", ("allow all",), "gets no SMS"),
        ("101", ("allow all",), "gets no SMS"),
        ("112", ("allow all",), "gets no SMS"),
        ("+881 6 12345678", ("allow all",), "gets no SMS"),
        ("hallo", (), "not a telephone number"),
    ],
)
def test_only_mobile_and_landline_numbers_get_one(
    number: str, rules: tuple[str, ...], why: str
) -> None:
    dialling = DiallingRules(tuple(parse_rule(rule, BERLIN) for rule in rules))
    found = obstacle(number, dialling, (BERLIN,))
    assert (why in found) if why else found == ""


# --- webhooks

NOTICE = Notice("ab12", "anna", {Topic.VOICE: 2}, Counts(new_voice=2, new_fax=1), NOON)


def test_an_event_tells_that_there_is_something_and_not_what() -> None:
    told = json.loads(event(ANNA, NOTICE, "cd34"))
    counts = told.pop("counts")
    assert told == {
        "version": 1,
        "event": "messages.new",
        "id": "cd34",
        "time": "2026-03-04T12:00:00Z",
        "user": "anna",
        "mailbox": "101",
        "topics": {"voice": 2},
    }
    assert (counts["new_voice"], counts["new_fax"], counts["heard_voice"]) == (2, 1, 0)


def test_the_signature_is_what_a_receiver_computes() -> None:
    body = b'{"event":"messages.new"}'
    expected = hmac.new(b"s3cret", b"1772625600." + body, sha256).hexdigest()
    assert signature("s3cret", NOON, body) == f"t=1772625600,v1={expected}"
    assert signature("s3cret", NOON + timedelta(seconds=1), body) != signature("s3cret", NOON, body)


def test_jobs_of_one_occasion_have_one_name() -> None:
    name = job_id(Channel.SMS, "anna", "ab12")
    assert name == job_id(Channel.SMS, "anna", "ab12")
    others = {job_id(Channel.CALL, "anna", "ab12"), job_id(Channel.SMS, "bert", "ab12")}
    assert len(others | {name, job_id(Channel.SMS, "anna", "ab13")}) == 4


@pytest.mark.parametrize(("hours", "due"), [(-1, True), (0, True), (12, False), (24 * 9, True)])
def test_a_clock_that_was_set_back_does_not_stop_a_job_for_ever(hours: int, due: bool) -> None:
    history = Attempts(failed=1, not_before=NOON + timedelta(hours=hours))
    assert is_due(history, NOON) is due


# --- when a telephone may ring

DAYS = NoticeCallRules(hours=parse_hours("mon-fri 08:00-20:00"))


@pytest.mark.parametrize(
    ("now", "rings", "then"),
    [
        ("2026-03-04 12:00", True, "2026-03-05 08:00"),
        ("2026-03-04 07:59", False, "2026-03-04 08:00"),
        ("2026-03-04 20:00", False, "2026-03-05 08:00"),
        ("2026-03-06 21:00", False, "2026-03-09 08:00"),
        ("2026-03-28 23:00", False, "2026-03-30 08:00"),
    ],
)
def test_it_rings_at_the_hours_of_the_site(now: str, rings: bool, then: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZONE)
    assert may_ring(ANNA, moment, DAYS) is rings
    expected = datetime.fromisoformat(then).replace(tzinfo=ZONE)
    assert next_time(ANNA, moment, DAYS) == expected


def test_it_rings_in_the_users_office_hours_where_the_site_wants_that() -> None:
    rules = replace(DAYS, within_office_hours=True)
    early = replace(ANNA, office_hours=parse_hours("mon-wed 06:00-11:00 08:00-09:00"))
    for hour, rings in ((5, False), (6, True), (8, False), (9, True), (12, False)):
        moment = datetime(2026, 3, 4, hour, 30, tzinfo=ZONE)
        assert may_ring(early, moment, rules) is rings, hour
    noon = datetime(2026, 3, 4, 12, 0, tzinfo=ZONE)
    assert next_time(early, noon, rules) == datetime(2026, 3, 9, 6, 0, tzinfo=ZONE)
    assert may_ring(ANNA, noon, rules), "who has no office hours is called at the site's"

    def monday_off(_region: str, day: object) -> str | None:
        return "Easter Monday" if str(day) == "2026-03-09" else None

    here = replace(early, holiday_region="DE")
    assert next_time(here, noon, rules, monday_off) == datetime(2026, 3, 10, 6, 0, tzinfo=ZONE)


def test_hours_that_never_come_are_looked_at_again_tomorrow() -> None:
    rules = replace(DAYS, within_office_hours=True)
    user = replace(ANNA, office_hours=parse_hours("mon 08:00-09:00"), holiday_region="DE")
    noon = datetime(2026, 3, 4, 12, 0, tzinfo=ZONE)
    found = next_time(user, noon, rules, lambda _region, _day: "always a holiday")
    assert found == noon + timedelta(days=1)


@pytest.mark.parametrize(
    ("topics", "counts", "left"),
    [
        ((Topic.VOICE,), Counts(new_voice=1), True),
        ((Topic.VOICE,), Counts(heard_voice=3, new_other=2, new_fax=1, new_text=1), False),
        ((Topic.FAX,), Counts(new_other=1, new_fax=1), True),
        ((Topic.TEXT,), Counts(new_other=1, new_fax=1), False),
        ((Topic.TEXT, Topic.VOICE), Counts(new_other=1, new_text=1), True),
        ((), Counts(new_voice=1), False),
    ],
)
def test_who_has_heard_everything_is_not_called(
    topics: tuple[Topic, ...], counts: Counts, left: bool
) -> None:
    assert still_new(topics, counts) is left


@pytest.mark.feature_part("NOTIFY-05", "the number that a call shows is a setting")
@pytest.mark.parametrize(
    ("chosen", "destination", "number"),
    [
        ("", Kind.INTERNAL, "101"),
        ("", Kind.MOBILE, "+4930555101"),
        ("common", Kind.INTERNAL, "500"),
        ("common", Kind.MOBILE, "+4930555500"),
        ("+4930555200", Kind.INTERNAL, "200"),
    ],
)
def test_the_display_shows_the_number_that_was_chosen(
    chosen: str, destination: Kind, number: str
) -> None:
    user = replace(ANNA, notice_caller=chosen)
    rules = NoticeCallRules(name="Voicemail", common="500")
    to = Allowed("+4930555101", destination, "101")
    assert shown(user, to, rules, BERLIN) == Caller(number, "Voicemail")


@given(st.text(max_size=60), st.text(max_size=20))
def test_whom_a_call_is_for_comes_through_asterisk(owner: str, phone: str) -> None:
    wanted = NoticeCall(owner, phone)
    try:
        arguments = arguments_for(wanted)
    except UnicodeEncodeError:  # half a character is no id
        return
    assert wanted_in(arguments.split(",")) == wanted


@pytest.mark.parametrize(
    "arguments", ["", "notice", "notice,a", "play,YQ==,YQ==", "notice,YQ==,%%,", "notice,é,YQ=="]
)
def test_other_arguments_are_refused(arguments: str) -> None:
    with pytest.raises(BadNoticeCall):
        wanted_in(arguments.split(","))
