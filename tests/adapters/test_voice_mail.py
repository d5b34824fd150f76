"""The mail with a voice message: what the reader sees, and that no caller can break it."""

import re
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import jinja2
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.sample_mail import (
    ANNA,
    FACTS,
    JANE,
    KEY,
    SENDER,
    TEMPLATES,
    from_caller,
    parsed,
    recorded,
    text_of,
    urgent,
    written,
)
from vm_ari.adapters.mail_reading import audio_attachment, display_name, parse_headers
from vm_ari.adapters.mail_summary import summary_of
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import compose
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.messages import MessageKind, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> VoiceMessage:
    return recorded(tmp_path_factory.mktemp("voice"))


# --- What the reader sees


def test_a_german_mail(voice: VoiceMessage) -> None:
    mail = parsed(written(voice))
    assert mail["From"].addresses == (Address("Müller, Jörg", addr_spec=SENDER),)
    assert mail["To"].addresses == (Address("Anna Größe", addr_spec="anna@example.org"),)
    assert mail["Subject"] == "Sprachnachricht von Müller, Jörg (+49 89 123456), 1:17 min"
    for subtype in ("plain", "html"):
        text = text_of(mail, subtype)
        for expected in (
            "Müller, Jörg",
            "+49 89 123456",
            "Sonntag, 29. März 2026, 01:59 Uhr",
            "MEZ",
            "1 Minute 17 Sekunden",
            "Anna Größe, Mailbox 101",
        ):
            assert expected in text


def test_an_english_mail_in_the_users_time_zone(voice: VoiceMessage) -> None:
    mail = parsed(written(from_caller(voice, "", "+4930555102"), JANE))
    assert mail["Subject"] == "Voice message from 102, 1:17 min"
    assert mail["Date"] == "Sat, 28 Mar 2026 20:59:30 -0400"
    assert mail["From"].addresses[0].display_name == "102"
    assert "Saturday, March 28, 2026, 8:59\u202fPM" in text_of(mail)
    assert "1 minute 17 seconds" in text_of(mail)


@pytest.mark.parametrize(("user", "words"), [(ANNA, "unbekannt"), (JANE, "unknown caller")])
def test_a_caller_who_is_not_known(voice: VoiceMessage, user: User, words: str) -> None:
    mail = parsed(written(from_caller(voice, ""), user))
    for text in (mail["Subject"], mail["From"], text_of(mail), text_of(mail, "html")):
        assert words in text.lower()


def test_urgency_is_seen_everywhere(voice: VoiceMessage) -> None:
    mail = parsed(written(urgent(voice)))
    assert mail["Subject"].startswith("Dringend: ")
    assert (mail["Importance"], mail["X-Priority"]) == ("high", "1 (Highest)")
    assert "DRINGEND" in text_of(mail)
    assert "Dringend" in text_of(mail, "html")
    quiet = written(voice)
    for mark in (b"Importance", b"X-Priority", b"ringend", b"DRINGEND"):
        assert mark not in quiet


def test_a_cut_recording_is_said_to_be_one(voice: VoiceMessage) -> None:
    assert "fault" not in text_of(parsed(written(voice, JANE)))
    cut = parsed(written(replace(voice, partial=True), JANE))
    assert "cut short by a technical fault" in text_of(cut)
    assert "cut short by a technical fault" in text_of(cut, "html")
    assert cut["X-VM-ARI-Partial"] == "yes"


def test_the_number_that_was_called_is_named_if_it_is_another(voice: VoiceMessage) -> None:
    other = replace(voice, facts=replace(voice.facts, called="+4930555900"))
    assert "called as 900" in text_of(parsed(written(other, JANE)))
    assert "called as" not in text_of(parsed(written(voice, JANE)))


@pytest.mark.parametrize(
    ("seconds", "words", "clock"),
    [
        (0, "0 seconds", "0:00"),
        (1, "1 second", "0:01"),
        (60, "1 minute", "1:00"),
        (125.4, "2 minutes 5 seconds", "2:05"),
        (-3, "0 seconds", "0:00"),
        (float("nan"), "0 seconds", "0:00"),
        (float("inf"), "0 seconds", "0:00"),
    ],
)
def test_lengths(voice: VoiceMessage, seconds: float, words: str, clock: str) -> None:
    mail = parsed(written(replace(voice, seconds=seconds), JANE))
    assert f"Duration: {words}\n" in text_of(mail)
    assert f", {clock} min" in mail["Subject"]


def test_the_number_in_the_html_can_be_dialled(voice: VoiceMessage) -> None:
    assert 'href="tel:+4989123456"' in text_of(parsed(written(voice)), "html")
    assert "tel:" not in text_of(parsed(written(from_caller(voice, "x", "1234"))), "html")


@pytest.mark.parametrize("language", ["tlh", "", "../de", "de/../de", "zz\0", "x" * 999])
def test_an_unknown_language_is_english(voice: VoiceMessage, language: str) -> None:
    mail = parsed(written(voice, replace(ANNA, language=language)))
    assert "You have a new voice message" in text_of(mail)


