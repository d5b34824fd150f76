"""Who may be answered, and what can be faxed, of mails that anybody has written."""

import asyncio
import base64
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vm_ari.adapters.fax_documents import fax_documents
from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.outside_mail import reply_address
from vm_ari.adapters.sent_mail import Document
from vm_ari.ports import DeliveryRefused


def header(directory: Path, text: str) -> Path:
    path = directory / "header"
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-8", "replace"))
    return path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("From: dora@example.org", "dora@example.org"),
        ("From: Dora <dora@example.org>\nReply-To: office@example.org", "office@example.org"),
        ('From: "Dora <x@evil.example>" <dora@example.org>', "dora@example.org"),
        ("From: Dora, Frau <dora@example.org>", "dora@example.org"),
        ("Reply-To: A <a@example.org>, B <b@example.org>", "a@example.org"),
        ("From: a@example.org, b@example.org", "a@example.org"),
        ("From: Dora <dora@müller.example>", "dora@xn--mller-kva.example"),
        ("From: dora@example.org\nPrecedence: list", None),
        ("From: dora@example.org\nAuto-Submitted: auto-replied", None),
        ("Return-Path: <>\nFrom: dora@example.org", None),
        ("From: MAILER-DAEMON@example.org", None),
        ("From: Dora", None),
        ("From: <dora@example.org\n x>", None),
        ("Subject: nobody", None),
        ("", None),
    ],
)
def test_who_gets_an_answer(tmp_path: Path, text: str, address: str | None) -> None:
    assert reply_address(header(tmp_path, f"{text}\n\nbody\n")) == address


@settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=200), st.sampled_from(["From", "Reply-To"]))
def test_an_answer_goes_to_one_clean_address_or_nowhere(
    tmp_path: Path, text: str, name: str
) -> None:
    found = reply_address(header(tmp_path, f"{name}: {text}\n\n"))
    assert found is None or ascii_address(found) == found


# -- faxes


def documents(directory: Path, mail: bytes) -> list[Document]:
    path = directory / "mail"
    path.write_bytes(mail)
    return list(asyncio.run(fax_documents(path)))


def with_files(*files: tuple[str, str, bytes]) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "dora@example.org", "Fax"
    mail.set_content("See attachment\n")
    for kind, name, data in files:
        main, _, sub = kind.partition("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def test_documents_are_what_they_say_they_are(tmp_path: Path) -> None:
    tiff, pdf = b"II*\0" + bytes(range(256)), b"%PDF-1.7 \xff"
    found = documents(
        tmp_path,
        with_files(
            ("image/tiff", "1.tif", tiff),
            ("application/octet-stream", "Angebot.PDF", pdf),
            ("application/pdf", "fake.pdf", b"MZ\x90"),
            ("application/x-msdownload", "evil.exe", b"MZ\x90"),
        ),
    )
    assert found == [
        Document(tiff, "image/tiff", "fax-1.tiff"),
        Document(pdf, "application/pdf", "fax-2.pdf"),
    ]


def test_a_mail_without_a_document_is_its_text(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "dora@example.org", "Grüße"
    mail.set_content("<p>Guten <b>Tag</b></p><script>x()</script>", subtype="html")
    [found] = documents(tmp_path, mail.as_bytes())
    assert (found.media_type, found.filename) == ("text/plain; charset=utf-8", "fax-1.txt")
    text = found.data.decode()
    assert "Subject: Grüße" in text
    assert "Guten Tag" in text
    assert "x()" not in text


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)
)


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"\r\n",
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
        b"Content-Type: image/tiff\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"no tiff"),
    ],
)
def test_where_nothing_can_be_faxed_that_is_said(tmp_path: Path, mail: bytes) -> None:
    with pytest.raises(DeliveryRefused, match="nothing that can be sent as a fax"):
        documents(tmp_path, mail)


def test_a_mail_that_is_made_to_break_us_ends_soon(tmp_path: Path) -> None:
    [found] = documents(tmp_path, NESTED)
    assert found.media_type == "text/plain; charset=utf-8"
