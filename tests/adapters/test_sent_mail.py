"""Mails that users send by telephone: they parse back, and nothing quoted can break them."""

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.sample_mail import ANNA, FACTS, JANE, KEY, SENDER, TEMPLATES, parsed, text_of
from tests.recordings import spoken, wav
from vm_ari.adapters.mail_reading import audio_attachment
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.sent_mail import Document, SentMailWriter
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import MessageKind, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import Colleague, Errand, Quoted, Sending
from vm_ari.domain.users import User

BERT = Caller("+4930555102", "Bert Größe")
WRITER = SentMailWriter(SENDER, TEMPLATES, Site(base_number="+4930555"), key=KEY)
QUOTED = Quoted(Caller("+4989123456", "Müller, Jörg"), datetime(2026, 3, 1, 8, 15, tzinfo=UTC))
LETTER = (
    b"From: dora@elsewhere.example\r\nSubject: AW: Re: Angebot\r\n"
    b"Message-ID: <first@elsewhere.example>\r\n\r\nHello\r\n"
)


def message(
    directory: Path,
    errand: Errand,
    *,
    kind: MessageKind | None = None,
    original: bytes = b"",
    words: bool = True,
    reply_to: str = "bert@example.org",
) -> VoiceMessage:
    """What Bert sends to Anna."""
    sending = Sending(
        errand, "bert", (Colleague("anna"),), kind, QUOTED if kind else None, reply_to, "whole"
    )
    audio, beside = directory / "audio.wav", directory / "original"
    audio.write_bytes(wav(spoken(0.5)))
    beside.write_bytes(original)
    facts = replace(FACTS, caller=BERT, called="", sending=sending)
    path = str(audio) if words else ""
    return VoiceMessage(facts, path, 12.2 * words, original=str(beside) if original else "")


def written(one: VoiceMessage, user: User = ANNA) -> EmailMessage:
    return parsed(WRITER(one, user, plain=False))


def test_a_new_message_in_the_language_of_who_gets_it(tmp_path: Path) -> None:
    mail = written(message(tmp_path, Errand.MESSAGE))
    assert mail["Subject"] == "Sprachnachricht von Bert Größe (102), 0:12 min"
    assert mail["From"].addresses[0].display_name == "Bert Größe (102)"
    assert mail["Reply-To"] == "bert@example.org"
    assert "hat für Sie eine Sprachnachricht aufgenommen" in text_of(mail)
    assert "12 Sekunden" in text_of(mail, "html")


def test_a_colleague_hears_it_as_a_voice_message_that_we_vouch_for(tmp_path: Path) -> None:
    raw = WRITER(message(tmp_path, Errand.MESSAGE), ANNA, plain=False)
    summary = summary_of(raw, [KEY])
    assert (summary.kind, summary.caller, summary.genuine) == (MessageKind.VOICE, BERT, True)
    assert audio_attachment(raw) == wav(spoken(0.5))


def test_a_forwarded_voice_message_says_whose_it_was(tmp_path: Path) -> None:
    audio = wav(spoken(1))
    one = message(tmp_path, Errand.FORWARD, kind=MessageKind.VOICE, original=audio)
    mail = written(one, JANE)
    assert mail["Subject"] == "Fwd: Voice message from Müller, Jörg (+49 89 123456), 0:12 min"
    assert "Originally from: Müller, Jörg (+49 89 123456)" in text_of(mail)
    assert "Sunday, March 1, 2026" in text_of(mail)
    spoken_part, forwarded = mail.iter_attachments()
    assert spoken_part.get_content() == wav(spoken(0.5))
    assert (forwarded.get_filename(), forwarded.get_content()) == ("forwarded.wav", audio)


def test_an_answer_belongs_to_what_it_answers(tmp_path: Path) -> None:
    mail = written(message(tmp_path, Errand.REPLY, kind=MessageKind.MAIL, original=LETTER))
    assert mail["Subject"] == "Re: Angebot"
    assert mail["In-Reply-To"] == mail["References"] == "<first@elsewhere.example>"
    assert "antwortet Ihnen mit einer Sprachnachricht" in text_of(mail)
    assert len(list(mail.iter_attachments())) == 1


