"""What administrators do with the users of a directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vm_ari.domain.entries import Entry, Organisation
from vm_ari.domain.user_queries import UserQuery
from vm_ari.ports.directory import LoginRecords


class Taken(Exception):
    """An entry cannot be stored beside another one; *entry_id* tells which of several."""

    def __init__(self, text: str, entry_id: str = "") -> None:
        super().__init__(text)
        self.entry_id = entry_id


class UserExists(Taken):
    """There is a user of that id already."""


class NumberTaken(Taken):
    """Another user has that number or mailbox. The text says who."""


class MailTaken(Taken):
    """Another user has that mail address. The text says who."""


class BadRecord(ValueError):
    """A record of a file cannot be imported. The text names the line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line


@dataclass(frozen=True)
class UserRecord:
    """A user as a file describes one; nothing is checked yet."""

    line: int
    """Where it begins, from 1."""
    texts: Mapping[str, str]
    """By the fields of `Entry` that are one text."""
    numbers: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    """Keys and texts; also ``pin``, sealed or plain."""
    legacy: tuple[str, ...] = ()
    """Values of the older form."""


@dataclass(frozen=True)
class Resealed:
    """What a rotation of keys has done."""

    renewed: int
    """Secrets that are now sealed with the newest key."""
    current: int
    """Secrets that were already."""
    broken: tuple[str, ...] = ()
    """Users of whom a secret cannot be opened: all of theirs were left as they are."""

    def __add__(self, other: "Resealed") -> "Resealed":
        return Resealed(
            self.renewed + other.renewed,
            self.current + other.current,
            self.broken + other.broken,
        )


class UserRegister(LoginRecords, Protocol):
    """What an admin does with a directory. Every method raises `DirectoryUnavailable`.

    Changes of one user raise `UnknownUser`; each is done wholly or not at all.
    """

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """What the directory itself says of a user."""
        ...

    async def entry_by_number(self, number: str) -> Entry | None:
        """What it says of the owner of an E.164 number, extension or mailbox."""
        ...

    async def all_entries(self) -> Sequence[Entry]:
        """What it says of everybody, by id."""
        ...

    async def organisations(self) -> Sequence[Organisation]:
        """All of them, by id."""
        ...

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = ...
    ) -> None:
        """All of them in one transaction, or none; *progress* hears how many are written.

        It is called from another thread. Raises `Taken` with the entry's id; `Unstorable`.
        """
        ...

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = ...,
    ) -> None:
        """Add users, and change others from what they were to what they shall be: all, or none.

        Only what differs between the two is written; failures of PINs stay. *progress* as in
        `add_entries`. Raises `Taken`, `UnknownUser` for one that is gone meanwhile, `Unstorable`.
        """
        ...

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """Set name, given, surname, mail or organisation. Raises `MailTaken`."""
        ...

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """Set texts by key, or (None) remove them. Nothing that others change meanwhile is lost.

        Raises `Unstorable`.
        """
        ...

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """The numbers of a user from now on. Raises `NumberTaken`."""
        ...

    async def remove_user(self, user_id: str) -> None:
        """Forget the user, the numbers and the PIN."""
        ...

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """Set or (None) remove the PIN, whose age is not known then; a lock stays."""
        ...

    async def unlock(self, user_id: str) -> None:
        """Forget the wrong PINs, so that the user may log in again."""
        ...

    def seal_pin(self, user_id: str, pin: str) -> str:
        """For the sealed values of a new entry. Raises `DirectoryUnavailable` without keys."""
        ...

    async def reseal(self, progress: Callable[[int], None] = ...) -> Resealed:
        """Seal every secret with the newest key."""
        ...


class UserList(Protocol):
    """The users of a directory, page by page. Every method raises `DirectoryUnavailable`."""

    async def page(self, query: UserQuery) -> Sequence[Entry]:
        """Of those who fit, by id."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many users there are, by organisation."""
        ...

    async def with_more_numbers(self, than: int) -> Sequence[tuple[str, str, int]]:
        """Who has too many: id, organisation and how many, by id; some hundred at most."""
        ...

    def changed(self) -> None:
        """Somebody was added, changed or removed: what is remembered is out of date."""
        ...
