"""The mails that carry what users send by telephone: replies, forwarded and new messages.

A colleague gets a voice message like any other (`voice_mail`), so that telephone, lamp and mail
program know it; what leaves the house tells nothing about the house. Subject, sender and text of
the message that is answered or forwarded are anybody's: they pass the same functions as a caller's
name, and the message itself is attached as it was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from pathlib import Path

from babel.dates import format_date, format_time, get_timezone_name

from vm_ari.adapters.audio import AudioFormat
from vm_ari.adapters.mail_reading import HEADER_LIMIT, Headers, decoded, parse_headers
from vm_ari.adapters.mail_writing import (
    Fields,
    Part,
    address_field,
    ascii_address,
    data_part,
    header_text,
    level_for,
    multipart,
    text_part,
    token,
)
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.transcript_words import shown
from vm_ari.adapters.voice_mail import (
    call_time,
    compose,
    encoded,
    length_of,
    locale_of,
    recipient_field,
    voice_attachment,
    voice_fields,
    written_duration,
)
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.messages import MessageKind, VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.sending import Errand, Sending
from vm_ari.domain.users import User

TEMPLATE = "sent-message"
MOST_REFERENCES = 10
_PREFIX = {Errand.REPLY: "Re: ", Errand.FORWARD: "Fwd: ", Errand.MESSAGE: ""}
_ANSWERED = re.compile(r"(?i)(\s*(re|aw|sv|antw)(\[[0-9]+\])?\s*:\s*){1,20}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ODD_LINE = re.compile(rb"[^\n]{1000}|\r(?!\n)|(?<!\r)\n|\0")


@dataclass(frozen=True)
class Document:
    """A file that is sent as a fax."""

    data: bytes
    media_type: str
    filename: str
    """Plain ASCII."""


@dataclass(frozen=True)
class SentMailWriter:
    """Writes them; blocking. Raises `OSError` where a file of the spool cannot be read."""

    sender: str
    """Mail address of the system."""
    templates: MailTemplates
    site: Site
    audio_format: str = "wav"
    key: bytes | None = None
    """Signs our own header fields, which only colleagues get."""
    from_user: bool = False
    """Does what leaves the house come from the user's own address?"""

    def __call__(self, message: VoiceMessage, user: User, *, plain: bool) -> bytes:
        """For a colleague, in the colleague's language; *plain* as in `voice_mail.compose`."""
        if plain:
            return self._plain(message, user)
        letter = _Letter(message, user, self)
        parts, filename = letter.parts()
        head = [
            ("From", address_field(letter.who, self._address())),
            ("To", recipient_field(user)),
            ("Subject", header_text(letter.subject())),
            *letter.answering(),
        ]
        return _mail([*head, *self._known_fields(letter, filename)], letter, parts)

    def outside(
        self, message: VoiceMessage, sender: User, address: str, documents: Sequence[Document] = ()
    ) -> bytes:
        """For an address outside, in the sender's language; with *documents* for a fax machine."""
        letter = _Letter(message, sender, self)
        own_address = letter.reply_to if self.from_user else ""
        head = [
            ("From", address_field(letter.who, own_address or self._address())),
            ("To", address),
            ("Subject", header_text(letter.subject())),
            *letter.answering(),
        ]
        if documents:
            silent = _Letter(replace(message, audio=""), sender, self)
            parts = [data_part(d.data, d.media_type, d.filename) for d in documents]
            return _mail([*head, *silent.plain_fields("fax-message")], silent, parts)
        parts, _ = letter.parts()
        context = "voice-message" if message.audio else "text-message"
        return _mail([*head, *letter.plain_fields(context)], letter, parts)

    def _known_fields(self, letter: "_Letter", filename: str) -> Fields:
        """What telephone and mail program of a colleague go by."""
        if not letter.message.audio:
            return letter.plain_fields("text-message")
        return voice_fields(letter.message, letter.reader, filename, self.key)

    def _address(self) -> str:
        address = ascii_address(self.sender)
        if address is None:
            raise ValueError("the sender of voice messages is not a mail address")
        return address

    def _plain(self, message: VoiceMessage, user: User) -> bytes:
        """The last resort for a message on which the usual way fails."""
        if message.audio:
            return compose(
                message,
                user,
                sender=self.sender,
                templates=self.templates,
                site=self.site,
                plain=True,
                key=self.key,
            )
        letter = _Letter(message, user, self)
        head = [
            ("From", self._address()),
            ("To", recipient_field(replace(user, name=""))),
            ("Subject", "Fwd: message"),
            *letter.plain_fields("text-message"),
        ]
        original = _attached_mail(Path(message.original).read_bytes())
        level = level_for(original.body)
        return multipart(
            "mixed", [text_part("Forwarded message.", "plain"), original], level, head
        ).to_bytes()


