"""Changes of many users of an LDAP directory, which knows no transactions (DIR-06).

They are made one after the other; when one fails, those before it are taken back.
"""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Mapping as Texts
from dataclasses import replace
from typing import Protocol

import structlog

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import PIN, Entry
from vm_ari.domain.entry_changes import difference
from vm_ari.ports import DirectoryUnavailable, Taken, UnknownUser

log = structlog.get_logger("vm_ari.ldap")

Pair = tuple[Entry, Entry]
WriteTexts = Callable[[str, Texts[str, str | None]], Awaitable[None]]


class Changeable(Protocol):
    """What of a directory is used here."""

    async def change_details(self, user_id: str, new: Texts[str, str]) -> None:
        """See `UserRegister`."""
        ...

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`."""
        ...


async def change_entries(
    directory: Changeable,
    write: WriteTexts,
    pairs: Sequence[Pair],
    progress: Callable[[int], None],
    then: Callable[[], Awaitable[None]],
) -> None:
    """Make of each first entry the second one, and do what comes *then*; or undo it all.

    *write* sets settings and secrets by key.
    """
    done: list[Pair] = []
    try:
        for old, new in _releasing(pairs):
            done.append((old, new))  # before it: one that is half done is taken back, too
            await _change(directory, write, old, new)
        for old, new in pairs:
            done.append((old, new))
            await _change(directory, write, _without_lost(old, new), new)
            progress(1)
        await then()
    except BaseException:
        for old, new in reversed(done):
            await _take_back(directory, write, new, old)
        raise


def _releasing(pairs: Sequence[Pair]) -> list[Pair]:
    """Numbers and addresses are given up before others get them."""
    steps = [(old, _without_lost(old, new)) for old, new in pairs]
    return [(old, less) for old, less in steps if difference(old, less)]


def _without_lost(old: Entry, new: Entry) -> Entry:
    kept = tuple(number for number in old.numbers if number in new.numbers)
    mailbox = old.mailbox if old.mailbox == new.mailbox else ""
    mail = old.mail if old.mail == new.mail else ""
    return replace(old, numbers=kept, mailbox=mailbox, mail=mail)


async def _change(directory: Changeable, write: WriteTexts, old: Entry, new: Entry) -> None:
    change = difference(old, new)
    if change.renumbered:
        await directory.set_numbers(old.id, new.numbers, new.mailbox)
    if change.details:
        await directory.change_details(old.id, change.details)
    texts = {**change.texts, **({PIN: change.pin[0]} if change.pin else {})}
    if texts:
        await write(old.id, texts)


async def _take_back(directory: Changeable, write: WriteTexts, new: Entry, old: Entry) -> None:
    try:
        await _change(directory, write, new, old)
    except (DirectoryUnavailable, Taken, UnknownUser, Unstorable) as error:
        log.error("a changed user is not changed back", user=old.id, reason=str(error))