@pytest.mark.parametrize("language", ["de", "de-AT", "de_CH", "DE"])
def test_a_regional_language_is_its_language(voice: VoiceMessage, language: str) -> None:
    assert "Dauer" in text_of(parsed(written(voice, replace(ANNA, language=language))))


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "/etc/localtime", "\0"])
def test_an_unknown_time_zone_is_utc(voice: VoiceMessage, zone: str) -> None:
    mail = parsed(written(voice, replace(JANE, time_zone=zone)))
    assert mail["Date"] == "Sun, 29 Mar 2026 00:59:30 +0000"
    assert "UTC" in text_of(mail)


# --- What programs see


def test_the_header_says_what_it_is(voice: VoiceMessage) -> None:
    mail = parsed(written(voice))
    expected = {
        "Message-ID": FACTS.message_id,
        "Date": "Sun, 29 Mar 2026 01:59:30 +0100",
        "MIME-Version": "1.0",
        "Auto-Submitted": "auto-generated",
        "Message-Context": "voice-message",
        "Content-Duration": "77",
        "Content-Class": "voice-ca",
        "X-CallingTelephoneNumber": "+4989123456",
        "X-VoiceMessageSenderName": "Müller, Jörg",
        "X-VoiceMessageDuration": "77",
        "X-VM-ARI-Call-ID": "1700000000.1",
        "X-VM-ARI-Caller": "+4989123456",
        "X-VM-ARI-Called": "+4930555101",
        "X-VM-ARI-Mailbox": "101",
        "X-VM-ARI-Duration": "77.4",
        "X-VM-ARI-Partial": "no",
        "X-VM-ARI-Urgent": "no",
    }
    assert {name: mail[name] for name in expected} == expected


def test_the_recording_is_attached_under_a_good_name(voice: VoiceMessage) -> None:
    mail = parsed(written(voice))
    [audio] = mail.iter_attachments()
    assert audio.get_content() == Path(voice.audio).read_bytes()
    assert audio.get_filename() == "voicemail-2026-03-29-0159-+4989123456.wav"
    assert audio.get_content_disposition() == "attachment"
    assert audio.get_content_maintype() == "audio"
    assert audio["Content-Duration"] == "77"
    assert mail["X-AttachmentOrder"] == audio.get_filename()


@pytest.mark.parametrize(
    ("audio_format", "suffix", "kind"),
    [
        ("mp3", ".mp3", "audio/mpeg"),
        ("opus", ".ogg", "audio/ogg"),
        ("wav49", ".wav", "audio/x-wav"),
    ],
)
def test_the_recording_in_another_format(
    voice: VoiceMessage, tmp_path: Path, audio_format: str, suffix: str, kind: str
) -> None:
    [audio] = parsed(written(voice, audio_format=audio_format)).iter_attachments()
    assert (audio.get_content_type(), Path(str(audio.get_filename())).suffix) == (kind, suffix)
    (tmp_path / "a").write_bytes(audio.get_content())
    assert soundfile.info(tmp_path / "a").duration == pytest.approx(0.5, abs=0.1)


