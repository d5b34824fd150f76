"""What happens to a call, and why: the decisions of `answering`, told to a person (GREET-08)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vm_ari.domain.access import LoginRules, Standing, Verdict, standing
from vm_ari.domain.access import Origin as CallOrigin
from vm_ari.domain.access import decide as decide_login
from vm_ari.domain.active_profile import hours_now
from vm_ari.domain.answering import Answer, Destination, decide
from vm_ari.domain.greeting_choice import mailbox_number
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.numbers import readable, site_of
from vm_ari.domain.pin import is_locked
from vm_ari.domain.preferences import (
    GREETING_LANGUAGE,
    LANGUAGE,
    NUMBER_STYLE,
    TIME_ZONE,
    Effective,
    Layers,
    Origin,
    all_effective,
)
from vm_ari.domain.settings import NumberStyle
from vm_ari.domain.situation import Situation


@dataclass(frozen=True)
class Fact:
    """Something that was decided, and who decided it."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """The decision, and what it is made of."""

    answer: Answer
    facts: tuple[Fact, ...]


def explain(situation: Situation) -> Explanation:
    """Decide, and tell why; with `origins` also who decided."""
    answer = decide(situation)
    return Explanation(answer, tuple(_facts(situation, answer)))


def origins(layers: Layers) -> Callable[[str], str]:
    """Who decided each setting, for `Situation.whose`; values that were passed over are named."""
    found = all_effective(layers)
    return lambda key: f" ({_by(found[key])})"


def login(situation: Situation, state: LoginState | None, rules: LoginRules) -> Fact:
    """May the caller log in, and with what? An inside number is taken for that very telephone.

    *state* is None where nobody owns the mailbox.
    """
    user, number = situation.user, situation.caller.number
    if user is None or state is None:
        return Fact("login", Verdict.REFUSE.value, "Nobody owns this mailbox.")
    if is_locked(state.failures, rules.failures_before_lock):
        reason = f"It is locked after {state.failures} wrong PINs: vm-ari users unlock {user.id}."
        return Fact("login", "locked", reason)
    inside = site_of(number, rules.sites) is not None if number else False
    decision = decide_login(user, CallOrigin(number if inside else "", number), rules)
    standing_ = standing(state, rules, situation.at)
    more = f" {_STANDING[standing_]}" if decision.verdict is not Verdict.REFUSE else ""
    return Fact("login", decision.verdict.value, f"{decision.reason}{more}".strip())


_STANDING = {
    Standing.OPEN: "",
    Standing.MUST_CHANGE: "The PIN must be changed then.",
    Standing.EXPIRED: "But the PIN has expired, so nobody gets in.",
}


def _facts(situation: Situation, answer: Answer) -> Iterator[Fact]:
    yield _caller(situation)
    yield _time(situation)
    yield _profile(answer)
    yield _hours(situation)
    yield _language(situation, answer)
    yield _number(situation)
    message = answer.takes_message
    yield Fact("message", "yes" if message.yes else "no", message.reason)
    yield _destination("transfer", answer.transfer)
    yield _destination("operator", answer.operator)


def _caller(situation: Situation) -> Fact:
    number, sites = situation.caller.number, situation.rules.sites
    if not number:
        return Fact("caller", "unknown", "The number is withheld or malformed.")
    home = site_of(number, sites)
    shown = readable(number, home or situation.rules.site)
    if home is None:
        return Fact("caller", shown, "An outside number: no site has it.")
    return Fact("caller", shown, f"An internal number of site {home.name or home.region}.")


def _time(situation: Situation) -> Fact:
    if situation.user is None:
        return Fact(
            "local time", f"{situation.at:%Y-%m-%d %H:%M %Z}", "No user's time zone applies."
        )
    by = situation.whose(TIME_ZONE.key)
    reason = f"Time zone {situation.user.time_zone}{by}."
    return Fact("local time", f"{situation.local:%Y-%m-%d %H:%M}", reason)


def _profile(answer: Answer) -> Fact:
    if answer.active is None:
        return Fact("profile", "none", "No profile has a say in this call.")
    return Fact("profile", answer.active.profile.value, answer.active.reason)


def _hours(situation: Situation) -> Fact:
    if situation.user is None:
        return Fact("office hours", "none", "A mailbox of nobody has none.")
    hours = hours_now(situation.user, situation.local, situation.calendar, situation.whose)
    return Fact("office hours", hours.phase.value, hours.reason)


def _language(situation: Situation, answer: Answer) -> Fact:
    """The wished one; what plays instead stands in the step."""
    choice = answer.greeting.language
    sentences = [f"{choice.reason[:1].upper()}{choice.reason[1:]}."]
    if situation.user is not None:
        own, mode = situation.user.language, situation.user.greeting_language.value
        sentences.append(f"The mailbox's is {own}{situation.whose(LANGUAGE.key)}.")
        sentences.append(f"Mode: {mode}{situation.whose(GREETING_LANGUAGE.key)}.")
    if choice.menu:
        sentences.append(f"The menu offers {', '.join(choice.menu)}.")
    if choice.prompts != choice.language:
        sentences.append(f"The system speaks {choice.prompts}.")
    return Fact("language", choice.language, " ".join(sentences))


def _number(situation: Situation) -> Fact:
    """As the default greeting says it (GREET-06)."""
    user, rules = situation.user, situation.rules
    style = user.number_style if user else rules.number_style
    by = situation.whose(NUMBER_STYLE.key) if user else " (the site's setting)"
    form = "extension" if style is NumberStyle.EXTENSION else "full international number"
    return Fact("number", mailbox_number(situation), f"Spoken as {form}{by}.")


def _destination(name: str, found: Destination) -> Fact:
    return Fact(name, found.number or "none", found.reason)


def _by(value: Effective[Any]) -> str:
    """Whose decision it is."""
    whose = {
        Origin.USER: "the user's setting",
        Origin.ORGANISATION: "the organisation's setting",
        Origin.SITE: "the site's setting",
        Origin.DEFAULT: "the default",
    }[value.origin]
    return "; ignored ".join((whose, *value.problems))
