"""Mails that the system writes: right MIME and language, harmless whatever a user is called."""

import email.policy
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.system_mail import BadSender, Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.config import shared_files
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.numbers import Site
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.transcripts import Passage, Transcript
from vm_ari.domain.users import User
from vm_ari.speech.language import languages

SITE = Site(base_number="+4930555")
ANNA = User(
    "anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org", "de", "Europe/Berlin"
)
WRITTEN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
PIN = "271828"
WELCOME: Mapping[str, object] = {
    "mailbox_number": "+49 30 555101",
    "pin": PIN,
    "one_time": False,
    "telephone": True,
    "messages": True,
    "login_number": "",
    "login_key": "*",
    "link": "none",
    "address": "",
    "guide": True,
    "closing": [],
}
VALUES: dict[SystemMail, Mapping[str, object]] = {
    SystemMail.WELCOME: WELCOME,
    SystemMail.LOGIN_LOCKED: {"failures": 5, "when": WRITTEN},
    SystemMail.PIN_REMINDER: {"ends": WRITTEN, "days": 7, "prevented": False},
    SystemMail.NOT_SENT: {
        "recipient": "dora@elsewhere.example",
        "errand": "reply",
        "when": WRITTEN,
        "reason": "550 <b>no</b> such user",
    },
    SystemMail.MAILBOX_FULL: {"percent": 92, "full": False},
    SystemMail.MESSAGES_WAIT: {
        "count": 2,
        "oldest": WRITTEN,
        "waiting": [{"mailbox": "101", "reason": "<b>no</b> room", "held": True}],
        "more": 1,
    },
    SystemMail.MISSED_CALL: {
        "caller_name": "Jörg <b>Größe</b>",
        "caller_organisation": "Größe & Söhne",
        "caller_number": "+49 89 123456",
        "caller_mail": "joerg@example.com",
        "numbers": [{"number": "+49 89 123456", "link": "tel:+4989123456"}],
        "when": WRITTEN,
        "rang": timedelta(seconds=17),
        "own_numbers": ["101"],
        "called": "",
        "answered_by": "Ben (102)",
        "message_left": True,
        "nothing_said": True,
    },
    SystemMail.GREETING_ENDED: {
        "ended": "vacation",
        "is_profile": False,
        "languages": ["de", "en"],
        "when": WRITTEN,
        "after": "work",
        "hears": "own",
        "of_profile": "work",
    },
    SystemMail.INVITATION: {
        "address": "https://voicemail.example.org/invitation/abc",
        "code": "k7mw-p3xd",
        "language": "de",
        "ends": WRITTEN,
    },
    SystemMail.LAMP_OFF: {"when": WRITTEN},
    SystemMail.MAIL_CHANGE_CODE: {
        "code": "1234 5678",
        "new": "anna.b@example.org",
        "ends": WRITTEN,
        "lasts": timedelta(minutes=15),
    },
    SystemMail.MAIL_CHANGED: {"new": "anna.b@example.org", "when": WRITTEN, "by_admin": True},
    SystemMail.MAIL_NEW: {"new": "anna.b@example.org", "when": WRITTEN, "by_admin": True},
    SystemMail.PIN_CHANGED: {"when": WRITTEN, "by_admin": True},
    SystemMail.PASSWORD_CHANGED: {"when": WRITTEN, "by_admin": True, "login": "anna"},
    SystemMail.MESSAGE_DROPPED: {
        "sender": "bert",
        "recipient": "Cora <b>Curie</b>",
        "errand": "reply",
        "when": WRITTEN,
        "reason": "user bert, who sends it, is gone",
    },
    SystemMail.FAX_REPORT: {
        "state": "failed",
        "number": "+49 30 1234567",
        "when": WRITTEN,
        "pages": 3,
        "confirmed": 1,
        "station": "Weber <b>& Co.</b>",
        "seconds": 95,
        "lasted": timedelta(seconds=95),
        "calls": 4,
        "cause": "dropped",
        "reason": "",
    },
    SystemMail.SPOKEN_REPORT: {
        "state": "failed",
        "number": "+49 30 1234567",
        "when": WRITTEN,
        "text": "Bitte <b>heute</b> zurückrufen.",
        "seconds": 7,
        "lasted": timedelta(seconds=7),
        "calls": 2,
        "confirmed": False,
        "cause": "hung-up",
        "reason": "",
    },
    SystemMail.RECEIPT: {
        "recipient": "Cora <b>Curie</b>",
        "errand": "forward",
        "when": WRITTEN,
        "delivered": WRITTEN,
        "outside": True,
    },
    SystemMail.INFORMATION: {
        "mailbox_number": "+49 30 555101",
        "telephone": True,
        "messages": True,
        "login_number": "",
        "login_key": "*",
        "lamp": True,
        "transfers": True,
        "portal": "https://voicemail.example.org/",
        "guide": True,
        "closing": ["Ihre IT"],
    },
    SystemMail.NEW_MESSAGES: {"voice": 2, "fax": 1, "text": 0, "urgent": 1, "login": "8000"},
    SystemMail.TRANSCRIPT: {
        "caller_name": "Jörg",
        "caller_number": "+49 89 123456",
        "when": WRITTEN,
        "transcript": Transcript((Passage("Bis <b>später</b>."), Passage("Tschüss", False)), "de"),
        "in_reply_to": "<abc@example.org>",
    },
}
THREAD = {"In-Reply-To": "<abc@example.org>", "References": "<abc@example.org>"}
each_mail = pytest.mark.parametrize("mail", list(SystemMail))
each_language = pytest.mark.parametrize("code", languages())