@dataclass(frozen=True)
class _Letter:
    """One mail being written: *reader* decides on language and time zone."""

    message: VoiceMessage
    reader: User
    writer: SentMailWriter

    @property
    def sending(self) -> Sending:
        """What it is about."""
        if self.message.facts.sending is None:
            raise ValueError("nobody has sent this")
        return self.message.facts.sending

    @property
    def who(self) -> str:
        """The sender, for people."""
        return self._named(self.message.facts.caller)

    @property
    def reply_to(self) -> str:
        """The sender's address; empty for none that can be used."""
        return ascii_address(self.sending.reply_to) or ""

    def subject(self) -> str:
        """That of the message it is about, with its mark; else who has spoken."""
        errand = self.sending.errand
        quoted = printable(decoded(self._headers().get("subject", "")), 180)
        if errand is Errand.REPLY:
            quoted = _ANSWERED.sub("", quoted, count=1) if _ANSWERED.match(quoted) else quoted
        return _PREFIX[errand] + (quoted or self._text("subject.txt"))

    def answering(self) -> Fields:
        """Whom an answer reaches, and to what this is one (RFC 5322 section 3.6.4)."""
        fields = [("Reply-To", self.reply_to)]
        headers = self._headers() if self.sending.errand is Errand.REPLY else {}
        answered = _MESSAGE_ID.search(headers.get("message-id", ""))
        if answered is None:
            return fields
        earlier = _MESSAGE_ID.findall(headers.get("references", ""))[-MOST_REFERENCES:]
        references = dict.fromkeys((*earlier, answered[0]))
        return [*fields, ("In-Reply-To", answered[0]), ("References", "\r\n ".join(references))]

    def plain_fields(self, context: str) -> Fields:
        """What every mail has, and nothing about the house (context: RFC 3458)."""
        facts = self.message.facts
        urgent = [("Importance", "high"), ("X-Priority", "1 (Highest)")] if facts.urgent else []
        spoken = str(round(length_of(self.message))) if self.message.audio else ""
        return [
            ("Date", format_datetime(call_time(self.message, self.reader))),
            ("Message-ID", token(facts.message_id, 250)),
            ("MIME-Version", "1.0"),
            *urgent,
            ("Message-Context", context),
            ("Content-Duration", spoken),
        ]

    def body(self) -> Part:
        """The text, plain and as HTML."""
        both = [
            text_part(self._text("body.txt"), "plain"),
            text_part(self._text("body.html"), "html"),
        ]
        return multipart("alternative", both, 9)

    def parts(self) -> tuple[list[Part], str]:
        """What is attached, and the file name of what was said."""
        found: list[Part] = []
        filename = ""
        if self.message.audio:
            spoken, filename = voice_attachment(self.message, self.reader, self.writer.audio_format)
            found.append(spoken)
        if self._has_original:
            found.append(self._original())
        return found, filename

    @property
    def _has_original(self) -> bool:
        return self.sending.errand is Errand.FORWARD and bool(self.message.original)

    def _original(self) -> Part:
        path = Path(self.message.original)
        if not self.sending.forwards_voice:
            return _attached_mail(path.read_bytes())
        data, used = encoded(path, AudioFormat[self.writer.audio_format.upper()])
        return data_part(data, used.media_type, f"forwarded{used.suffix}")

    def _headers(self) -> Headers:
        """Of the message it is about, where that is a mail."""
        if not self.message.original or self.sending.forwards_voice:
            return {}
        with Path(self.message.original).open("rb") as file:
            return parse_headers(file.read(HEADER_LIMIT))

    def _text(self, part: str) -> str:
        return self.writer.templates.render(TEMPLATE, self.reader.language, part, self._values())

    def _named(self, caller: Caller) -> str:
        number = readable(caller.number, self.writer.site) if caller.number else ""
        name = printable(caller.name)
        return f"{name} ({number})" if name and number else name or number

    def _values(self) -> Mapping[str, object]:
        """What the templates may use: texts and truth values; of a transcript see `shown`."""
        sending, message = self.sending, self.message
        locale = locale_of(self.writer.templates.language(TEMPLATE, self.reader.language))
        forwarded = sending.quoted if sending.errand is Errand.FORWARD else None
        started = message.facts.started if forwarded is None else forwarded.received
        facts = replace(message.facts, started=started)
        when = call_time(replace(message, facts=facts), self.reader)
        seconds = round(length_of(message))
        dated = forwarded is not None
        return {
            "who": self.who,
            "errand": sending.errand.value,
            "original": (sending.original or MessageKind.VOICE).value,
            "source": self._named(forwarded.caller) if forwarded else "",
            "source_date": format_date(when, "full", locale) if dated else "",
            "source_time": format_time(when, "short", when.tzinfo, locale) if dated else "",
            "zone": get_timezone_name(when, width="short", locale=locale),
            "duration": written_duration(seconds, locale) if message.audio else "",
            "clock": f"{seconds // 60}:{seconds % 60:02d}" if message.audio else "",
            "urgent": message.facts.urgent,
            "partial": message.partial,
            "attached": self._has_original,
            "transcript": shown(message.transcript, locale) if message.transcript else None,
        }


def _mail(fields: Fields, letter: _Letter, attached: Sequence[Part]) -> bytes:
    level = level_for(b"".join(part.body for part in attached))
    return multipart("mixed", [letter.body(), *attached], level, fields).to_bytes()


def _attached_mail(mail: bytes) -> Part:
    """As ``message/rfc822``, where it can go over every line as it is (RFC 2046 section 5.2.1)."""
    if mail.isascii() and not _ODD_LINE.search(mail):
        fields = [
            ("Content-Type", "message/rfc822"),
            ("Content-Disposition", 'attachment; filename="message.eml"'),
            ("Content-Transfer-Encoding", "7bit"),
        ]
        return Part(fields, mail if mail.endswith(b"\r\n") else mail + b"\r\n")
    return data_part(mail, "application/octet-stream", "message.eml")
