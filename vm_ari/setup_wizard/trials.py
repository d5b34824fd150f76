"""Trying answers: the examinations of ``vm-ari check``, on a configuration that is not written."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from vm_ari.adapters.findings import Finding
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.domain.entries import Entry
from vm_ari.logs import logs_of_command
from vm_ari.setup_wizard.draft import Draft
from vm_ari.setup_wizard.talk import Talk
from vm_ari.wiring.check import Part, examine
from vm_ari.wiring.directories import open_register

Judge = Callable[[Finding], bool]
"""Is a finding of interest before anything runs?"""


def tried(
    talk: Talk,
    draft: Draft,
    parts: Sequence[Part],
    *,
    people: Sequence[Entry] = (),
    of_interest: Judge = lambda _finding: True,
) -> bool:
    """Examine those parts, and tell; *people* are in the embedded directory meanwhile."""
    try:
        with tempfile.TemporaryDirectory(prefix="vm-ari-init-") as place:
            config = draft.config_for_trial(Path(place))
            with logs_of_command("error"):
                found = asyncio.run(_examined(config, parts, people))
    except BadConfig as error:
        for line in str(error).splitlines():
            talk.bad(line)
        return False
    return talk.tell(one for one in found if of_interest(one))


async def _examined(
    config: Config, parts: Sequence[Part], people: Sequence[Entry]
) -> list[Finding]:
    if people and config.directory.kind == "embedded":
        register = open_register(config, KeyRing(config.directory.keys))
        try:
            await register.add_entries(people)
        finally:
            await register.close()
    return await examine(config, parts)
