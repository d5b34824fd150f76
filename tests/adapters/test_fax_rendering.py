"""Documents become pages of a fax, in a confined process: what cannot be printed says why."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from tests import faxes
from vm_ari.adapters.fax_layout import laid_out
from vm_ari.adapters.fax_rendering import FaxRendering, as_pdf, media_type_of
from vm_ari.adapters.fax_sheets import HEAD_ROWS, Head, NoPages, _font, as_fax, pages_of, sheets
from vm_ari.domain.fax_orders import Cover, FaxLimits, FaxOrder, rendered
from vm_ari.domain.fax_settings import FaxCover
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Way
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import Paper, Printed, Unprintable

T = TypeVar("T")

TEMPLATES = Path(__file__).parents[2] / "templates"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANNA = User("anna", "Anna Berg", "101", ("+4930555101",), "anna@example.org", language="de")
ORDER = FaxOrder("a1", "anna", "+4930123456", NOON, Way.PORTAL)
LETTER = faxes.page(faxes.LETTER)
ROWS = 2286


def run(work: Callable[[FaxRendering], Awaitable[T]], templates: Path = TEMPLATES) -> T:
    async def story() -> T:
        return await work(FaxRendering(templates, Site()))

    return asyncio.run(story())


def body(
    *papers: Paper,
    cover: Cover | None = None,
    user: User = ANNA,
    limits: FaxLimits | None = None,
    templates: Path = TEMPLATES,
) -> Printed:
    order = replace(ORDER, cover=cover or Cover())
    return run(lambda one: one.body(papers, order, user, limits or FaxLimits()), templates)


def images(printed: Printed) -> list[Image.Image]:
    with Image.open(io.BytesIO(printed.tiff)) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(image.convert("1"))
        return found


def ink(page: Image.Image) -> int:
    return int((~np.asarray(page)).sum())


def paper(kind: str, content: bytes) -> Paper:
    return Paper(kind, content)


@pytest.mark.parametrize(
    ("kind", "content", "pages"),
    [
        ("application/pdf", faxes.pdf([LETTER, LETTER]), 2),
        ("image/png", faxes.png(LETTER), 1),
        ("image/tiff", faxes.tiff([LETTER, LETTER, LETTER]), 3),
        ("image/tiff", faxes.tiff([LETTER], lines_per_inch=98), 1),
        ("text/plain", "Grüße\n".encode() * 100, 3),
    ],
)
def test_every_kind_becomes_pages_as_a_fax_has_them(kind: str, content: bytes, pages: int) -> None:
    tiff = as_fax(sheets([(kind, content, 0)], ROWS, 9, None))
    found = images(Printed(tiff, pages))
    assert len(found) == pages
    for page in found:
        assert page.size == (1728, ROWS)
        assert ink(page) > 2000
        assert not ink(page.crop((0, 0, 1728, HEAD_ROWS))), "no room for the first line"
    with Image.open(io.BytesIO(tiff)) as first:
        assert first.info["compression"] == "group4"
        assert first.info["dpi"] == (204.0, 196.0)


def test_what_was_filled_into_a_form_is_sent() -> None:
    def form(value: str) -> bytes:
        out = io.BytesIO()
        canvas = Canvas(out)
        canvas.drawString(100, 700, "Order")
        canvas.acroForm.textfield(value=value, x=100, y=500, width=300, fontSize=20)
        canvas.save()
        return out.getvalue()

    [empty], [filled] = (
        images(body(paper("application/pdf", form(value)))) for value in ("", "HELLO WORLD")
    )
    assert ink(filled) > ink(empty) + 1000


def test_a_photograph_keeps_its_shades_and_lies_down_where_it_is_wide() -> None:
    shades = np.tile(np.linspace(0, 255, 800, dtype=np.uint8), (400, 1))
    out = io.BytesIO()
    Image.fromarray(shades).save(out, "JPEG")
    [page] = images(body(paper("image/jpeg", out.getvalue())))
    drawn = np.asarray(page)[HEAD_ROWS:]
    halves = drawn[: ROWS // 2].mean(), drawn[ROWS // 2 : ROWS - 2 * HEAD_ROWS].mean()
    assert abs(halves[0] - halves[1]) > 0.2
    assert 0.05 < drawn.mean() < 0.95


def test_a_fax_of_the_right_size_is_sent_dot_by_dot() -> None:
    original = Image.fromarray(np.random.default_rng(7).random((2100, 1728)) > 0.5)
    printed = body(paper("image/tiff", faxes.tiff([original], compression="group4")))
    [page] = images(printed)
    kept = np.asarray(page)[HEAD_ROWS : HEAD_ROWS + 2100]
    assert (kept == np.asarray(original)).all()


@pytest.mark.parametrize(
    ("kind", "content", "most", "why"),
    [
        ("application/pdf", b"%PDF-1.4 x", 9, "damaged"),
        ("image/png", faxes.png(LETTER)[:500], 9, "damaged"),
        ("image/tiff", faxes.giant_tiff(60_000, 60_000), 9, "large|many dots"),
        ("text/plain", b"a\n" * 500, 4, "more than 4 pages"),
        ("text/plain", b"a" * 9_000_000, 3, "more than 3 pages"),
        ("image/tiff", faxes.blank_pages(30), 5, "more than 5"),
    ],
)
def test_what_cannot_be_printed_says_why(kind: str, content: bytes, most: int, why: str) -> None:
    with pytest.raises(NoPages, match=why):
        as_fax(sheets([(kind, content, 0)], ROWS, most, None))


@pytest.mark.parametrize(
    ("papers", "limits", "why"),
    [
        ([paper("application/zip", b"PK")], FaxLimits(), "of this kind"),
        ([paper("text/plain", b"a")] * 3, FaxLimits(papers=2), "more than 2 documents"),
        ([paper("text/plain", b"a" * 2_000_000)], FaxLimits(octets=1_000_000), "larger than 1 MB"),
        ([paper("application/pdf", b"%PDF-1.4 x")], FaxLimits(), "damaged"),
    ],
)
def test_what_may_not_be_printed_says_why(papers: list[Paper], limits: FaxLimits, why: str) -> None:
    with pytest.raises(Unprintable, match=why):
        body(*papers, limits=limits)


@pytest.mark.feature_part("UM-04", "a cover page of the template, whatever is typed")
def test_the_cover_is_the_first_page_and_counts_them_all() -> None:
    cover = Cover("Weber", "Offer {{ 7 * 7 }}", "# no heading\n| no | table\n---\n<b>bold</b>")
    printed = body(paper("image/png", faxes.png(LETTER)), cover=cover)
    assert printed.pages == 2
    first, second = images(printed)
    assert 5000 < ink(first) != ink(second)


def test_who_wants_a_cover_always_or_never_gets_it() -> None:
    letter, cover = paper("image/png", faxes.png(LETTER)), Cover(subject="x")
    assert body(letter, user=replace(ANNA, fax_cover=FaxCover.ALWAYS)).pages == 2
    assert body(letter, cover=cover, user=replace(ANNA, fax_cover=FaxCover.NEVER)).pages == 1
    assert body(cover=cover, user=replace(ANNA, fax_cover=FaxCover.NEVER)).pages == 1


def test_an_organisation_has_a_cover_of_its_own(tmp_path: Path) -> None:
    for name in ("fax-cover", "fax-cover-north"):
        (tmp_path / name / "en").mkdir(parents=True)
        (tmp_path / name / "en" / "cover.txt").write_text("# " + "X" * len(name))
    (tmp_path / "fax-cover-broken" / "en").mkdir(parents=True)
    (tmp_path / "fax-cover-broken" / "en" / "cover.txt").write_text("{{ nobody }}")

    def first(template: str) -> int:
        user = replace(ANNA, fax_cover_template=template)
        return ink(images(body(cover=Cover("x"), user=user, templates=tmp_path))[0])

    assert first("") < first("north")
    assert first("nowhere") == first("")
    with pytest.raises(Unprintable, match="fax-cover-broken"):
        first("broken")


def test_before_each_call_the_first_line_is_added_from_the_missing_page_on() -> None:
    printed = body(paper("image/tiff", faxes.tiff([LETTER] * 3)))
    order = rendered(ORDER, 3)
    whole = run(lambda one: one.sheets(printed, order, ANNA, NOON))
    assert whole.pages == 3
    heads = [page.crop((0, 0, 1728, HEAD_ROWS)).tobytes() for page in images(whole)]
    assert len(set(heads)) == 3
    rest = run(lambda one: one.sheets(printed, replace(order, confirmed=2), ANNA, NOON))
    note, last = images(rest)
    assert last.tobytes() == images(whole)[2].tobytes()
    assert note.tobytes() not in {page.tobytes() for page in images(whole)}


def test_a_page_of_ours_ends_where_the_paper_ends() -> None:
    page = laid_out(Image.new("1", (1728, 800), 1), "> line\n" * 100, _font)
    assert ink(page.crop((0, 0, 1728, 650)))
    assert not ink(page.crop((0, 720, 1728, 800)))


def test_numbers_of_pages_count_what_went_before() -> None:
    head = Head("me", 3, 9, notes=1)
    assert [head.number(place) for place in range(3)] == ["", "3/9", "4/9"]


def test_pages_are_finished_once() -> None:
    [page] = pages_of("text/plain", b"x", ROWS)
    tiff = as_fax(sheets([("text/plain", b"x", 0)], ROWS, 9, None))
    [again] = pages_of("image/tiff; finished", tiff, ROWS)
    assert again.tobytes() == page.tobytes()


def test_people_look_at_a_pdf() -> None:
    printed = body(paper("image/tiff", faxes.tiff([LETTER] * 2)))
    assert asyncio.run(as_pdf(printed)).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("content", "claimed", "kind"),
    [
        (b"%PDF-1.7", "text/plain", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "", "image/jpeg"),
        ("Grüße".encode(), "text/plain; charset=utf-8", "text/plain"),
        (b"GIF89a", "image/gif", None),
        (b"<html>", "text/html", None),
        (b"\x00\x01", "", None),
        (b"  ", "text/plain", None),
    ],
)
def test_a_document_is_what_it_is_not_what_it_is_called(
    content: bytes, claimed: str, kind: str | None
) -> None:
    assert media_type_of(content, claimed) == kind