def test_a_recording_that_cannot_be_converted_goes_as_it_is(
    voice: VoiceMessage, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF, but no more")
    [audio] = parsed(
        written(replace(voice, audio=str(broken)), audio_format="mp3")
    ).iter_attachments()
    assert audio.get_content() == b"RIFF, but no more"
    assert str(audio.get_filename()).endswith(".wav")


def test_lines_end_in_crlf_and_are_short(voice: VoiceMessage) -> None:
    mail = written(from_caller(voice, "ü" * 60, "+4989123456"))
    assert b"\n" not in mail.replace(b"\r\n", b"")
    assert b"\r" not in mail.replace(b"\r\n", b"")
    assert max(map(len, mail.split(b"\r\n"))) <= 200
    assert mail.isascii()


def test_a_missing_recording_is_an_os_error(voice: VoiceMessage) -> None:
    for plain in (False, True):
        with pytest.raises(FileNotFoundError):
            written(replace(voice, audio="/nonexistent/x.wav"), plain=plain)


def test_a_template_that_asks_for_too_much_is_an_error(voice: VoiceMessage, tmp_path: Path) -> None:
    folder = tmp_path / "voice-message" / "en"
    folder.mkdir(parents=True)
    for part in ("from.txt", "subject.txt", "body.txt", "body.html"):
        (folder / part).write_text("{{ pin }}")
    templates, site = MailTemplates(tmp_path), Site()
    with pytest.raises(jinja2.UndefinedError):
        compose(voice, JANE, sender=SENDER, templates=templates, site=site)
    assert compose(voice, JANE, sender=SENDER, templates=templates, site=site, plain=True)
    (folder / "body.txt").write_text("{{ ''.__class__.__mro__ }}")
    with pytest.raises(jinja2.TemplateError):
        compose(voice, JANE, sender=SENDER, templates=templates, site=site)


# --- Hostile callers (and directory values)

NASTY = (
    "x\r\nBcc: all@example.org",
    "x\n\nbody",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a@b.c, d@e.f",
    '"; <evil@example.org>',
    "=?utf-8?q?=0D=0ABcc:_x?=",
    "\u202etxt.exe",
    "\ud800",
    "\0",
    "{{ 7*7 }}",
    "(" * 2000,
    "ü, " * 700,
    "--=_vm-ari-1--",
    "\\",
    '"',
)
NAMES = st.sampled_from(NASTY) | st.text() | st.text(st.sampled_from('ü ,;<>@"\\\r\n=?()'))
NUMBERS = NAMES | st.from_regex(r"\+?[0-9]{1,30}", fullmatch=True)
ALLOWED_HEADERS = {
    name.lower()
    for name in parse_headers(
        compose(
            VoiceMessage(replace(FACTS, urgent=True), __file__, 1.0),
            ANNA,
            sender=SENDER,
            templates=TEMPLATES,
            site=Site(),
            key=KEY,
        )
    )
}


def assert_unharmed(mail: bytes, voice: VoiceMessage) -> EmailMessage:
    """One of each header, none that is not ours, one sender, the audio whole."""
    message = parsed(mail)
    names = [name.lower() for name in message]
    assert len(names) == len(set(names))
    assert set(names) <= ALLOWED_HEADERS
    assert [a.addr_spec for a in message["From"].addresses] == [SENDER]
    assert [part.get_content_type() for part in message.walk()].count("audio/x-wav") == 1
    assert audio_attachment(mail) == Path(voice.audio).read_bytes()
    return message


@settings(max_examples=60, deadline=None)
@given(name=NAMES, number=NUMBERS, called=NUMBERS, urgent=st.booleans())
def test_no_caller_breaks_the_mail(
    voice: VoiceMessage, name: str, number: str, called: str, urgent: bool
) -> None:
    facts = replace(
        FACTS, caller=Caller(number, name), called=called, channel_id=name, urgent=urgent
    )
    hostile = replace(voice, facts=facts)
    mail = written(hostile)
    message = assert_unharmed(mail, hostile)
    shown = printable(name)
    assert not shown or display_name(parse_headers(mail)["from"]) == shown
    assert set(re.findall(r"<(\w+)", text_of(message, "html"))) <= HTML_TAGS
    assert shown in text_of(message)
    plain = written(hostile, plain=True)
    assert_unharmed(plain, hostile)
    for summary in (summary_of(mail, [KEY]), summary_of(plain, [KEY])):
        assert summary.genuine
        assert summary.kind is MessageKind.VOICE
        assert summary.caller.name == shown


HTML_TAGS = {
    tag
    for name in ("message.html", "message_parts.html", "voice-message/en/body.html")
    for tag in re.findall(r"<(\w+)", (TEMPLATES._root / name).read_text())
}


@settings(max_examples=30, deadline=None)
@given(name=NAMES, mailbox=NAMES, address=NAMES, language=NAMES, zone=NAMES)
def test_no_directory_value_breaks_it_either(
    voice: VoiceMessage, name: str, mailbox: str, address: str, language: str, zone: str
) -> None:
    user = User("x", name, mailbox, (), address, language, zone)
    for plain in (False, True):
        message = assert_unharmed(written(voice, user, plain=plain), voice)
        assert len(message["To"].addresses) <= 1


def test_the_sender_must_be_an_address_but_the_plain_mail_gets_through(
    voice: VoiceMessage,
) -> None:
    for sender in ("", "Voicemail <x@example.org>", "a@b\r\nBcc: c@d", "ü@example.org"):
        with pytest.raises(ValueError, match="sender"):
            compose(voice, ANNA, sender=sender, templates=TEMPLATES, site=Site())
        mail = compose(voice, ANNA, sender=sender, templates=TEMPLATES, site=Site(), plain=True)
        assert parsed(mail)["From"] == "voicemail@localhost"


def test_an_internationalised_domain_is_written_in_ascii(voice: VoiceMessage) -> None:
    mail = parsed(written(voice, replace(ANNA, mail="anna@müller.example")))
    assert mail["To"].addresses[0].addr_spec == "anna@xn--mller-kva.example"
    mail = parsed(written(voice, replace(ANNA, mail="anna@größe.example")))
    assert mail["To"].addresses == ()


def test_the_site_may_bring_templates_of_other_languages(tmp_path: Path) -> None:
    for language in ("fr", "it"):
        (tmp_path / "m" / language).mkdir(parents=True)
        (tmp_path / "m" / language / "a.html").write_text(language + " {{ x }}")
    templates = MailTemplates(tmp_path)
    assert templates.render("m", "it", "a.html", {"x": "<"}) == "it &lt;"
    assert templates.language("m", "en") == "fr"
    assert templates.render("m", "fr-CA", "a.html", {"x": 1}) == "fr 1"
