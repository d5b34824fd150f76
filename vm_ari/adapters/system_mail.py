"""Mails that the system writes: texts of the site's templates, HTML and plain (STORE-03, LANG-01).

Every template knows *name*, *mailbox* and *number* of the user and *system*, the sender's name.
What else each of them is given:

    welcome        see `services.welcome`
    login-locked   failures: how many wrong PINs; when: the moment of the lock
    pin-reminder   ends: the moment when the PIN ends; days: until then; prevented: is the login
                   refused afterwards, instead of a new PIN being demanded there?
    not-sent       recipient: who gets nothing; errand: reply, forward or message; when: the moment
                   when it was begun; reason: as the system says it
    transcript     caller_name, caller_number: each may be empty; when: the moment of the call;
                   transcript: see `transcript_words`; in_reply_to: the voice message's Message-ID
    pin-changed    when: the moment; by_admin: did somebody else do it?
    mailbox-full   percent: how full it is; full: does nothing go into it any more?
    greeting-ended ended: the profile, or the slot of a greeting; is_profile: which of both; when:
                   the end; languages: of the greeting; after: the profile that is active then;
                   hears: own, name (a sentence with it), global or default; of_profile: whose
                   greeting it is
    lamp-off       when: the moment
    new-messages   voice, fax, text: how many new ones of each there are, 0 where the user is not
                   told of them now; urgent: of the voice messages; login: the number to call
    missed-call    see `services.missed_call_mails`
    message-dropped sender: id of who has sent it; recipient, errand, when, reason: as of not-sent
    receipt        recipient, errand, when: as of not-sent; delivered: the moment; outside: has it
                   left the house?
    password-changed when: the moment; by_admin: did somebody else do it?; login: the user's id
    information    as welcome, without a PIN; lamp: does the telephone show new messages?;
                   transfers: can callers be connected?; portal: its address, or empty
    invitation     address: of the page; code: to be typed there; language: the code of the
                   greeting's; ends: until when it can be opened
    mail-change-code  code: to be typed in the portal; new: the address that is wanted; lasts: how
                   long the code is good; ends: until when
    mail-changed   new: the address from now on, empty for none; when: the moment; by_admin: did
                   somebody else do it? Goes to the old address
    mail-new       the same, to the new address
    messages-wait  count: how many messages wait; oldest: the moment of its call; waiting: some of
                   them, each with mailbox, reason and held; more: how many others

Moments are written in the user's language and time zone. Whoever edits a template can do no harm:
it runs in Jinja2's sandbox, a value that is missing is an error, and HTML is escaped.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from zoneinfo import ZoneInfo

import css_inline
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.dates import format_datetime as format_moment

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
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.system_mails import Correspondent, SystemMail, Trimmings
from vm_ari.domain.transcripts import Transcript
from vm_ari.domain.users import User

GuideOf = Callable[[str, bool], bytes]
"""The guide as PDF, from a language and whether the user hears messages by telephone."""
_NOBODY = "undisclosed-recipients:;"
_IN_SECONDS = 2.0
"""Up to so many minutes a length of time is written in seconds, and so on."""
_GUIDES = 32
"""Kept at the same time: one for each language and right."""


class BadSender(ValueError):
    """Mails cannot be written from that address. The text quotes it."""


@dataclass(frozen=True)
class Sender:
    """Whom mails of the system come from."""

    address: str
    name: str = ""

    @property
    def ascii(self) -> str:
        """The address as it may stand in a header. Raises `BadSender`."""
        found = ascii_address(self.address)
        if found is None:
            raise BadSender(f"“{printable(self.address)}” is not a mail address.")
        return found


class SystemMailWriter:
    """`services.system_mails.Compose`. Raises `BadSender`."""

    def __init__(
        self,
        templates: MailTemplates,
        sender: Sender,
        site: Site,
        guide: GuideOf | None = None,
    ) -> None:
        self._templates = templates
        self._sender = sender
        self._from = address_field(sender.name, sender.ascii)
        self._site = site
        self._guide = guide
        self._guides: dict[tuple[str, bool], bytes] = {}

    def __call__(
        self,
        mail: SystemMail,
        user: User,
        values: Mapping[str, object],
        *,
        message_id: str,
        written: datetime,
    ) -> bytes:
        """The whole mail, with CRLF line ends. Raises whatever a template can do wrong."""
        language = self._templates.language(mail.value, user.language)
        known = {**self._person(user), **_in_words(values, user, language)}

        def text(part: str) -> str:
            return self._templates.render(mail.value, language, part, known)

        html = _inliner().inline(text("body.html"))
        body = multipart(
            "alternative", [text_part(text("body.txt"), "plain"), text_part(html, "html")], 2
        )
        trimmings = _trimmings(values)
        head = [
            *self._from_whom(trimmings),
            ("To", _recipient(user)),
            ("Subject", header_text(text("subject.txt"))),
            *_fields(message_id, _local(written, user)),
            *_thread(values),
            *((name, header_text(text)) for name, text in trimmings.fields),
        ]
        attached = [self._attached(user, language, values)] if values.get("guide") else []
        attached += [data_part(a.content, a.media_type, a.filename) for a in trimmings.attachments]
        if not attached:
            return Part([*head, *body.fields], body.body).to_bytes()
        return multipart("mixed", [body, *attached], 1, head).to_bytes()

    def _from_whom(self, trimmings: Trimmings) -> Fields:
        """Whoever writes for somebody else says so (RFC 5322 section 3.6.2)."""
        author, answers = _address(trimmings.author), _address(trimmings.reply_to)
        sent = [("From", author), ("Sender", self._from)] if author else [("From", self._from)]
        return [*sent, ("Reply-To", answers)]

    def _person(self, user: User) -> Mapping[str, object]:
        number = next(iter(user.numbers), user.mailbox)
        return {
            "name": printable(user.name),
            "mailbox": printable(user.mailbox, 40),
            "number": printable(readable(number, self._site), 40),
            "system": printable(self._sender.name or self._sender.address),
        }

    def _attached(self, user: User, language: str, values: Mapping[str, object]) -> Part:
        if self._guide is None:
            raise ValueError("there is no guide to be attached")
        which = user.language, bool(values.get("messages"))
        if which not in self._guides:
            if len(self._guides) >= _GUIDES:
                self._guides.clear()
            self._guides[which] = self._guide(*which)
        return data_part(self._guides[which], "application/pdf", f"voicemail-{token(language)}.pdf")


def _fields(message_id: str, when: datetime) -> Fields:
    """A mail of a machine (RFC 3834) that no inbox of voice messages counts (RFC 3458)."""
    return [
        ("Date", format_datetime(when)),
        ("Message-ID", token(message_id, 250)),
        ("MIME-Version", "1.0"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),  # Exchange: no absence notes
        ("Message-Context", "text-message"),
    ]


def _thread(values: Mapping[str, object]) -> Fields:
    """Which mail it belongs to, so that mail programs show both together (RFC 5322 §3.6.4)."""
    other = token(str(values.get("in_reply_to", "")), 250)
    return [("In-Reply-To", other), ("References", other)] if other else []


def _trimmings(values: Mapping[str, object]) -> Trimmings:
    given = values.get("trimmings")
    return given if isinstance(given, Trimmings) else Trimmings()


def _address(who: Correspondent | None) -> str:
    """Empty for nobody, and for somebody without an address."""
    address = ascii_address(who.address) if who else None
    return address_field(who.name, address) if who and address else ""


def _recipient(user: User) -> str:
    address = ascii_address(user.mail)
    return address_field(user.name, address) if address else _NOBODY


def _in_words(values: Mapping[str, object], user: User, language: str) -> Mapping[str, object]:
    locale = _locale(language)

    def worded(value: object) -> object:
        match value:
            case datetime():
                moment = _local(value, user)
                return format_moment(moment, "long", tzinfo=moment.tzinfo, locale=locale)
            case date():
                return format_date(value, "long", locale)
            case timedelta():
                return format_timedelta(value, threshold=_IN_SECONDS, locale=locale)
            case Transcript():
                return shown(value, locale)
            case _:
                return value

    return {key: worded(value) for key, value in values.items()}


def _local(when: datetime, user: User) -> datetime:
    """In the user's time zone; UTC where the directory names none that exists."""
    try:
        return when.astimezone(ZoneInfo(user.time_zone))
    except (KeyError, ValueError, OSError):
        return when.astimezone(UTC)


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK_LANGUAGE)


@cache
def _inliner() -> css_inline.CSSInliner:
    """Mail programs look at ``style`` only; what stays in the head is for dark screens.

    Nothing is ever loaded from elsewhere.
    """
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
