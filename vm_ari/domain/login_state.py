"""What is remembered of a user's login: PIN, wrong attempts, dates, and the welcome mail.

It lies beside the settings, as texts by key (`entries`). Whoever changes it says so as a function
from the old state to the new one, which a directory may call again when somebody else was faster.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from vm_ari.domain.entries import (
    CALLED_BACK,
    CONFERENCE_FAILURES,
    CONFERENCE_PIN,
    LOCK_TOLD,
    MODERATOR_PIN,
    PIN,
    PIN_CHANGE,
    PIN_FAILURES,
    PIN_HISTORY,
    PIN_SET,
    PIN_TOLD,
    SENT,
    WELCOME,
    WELCOME_WISH,
    Entry,
    sort_apart,
)

PREVIOUS_PINS = 5
"""So many PINs before the present one are remembered, to be refused (LOGIN-02)."""
WELCOME_DUE = "due"
"""In `LoginState.welcome`: the mail leaves with the next call."""
Open = Callable[[str, str], str | None]
"""From a key and a sealed text: the plain one; None where it does not open."""
Seal = Callable[[str, str], str]
"""From a key and a plain text: the sealed one."""


@dataclass(frozen=True)
class RoomPins:
    """What opens a user's conference room; empty: nobody has set it."""

    participant: str = field(default="", repr=False)
    """In plain text."""
    moderator: str = field(default="", repr=False)
    failures: int = 0
    """Wrong PINs since the last right one."""
    unopened: bool = False
    """There is one, which our keys do not open, or which nobody wanted to open."""


@dataclass(frozen=True)
class LoginState:
    """One user's; empty texts and None mean that nothing is known."""

    pin: str = field(default="", repr=False)
    """In plain text."""
    unopened: bool = False
    """There is a PIN, which our keys do not open, or which nobody wanted to open."""
    failures: int = 0
    """Wrong PINs since the last right one."""
    pin_set: datetime | None = None
    must_change: bool = False
    """At the next login."""
    previous: tuple[str, ...] = field(default=(), repr=False)
    """Earlier PINs, the latest first; at most `PREVIOUS_PINS`."""
    pin_told: datetime | None = None
    """When the user was reminded that the PIN ends."""
    lock_told: datetime | None = None
    """When the user was told that the login is locked."""
    welcome: str = ""
    """`WELCOME_DUE`, or as `stamp` writes it, when the mail was handed over."""
    welcome_wish: str = ""
    """What a reset asked for."""
    called_back: str = ""
    """Calls to the outside of a day (`daily_count`)."""
    sent: str = ""
    """What was sent by telephone on a day, counted in the same way."""
    room: RoomPins = field(default_factory=RoomPins, repr=False)
    """Of the user's conference room."""

    @property
    def has_pin(self) -> bool:
        """Is there one, readable or not?"""
        return bool(self.pin) or self.unopened


class LoginChange(NamedTuple):
    """A change that is done."""

    before: LoginState
    after: LoginState


Decide = Callable[[LoginState], LoginState]
"""What shall be, from what is; pure, for it may be called again."""


def with_pin(
    state: LoginState, pin: str, now: datetime | None, *, one_time: bool = False
) -> LoginState:
    """With another PIN, or (empty) none; *one_time*: it must be changed at the next login.

    A lock stays. *now* None: nobody knows since when it is.
    """
    if pin == state.pin and pin:
        previous = state.previous
    else:
        previous = tuple(dict.fromkeys((*filter(None, (state.pin,)), *state.previous)))
    return replace(
        state,
        pin=pin,
        unopened=False,
        pin_set=now if pin else None,
        must_change=one_time and bool(pin),
        previous=previous[:PREVIOUS_PINS],
        pin_told=None,
    )


def unlocked(state: LoginState) -> LoginState:
    """With no wrong PINs."""
    return replace(state, failures=0, lock_told=None)


def to_be_changed(state: LoginState) -> LoginState:
    """The PIN must be changed at the next login; no PIN, nothing to change."""
    return replace(state, must_change=state.has_pin)


