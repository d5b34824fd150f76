"""``vm-ari explain``: which greeting a caller hears, and why (GREET-08)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, configured, on_users, output_option, reported

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.explain import Explanation
    from vm_ari.services.users import Users


@click.command()
@config_option
@output_option
@click.option("--from", "caller", metavar="NUMBER", default="", help="Who calls; nobody known.")
@click.option("--at", "when", metavar="TIME", help="Such as 2026-12-24T18:00; now.")
@click.argument("mailbox")
def explain(path: Path, form: str, caller: str, when: str | None, mailbox: str) -> None:
    """Which greeting a caller of MAILBOX hears, step by step.

    A TIME without a zone is the time of the mailbox's owner.
    """
    from vm_ari.cli.output import write

    with reported():
        config = configured(path)
    at = _time(when)
    explanation = on_users(path, lambda desk: _explain(desk, config, mailbox, caller, at))
    steps = [
        {"step": s.greeting.value, "applies": s.applies, "reason": s.reason}
        for s in explanation.steps
    ]
    facts = [{"fact": f.name, "value": f.value, "reason": f.reason} for f in explanation.facts]
    if form == "json":
        write([{"greeting": explanation.greeting.value, "steps": steps, "facts": facts}], (), form)
        return
    write(steps, ("step", "applies", "reason"), form)
    click.echo()
    write(facts, ("fact", "value", "reason"), form)


async def _explain(
    desk: "Users", config: "Config", mailbox: str, caller: str, at: datetime
) -> "Explanation":
    from zoneinfo import ZoneInfo

    from vm_ari.domain.callers import caller_from
    from vm_ari.domain.explain import Situation
    from vm_ari.domain.explain import explain as decide
    from vm_ari.domain.numbers import normalise
    from vm_ari.domain.preferences import TIME_ZONE, Layers
    from vm_ari.domain.preferences import effective as decided
    from vm_ari.services.users import Refused

    rules = config.rules()
    dialled = normalise(mailbox, rules.site)
    if dialled is None:
        raise Refused(f"“{mailbox[:40]}” is not a telephone number; give one, or a mailbox.")
    owner = await desk.register.entry_by_number(dialled)
    layers = await desk.layers(owner) if owner else Layers(site=desk.house.defaults)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(decided(TIME_ZONE, layers).value))
    who = caller_from(caller, "", rules.site)
    return decide(Situation(owner, layers, dialled, who, at, rules, [rules.site]))


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now().astimezone()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"“{text[:40]}” is no time; write it as 2026-12-24T18:00.", param_hint="--at"
        ) from None
