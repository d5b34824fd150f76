"""What the pages of messages, greetings and mail passwords need, beside `parts.Parts`."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from vm_ari.domain.greeting_choice import Plays
from vm_ari.services.greetings import GreetingBook
from vm_ari.services.journal import Journals
from vm_ari.services.mail_passwords import MailPasswords
from vm_ari.services.own_messages import OwnMessages
from vm_ari.services.play_on_phone import PlayOnPhone
from vm_ari.services.recording_calls import RecordingCalls
from vm_ari.services.user_calls import UserCalls


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
    greetings: GreetingBook | None = None
    recording: RecordingCalls | None = None
    sounds: GreetingSounds | None = None
    mail_passwords: MailPasswords | None = None
    longest_greeting: float = 120.0
    """Seconds."""
    largest_upload: int = 20_000_000
    """Bytes."""