def a_guide(language: str, messages: bool) -> bytes:
    return f"%PDF {language} {messages}".encode()


WRITER = SystemMailWriter(
    MailTemplates(shared_files() / "templates"),
    Sender("voicemail@example.org", "Voicemail – Beispiel"),
    SITE,
    a_guide,
)


def raw(mail: SystemMail, user: User = ANNA, **values: object) -> bytes:
    return WRITER(
        mail, user, {**VALUES[mail], **values}, message_id="<1@example.org>", written=WRITTEN
    )


def parsed(content: bytes) -> EmailMessage:
    message = BytesParser(policy=email.policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    assert not [part.defects for part in message.walk() if part.defects]
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def written(mail: SystemMail, user: User = ANNA, **values: object) -> tuple[str, str]:
    """Plain text and HTML."""
    message = parsed(raw(mail, user, **values))
    return body(message, "plain"), body(message, "html")


def shown(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


@each_mail
def test_a_mail_is_one_of_a_machine_and_no_voice_message(mail: SystemMail) -> None:
    content = raw(mail)
    message = parsed(content)
    assert {name: str(message[name]) for name in message if name != "Content-Type"} == {
        "From": "Voicemail – Beispiel <voicemail@example.org>",
        "To": "Anna Größe <anna@example.org>",
        "Subject": str(message["Subject"]),
        "Date": "Sun, 22 Nov 2026 04:00:00 +0100",
        "Message-ID": "<1@example.org>",
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Message-Context": "text-message",
        **(THREAD if mail is SystemMail.TRANSCRIPT else {}),
    }
    assert summary_of(content, [b"key"]).kind is MessageKind.MAIL
    assert summary_of(content).kind is MessageKind.MAIL
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 200
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_the_guide_is_attached_in_the_users_language() -> None:
    message = parsed(raw(SystemMail.WELCOME))
    assert message.get_content_type() == "multipart/mixed"
    [attached] = message.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == "voicemail-de.pdf"
    assert attached.get_content() == a_guide("de", True)
    without = parsed(raw(SystemMail.WELCOME, guide=False))
    assert without.get_content_type() == "multipart/alternative"


@each_language
@each_mail
def test_every_mail_is_written_in_every_language(mail: SystemMail, code: str) -> None:
    texts = [written(mail, User("a", "Anna", "101", (), "a@x.org", one)) for one in (code, "xx")]
    if code != "en":
        assert texts[0] != texts[1]
    for plain, html in texts:
        assert f'lang="{code}"' in html or 'lang="en"' in html
        assert "{" not in plain
        assert "Anna" in plain
        assert "Anna" in html


@pytest.mark.parametrize(
    ("values", "there", "missing"),
    [
        ({}, (PIN, "+49 30 555101", "Taste *", "hängt"), ("Portal", "erste Anmeldung")),
        ({"pin": "", "telephone": False, "guide": False}, ("555101",), (PIN, "PIN", "anhängt")),
        ({"one_time": True}, ("erste Anmeldung",), ()),
        ({"login_number": "555 199"}, ("Wählen Sie 555 199.",), ("Taste *",)),
        ({"messages": False}, ("Begrüßungen",), ("Hören Sie Ihre Nachrichten",)),
        ({"link": "portal", "address": "https://vm.x/"}, ("Portal", "https://vm.x/"), ()),
        (
            {"link": "imap-password", "address": "https://vm.x/p"},
            ("E-Mail-Passwort", "https://vm.x/p"),
            ("Portal",),
        ),
        ({"closing": ["Ihre IT", "hilft."]}, ("Ihre IT", "hilft."), ()),
    ],
)
def test_the_welcome_mail_says_what_the_user_may_and_nothing_else(
    values: dict[str, object], there: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    plain, html = written(SystemMail.WELCOME, ANNA, **values)
    for text in (plain, shown(html)):
        for part in there:
            assert part in text
        for part in missing:
            assert part not in text


@pytest.mark.parametrize(
    ("confirmed", "words"), [(True, "mit einer Taste bestätigt"), (False, "Anrufbeantworter")]
)
def test_a_sender_learns_whether_it_may_have_been_a_machine(confirmed: bool, words: str) -> None:
    heard = written(SystemMail.SPOKEN_REPORT, state="heard", cause="", confirmed=confirmed)
    for text in heard:
        assert words in text
        assert ("Anrufbeantworter" in text) is not confirmed


def test_moments_are_written_in_the_users_words_and_time() -> None:
    plain, html = written(SystemMail.LOGIN_LOCKED)
    assert "22. November 2026" in plain
    assert "04:00" in plain
    assert "5-mal" in shown(html)
    assert "noch einen Tag" in written(SystemMail.PIN_REMINDER, days=1)[0]
    assert "nicht mehr anmelden" in written(SystemMail.PIN_REMINDER, prevented=True)[0]


def test_styles_are_where_mail_programs_look() -> None:
    html = written(SystemMail.WELCOME)[1]
    assert html.count('style="') > 10
    [style] = re.findall("<style>(.*?)</style>", html, re.DOTALL)
    assert style.strip().startswith("@media (prefers-color-scheme: dark)")
    assert not re.findall(r"""(?:src|href)=["']?(?!mailto:)http""", html), "nothing is loaded"


HOSTILE = st.text(max_size=300) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "{{ 7 * 7 }}{% include 'x' %}",
        "Anna\r\nBcc: eve@example.org",
        '"Anna" <eve@example.org>, ',
        "=?utf-8?q?Anna?=",
        "\u202eannA\u0000",
        "x" * 5000,
    ]
)


@settings(max_examples=60, deadline=None)
@given(name=HOSTILE, mailbox=HOSTILE, mail=HOSTILE, closing=HOSTILE)
def test_whatever_a_user_is_called_the_mail_is_one(
    name: str, mailbox: str, mail: str, closing: str
) -> None:
    user = User("x", name, mailbox, (), mail, "de")
    content = raw(SystemMail.WELCOME, user, closing=[closing])
    message = parsed(content)
    assert message["Bcc"] is None
    assert len(message["To"].addresses) <= 1
    assert "49" not in str(message["Subject"]).replace("+49", "")
    assert not re.search(r"<script|<img", body(message, "html"))


@each_mail
def test_a_value_that_is_missing_is_an_error(mail: SystemMail) -> None:
    with pytest.raises(Exception, match="is undefined"):
        WRITER(mail, ANNA, {}, message_id="<1@x>", written=WRITTEN)


def test_a_site_can_do_no_harm_with_a_template(tmp_path: Path) -> None:
    folder = tmp_path / "login-locked" / "en"
    folder.mkdir(parents=True)
    for part in ("subject.txt", "body.txt", "body.html"):
        (folder / part).write_text("{{ name.__class__.__mro__[1].__subclasses__() }}")
    writer = SystemMailWriter(MailTemplates(tmp_path), Sender("v@x.org"), SITE)
    with pytest.raises(Exception, match="unsafe"):
        writer(SystemMail.LOGIN_LOCKED, ANNA, {}, message_id="<1@x>", written=WRITTEN)


@pytest.mark.parametrize("address", ["", "voicemail", "a@b\r\nBcc: c@d"])
def test_a_sender_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadSender, match="is not a mail address"):
        SystemMailWriter(MailTemplates(shared_files() / "templates"), Sender(address), SITE)


def test_a_user_without_an_address_or_time_zone_gets_a_mail() -> None:
    user = User("x", "", "101", (), "", "de", "Mars/Olympus")
    message = parsed(raw(SystemMail.WELCOME, user))
    assert "undisclosed-recipients" in str(message["To"])
    assert str(message["Date"]).endswith("+0000")
    assert body(message, "plain").splitlines()[0] == "Guten Tag"


@each_language
def test_whatever_has_ended_and_is_heard_has_words(code: str) -> None:
    user = replace(ANNA, language=code)
    profiles = [{"ended": one, "is_profile": True} for one in ProfileName]
    greetings = [{"ended": one, "is_profile": False} for one in (*ProfileName, "name")]
    heard = [{"hears": one} for one in ("own", "name", "global", "default")]
    for how in (*profiles, *greetings, *heard):
        plain, html = written(SystemMail.GREETING_ENDED, user, **how)
        assert ("(de, en)" in plain) is not how.get("is_profile", False)
        assert "4:00" in shown(html)
