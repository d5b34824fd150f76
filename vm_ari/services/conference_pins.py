"""The two PINs of a conference room: what is typed at its door, and how they are set (UM-04).

Wrong ones are counted as those of logins are: for the room in the directory, and for the caller in
this process. The room is locked after as many as a login, until its PINs are set anew.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from vm_ari.domain.access import Origin
from vm_ari.domain.conferences import Role
from vm_ari.domain.login_phones import LoginFrom
from vm_ari.domain.login_state import LoginState, RoomPins
from vm_ari.domain.pin import PinCheck, is_locked, same_pin
from vm_ari.domain.pin_rules import PinFault, pin_fault
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, LoginRecords
from vm_ari.services.logins import Logins

SHORTEST = 4
"""Digits of a room's PIN: it is told to many, and worth less than a mailbox."""


@dataclass(frozen=True)
class RoomDoor:
    """Judges what is typed at the doors of conference rooms."""

    directory: CallDirectory
    logins: Logins
    """Those of mailboxes: their rules and their memory of who guesses count here, too."""

    async def role(self, owner: User, pin: str, origin: Origin, room: str) -> Role | None:
        """Whose PIN that is; None: nobody's, or the room is locked, which callers do not learn.

        Raises `DirectoryUnavailable`.
        """
        found: list[Role] = []
        judge = _Judge(self.directory, self.logins.rules.failures_before_lock, found)
        # who takes part need not be one of us: the owner's login rules say nothing of that
        anybody = replace(
            owner, access=Access.FULL, login_from=LoginFrom.ANYWHERE, login_numbers=()
        )
        door = replace(
            self.logins,
            directory=judge,
            on_failure=lambda _user: None,
            on_success=lambda _user: None,
        )
        checked = await door.check_pin(anybody, pin, origin, mailbox=f"conference {room}")
        return found[-1] if checked is PinCheck.RIGHT else None


@dataclass(frozen=True)
class _Judge:
    """A `CallDirectory` in which the PINs of rooms stand where those of mailboxes do."""

    directory: CallDirectory
    allowed: int
    found: list[Role] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.directory, name)

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Count one attempt and judge it, in one change of the directory."""
        verdict: list[tuple[PinCheck, Role | None]] = []

        def judge(state: LoginState) -> LoginState:
            check, role = _judged(state.room, pin, self.allowed)
            verdict[:] = [(check, role)]
            return replace(state, room=_counted(state.room, check))

        await self.directory.change_login(user_id, judge)
        check, role = verdict[0]
        if role is not None:
            self.found.append(role)
        return check


async def set_room_pins(
    records: LoginRecords, owner_id: str, pins: RoomPins, numbers: tuple[str, ...] = ()
) -> PinFault | None:
    """Set both, durably, unless one has a fault; empty ones are taken away. Opens a locked room.

    Two that are the same are a fault: nobody would know who moderates. Raises
    `DirectoryUnavailable`, `UnknownUser`, `Unstorable`.
    """
    given = [pin for pin in (pins.participant, pins.moderator) if pin]
    if len(given) == 2 and given[0] == given[1]:
        return PinFault.USED_BEFORE
    for pin in given:
        if fault := pin_fault(pin, shortest=SHORTEST, numbers=numbers):
            return fault
    fresh = RoomPins(pins.participant, pins.moderator)
    await records.change_login(owner_id, lambda state: replace(state, room=fresh))
    return None


def is_open(pins: RoomPins, allowed_failures: int) -> bool:
    """Can somebody come in at all?"""
    there = bool(pins.participant or pins.moderator or pins.unopened)
    return there and not is_locked(pins.failures, allowed_failures)


def _judged(pins: RoomPins, pin: str, allowed: int) -> tuple[PinCheck, Role | None]:
    """Both are compared in every case, so that the time does not tell which one was nearer."""
    moderates = same_pin(pins.moderator, pin)
    takes_part = same_pin(pins.participant, pin)
    if is_locked(pins.failures, allowed):
        return PinCheck.LOCKED, None
    if moderates:
        return PinCheck.RIGHT, Role.MODERATOR
    return (PinCheck.RIGHT, Role.PARTICIPANT) if takes_part else (PinCheck.WRONG, None)


def _counted(pins: RoomPins, check: PinCheck) -> RoomPins:
    match check:
        case PinCheck.RIGHT:
            return replace(pins, failures=0)
        case PinCheck.WRONG if pins.participant or pins.moderator:
            return replace(pins, failures=pins.failures + 1)
    return pins
