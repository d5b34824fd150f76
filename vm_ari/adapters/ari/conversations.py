"""Two people who talk while controllers come and go: found again, ended cleanly by one of them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vm_ari.adapters.ari.line import AriLine, talk_prefix
from vm_ari.telephony.channel import HungUp, LineFault


@dataclass(frozen=True)
class Conversation:
    """A bridge of ours."""

    id: str
    caller: str
    """Channel of the person who called us, perhaps not there any more."""
    others: tuple[str, ...]
    """The channels with him in the bridge."""


def left_behind(
    bridges: Iterable[Mapping[str, Any]], app: str, in_hand: Iterable[str | None]
) -> Sequence[Conversation]:
    """Bridges of our application that none of its lines knows."""
    known = set(in_hand)
    return [
        Conversation(bridge_id, caller, tuple(c for c in bridge["channels"] if c != caller))
        for bridge in bridges
        if (bridge_id := str(bridge["id"])).startswith(talk_prefix(app))
        and bridge_id not in known
        and (caller := bridge_id.removeprefix(talk_prefix(app)))
    ]


async def until_one_hangs_up(caller: AriLine, others: Sequence[AriLine]) -> None:
    """Let them talk; then nobody is left alone, and the caller goes back to the dialplan."""
    if others:
        lines = [asyncio.ensure_future(_hang_up_of(line)) for line in (caller, *others)]
        try:
            await asyncio.wait(lines, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for line in lines:
                line.cancel()
    for other in others:
        with suppress(LineFault):
            await other.hang_up()
    await caller.part()
    if not caller.gone:
        await caller.leave("SUCCESS")


async def _hang_up_of(line: AriLine) -> None:
    while not isinstance(await line.next_event(), HungUp):
        pass
