"""`ports.Contacts` from a file of vCards, read again when it has changed (MISSED-02)."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from vm_ari.adapters.vcards import contacts_in
from vm_ari.domain.contacts import Contact
from vm_ari.domain.numbers import Site
from vm_ari.ports import ContactsUnavailable

log = structlog.get_logger("vm_ari.missed_calls")

LARGEST = 100 << 20
"""Octets of the file."""
_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class _Book:
    """The file as it was once."""

    stamp: _Stamp = (0, 0, 0)
    by_number: Mapping[str, Contact] = field(default_factory=dict)


class VcardContacts:
    """Whoever is in *file*; the first one who has a number."""

    def __init__(self, file: Path, site: Site) -> None:
        self._file = file
        self._site = site
        self._book = _Book()
        self._reading = asyncio.Lock()

    async def contact_of(self, number: str) -> Contact | None:
        """See `Contacts`."""
        async with self._reading:
            try:
                self._book = await asyncio.to_thread(self._fresh, self._book)
            except OSError as error:
                raise ContactsUnavailable(f"{self._file}: {error.strerror or error}") from error
        return self._book.by_number.get(number)

    def _fresh(self, book: _Book) -> _Book:
        """The same one, or a new one; another program may replace the file at any time."""
        with self._file.open("rb") as file:
            stamp = _stamp(os.fstat(file.fileno()))
            if stamp == book.stamp:
                return book
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise OSError(f"larger than {LARGEST >> 20} MB")
        by_number: dict[str, Contact] = {}
        for contact in contacts_in(content.decode("utf-8-sig", "replace"), self._site):
            for number in contact.numbers:
                by_number.setdefault(number, contact)
        log.info("contacts read", file=str(self._file), numbers=len(by_number))
        return _Book(stamp, by_number)


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino
