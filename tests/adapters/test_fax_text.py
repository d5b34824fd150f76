"""Faxes are recognised page by page, and no fax can do harm."""

import asyncio
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import faxes
from vm_ari.adapters import fax_pages, fax_text, worker_process
from vm_ari.adapters.fax_text import FaxText
from vm_ari.ports import FaxUnreadable, NoOcr

LETTER, ENGLISH = faxes.page(faxes.LETTER), faxes.page(faxes.ENGLISH)
BLANK = faxes.tiff([faxes.page([])], compression="group4")


async def read(
    home: Path, content: bytes, media_type: str = "image/tiff", reader: FaxText | None = None
) -> tuple[list[str], str]:
    """The pages, and what was said at the end."""
    document = home / "fax"
    document.write_bytes(content)
    reader = reader or FaxText(["en"])
    found: list[str] = []
    try:
        async for page in reader.pages(document, media_type):
            found.append(page)
    except FaxUnreadable as error:
        return found, str(error)
    return found, ""


def words(page: str) -> list[str]:
    return " ".join(page.split()).split()


def expected(lines: Sequence[str]) -> list[str]:
    return " ".join(lines).split()


@pytest.mark.feature("SPEECH-03")
@pytest.mark.feature_part("INBOX-10", "the words of fax pages, in two languages")
@pytest.mark.parametrize("lines_per_inch", [196, 98])
def test_a_letter_of_two_pages_is_read_word_for_word(tmp_path: Path, lines_per_inch: int) -> None:
    fax = faxes.tiff([LETTER, ENGLISH], lines_per_inch=lines_per_inch)
    pages, problem = asyncio.run(read(tmp_path, fax, reader=FaxText(["de", "en"])))
    assert [words(page) for page in pages] == [expected(faxes.LETTER), expected(faxes.ENGLISH)]
    assert not problem


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (faxes.pdf([ENGLISH]), "application/pdf"),
        (faxes.png(ENGLISH), "image/png"),
        (
            faxes.tiff([ENGLISH], compression="group4", lines_per_inch=98, resolution=False),
            "IMAGE/TIFF",
        ),
    ],
    ids=["pdf", "png", "no resolution"],
)
def test_other_kinds_of_faxes_are_read_as_well(
    tmp_path: Path, content: bytes, media_type: str
) -> None:
    pages, problem = asyncio.run(read(tmp_path, content, media_type))
    assert [words(page) for page in pages] == [expected(faxes.ENGLISH)]
    assert not problem


def test_the_first_page_is_there_before_the_others_are_looked_at(tmp_path: Path) -> None:
    document = tmp_path / "fax"
    document.write_bytes(faxes.tiff([ENGLISH] * 20, lines_per_inch=98))

    def at_work() -> bool:
        return any(task.get_name() == "fax" for task in asyncio.all_tasks())

    async def first_of_many() -> tuple[str, bool, bool]:
        pages = FaxText(["en"]).pages(document, "image/tiff")
        page = await anext(pages)
        goes_on = at_work()
        await pages.aclose()  # who has heard enough waits for no other page
        return page, goes_on, at_work()

    page, goes_on, afterwards = asyncio.run(first_of_many())
    assert words(page) == expected(faxes.ENGLISH)
    assert goes_on
    assert not afterwards


def test_a_fax_of_1000_pages_is_read_as_far_as_the_limit(tmp_path: Path) -> None:
    pages, problem = asyncio.run(
        read(tmp_path, faxes.blank_pages(1000), reader=FaxText(["en"], most_pages=2))
    )
    assert pages == ["", ""]
    assert problem == "This fax has more than 2 pages; the others are not read."


