"""Mail in the store, ours and anybody's: what it is recognised as, and what it cannot do to us."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.sample_mail import (
    FACTS,
    KEY,
    from_caller,
    recorded,
    urgent,
    written,
)
from vm_ari.adapters.mail_reading import (
    HEADER_LIMIT,
    audio_attachment,
    decoded,
    display_name,
)
from vm_ari.adapters.mail_summary import Summary, summary_of
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import MessageKind, VoiceMessage


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> VoiceMessage:
    return recorded(tmp_path_factory.mktemp("voice"))


@pytest.mark.parametrize("plain", [False, True])
def test_our_own_mail_is_recognised(voice: VoiceMessage, plain: bool) -> None:
    summary = summary_of(written(urgent(voice), plain=plain), [KEY])
    assert summary == Summary(
        kind=MessageKind.VOICE,
        sent=FACTS.started,
        caller=FACTS.caller,
        seconds=77.4,
        urgent=True,
        partial=False,
        genuine=True,
    )


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Message-Context: Voice-Message", "voice"),
        ("Message-Context: fax-message", "fax"),
        ("Message-Context: text-message\nContent-Class: voice", "mail"),
        ("Content-Class: voice-uc", "voice"),
        ("content-class:  FAX-CA", "fax"),
        ('Content-Type: Multipart/Voice-Message;\n boundary="x"', "voice"),
        ("X-Asterisk-VM-Extension: 101", "voice"),
        ("X-VM-ARI-Duration: 3.0", "voice"),
        ("X-VoiceMessageDuration: 35\nX-CallingTelephoneNumber: IPM.Note", "mail"),
        ("Subject: Message-Context: voice-message", "mail"),
        ("Subject: x\n Message-Context: voice-message", "mail"),
        ("X: y\n\nMessage-Context: voice-message", "mail"),
        ("\nMessage-Context: voice-message", "mail"),
        ("", "mail"),
    ],
)
def test_kinds_by_standard_fields(header: str, kind: str) -> None:
    for line_end in ("\n", "\r\n"):
        mail = (header + "\n\nbody").replace("\n", line_end).encode()
        assert summary_of(mail).kind is MessageKind(kind)


def test_a_message_of_asterisk_itself() -> None:
    mail = (
        b"From: Asterisk PBX <asterisk@pbx>\nX-Asterisk-VM-Extension: 101\n"
        b"X-Asterisk-VM-Caller-ID-Num: 0301234\nX-Asterisk-VM-Caller-ID-Name: Joe\n"
        b"X-Asterisk-VM-Duration: 12\nDate: Fri, 21 Nov 2025 14:35:00 +0100\n\n"
    )
    summary = summary_of(mail)
    assert summary.caller == Caller("0301234", "Joe")
    assert summary.seconds == 12
    assert summary.sent == datetime(2025, 11, 21, 13, 35, tzinfo=UTC)


def test_a_forged_mail_gives_no_number(voice: VoiceMessage) -> None:
    forged = written(from_caller(voice, "Bank", "+49900123456"), key=None)
    forged = re.sub(rb"X-(CallingTele|VoiceMessageSender)[^\r]*\r\n", b"", forged)
    for mail in (
        forged,
        forged.replace(b"X-VM-ARI-Partial", b"X-VM-ARI-Signature: 00\r\nX-VM-ARI-Partial"),
        written(voice, key=b"another"),
        written(voice).replace(b"X-VM-ARI-Caller: +49", b"X-VM-ARI-Caller: +43"),
        written(voice).replace(FACTS.message_id.encode(), b"<other@pbx.example>"),
    ):
        summary = summary_of(mail.replace(b"X-CallingTelephoneNumber", b"X-Other"), [KEY])
        assert (summary.genuine, summary.caller.number) == (False, "")
        assert summary.kind is MessageKind.VOICE
    assert summary_of(written(voice), [b"newer", KEY]).genuine


def test_signed_fields_survive_folding_by_mail_servers(voice: VoiceMessage) -> None:
    long_name = from_caller(voice, "Ünï" * 20, "+4989123456")
    mail = written(long_name).replace(b"\r\n", b"\n")
    assert summary_of(mail, [KEY]).genuine


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300)
    | st.text().map(lambda text: f"From: {text}\nDate: {text}".encode("utf-8", "replace"))
)
def test_no_mail_breaks_the_recognition(mail: bytes) -> None:
    assert summary_of(mail).kind in MessageKind
    audio_attachment(mail)


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 99999 00:00:00 +0000", "1 Jan 2026 00:00 +99999", "x", "Mon, 1 Jan 0000"]
)
def test_senseless_dates_are_none(date: str) -> None:
    assert summary_of(f"Date: {date}\n\n".encode()).sent is None


def test_dates_have_a_zone() -> None:
    for zone, offset in (("-0000", 0), ("+0200", 2), ("", 0)):
        sent = summary_of(f"Date: 1 Jan 2026 12:00:00 {zone}\n\n".encode()).sent
        assert sent == datetime(2026, 1, 1, 12, tzinfo=UTC) - timedelta(hours=offset)


ATTACKS = {
    "encoded words": b"Subject: " + b"=?utf-8?q?x?= " * 16_000,
    "comments": b"From: " + b"(" * 100_000,
    "one line": b"From: " + b"x" * 5_000_000,
    "many lines": b"A: b\n" * 1_000_000,
    "folds": b"A: b\n" + b" \n" * 500_000,
    "multiparts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(2000)
    ),
    "boundaries": b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 500_000,
    "parameters": b"Content-Type: multipart/mixed" + b"; a=b" * 200_000,
    "quotes": b"Content-Type: audio/wav" + b';"' * 200_000,
    "base64": b"Content-Type: audio/wav\nContent-Transfer-Encoding: base64\n\n" + b"=" * 1_000_000,
    "huge": b"Content-Type: audio/wav\n\n" + bytes(33 * 1024 * 1024),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_cost_nothing(attack: str) -> None:
    mail = ATTACKS[attack]
    started = datetime.now(UTC)
    summary_of(mail, [KEY])
    audio_attachment(mail)
    assert datetime.now(UTC) - started < timedelta(seconds=2)


def test_only_the_start_is_looked_at() -> None:
    late = b"A: b\n" * (HEADER_LIMIT // 5) + b"Message-Context: voice-message\n\n"
    assert summary_of(late).kind is MessageKind.MAIL


def test_a_cut_header_is_read_as_far_as_it_goes(voice: VoiceMessage) -> None:
    mail = written(voice)
    for length in range(0, 1500, 7):
        summary_of(mail[:length], [KEY])


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("Eve <eve@example.org>", "Eve"),
        ('"Doe, Jane" <j@x>', "Doe, Jane"),
        ('"a \\"b\\" c" <j@x>', 'a "b" c'),
        ("=?utf-8?q?J=C3=B6rg?= <j@x>", "Jörg"),
        ("=?utf-8?q?J=C3=B6?= =?utf-8?q?rg?= <j@x>", "Jörg"),
        ("=?iso-8859-1?q?J=F6rg?= <j@x>", "Jörg"),
        ("<eve@example.org>", "eve@example.org"),
        ("eve@example.org", "eve@example.org"),
        ("=?zlib?b?eJwDAA==?= <j@x>", "x\ufffd\x03\x00"),
        ("", ""),
    ],
)
def test_names_of_senders(field: str, name: str) -> None:
    assert display_name(field).startswith(name[:1])
    if "zlib" not in field:
        assert display_name(field) == name


def test_what_cannot_be_decoded_stays_as_it_is() -> None:
    assert decoded("=?utf-8?b?x?=") == "=?utf-8?b?x?="
    assert decoded("=?undefined?q?abc?=") == "abc"


# --- Audio of others


def multipart(*parts: str, boundary: str = "b", end: str = "\n") -> bytes:
    body = "".join(f"--{boundary}\n{part}\n" for part in parts) + f"--{boundary}--\n"
    return (
        (f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n{body}')
        .replace("\n", end)
        .encode()
    )


AUDIO = "Content-Type: audio/wav\nContent-Transfer-Encoding: base64\n\nUklG\nRg=="


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "parts",
    [
        (AUDIO,),
        ("\nno header", AUDIO),
        ("Content-Type: text/plain\n\nhello", AUDIO, AUDIO.replace("UklG", "AAAA")),
        (AUDIO.replace("audio/wav", 'application/octet-stream; name="msg.WAV"'),),
        (
            AUDIO.replace(
                "audio/wav", 'application/octet-stream\nContent-Disposition: x; filename="m.mp3"'
            ),
        ),
        ('Content-Type: multipart/alternative; boundary="bb"\n\n--bb\n' + AUDIO + "\n--bb--",),
    ],
)
def test_the_first_audio_is_found(parts: tuple[str, ...], end: str) -> None:
    assert audio_attachment(multipart(*parts, end=end)) == b"RIFF"


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"hello",
        multipart("Content-Type: text/plain\n\nhello"),
        b"Content-Type: multipart/mixed\n\n--\n" + AUDIO.encode(),
        multipart("--b--", AUDIO).replace(b"--b\n", b"--b--\n", 1),
        AUDIO.replace("UklG", "U").replace("Rg==", "").encode(),
    ],
)
def test_no_audio_is_none(mail: bytes) -> None:
    assert audio_attachment(mail) is None


def test_quoted_printable_and_eight_bit_audio() -> None:
    for encoding, body in (("quoted-printable", b"=52IFF"), ("8bit", b"RIFF"), ("", b"RIFF")):
        header = f"Content-Type: audio/wav\nContent-Transfer-Encoding: {encoding}\n\n"
        assert audio_attachment(header.encode() + body) == b"RIFF"