def with_welcome_due(state: LoginState, wish: str = "") -> LoginState:
    """The welcome mail leaves with the next call; *wish* says what it shall hold."""
    return replace(state, welcome=WELCOME_DUE, welcome_wish=wish)


def state_of(entry: Entry) -> LoginState:
    """What an entry tells without any key: the PIN stays closed."""
    texts = {**entry.sealed, **entry.bookkeeping, PIN_FAILURES: str(entry.pin_failures)}
    return read_state(texts, lambda _key, _sealed: None)


def read_state(texts: Mapping[str, str], open_: Open) -> LoginState:
    """What lies among the texts of a user."""
    stored = sort_apart(texts)
    sealed = stored.sealed.get(PIN)
    pin = None if sealed is None else open_(PIN, sealed)
    history = stored.sealed.get(PIN_HISTORY)
    earlier = None if history is None else open_(PIN_HISTORY, history)
    notes = stored.bookkeeping
    return LoginState(
        pin=pin or "",
        unopened=sealed is not None and pin is None,
        failures=stored.pin_failures,
        pin_set=read_stamp(notes.get(PIN_SET, "")),
        must_change=notes.get(PIN_CHANGE) == "yes",
        previous=tuple(filter(None, (earlier or "").split(",")))[:PREVIOUS_PINS],
        pin_told=read_stamp(notes.get(PIN_TOLD, "")),
        lock_told=read_stamp(notes.get(LOCK_TOLD, "")),
        welcome=notes.get(WELCOME, ""),
        welcome_wish=notes.get(WELCOME_WISH, ""),
        called_back=notes.get(CALLED_BACK, ""),
        sent=notes.get(SENT, ""),
        room=_read_room(stored.sealed, notes.get(CONFERENCE_FAILURES, ""), open_),
    )


def changed_texts(before: LoginState, after: LoginState, seal: Seal) -> dict[str, str | None]:
    """What must be written: texts by key, None for those to be removed."""
    new: dict[str, str | None] = {}
    if (before.pin, before.unopened) != (after.pin, after.unopened):
        new[PIN] = seal(PIN, after.pin) if after.pin else None
    if before.previous != after.previous:
        earlier = ",".join(after.previous)
        new[PIN_HISTORY] = seal(PIN_HISTORY, earlier) if earlier else None
    for key, was, now in (
        (CONFERENCE_PIN, before.room.participant, after.room.participant),
        (MODERATOR_PIN, before.room.moderator, after.room.moderator),
    ):
        if was != now:
            new[key] = seal(key, now) if now else None
    old_notes, notes = _notes(before), _notes(after)
    return new | {key: text for key, text in notes.items() if text != old_notes[key]}


def stamp(time: datetime) -> str:
    """How a time is written among the texts: UTC, in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(text: str) -> datetime | None:
    """The time; None for what is none, for a slip must not close a mailbox."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _read_room(sealed: Mapping[str, str], failures: str, open_: Open) -> RoomPins:
    """A counter that cannot be read counts as none, as that of logins does."""
    found = {key: sealed.get(key) for key in (CONFERENCE_PIN, MODERATOR_PIN)}
    opened = {key: open_(key, text) for key, text in found.items() if text is not None}
    return RoomPins(
        participant=opened.get(CONFERENCE_PIN) or "",
        moderator=opened.get(MODERATOR_PIN) or "",
        failures=int(failures) if failures.isdecimal() and len(failures) < 7 else 0,
        unopened=None in opened.values(),
    )


def _notes(state: LoginState) -> dict[str, str | None]:
    """Everything but the secrets."""
    return {
        PIN_FAILURES: str(state.failures) if state.failures else None,
        PIN_CHANGE: "yes" if state.must_change else None,
        PIN_SET: stamp(state.pin_set) if state.pin_set else None,
        PIN_TOLD: stamp(state.pin_told) if state.pin_told else None,
        LOCK_TOLD: stamp(state.lock_told) if state.lock_told else None,
        WELCOME: state.welcome or None,
        WELCOME_WISH: state.welcome_wish or None,
        CALLED_BACK: state.called_back or None,
        SENT: state.sent or None,
        CONFERENCE_FAILURES: str(state.room.failures) if state.room.failures else None,
    }
