"""Site rules tell what the mails of gateways are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.adapters.mail_summary import summary_of
from vm_ari.domain.kind_rules import BadKindRule, KindRule
from vm_ari.domain.messages import MessageKind

FAX = KindRule("Subject", "Fax from *", MessageKind.FAX)
GATEWAY = KindRule("From", "*@fax.example.org*", MessageKind.FAX)
SMS = KindRule("X-Gateway", "sms-[?]*", MessageKind.TEXT)


def kind(*headers: str, rules: tuple[KindRule, ...] = (FAX, GATEWAY, SMS)) -> MessageKind:
    return summary_of("\r\n".join([*headers, "", "text"]).encode(), [b"key"], rules).kind


@pytest.mark.feature_part("INBOX-03", "the type, by rules of the site")
@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("Subject: Fax from +49 89 123", MessageKind.FAX),
        ("Subject: FAX FROM somebody", MessageKind.FAX),
        ("Subject: Re: Fax from +49 89 123", MessageKind.MAIL),
        ("Subject: =?utf-8?q?Fax_from_J=C3=B6rg?=", MessageKind.FAX),
        ("From: Gateway <12345@FAX.example.org>", MessageKind.FAX),
        ("From: Gateway <12345@fax.example.com>", MessageKind.MAIL),
        ("X-Gateway: sms-[1]", MessageKind.TEXT),
        ("X-Gateway: sms-1", MessageKind.MAIL),
    ],
)
def test_a_rule_looks_at_the_whole_value(header: str, wanted: MessageKind) -> None:
    assert kind(header) is wanted


def test_standard_fields_come_before_rules_and_the_first_rule_counts() -> None:
    voice = "Message-Context: voice-message"
    assert kind(voice, "Subject: Fax from 1") is MessageKind.VOICE
    assert kind("Message-Context: pager-message") is MessageKind.TEXT
    assert kind("Message-Context: text-message", "Subject: Fax from 1") is MessageKind.FAX
    both = (KindRule("Subject", "Fax*", MessageKind.MAIL), FAX)
    assert kind("Subject: Fax from 1", rules=both) is MessageKind.MAIL


@pytest.mark.parametrize(
    ("header", "pattern"),
    [
        ("Subject:", "Fax"),
        ("", "Fax"),
        ("Subject\r\nX", "Fax"),
        ("Subject", "**"),
        ("Subject", ""),
        ("Subject", "a\nb"),
        ("Subject", "x" * 201),
        ("Subject", "*a" * 9),
    ],
)
def test_a_rule_that_cannot_work_is_refused(header: str, pattern: str) -> None:
    with pytest.raises(BadKindRule):
        KindRule(header, pattern, MessageKind.FAX)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=60))
def test_what_a_server_is_asked_for_is_in_every_value_that_matches(pattern: str) -> None:
    try:
        rule = KindRule("Subject", pattern, MessageKind.FAX)
    except BadKindRule:
        return
    value = pattern.replace("*", "anything").replace("?", "!")
    assert rule.matches(value)
    assert rule.telling.lower() in value.lower()
    assert rule.telling.isascii()
    assert not set(rule.telling) & set('"\\')


def test_a_value_that_is_made_for_it_takes_no_longer() -> None:
    rule = KindRule("Subject", "*a" * 8 + "b", MessageKind.FAX)
    before = time.process_time()
    assert not rule.matches("a" * 998)
    assert time.process_time() - before < 20  # every way to share it out would take hours
