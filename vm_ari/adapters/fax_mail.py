"""The mail that carries a received fax (UM-04)."""

from collections.abc import Mapping
from email.utils import format_datetime
from pathlib import Path

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
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import (
    LAST_RESORT_SENDER,
    Compose,
    call_time,
    call_values,
    digits_of,
    locale_of,
    own_fields,
    recipient_field,
    written_duration,
)
from vm_ari.domain.callers import printable
from vm_ari.domain.faxes import Fax, FaxFormat
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.users import User

TEMPLATE = "fax-message"
_TYPES = {FaxFormat.PDF: "application/pdf", FaxFormat.TIFF: "image/tiff"}
_SUFFIXES = {FaxFormat.PDF: ".pdf", FaxFormat.TIFF: ".tif"}


def with_faxes(
    others: Compose, *, sender: str, templates: MailTemplates, site: Site, key: bytes | None
) -> Compose:
    """Writes the mails of faxes, and leaves those of all other messages to *others*."""
    address = ascii_address(sender)

    def write(message: VoiceMessage, user: User, *, plain: bool) -> bytes:
        fax = message.facts.fax
        if fax is None:
            return others(message, user, plain=plain)
        if plain or address is None:
            return _plain_mail(message, fax, user, address, key)
        return _mail(message, fax, user, address, templates, site, key)

    return write


def _mail(
    message: VoiceMessage,
    fax: Fax,
    user: User,
    sender: str,
    templates: MailTemplates,
    site: Site,
    key: bytes | None,
) -> bytes:
    values = fax_values(message, fax, user, templates.language(TEMPLATE, user.language), site)

    def text(part: str) -> str:
        return templates.render(TEMPLATE, user.language, part, values)

    attachment, filename = fax_attachment(message, user)
    both = [text_part(text("body.txt"), "plain"), text_part(text("body.html"), "html")]
    people = [
        ("From", address_field(text("from.txt"), sender)),
        ("To", recipient_field(user)),
        ("Subject", header_text(text("subject.txt"))),
    ]
    fields = [*people, *fax_fields(message, fax, user, filename, key)]
    return multipart("mixed", [multipart("alternative", both, 2), attachment], 1, fields).to_bytes()


def _plain_mail(
    message: VoiceMessage, fax: Fax, user: User, sender: str | None, key: bytes | None
) -> bytes:
    """The last resort: ASCII, no templates, the pages as they came."""
    filename = f"fax{_SUFFIXES[FaxFormat.TIFF]}"
    pages = Path(message.audio).read_bytes()
    attachment = data_part(pages, _TYPES[FaxFormat.TIFF], filename)
    people = [
        ("From", sender or LAST_RESORT_SENDER),
        ("To", recipient_field(User(user.id, "", "", (), user.mail))),
        ("Subject", "Fax"),
    ]
    number = digits_of(message.facts.caller.number) or "unknown"
    text = text_part(f"Fax from {number}, {fax.pages} pages.", "plain")
    fields = [*people, *fax_fields(message, fax, user, filename, key)]
    return multipart("mixed", [text, attachment], 1, fields).to_bytes()


def fax_attachment(message: VoiceMessage, user: User) -> tuple[Part, str]:
    """The pages as a part of a mail, and the name of their file.

    A fax is never lost for its format: where no PDF could be made, the TIFF goes. Raises OSError.
    """
    tiff = Path(message.audio)
    pdf = tiff.with_suffix(".pdf")
    used = FaxFormat.PDF if user.fax_format is FaxFormat.PDF and pdf.is_file() else FaxFormat.TIFF
    when = call_time(message, user)
    number = digits_of(message.facts.caller.number) or "unknown"
    filename = f"fax-{when:%Y-%m-%d-%H%M}-{number}{_SUFFIXES[used]}"
    data = (pdf if used is FaxFormat.PDF else tiff).read_bytes()
    return data_part(data, _TYPES[used], filename), filename


def fax_fields(
    message: VoiceMessage, fax: Fax, user: User, filename: str, key: bytes | None
) -> Fields:
    """Everything below From, To and Subject: for mail clients, for Exchange, for ourselves."""
    facts = message.facts
    return [
        ("Date", format_datetime(call_time(message, user))),
        ("Message-ID", token(facts.message_id, 250)),
        ("MIME-Version", "1.0"),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834: no vacation replies
        ("Message-Context", "fax-message"),  # RFC 3458
        ("Content-Class", "fax-ca"),  # MS-OXCMAIL, as the next three
        ("X-CallingTelephoneNumber", digits_of(facts.caller.number)),
        ("X-FaxNumberOfPages", str(fax.pages)),
        ("X-AttachmentOrder", filename),
        *own_fields(message, user, key),
    ]


def fax_values(
    message: VoiceMessage, fax: Fax, user: User, language: str, site: Site
) -> Mapping[str, object]:
    """What the templates may use: texts, truth values, and the number of pages."""
    station = printable(fax.station)
    values = call_values(message, user, language, site)
    shown = readable(digits_of(station), site) if digits_of(station) else station
    return {
        **values,
        "station": "" if shown in (values["number"], values["name"]) else shown,
        "duration": written_duration(round(fax.seconds), locale_of(language)),
        "pages": fax.pages,
        "quality": fax.quality.value,
        "text": fax.text,
    }
