"""``vm-ari calls``: the calls that go on, on every node; and ending one (WEB-02)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.domain.live_calls import LiveCall
    from vm_ari.services.live_calls import LiveCallsView

T = TypeVar("T")
COLUMNS = ("id", "since", "caller", "called", "user", "state", "greeting", "towards")
SECONDS = "%Y-%m-%d %H:%M:%S"


@click.command()
@config_option
@output_option
@click.option("--json", "form", flag_value="json", help="The same as --output json.")
@click.option("--end", "ended", metavar="ID", help="Hang up that call; what was said is kept.")
def calls(path: Path, form: str, ended: str | None) -> None:
    """Show the calls that go on, on all nodes: who calls whom, and what he hears why (UTC).

    With --end, the call of that id ends within two seconds. Ends with 1 if there is none, and with
    4 if the database does not answer.
    """
    from vm_ari.cli.output import write

    if ended is None:
        write([_row(one) for one in _on_calls(path, lambda view: view.calls())], COLUMNS, form)
    elif not _on_calls(path, lambda view: _end(view, ended)):
        fail(f"There is no call {ended[:100]}; “vm-ari calls” shows all.", FAILED)


async def _end(view: "LiveCallsView", wanted: str) -> bool:
    for call in await view.calls():
        if call.id == wanted:
            await view.end(call, "vm-ari calls")
            return True
    return False


def _row(call: "LiveCall") -> dict[str, object]:
    return {
        "id": call.id,
        "since": f"{call.since:{SECONDS}}",
        "caller": " ".join(one for one in (call.caller.number, call.caller.name) if one),
        "withheld": call.withheld,
        "called": call.called,
        "user": call.user_id,
        "state": call.doing.value,
        "greeting": call.greeting,
        "profile": call.profile,
        "why": call.why,
        "towards": call.towards,
        "node": call.node,
        "channel": call.channel,
    }


def _on_calls(path: Path, story: "Callable[[LiveCallsView], Awaitable[T]]") -> T:
    """Run a story on the calls of all nodes; an error ends the program with its exit code."""
    import asyncio

    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.logs import logs_of_command
    from vm_ari.ports import LiveCallsUnavailable
    from vm_ari.services.live_calls import LiveCallsView
    from vm_ari.wiring.live_calls import open_live_calls_store

    with reported():
        config = configured(path)

        async def run() -> T:
            store = open_live_calls_store(config)
            try:
                return await story(LiveCallsView(store, SystemClock()))
            finally:
                await store.close()

        try:
            with logs_of_command(config.log_level):
                return asyncio.run(run())
        except LiveCallsUnavailable as error:
            fail(error, UNREACHABLE)
