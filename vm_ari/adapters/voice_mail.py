"""The mail that carries a voice message (CALL-11)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from math import isfinite
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_timezone_name
from babel.units import format_unit

from vm_ari.adapters.audio import AudioFormat, BadAudio, encode
from vm_ari.adapters.long_audio import as_mp3
from vm_ari.adapters.mail_summary import LONGEST_SECONDS, OWN, SIGNED, signature
from vm_ari.adapters.mail_writing import (
    Fields,
    Part,
    address_field,
    ascii_address,
    data_part,
    header_text,
    multipart,
    text_part,
    token,
)
from vm_ari.adapters.templates import FALLBACK_LANGUAGE, MailTemplates
from vm_ari.adapters.transcript_words import shown
from vm_ari.domain.callers import printable
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.users import User

TEMPLATE = "voice-message"
CONFERENCE = "conference-recording"
LONG_SECONDS = 600
"""A recording that is longer goes as MP3 in any case: a WAV file of an hour has 58 MB."""
_NOBODY = "undisclosed-recipients:;"
LAST_RESORT_SENDER = "voicemail@localhost"


class Compose(Protocol):
    """`compose` with everything but the message bound: what a courier is given."""

    def __call__(self, message: VoiceMessage, user: User, *, plain: bool) -> bytes:
        """The mail, with CRLF line ends."""
        ...


def compose(
    message: VoiceMessage,
    user: User,
    *,
    sender: str,
    templates: MailTemplates,
    site: Site,
    plain: bool = False,
    audio_format: str = "wav",
    key: bytes | None = None,
) -> bytes:
    """The whole mail, with CRLF line ends, in the user's language and time zone.

    *plain* gives an ASCII envelope that uses neither templates nor conversions: the last resort
    for a message on which the usual way fails. *key* signs our own header fields.
    Raises `OSError` where the recording cannot be read; with *plain* nothing else.
    """
    if plain:
        return _plain_mail(message, user, sender, key)
    from_address = ascii_address(sender)
    if from_address is None:
        raise ValueError("the sender of voice messages is not a mail address")
    template = CONFERENCE if message.facts.conference else TEMPLATE
    values = call_values(message, user, templates.language(template, user.language), site)

    def text(part: str) -> str:
        return templates.render(template, user.language, part, values)

    attachment, filename = voice_attachment(message, user, audio_format)
    both = [text_part(text("body.txt"), "plain"), text_part(text("body.html"), "html")]
    people = [
        ("From", address_field(text("from.txt"), from_address)),
        ("To", recipient_field(user)),
        ("Subject", header_text(text("subject.txt"))),
    ]
    fields = [*people, *voice_fields(message, user, filename, key)]
    return multipart("mixed", [multipart("alternative", both, 2), attachment], 1, fields).to_bytes()


def _plain_mail(message: VoiceMessage, user: User, sender: str, key: bytes | None) -> bytes:
    filename = f"voicemail{AudioFormat.WAV.suffix}"
    data = Path(message.audio).read_bytes()
    attachment = data_part(data, AudioFormat.WAV.media_type, filename)
    people = [
        ("From", ascii_address(sender) or LAST_RESORT_SENDER),
        ("To", ascii_address(user.mail) or _NOBODY),
        ("Subject", "Voice message"),
    ]
    number = digits_of(message.facts.caller.number) or "unknown"
    text = text_part(f"Voice message from {number}, {round(length_of(message))} s.", "plain")
    fields = [*people, *voice_fields(message, user, filename, key)]
    return multipart("mixed", [text, attachment], 1, fields).to_bytes()


def voice_attachment(message: VoiceMessage, user: User, audio_format: str) -> tuple[Part, str]:
    """The recording as a part of a mail, and the name of its file."""
    if message.facts.conference and message.seconds > LONG_SECONDS:
        data, used = _long(Path(message.audio))
    else:
        data, used = encoded(Path(message.audio), AudioFormat[audio_format.upper()])
    when = call_time(message, user)
    number = digits_of(message.facts.caller.number) or "unknown"
    filename = f"voicemail-{when:%Y-%m-%d-%H%M}-{number}{used.suffix}"
    duration = ("Content-Duration", str(round(length_of(message))))  # RFC 3803
    return data_part(data, used.media_type, filename, [duration]), filename


def encoded(recording: Path, wanted: AudioFormat) -> tuple[bytes, AudioFormat]:
    """A message is never lost for its format: what cannot be converted goes as it is."""
    if wanted is not AudioFormat.WAV:
        try:
            return encode(recording, wanted), wanted
        except BadAudio:
            pass
    return recording.read_bytes(), AudioFormat.WAV


def _long(recording: Path) -> tuple[bytes, AudioFormat]:
    try:
        return as_mp3(recording), AudioFormat.MP3
    except BadAudio:
        return recording.read_bytes(), AudioFormat.WAV


def recipient_field(user: User) -> str:
    """For ``To``; also for somebody without an address."""
    address = ascii_address(user.mail)
    return address_field(user.name, address) if address else _NOBODY


def voice_fields(message: VoiceMessage, user: User, filename: str, key: bytes | None) -> Fields:
    """Everything below From, To and Subject: for mail clients, for Exchange, for ourselves."""
    facts = message.facts
    urgent = [("Importance", "high"), ("X-Priority", "1 (Highest)")] if facts.urgent else []
    return [
        ("Date", format_datetime(call_time(message, user))),
        ("Message-ID", token(facts.message_id, 250)),
        ("MIME-Version", "1.0"),
        *urgent,
        ("Auto-Submitted", "auto-generated"),  # RFC 3834: no vacation replies
        ("Message-Context", "voice-message"),  # RFC 3458
        ("Content-Duration", str(round(length_of(message)))),
        *_exchange_fields(message, filename),
        *own_fields(message, user, key),
    ]


def _exchange_fields(message: VoiceMessage, filename: str) -> Fields:
    """What makes Outlook show its voice-mail form (MS-OXCMAIL, MS-OXOUM)."""
    caller = message.facts.caller
    return [
        ("Content-Class", "voice-ca"),
        ("X-CallingTelephoneNumber", digits_of(caller.number)),
        ("X-VoiceMessageSenderName", _person(caller.name)),
        ("X-VoiceMessageDuration", str(round(length_of(message)))),
        ("X-AttachmentOrder", filename),
    ]


def own_fields(message: VoiceMessage, user: User, key: bytes | None) -> Fields:
    """Ours, with the signature by which we know them again."""
    facts = message.facts
    values = {
        "Call-ID": token(facts.channel_id),
        "Caller": digits_of(facts.caller.number),
        "Caller-Name": _person(facts.caller.name),
        "Called": token(facts.called, 40),
        "Mailbox": token(user.mailbox, 40),
        "Duration": f"{length_of(message):.1f}",
        "Partial": "yes" if message.partial else "no",
        "Urgent": "yes" if facts.urgent else "no",
    }
    fields = [(OWN + name, values[name]) for name in SIGNED]
    if key is not None:
        unfolded = [values[name].replace("\r\n", "") for name in SIGNED]
        fields.append((OWN + "Signature", signature(key, token(facts.message_id, 250), unfolded)))
    return fields


def call_values(
    message: VoiceMessage, user: User, language: str, site: Site
) -> Mapping[str, object]:
    """What the templates may use: texts and truth values; of a transcript see `shown`."""
    facts, locale = message.facts, locale_of(language)
    when, seconds = call_time(message, user), round(length_of(message))
    number = digits_of(facts.caller.number)
    return {
        "name": printable(facts.caller.name),
        "number": readable(number, site) if number else "",
        "e164": number if number.startswith("+") else "",
        "called": readable(token(facts.called, 40), site),
        "user": printable(user.name),
        "mailbox": printable(user.mailbox, 40),
        "date": format_date(when, "full", locale),
        "time": format_time(when, "short", tzinfo=when.tzinfo, locale=locale),
        "zone": get_timezone_name(when, width="short", locale=locale),
        "duration": written_duration(seconds, locale),
        "clock": f"{seconds // 60}:{seconds % 60:02d}",
        "urgent": facts.urgent,
        "partial": message.partial,
        "transcript": shown(message.transcript, locale) if message.transcript else None,
    }


def written_duration(seconds: int, locale: Locale) -> str:
    """Such as *1 minute 17 seconds*."""
    minutes, rest = divmod(seconds, 60)
    parts = [(minutes, "duration-minute"), (rest, "duration-second")]
    shown = [part for part in parts if part[0]] or parts[1:]
    return " ".join(format_unit(n, unit, locale=locale) for n, unit in shown)


def length_of(message: VoiceMessage) -> float:
    """Seconds, whatever the record says."""
    return min(max(message.seconds, 0.0), LONGEST_SECONDS) if isfinite(message.seconds) else 0.0


def call_time(message: VoiceMessage, user: User) -> datetime:
    """In the user's time zone; UTC where the directory names none that exists."""
    try:
        return message.facts.started.astimezone(ZoneInfo(user.time_zone))
    except (KeyError, ValueError, OSError):
        return message.facts.started.astimezone(UTC)


def _person(name: str) -> str:
    return header_text(printable(name))


def digits_of(number: str) -> str:
    """A sanitised number passes; of anything else nothing is left that could do harm."""
    clean = token(number, 24)
    plus, digits = clean[:1] == "+", clean.lstrip("+")
    return ("+" if plus else "") + digits if digits.isdigit() and digits.isascii() else ""


def locale_of(language: str) -> Locale:
    """For dates and durations."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK_LANGUAGE)
