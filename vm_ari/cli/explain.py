"""``vm-ari explain``: what happens to a call, and why (GREET-08)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, configured, on_users, output_option, reported

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.entries import Entry
    from vm_ari.domain.explain import Explanation, Fact
    from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey
    from vm_ari.domain.situation import Situation
    from vm_ari.services.users import Users

YEARS = range(1970, 3000)
"""Farther away, time zones are unknown or cannot be computed with."""


@dataclass(frozen=True)
class _Asked:
    """A call that is made up: texts as they were typed."""

    mailbox: str
    caller: str
    before: str
    at: datetime


@click.command()
@config_option
@output_option
@click.option("--from", "caller", metavar="NUMBER", default="", help="Who calls; nobody known.")
@click.option("--at", "when", metavar="TIME", help="Such as 2026-12-24T18:00; now.")
@click.option(
    "--redirected-from",
    "before",
    metavar="NUMBER",
    default="",
    help="Where the call was before; MAILBOX is the common number then.",
)
@click.argument("mailbox")
def explain(
    path: Path, form: str, caller: str, when: str | None, before: str, mailbox: str
) -> None:
    """What a caller of MAILBOX hears, step by step, and what else is decided.

    A TIME without a zone is the time of the mailbox's owner.
    """
    with reported():
        config = configured(path)
    asked = _Asked(mailbox, caller, before, _time(when))
    _write(on_users(path, lambda desk: _explained(desk, config, asked)), form)


async def _explained(desk: "Users", config: "Config", asked: _Asked) -> "Explanation":
    from vm_ari.domain.explain import explain as decide
    from vm_ari.domain.explain import login

    dialled = _number(asked.mailbox, config)
    owner = await desk.register.entry_by_number(dialled)
    passed: tuple[Fact, ...] = ()
    if asked.before:
        fact, owner, dialled = await _redirected(desk, config, asked, owner, dialled)
        passed = (fact,)
    situation = await _situation(desk, config, asked, owner, dialled)
    state = await desk.register.login_state(owner.id) if owner else None
    explanation = decide(situation)
    last = login(situation, state, config.login_rules())
    return replace(explanation, facts=(*passed, *explanation.facts, last))


async def _redirected(
    desk: "Users", config: "Config", asked: _Asked, owner: "Entry | None", dialled: str
) -> "tuple[Fact, Entry | None, str]":
    """Whose mailbox a call to the common number means (CALL-08)."""
    from vm_ari.domain.explain import Fact
    from vm_ari.domain.redirection import Claims, redirection

    before = _number(asked.before, config)
    if owner is not None:
        reason = f"It does not count: {dialled} has a mailbox of its own."
        return Fact("redirected from", before, reason), owner, dialled
    site = config.rules().site
    for hop in redirection(Claims(network=(before,)), site, dialled).hops:
        if found := await desk.register.entry_by_number(hop.number):
            reason = f"The call means the mailbox of {found.name or found.id}."
            return Fact("redirected from", hop.number, reason), found, hop.number
    return Fact("redirected from", before, "Nobody has that number."), None, before


async def _situation(
    desk: "Users", config: "Config", asked: _Asked, owner: "Entry | None", dialled: str
) -> "Situation":
    from zoneinfo import ZoneInfo

    from vm_ari.adapters.holiday_calendar import public_holiday
    from vm_ari.domain.callers import caller_from
    from vm_ari.domain.entries import effective_user, layers_of
    from vm_ari.domain.explain import origins
    from vm_ari.domain.preferences import TIME_ZONE, Layers, effective
    from vm_ari.domain.situation import Situation
    from vm_ari.speech.language import languages

    rules, defaults = config.rules(), desk.house.defaults
    group = await desk.organisation(owner.organisation) if owner else None
    layers = layers_of(owner, group, defaults) if owner else Layers(site=defaults)
    recordings, mode = await _greetings(config, owner)
    return Situation(
        user=effective_user(owner, group, defaults) if owner else None,
        dialled=dialled,
        caller=caller_from(asked.caller, "", rules.site),
        at=_zoned(asked.at, ZoneInfo(effective(TIME_ZONE, layers).value)),
        rules=rules,
        greetings=recordings,
        global_mode=mode,
        spoken=languages(),
        calendar=public_holiday,
        whose=origins(layers),
    )


async def _greetings(
    config: "Config", owner: "Entry | None"
) -> "tuple[Mapping[GreetingKey, Greeting], GlobalMode]":
    """What is recorded; where that cannot be read, say so: calls go on without it, too."""
    from vm_ari.domain.greetings import SITE, GlobalMode
    from vm_ari.ports import GreetingsUnavailable
    from vm_ari.wiring.directories import open_greetings

    store = open_greetings(config)
    try:
        return await store.for_callers(owner.id if owner else SITE)
    except GreetingsUnavailable as error:
        click.echo(f"Recorded greetings cannot be read: {error}", err=True)
        return {}, GlobalMode.OFF
    finally:
        await store.close()


def _write(explanation: "Explanation", form: str) -> None:
    from vm_ari.cli.output import write

    choice = explanation.answer.greeting
    steps = [
        {"step": one.rung.value, "applies": one.plays is not None, "reason": one.reason}
        for one in choice.steps
    ]
    facts = [{"fact": f.name, "value": f.value, "reason": f.reason} for f in explanation.facts]
    if form == "json":
        write([{"greeting": choice.rung.value, "steps": steps, "facts": facts}], (), form)
        return
    write(steps, ("step", "applies", "reason"), form)
    click.echo()
    write(facts, ("fact", "value", "reason"), form)


def _number(text: str, config: "Config") -> str:
    """In any spelling; raises `Refused`."""
    from vm_ari.domain.numbers import normalise
    from vm_ari.services.users import Refused

    number = normalise(text, config.rules().site)
    if number is None:
        raise Refused(f"“{text[:40]}” is not a telephone number; give one, or a mailbox.")
    return number


def _zoned(at: datetime, zone: tzinfo) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now().astimezone()
    try:
        time = datetime.fromisoformat(text)
        if time.year not in YEARS:
            raise ValueError
    except ValueError:
        raise click.BadParameter(
            f"“{text[:40]}” is no time; write it as 2026-12-24T18:00.", param_hint="--at"
        ) from None
    return time
