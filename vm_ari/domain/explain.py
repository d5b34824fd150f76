"""Which greeting a caller hears, and why (GREET-08).

The greetings are tried in the order of `LADDER`; the first that applies plays. Another greeting is
one more function there: it looks at the situation and says whether it applies, and why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from vm_ari.domain.callers import Caller
from vm_ari.domain.entries import Entry
from vm_ari.domain.numbers import Site, normalise, readable, site_of
from vm_ari.domain.preferences import (
    LANGUAGE,
    NUMBER_STYLE,
    TAKES_MESSAGES,
    TIME_ZONE,
    VOICE_MAIL_ENABLED,
    Effective,
    Layers,
    Origin,
    effective,
)
from vm_ari.domain.settings import NumberStyle, Rules, spoken_number


class Greeting(Enum):
    """What a caller hears first; the value is its name for people."""

    NO_MAILBOX = "notice that there is no such mailbox"
    DISABLED = "notice that the mailbox is disabled"
    DEFAULT = "default greeting"


@dataclass(frozen=True)
class Situation:
    """A call as far as a greeting depends on it."""

    owner: Entry | None
    """None: nobody has the number."""
    layers: Layers
    """The settings that apply to the owner."""
    dialled: str
    """The number that was dialled, clean."""
    caller: Caller
    at: datetime
    """With its zone."""
    rules: Rules
    sites: Sequence[Site]


@dataclass(frozen=True)
class Step:
    """One greeting that was considered."""

    greeting: Greeting
    applies: bool
    reason: str


@dataclass(frozen=True)
class Fact:
    """Something else that was decided, and who decided it."""

    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class Explanation:
    """Every step up to the greeting that plays, which is the last one."""

    steps: tuple[Step, ...]
    facts: tuple[Fact, ...]
    takes_message: bool
    """May the caller leave a message after it?"""
    language: str
    number: str
    """The mailbox's number as the default greeting says it."""

    @property
    def greeting(self) -> Greeting:
        """What plays."""
        return self.steps[-1].greeting


def explain(situation: Situation) -> Explanation:
    """Decide, and keep the reasons; raises ValueError for a time without zone."""
    if situation.at.tzinfo is None:
        raise ValueError("the time of the call needs its zone")
    steps = _steps(situation)
    takes, language = _takes_message(situation, steps[-1].greeting), _language(situation)
    number = _number(situation)
    facts = (_caller(situation), _time(situation), language, number, takes)
    return Explanation(
        steps=steps,
        facts=facts,
        takes_message=takes.value == "yes",
        language=language.value,
        number=number.value,
    )


def _steps(situation: Situation) -> tuple[Step, ...]:
    steps = []
    for consider in LADDER:
        steps.append(consider(situation))
        if steps[-1].applies:
            break
    return tuple(steps)


def _no_mailbox(situation: Situation) -> Step:
    if situation.owner is not None:
        name = situation.owner.name or situation.owner.id
        return Step(Greeting.NO_MAILBOX, False, f"The number belongs to {name}.")
    if situation.rules.default_recipient:
        reason = "Nobody has the number, but there is a default recipient."
        return Step(Greeting.NO_MAILBOX, False, reason)
    reason = "Nobody has the number, and there is no default recipient."
    return Step(Greeting.NO_MAILBOX, True, reason)


def _disabled(situation: Situation) -> Step:
    if situation.owner is None:
        return Step(Greeting.DISABLED, False, "A mailbox of nobody cannot be disabled.")
    enabled = effective(VOICE_MAIL_ENABLED, situation.layers)
    state = "on" if enabled.value else "off"
    reason = f"Voice mail is switched {state} ({_by(enabled)})."
    return Step(Greeting.DISABLED, not enabled.value, reason)


def _default(_situation: Situation) -> Step:
    return Step(Greeting.DEFAULT, True, "It plays where no other greeting applies.")


LADDER: tuple[Callable[[Situation], Step], ...] = (_no_mailbox, _disabled, _default)
"""First that applies. The last one always does."""


def _caller(situation: Situation) -> Fact:
    number = situation.caller.number
    if not number:
        return Fact("caller", "unknown", "The number is withheld or malformed.")
    home = site_of(number, situation.sites)
    shown = readable(number, home or situation.rules.site)
    if home is None:
        return Fact("caller", shown, "An outside number: no site has it.")
    return Fact("caller", shown, f"An internal number of site {home.name or home.region}.")


def _time(situation: Situation) -> Fact:
    zone = effective(TIME_ZONE, situation.layers)
    local = situation.at.astimezone(ZoneInfo(zone.value))
    return Fact("local time", f"{local:%Y-%m-%d %H:%M}", f"Time zone {zone.value} ({_by(zone)}).")


def _language(situation: Situation) -> Fact:
    if situation.owner is None:
        return Fact("language", situation.rules.language, "The site's, for nobody's mailbox.")
    spoken = effective(LANGUAGE, situation.layers)
    return Fact("language", spoken.value, f"Decided by {_by(spoken)}.")


def _number(situation: Situation) -> Fact:
    """As the default greeting says it (GREET-06)."""
    site = situation.rules.site
    if situation.owner is None:
        style = Effective(situation.rules.number_style, Origin.SITE)
        own = situation.dialled
    else:
        style = effective(NUMBER_STYLE, situation.layers)
        own = (*situation.owner.numbers, situation.owner.mailbox)[0]
    form = "extension" if style.value is NumberStyle.EXTENSION else "full international number"
    spoken = spoken_number(normalise(own, site) or own, site, style.value)
    return Fact("number", spoken, f"Spoken as {form} ({_by(style)}).")


def _takes_message(situation: Situation, greeting: Greeting) -> Fact:
    if greeting is not Greeting.DEFAULT:
        return Fact("message", "no", "After this notice the call ends.")
    if situation.owner is None:
        return Fact("message", "yes", "It goes to the default recipient.")
    takes = effective(TAKES_MESSAGES, situation.layers)
    if takes.value:
        return Fact("message", "yes", f"Callers may leave one ({_by(takes)}).")
    return Fact("message", "no", f"The greeting is an announcement only ({_by(takes)}).")


def _by(value: Effective[Any]) -> str:
    """Whose decision it is; values that were passed over are named with it."""
    whose = {
        Origin.USER: "the user's setting",
        Origin.ORGANISATION: "the organisation's setting",
        Origin.SITE: "the site's setting",
        Origin.DEFAULT: "the default",
    }[value.origin]
    return "; ignored ".join((whose, *value.problems))