def test_a_mail_forwarded_without_a_word_is_a_mail(tmp_path: Path) -> None:
    one = message(tmp_path, Errand.FORWARD, kind=MessageKind.MAIL, original=LETTER, words=False)
    raw = WRITER(one, ANNA, plain=False)
    assert summary_of(raw, [KEY]).kind is MessageKind.MAIL
    mail = parsed(raw)
    assert mail["Subject"] == "Fwd: AW: Re: Angebot"
    assert mail["Auto-Submitted"] is None  # it can be answered
    assert "leitet Ihnen eine E-Mail weiter" in text_of(mail)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"plain\r\n", "message/rfc822"),
        (b"no end", "message/rfc822"),
        (b"Gr\xc3\xbc\xc3\x9fe\r\n", "application/octet-stream"),
        (b"x" * 999 + b"\r\n", "application/octet-stream"),
        (b"bare\rreturn\r\n", "application/octet-stream"),
        (b"nothing\0\r\n", "application/octet-stream"),
    ],
)
def test_a_mail_that_not_every_line_carries_is_wrapped(
    tmp_path: Path, body: bytes, kind: str
) -> None:
    original = LETTER + body
    one = message(tmp_path, Errand.FORWARD, kind=MessageKind.MAIL, original=original, words=False)
    raw = WRITER(one, ANNA, plain=False)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    [attached] = parsed(raw).iter_attachments()
    assert attached.get_content_type() == kind
    if kind == "application/octet-stream":
        assert attached.get_content() == original


def test_our_own_mail_can_be_forwarded_again_and_again(tmp_path: Path) -> None:
    mail = LETTER
    for _ in range(4):
        one = message(tmp_path, Errand.FORWARD, kind=MessageKind.MAIL, original=mail)
        mail = WRITER(one, ANNA, plain=False)
    for _ in range(4):
        _, inner = parsed(mail).iter_attachments()
        mail = inner.get_content().as_bytes().replace(b"\n", b"\r\n")
    assert mail == LETTER


def test_what_leaves_the_house_tells_nothing_about_it(tmp_path: Path) -> None:
    one = message(tmp_path, Errand.MESSAGE)
    mail = parsed(WRITER.outside(one, JANE, "dora@elsewhere.example"))
    assert (mail["To"], mail["Reply-To"]) == ("dora@elsewhere.example", "bert@example.org")
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["Message-Context"] == "voice-message"
    for name in mail:
        assert not name.lower().startswith(("x-vm-ari", "x-calling", "content-class")), name
    own = parsed(replace(WRITER, from_user=True).outside(one, JANE, "dora@elsewhere.example"))
    assert own["From"].addresses[0].addr_spec == "bert@example.org"


def test_a_fax_is_its_documents(tmp_path: Path) -> None:
    one = message(tmp_path, Errand.FORWARD, kind=MessageKind.FAX, original=LETTER)
    pdf = Document(b"%PDF-1.4", "application/pdf", "fax-1.pdf")
    mail = parsed(WRITER.outside(one, ANNA, "+4930@fax.example.org", [pdf]))
    [attached] = mail.iter_attachments()
    assert (attached.get_content_type(), attached.get_content()) == (
        "application/pdf",
        b"%PDF-1.4",
    )
    assert mail["Message-Context"] == "fax-message"


@pytest.mark.parametrize("words", [True, False])
def test_the_last_resort_uses_no_template(tmp_path: Path, words: bool) -> None:
    one = message(tmp_path, Errand.FORWARD, kind=MessageKind.MAIL, original=LETTER, words=words)
    broken = replace(WRITER, templates=type(TEMPLATES)(tmp_path / "none"))
    with pytest.raises(OSError, match="none"):
        broken(one, ANNA, plain=False)
    mail = parsed(broken(one, ANNA, plain=True))
    kind = "audio" if words else "message"
    assert [part.get_content_maintype() for part in mail.iter_attachments()] == [kind]


HOSTILE = st.text(max_size=120) | st.sampled_from(
    [
        "x\r\nBcc: all@example.org",
        "=?utf-8?b?DQpCY2M6IGFsbEBleGFtcGxlLm9yZw==?=",
        '"<evil@example.org>" <',
        "a" * 5000,
        "\u202egnp.exe",
    ]
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, st.sampled_from([Errand.REPLY, Errand.FORWARD]))
def test_nothing_that_is_quoted_adds_a_line_or_an_address(
    tmp_path: Path, subject: str, name: str, message_id: str, reply_to: str, errand: Errand
) -> None:
    head = f"Subject: {subject}\r\nMessage-ID: {message_id}\r\nReferences: {subject}\r\n\r\nx\r\n"
    one = message(
        tmp_path,
        errand,
        kind=MessageKind.MAIL,
        original=head.encode("utf-8", "replace"),
        reply_to=reply_to,
    )
    one = replace(one, facts=replace(one.facts, caller=Caller("+4930555102", name)))
    for raw in (
        WRITER(one, ANNA, plain=False),
        WRITER.outside(one, ANNA, "dora@elsewhere.example"),
    ):
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        mail = parsed(raw)
        assert "bcc" not in {field.lower() for field in mail}
        for field in ("From", "To", "Reply-To"):
            assert len(mail[field].addresses if mail[field] else ()) <= 1
        assert mail["From"].addresses[0].addr_spec == SENDER
