"""``vm-ari status``: does it run, since when, and what is on its way (issue 10)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, UNREACHABLE, config_option, configured, reported

if TYPE_CHECKING:
    from vm_ari.wiring.status import Queue, Status


@click.command()
@config_option
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "tsv"]), default="table",
    show_default=True, help="How the result is written.",
)  # fmt: skip
def status(path: Path, form: str) -> None:
    """Say whether it runs, since when, which calls go on, what waits, and what went wrong last.

    Ends with 0 if every controller serves calls, 1 if none does or one has no Asterisk, 3 for the
    configuration, 4 if nobody can tell.
    """
    import asyncio

    from vm_ari.cli.output import write
    from vm_ari.logs import logs_of_command
    from vm_ari.wiring.status import look_around

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            found = asyncio.run(look_around(config))
    if form == "json":
        write([_facts(found)], (), form)
    else:
        write([{"what": what, "state": state} for what, state in _lines(found)], _COLUMNS, form)
    if found.problems:
        raise SystemExit(UNREACHABLE)
    if not found.serves:
        raise SystemExit(FAILED)


_COLUMNS = ("what", "state")
_KINDS = {
    "voice": "voice messages on their way",
    "mail": "mails of the system",
    "notice": "notices (SMS …)",
}


def _lines(found: "Status") -> list[tuple[str, str]]:
    """For people."""
    from vm_ari.wiring.status import age

    lines = [
        (
            f"controller {node.name}",
            f"{node.version}, up {age(node.since)} (since {node.since:%Y-%m-%d %H:%M} UTC), "
            + (node.telephony or "WITHOUT ASTERISK: vm-ari check --only asterisk"),
        )
        for node in found.nodes
    ]
    if not (found.nodes or found.silent or found.problems):
        lines = [("controller", "none runs; vm-ari run, or systemctl start vm-ari")]
    lines += [
        (
            f"controller {one.name}",
            f"SILENT for {age(one.seen)}: it hangs or has died; restart it",
        )
        for one in found.silent
    ]
    lines.append(("calls", _calls(found)))
    lines += [(_KINDS[one.what.value], _queue(one)) for one in found.queues]
    if found.corrupt:
        lines.append(("unreadable recordings", f"{found.corrupt}; vm-ari check --only spool"))
    if found.users is not None:
        told = f"{found.lamps_on} of " if found.lamps_on is not None else ""
        lines.append(("lamps on", f"{told}{found.users} mailboxes"))
    if last := found.last_error:
        when = f"{last.at:%Y-%m-%d %H:%M:%S} " if last.at else ""
        facts = " ".join(f"{key}={value}" for key, value in last.facts)
        lines.append(("last error", f"{when}{last.event} {facts}".strip()))
    return [*lines, *(("problem", one) for one in found.problems)]


def _calls(found: "Status") -> str:
    doing: dict[str, int] = {}
    for call in found.calls:
        doing[call.doing.value] = doing.get(call.doing.value, 0) + 1
    told = ", ".join(f"{count} {what}" for what, count in sorted(doing.items()))
    return f"{len(found.calls)}" + (f" ({told})" if told else "")


def _queue(one: "Queue") -> str:
    from vm_ari.wiring.status import age

    oldest = f" (the oldest for {age(one.oldest)})" if one.oldest else ""
    held = f", {one.held} held: vm-ari spool list --held" if one.held else ""
    return f"{one.waiting}{oldest}{held}"


def _facts(found: "Status") -> dict[str, object]:
    """For programs."""
    last = found.last_error
    return {
        "serves": found.serves,
        "nodes": [
            {
                "name": node.name,
                "version": node.version,
                "since": node.since.isoformat(),
                "seen": node.seen.isoformat(),
                "telephony": node.telephony,
            }
            for node in found.nodes
        ],
        "silent": [one.name for one in found.silent],
        "calls": [
            {"id": call.id, "node": call.node, "doing": call.doing.value, "user": call.user_id,
             "since": call.since.isoformat()}
            for call in found.calls
        ],
        "queues": {
            one.what.value: {
                "waiting": one.waiting,
                "held": one.held,
                "oldest": one.oldest.isoformat() if one.oldest else None,
            }
            for one in found.queues
        },
        "corrupt": found.corrupt,
        "lamps_on": found.lamps_on,
        "mailboxes": found.users,
        "last_error": {"at": last.at.isoformat() if last.at else None, "event": last.event,
                       "facts": dict(last.facts)} if last else None,
        "problems": list(found.problems),
    }  # fmt: skip
