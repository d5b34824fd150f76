"""What happens to a call, and why, in sentences."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.domain.calls import COLLEAGUE, OUTSIDE, RESTING, RULES, call, recordings
from vm_ari.domain.callers import Caller
from vm_ari.domain.entries import Entry, Organisation, effective_user, layers_of, site_texts
from vm_ari.domain.explain import Explanation, explain, origins
from vm_ari.domain.greeting_choice import Rung
from vm_ari.domain.greetings import Slot
from vm_ari.domain.settings import NumberStyle, Rules

AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
"""Half an hour after the clocks went forward in Berlin."""
ANNA = Entry("anna", "Anna Berg", "101", ("+4930555101", "+491701234567"), "anna@example.org")


def told(
    owner: Entry | None = ANNA,
    organisation: Organisation | None = None,
    rules: Rules = RULES,
    at: datetime = AT,
    **more: Any,
) -> Explanation:
    if owner is None:
        return explain(call(None, at, rules=rules, **more))
    site = site_texts(rules)
    user = effective_user(owner, organisation, site)
    whose = origins(layers_of(owner, organisation, site))
    return explain(call(user, at, rules=rules, whose=whose, **more))


def having(**settings: str) -> Entry:
    return replace(ANNA, settings=settings)


def fact(explanation: Explanation, name: str) -> tuple[str, str]:
    (found,) = [fact for fact in explanation.facts if fact.name == name]
    return found.value, found.reason


def last_reason(explanation: Explanation) -> str:
    return explanation.answer.greeting.steps[-1].reason


@pytest.mark.feature_part("GREET-08", "every decision is explained, with whose it was")
def test_every_decision_is_told_with_whose_it_was() -> None:
    entry = having(
        office_hours="mon-fri 09:00-17:00",
        off_hours_profile="home",
        transfer_home="+49 171 1234567",
        takes_messages_home="no",
        greeting_language="caller",
    )
    explanation = told(entry, at=RESTING, greetings=recordings([Slot.HOME]))
    steps = {step.rung: step.reason for step in explanation.answer.greeting.steps}
    assert steps[Rung.DISABLED] == "Voice mail is switched on (the default)."
    assert steps[Rung.HOURS] == (
        "It is off-hours (the user's setting). Then home is used (the user's setting)."
        " It plays in de."
    )
    assert [(one.name, one.value, one.reason) for one in explanation.facts] == [
        ("caller", "+43 664 12345678", "An outside number: no site has it."),
        ("local time", "2026-11-24 20:00", "Time zone Europe/Berlin (the default)."),
        (
            "profile",
            "home",
            "It is off-hours (the user's setting). Then home is used (the user's setting).",
        ),
        ("office hours", "off-hours", "It is off-hours (the user's setting)."),
        (
            "language",
            "de",
            "This is the language of the caller's country. "
            "The mailbox's is de (the site's setting). Mode: caller (the user's setting).",
        ),
        ("number", "101", "Spoken as extension (the site's setting)."),
        (
            "message",
            "no",
            "The greeting is an announcement only in profile home (the user's setting).",
        ),
        (
            "transfer",
            "+49 171 1234567",
            "The destination of profile home (the user's setting);"
            " the greeting tells about it (the default).",
        ),
        ("operator", "none", "The site has no operator key."),
    ]


@pytest.mark.parametrize(
    ("owner", "organisation", "whose"),
    [
        (having(voice_mail_enabled="no"), None, "the user's setting"),
        (ANNA, {"voice_mail_enabled": "no"}, "the organisation's setting"),
    ],
)
def test_a_disabled_mailbox_says_so_and_takes_nothing(
    owner: Entry, organisation: dict[str, str] | None, whose: str
) -> None:
    group = Organisation("sales", settings=organisation) if organisation else None
    explanation = told(owner, group)
    assert explanation.answer.greeting.rung is Rung.DISABLED
    assert last_reason(explanation) == f"Voice mail is switched off ({whose})."
    assert fact(explanation, "message")[0] == "no"
    assert fact(explanation, "profile")[0] == "none"


def test_voice_mail_is_off_for_everybody() -> None:
    explanation = told(rules=replace(RULES, voice_mail_enabled=False))
    assert last_reason(explanation) == "Voice mail is switched off for everybody."


def test_nobodys_number() -> None:
    assert told(None).answer.greeting.rung is Rung.NO_MAILBOX
    explanation = told(None, rules=replace(RULES, default_recipient="info@example.org"))
    assert explanation.answer.greeting.rung is Rung.DEFAULT
    values = [fact(explanation, name)[0] for name in ("number", "language", "message", "transfer")]
    assert values == ["199", "de", "yes", "none"]


@pytest.mark.parametrize(
    ("owner", "style", "number", "whose"),
    [
        (ANNA, NumberStyle.EXTENSION, "101", "site"),
        (ANNA, NumberStyle.INTERNATIONAL, "+4930555101", "site"),
        (having(number_style="international"), NumberStyle.EXTENSION, "+4930555101", "user"),
        (replace(ANNA, numbers=()), NumberStyle.INTERNATIONAL, "+4930555101", "site"),
    ],
)
def test_the_number_is_said_as_it_was_decided(
    owner: Entry, style: NumberStyle, number: str, whose: str
) -> None:
    explanation = told(owner, rules=replace(RULES, number_style=style))
    value, reason = fact(explanation, "number")
    assert value == number
    assert f"(the {whose}'s setting)" in reason


def test_the_language_and_whose_it_is() -> None:
    assert fact(told(), "language")[0] == "de"
    value, reason = fact(told(having(language="it")), "language")
    assert value == "it"
    assert "(the user's setting)" in reason
    assert "The system speaks de." in reason


def test_a_setting_that_was_passed_over_is_told() -> None:
    reason = fact(told(having(language="German")), "language")[1]
    assert "the site's setting; ignored user: language: “German” is not possible" in reason


def test_the_time_of_a_mailbox_that_nobody_has_names_its_zone() -> None:
    assert fact(told(None), "local time") == (
        "2026-03-29 01:30 UTC",
        "No user's time zone applies.",
    )


def test_the_time_is_the_users() -> None:
    assert fact(told(), "local time")[0] == "2026-03-29 03:30"
    assert fact(told(having(time_zone="Pacific/Auckland")), "local time")[0] == "2026-03-29 14:30"
    with pytest.raises(ValueError, match="zone"):
        call(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("caller", "shown", "reason"),
    [
        (OUTSIDE, "+43 664 12345678", "An outside number"),
        (Caller("+4930555102"), "102", "An internal number of site Berlin."),
        (COLLEAGUE, "102", "An internal number of site Graz."),
        (Caller(), "unknown", "withheld"),
    ],
)
def test_the_caller_is_told_from_a_colleague(caller: Caller, shown: str, reason: str) -> None:
    value, why = fact(told(caller=caller), "caller")
    assert value == shown
    assert reason in why


def test_a_menu_of_languages_is_told() -> None:
    explanation = told(having(greeting_language="menu"))
    assert fact(explanation, "language")[1].startswith("The caller is asked, and this is the ")
    assert "The menu offers de, en." in fact(explanation, "language")[1]
