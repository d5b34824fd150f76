"""Which greeting plays for a mailbox, a caller and a moment, and why."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.domain.telephone_sites import BERLIN, GRAZ
from vm_ari.domain.callers import Caller
from vm_ari.domain.entries import Entry, Organisation, layers_of, site_texts
from vm_ari.domain.explain import Explanation, Greeting, Situation, explain
from vm_ari.domain.preferences import Layers
from vm_ari.domain.settings import NumberStyle, Rules

AT = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
"""Half an hour after the clocks went forward in Berlin."""
RULES = Rules(site=BERLIN, language="de")
ANNA = Entry("anna", "Anna Berg", "101", ("+4930555101", "+491701234567"), "anna@example.org")
OUTSIDE = Caller("+4366412345678")


def told(
    owner: Entry | None = ANNA,
    *,
    organisation: Organisation | None = None,
    caller: Caller = OUTSIDE,
    rules: Rules = RULES,
) -> Explanation:
    layers = layers_of(owner, organisation, site_texts(rules)) if owner else Layers()
    return explain(Situation(owner, layers, "+4930555199", caller, AT, rules, (BERLIN, GRAZ)))


def having(**settings: str) -> Entry:
    return replace(ANNA, settings=settings)


def fact(explanation: Explanation, name: str) -> tuple[str, str]:
    (found,) = [fact for fact in explanation.facts if fact.name == name]
    return found.value, found.reason


@pytest.mark.feature_part("GREET-08", "every step of the decision is explained")
def test_every_step_is_told_up_to_the_greeting_that_plays() -> None:
    explanation = told()
    assert [(step.greeting, step.applies, step.reason) for step in explanation.steps] == [
        (Greeting.NO_MAILBOX, False, "The number belongs to Anna Berg."),
        (Greeting.DISABLED, False, "Voice mail is switched on (the default)."),
        (Greeting.DEFAULT, True, "It plays where no other greeting applies."),
    ]
    assert (explanation.greeting, explanation.takes_message) == (Greeting.DEFAULT, True)


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
    explanation = told(owner, organisation=group)
    assert explanation.greeting is Greeting.DISABLED
    assert explanation.steps[-1].reason == f"Voice mail is switched off ({whose})."
    assert not explanation.takes_message
    assert fact(explanation, "message")[0] == "no"


def test_an_announcement_only_mailbox_takes_no_message() -> None:
    explanation = told(having(takes_messages="no"))
    assert (explanation.greeting, explanation.takes_message) == (Greeting.DEFAULT, False)
    assert fact(explanation, "message")[1].endswith("an announcement only (the user's setting).")


def test_nobodys_number() -> None:
    assert told(None).greeting is Greeting.NO_MAILBOX
    explanation = told(None, rules=replace(RULES, default_recipient="info@example.org"))
    assert (explanation.greeting, explanation.takes_message) == (Greeting.DEFAULT, True)
    assert (explanation.number, explanation.language) == ("199", "de")


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
    assert explanation.number == number
    assert f"(the {whose}'s setting)" in fact(explanation, "number")[1]


def test_the_language_and_whose_it_is() -> None:
    assert fact(told(), "language") == ("de", "Decided by the site's setting.")
    explanation = told(having(language="it"))
    assert fact(explanation, "language") == ("it", "Decided by the user's setting.")
    assert explanation.language == "it"


def test_a_setting_that_was_passed_over_is_told() -> None:
    reason = fact(told(having(language="German")), "language")[1]
    assert reason.startswith("Decided by the site's setting; ignored user: language: “German”")


def test_the_time_is_the_users() -> None:
    assert fact(told(), "local time")[0] == "2026-03-29 03:30"
    assert fact(told(having(time_zone="Pacific/Auckland")), "local time")[0] == "2026-03-29 14:30"
    with pytest.raises(ValueError, match="zone"):
        explain(Situation(None, Layers(), "1", OUTSIDE, AT.replace(tzinfo=None), RULES, ()))


@pytest.mark.parametrize(
    ("number", "shown", "reason"),
    [
        ("+4366412345678", "+43 664 12345678", "An outside number"),
        ("+4930555102", "102", "An internal number of site Berlin."),
        ("+43316877102", "102", "An internal number of site Graz."),
        ("", "unknown", "withheld"),
    ],
)
def test_the_caller_is_told_from_a_colleague(number: str, shown: str, reason: str) -> None:
    value, why = fact(told(caller=Caller(number)), "caller")
    assert value == shown
    assert reason in why
