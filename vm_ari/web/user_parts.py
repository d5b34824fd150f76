"""What the pages of messages, greetings and mail passwords need, beside `parts.Parts`."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from vm_ari.domain.greeting_choice import Plays
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.greetings import GreetingBook
from vm_ari.services.journal import Journals
from vm_ari.services.mail_passwords import MailPasswords
from vm_ari.services.own_messages import OwnMessages
from vm_ari.services.play_on_phone import PlayOnPhone
from vm_ari.services.recording_calls import RecordingCalls
from vm_ari.services.user_calls import UserCalls
from vm_ari.web.visit import Visit


class GreetingSounds(Protocol):
    """What callers hear first, to be played by a browser."""

    async def of(self, plays: Plays, code: str) -> BinaryIO:
        """An open WAV file in that language. Raises `GreetingsUnavailable`."""
        ...


@dataclass(frozen=True)
class UserParts:
    """One of `Parts.more`; None: there is no such thing here."""

    calls: UserCalls
    messages: OwnMessages | None = None
    journals: Journals | None = None
    play: PlayOnPhone | None = None
    call_backs: CallBacks | None = None
    """Who may be called back; None: nobody."""
    greetings: GreetingBook | None = None
    recording: RecordingCalls | None = None
    sounds: GreetingSounds | None = None
    mail_passwords: MailPasswords | None = None
    longest_greeting: float = 120.0
    """Seconds."""
    largest_upload: int = 20_000_000
    """Bytes."""
    journal_days: int = 0
    """So long entries are kept; 0: for ever."""
    numbers_days: int = 0
    """So long numbers in them are whole; 0: for ever."""


def kept(visit: Visit) -> tuple[int, int]:
    """Of entries of the journal: how many days they stay, and their numbers whole; 0: for ever."""
    parts = visit.part(UserParts)
    return (parts.journal_days, parts.numbers_days) if parts else (0, 0)