def zip_bomb() -> bytes:
    """A PDF of a few kilobytes whose picture has 3.6 thousand million dots."""
    picture = zlib.compress(b"\0" * 20_000_000)
    image = (
        b"<</Type/XObject/Subtype/Image/Width 60000/Height 60000/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
    ) % (len(picture), picture)
    draw = b"60000 0 0 60000 0 0 cm /A Do"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 60000 60000]/Contents 5 0 R"
        b"/Resources<</XObject<</A 4 0 R>>>>>>",
        image,
        b"<</Length %d>>stream\n%s\nendstream" % (len(draw), draw),
    ]
    body = b"".join(b"%d 0 obj%s endobj\n" % (n, one) for n, one in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF"


HOSTILE = {
    "nothing": (b"", "image/tiff"),
    "words": (b"hello", "image/tiff"),
    "cut off": (faxes.tiff([LETTER, LETTER])[:9000], "image/tiff"),
    "damaged": (BLANK[:300] + b"\xaa" * 900 + BLANK[1200:], "image/tiff"),
    "wide and high": (faxes.giant_tiff(60_000, 60_000), "image/tiff"),
    "endlessly high": (faxes.giant_tiff(1728, 4_000_000_000), "image/tiff"),
    "no size": (faxes.giant_tiff(0, 0), "image/tiff"),
    "nothing to decode": (faxes.giant_tiff(6000, 6000), "image/tiff"),
    "pages in a ring": (faxes.endless_tiff(), "image/tiff"),
    "half a PDF": (faxes.pdf([LETTER])[:5000], "application/pdf"),
    "only called PDF": (b"%PDF-1.4 nonsense", "application/pdf"),
    "zip bomb": (zip_bomb(), "application/pdf"),
}


def test_hostile_faxes_are_refused_in_words(tmp_path: Path) -> None:
    async def all_of_them() -> dict[str, tuple[list[str], str]]:
        answers, reader = {}, FaxText(["en"])
        for name, (content, media_type) in HOSTILE.items():
            answers[name] = await read(tmp_path, content, media_type, reader)
        return answers

    for name, (pages, problem) in asyncio.run(all_of_them()).items():
        assert not any(pages), name
        assert problem or pages == [""], name


def test_a_page_that_cannot_be_read_does_not_take_the_others_along(tmp_path: Path) -> None:
    fax = faxes.without_data(faxes.tiff([ENGLISH, LETTER, ENGLISH]), page=2)
    pages, problem = asyncio.run(read(tmp_path, fax))
    assert [words(page) for page in pages] == [
        expected(faxes.ENGLISH),
        [],
        expected(faxes.ENGLISH),
    ]
    assert problem == "Not readable: page 2."


def test_what_is_no_fax_is_not_looked_at(tmp_path: Path) -> None:
    _, problem = asyncio.run(read(tmp_path, b"<html>", "text/html"))
    assert problem == "This is neither TIFF, PDF nor PNG."


def test_a_document_that_is_no_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def of(document: Path) -> None:
        async for _ in FaxText(["en"]).pages(document, "image/tiff"):
            raise AssertionError("there is no page")

    with pytest.raises(FaxUnreadable, match="not a file"):
        asyncio.run(of(tmp_path))
    with pytest.raises(FaxUnreadable, match="cannot be opened"):
        asyncio.run(of(tmp_path / "gone"))


def test_a_fax_that_is_too_large_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fax_text, "MOST_BYTES", 1 << 20)
    _, problem = asyncio.run(read(tmp_path, b"II*\0" + bytes(1 << 20)))
    assert problem == "This fax is larger than 1 MB."


def test_a_worker_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It also takes the recogniser with it, which would go on by itself."""
    (tmp_path / "sleepy_worker.py").write_text(
        "import subprocess\nsubprocess.run(['sleep', '3600'])\n"
    )
    monkeypatch.setattr(worker_process, "_SOURCE", f"{tmp_path}:{worker_process._SOURCE}")
    monkeypatch.setattr(fax_text, "WORKER", "sleepy_worker")
    (tmp_path / "fax").write_bytes(BLANK)

    async def read_it() -> None:
        async for _ in FaxText(["en"], patience=1).pages(tmp_path / "fax", "image/tiff"):
            raise AssertionError("there is no page")

    with pytest.raises(FaxUnreadable, match="too long"):
        asyncio.run(read_it())


def test_a_machine_without_the_recogniser_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def languages(*wanted: str) -> None:
        await FaxText(wanted).languages()

    with pytest.raises(NoOcr, match="install tesseract-ocr-ita tesseract-ocr-xyz"):
        asyncio.run(languages("it-CH", "xyz"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which(fax_text.PROGRAM) is None
    with pytest.raises(NoOcr, match="install tesseract-ocr"):
        asyncio.run(languages("en"))


def test_specks_go_and_points_stay() -> None:
    page = faxes.page(["i . : !"])
    speckled = page.copy()
    specks = [(x, y) for x in range(20, 1700, 40) for y in range(1000, 2200, 50)]
    for speck in specks:
        speckled.putpixel(speck, 0)
    clean = fax_pages._without_specks(speckled)
    assert all(clean.getpixel(speck) == 255 for speck in specks)
    assert clean.tobytes() == fax_pages._without_specks(page).tobytes()
    assert clean.convert("1").tobytes() == page.tobytes()
