"""The real dialogue without a telephone: a whole node, but with a spool that is thrown away."""

import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vm_ari.adapters.ari.application import Arrival
from vm_ari.adapters.terminal_line import TerminalLine
from vm_ari.app import Node
from vm_ari.config import Config
from vm_ari.domain.messages import VoiceMessage

NAME = "terminal"


@dataclass(frozen=True)
class Rehearsal:
    """One call that no Asterisk carries."""

    node: Node
    line: TerminalLine
    arrival: Arrival
    left: list[VoiceMessage] = field(default_factory=list)

    async def run(self) -> None:
        """To the end of the call; then *left* has the messages that would be delivered."""
        self.left.extend(await self.node.rehearse(self.line, self.arrival))


@asynccontextmanager
async def rehearsal(
    config: Config,
    arguments: Sequence[str],
    caller: str,
    write: Callable[[str], None],
    *,
    reading: float,
) -> AsyncIterator[Rehearsal]:
    """A call with the *arguments* of the dialplan. Raises `BadConfig`.

    The directory, the mailboxes and the greetings are the real ones. Recordings and the mails of
    the system lie in a directory of their own, and are gone afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="vm-ari-simulate-") as temporary:
        recordings = Path(temporary) / "recording"
        spool = config.spool.directory.name
        elsewhere = config.model_copy(
            update={
                "spool": config.spool.model_copy(update={"directory": recordings / spool}),
                "mail": config.mail.model_copy(update={"queue": None}),
            }
        )
        line = TerminalLine(NAME, config.sounds.absolute(), recordings, write, reading)
        arrival = Arrival(arguments, caller, "", f"Terminal/{NAME}")
        yield Rehearsal(Node(elsewhere), line, arrival)
