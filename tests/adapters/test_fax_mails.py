"""Faxes are taken out of mails that anybody may have written, and read."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests import faxes
from tests.patience import AT_MOST
from vm_ari.adapters import fax_mails
from vm_ari.adapters.fax_attachment import fax_in, pages_of
from vm_ari.adapters.fax_mails import Attached, FaxMails, attached_fax
from vm_ari.adapters.fax_text import FaxText
from vm_ari.ports import FaxPage, FaxUnreadable

TWO_PAGES = faxes.tiff([faxes.page(faxes.ENGLISH), faxes.page(faxes.LETTER)])
PATIENCE = AT_MOST


def mail(*parts: tuple[bytes, str, str]) -> bytes:
    """A mail with these attachments: content, media type, file name."""
    whole = EmailMessage()
    whole["From"], whole["Subject"] = "fax@example.org", "Fax from +49 89 123"
    whole.set_content("See the attachment.")
    for content, kind, name in parts:
        maintype, _, subtype = kind.partition("/")
        whole.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return whole.as_bytes()


def found(content: bytes, tmp_path: Path) -> Attached:
    path = tmp_path / "mail"
    path.write_bytes(content)
    return asyncio.run(attached_fax(path, seconds=PATIENCE))


@pytest.mark.feature_part("INBOX-10", "the fax in a mail, and its number of pages")
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("image/tiff", "fax.tif"),
        ("application/octet-stream", "FAX.TIF"),
        ("application/octet-stream", "2026/fax.tiff"),
    ],
)
def test_the_fax_is_found_by_its_type_or_name(kind: str, name: str, tmp_path: Path) -> None:
    logo = (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", "logo.png")
    fax = found(mail(logo, (TWO_PAGES, kind, name)), tmp_path)
    assert (fax.media_type, fax.pages) == ("image/tiff", 2)
    assert fax.content == TWO_PAGES


def test_a_mail_that_is_nothing_but_a_fax_has_one(tmp_path: Path) -> None:
    whole = EmailMessage()
    whole.set_content(TWO_PAGES, maintype="image", subtype="tiff")
    assert found(whole.as_bytes(), tmp_path).pages == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        mail(),
        mail((b"", "image/tiff", "fax.tif")),
        mail((b"Hello", "application/zip", "fax.zip")),
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 5000,
    ],
    ids=["nothing", "no attachment", "empty", "another kind", "parts without end"],
)
def test_a_mail_without_a_fax_says_so(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(FaxUnreadable):
        found(content, tmp_path)


def test_a_fax_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fax_mails, "LARGEST", 10_000)
    with pytest.raises(FaxUnreadable, match="larger"):
        found(mail((bytes(20_000), "image/tiff", "fax.tif")), tmp_path)


def test_a_worker_that_hangs_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(mail((TWO_PAGES, "image/tiff", "fax.tif")))
    with pytest.raises(FaxUnreadable, match="too long"):
        asyncio.run(attached_fax(path, seconds=0.001))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/tiff", b"II*\x00\x08\x00\x00\x00" + bytes(50)),
        ("image/tiff", TWO_PAGES[:3000]),
        ("application/pdf", b"%PDF-1.4 nothing"),
        ("image/png", b"no picture"),
    ],
)
def test_pages_of_what_is_damaged_are_not_counted(kind: str, content: bytes) -> None:
    assert pages_of(kind, content) in {0, 1, 2}


def test_a_ring_of_pages_has_an_end() -> None:
    """The directory of the only page names itself as the next one."""
    ring = bytearray(faxes.tiff([faxes.page(["a"])]))
    first = int.from_bytes(ring[4:8], "little")
    entries = int.from_bytes(ring[first : first + 2], "little")
    place = first + 2 + 12 * entries
    ring[place : place + 4] = first.to_bytes(4, "little")
    assert pages_of("image/tiff", bytes(ring)) <= 1000
    assert fax_in(mail((bytes(ring), "image/tiff", "f.tif"))) == ("image/tiff", bytes(ring))


def read(content: bytes, tmp_path: Path, *, most: int) -> Sequence[FaxPage]:
    path = tmp_path / "mail"
    path.write_bytes(content)
    said: list[FaxPage] = []

    async def collected() -> None:
        faxes_in = FaxMails(FaxText(("en", "de"), patience=PATIENCE), patience=PATIENCE)
        async with aclosing(faxes_in.pages(path)) as pages:
            async for page in pages:
                said.append(page)
                if len(said) == most:
                    return

    asyncio.run(collected())
    return said


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract-ocr is not installed")
@pytest.mark.feature_part("INBOX-10", "the pages of a fax that came by mail")
def test_a_page_is_read_and_nothing_is_left_of_who_hangs_up_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(work))
    [page] = read(mail((TWO_PAGES, "image/tiff", "fax.tif")), tmp_path, most=1)
    assert (page.number, page.of) == (1, 2)
    assert "order of 14 March" in page.text
    assert list(work.iterdir()) == []
