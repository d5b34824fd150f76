"""A sending is divided, and who may be sent to is decided by rules."""

from datetime import UTC, datetime

import pytest

from vm_ari.domain.automatic_mail import is_automatic, is_nobody
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Denied, DiallingRules, Kind, Prefix, Rule
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    Errand,
    Line,
    Recipient,
    Sending,
    Telephone,
)
from vm_ari.domain.sending_parts import parts_of
from vm_ari.domain.sending_rules import SendingRules, address_of, telephone

SITES = (Site(base_number="+4930555", area="30", outside_prefix="0"),)
BERT, DORA = Colleague("bert"), Correspondent("dora@elsewhere.example")
PHONE, FAX = (Telephone("+493012345678", line) for line in Line)
GATEWAY = parse("$(phonenumber)@$(addrtype).example.org")
RULES = SendingRules(outside=True, voice_address=GATEWAY)


def facts(*recipients: Recipient) -> CallFacts:
    sending = Sending(Errand.MESSAGE, "anna", recipients)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    caller = Caller("+4930555101", "Anna")
    return CallFacts("ab12", "<ab12@pbx.example>", "1.1", "101", "anna", caller, now, True, sending)


def test_every_recipient_gets_a_part_of_its_own_and_always_the_same() -> None:
    whole = facts(BERT, DORA, PHONE, FAX, BERT)
    parts = parts_of(whole)
    assert parts == parts_of(whole)
    assert len({part.id for part in parts}) == len({part.message_id for part in parts}) == 4
    for part, recipient in zip(parts, (BERT, DORA, PHONE, FAX), strict=True):
        assert part.sending
        assert (part.sending.recipients, part.sending.part_of) == ((recipient,), "ab12")
        assert not part.sending.is_whole
        assert part.message_id == f"<{part.id}@pbx.example>"
        assert (part.caller, part.urgent) == (whole.caller, True)
    assert [part.user_id for part in parts] == ["bert", None, None, None]
    assert [part.called for part in parts] == ["", DORA.address, PHONE.number, FAX.number]


def test_ids_of_parts_say_nothing_that_somebody_else_has_chosen() -> None:
    [part] = parts_of(facts(Colleague("../../etc/passwd\n")))
    assert part.id.isalnum()


@pytest.mark.parametrize(
    ("typed", "line", "rules", "expected"),
    [
        ("0030 12345678", Line.VOICE, RULES, PHONE),
        ("0030 12345678", Line.FAX, RULES, None),
        ("0030 12345678", Line.VOICE, SendingRules(voice_address=GATEWAY), None),
        ("0030 12345678", Line.VOICE, SendingRules(outside=True), None),
    ],
)
def test_a_number_is_reached_where_there_is_a_gateway(
    typed: str, line: Line, rules: SendingRules, expected: Telephone | None
) -> None:
    assert telephone(typed, line, rules, SITES, dialled=True) == expected


@pytest.mark.parametrize(
    ("typed", "kind"),
    [("0 0900 1234567", Kind.PREMIUM), ("0 0033 142686300", Kind.FOREIGN)],
)
def test_the_dialling_rules_are_asked(typed: str, kind: Kind) -> None:
    judged = telephone(typed, Line.VOICE, RULES, SITES, dialled=True)
    assert isinstance(judged, Denied)
    assert judged.kind is kind


def test_and_asked_again_when_it_is_sent() -> None:
    assert address_of(PHONE, RULES, SITES) == "+493012345678@voice.example.org"
    denied = DiallingRules((Rule(False, Prefix("+4930")),))
    stricter = SendingRules(outside=True, voice_address=GATEWAY, dialling=denied)
    assert isinstance(address_of(PHONE, stricter, SITES), Denied)
    assert address_of(FAX, RULES, SITES) is None


@pytest.mark.parametrize(
    ("headers", "automatic"),
    [
        ({}, False),
        ({"auto-submitted": "no"}, False),
        ({"auto-submitted": "auto-replied; x=y"}, True),
        ({"auto-submitted": "Auto-Generated"}, True),
        ({"precedence": "Bulk"}, True),
        ({"precedence": "first-class"}, False),
        ({"return-path": "<>"}, True),
        ({"return-path": "<dora@elsewhere.example>"}, False),
        ({"list-id": "<all.example.org>"}, True),
        ({"content-type": "multipart/report; report-type=delivery-status"}, True),
    ],
)
def test_machines_and_lists_are_not_answered(headers: dict[str, str], automatic: bool) -> None:
    assert is_automatic(headers) is automatic


@pytest.mark.parametrize(
    ("address", "nobody"),
    [
        ("MAILER-DAEMON@example.org", True),
        ("no-reply@example.org", True),
        ("noreply+1@example.org", True),
        ("do_not_reply@example.org", True),
        ("bounces+anna=example.org@list.example", True),
        ("staff-request@example.org", True),
        ("anna.reply@example.org", False),
        ("notary@example.org", False),
        ("reply@example.org", False),
        ("bounceback.team@example.org", False),
    ],
)
def test_addresses_that_nobody_reads(address: str, nobody: bool) -> None:
    assert is_nobody(address) is nobody
