"""A voice message and the mail that carries it, for the tests of both directions."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from tests.recordings import spoken, wav
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import compose
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User

TEMPLATES = MailTemplates(Path(__file__).parents[2] / "templates")
SENDER = "voicemail@example.org"
KEY = bytes(range(32))
ANNA = User("anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org", "de")
JANE = replace(ANNA, name="Jane Doe", language="en", time_zone="America/New_York")
FACTS = CallFacts(
    id="0123456789abcdef",
    message_id="<0123456789abcdef@pbx.example>",
    channel_id="1700000000.1",
    called="+4930555101",
    user_id="anna",
    caller=Caller("+4989123456", "Müller, Jörg"),
    started=datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC),
)


def recorded(directory: Path) -> VoiceMessage:
    """Half a second of audio that says to be 77.4 s long."""
    file = directory / "recording.wav"
    file.write_bytes(wav(spoken(0.5)))
    return VoiceMessage(FACTS, str(file), 77.4)


def written(
    voice: VoiceMessage,
    user: User = ANNA,
    *,
    plain: bool = False,
    audio_format: str = "wav",
    key: bytes | None = KEY,
) -> bytes:
    """With the site's settings."""
    return compose(
        voice,
        user,
        sender=SENDER,
        templates=TEMPLATES,
        site=Site(base_number="+4930555"),
        plain=plain,
        audio_format=audio_format,
        key=key,
    )


def parsed(mail: bytes) -> EmailMessage:
    """As the standard library understands it."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert [defect for part in message.walk() for defect in part.defects] == []
    return message


def from_caller(voice: VoiceMessage, name: str, number: str = "") -> VoiceMessage:
    return replace(voice, facts=replace(voice.facts, caller=Caller(number, name)))


def urgent(voice: VoiceMessage) -> VoiceMessage:
    return replace(voice, facts=replace(voice.facts, urgent=True))


def text_of(mail: EmailMessage, subtype: str = "plain") -> str:
    body = mail.get_body((subtype,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
