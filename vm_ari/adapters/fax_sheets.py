"""The pages of a fax, as dots: made of PDFs, pictures, texts and TIFFs; runs in a confined worker.

A page is 1728 dots wide, black or white, 204 by 196 dots per inch (T.4, ITU-T), and as long as the
paper. The uppermost rows are free for the headline.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pypdfium2
import reportlab
from PIL import Image, ImageDraw, ImageFont, TiffImagePlugin, UnidentifiedImageError

from vm_ari.adapters.fax_layout import Font, laid_out, wrapped

WIDTH = 1728
LENGTHS = {"a4": 2286, "letter": 2151}
"""Rows of a page."""
DPI = (204.0, 196.0)
HEAD_ROWS = 64
"""For the headline: 8 mm."""
MOST_PIXELS = 40_000_000
"""Of a picture: A4 at 600 dots per inch has 35 million."""
MARGIN = 60
FINISHED = "image/tiff; finished"
"""Pages that were made here before: they are not fitted once more."""
LAID_OUT = "text/plain; laid-out"
"""A page of ours, such as a cover (`fax_layout`)."""
_PALE, _DARK = 70, 185
"""Shades between are neither paper nor ink."""
_SHADES_OF_A_PHOTO = 0.25
_INK = 150
"""Darker is black, of what is written."""
_BROKEN = (OSError, ValueError, TypeError, KeyError, IndexError, SyntaxError, OverflowError)
"""What Pillow raises for a file that is not as it should be."""
LONGEST_LINE = 4000
"""Characters of a text without a break."""
FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path(reportlab.__file__).parent / "fonts" / "Vera.ttf",
)
"""The first has more letters; the second is always there."""


class NoPages(Exception):
    """A document has no pages that can be sent. The text says why."""


@dataclass(frozen=True)
class Head:
    """The first line of each page: who sends it, when, and which page it is."""

    left: str
    first: int
    """Number of the first page that is printed."""
    total: int
    notes: int = 0
    """Pages before it that have no number."""

    def number(self, place: int) -> str:
        """Of the page at that place, from 0 on."""
        own = place - self.notes
        return f"{self.first + own}/{self.total}" if own >= 0 else ""


def pages_of(kind: str, content: bytes, rows: int) -> Iterator[Image.Image]:
    """The pages of one document, each exactly as wide and at least nearly as long as the paper.

    Raises `NoPages`.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    match kind:
        case "application/pdf":
            yield from _pdf_pages(content, rows)
        case "text/plain":
            yield from _text_pages(content.decode("utf-8", "replace"), rows)
        case one if one == FINISHED:
            yield from _finished_pages(content)
        case one if one == LAID_OUT:
            yield laid_out(_paper(rows), content.decode("utf-8", "replace"), _font)
        case "image/tiff" | "image/png" | "image/jpeg":
            yield from _picture_pages(content, kind, rows)
        case _:
            raise NoPages("of this kind nothing can be sent")


def with_head(page: Image.Image, head: Head, place: int) -> Image.Image:
    """The page with its line in the free rows."""
    draw, font = ImageDraw.Draw(page), _font(30)
    draw.rectangle((0, 0, WIDTH, HEAD_ROWS - 1), fill=1)
    draw.text((MARGIN, 14), head.left, fill=0, font=font)
    draw.text((WIDTH - MARGIN, 14), head.number(place), fill=0, font=font, anchor="ra")
    return page


def as_fax(pages: Iterable[Image.Image]) -> bytes:
    """A TIFF of G4 pages, which Asterisk's fax sends dot by dot."""
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out) as writer:
        for page in pages:
            page.save(writer, format="TIFF", compression="group4", dpi=DPI)
            writer.newFrame()
    return out.getvalue()


# -- PDF


def _pdf_pages(content: bytes, rows: int) -> Iterator[Image.Image]:
    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()  # what was filled in is drawn, too
    except pypdfium2.PdfiumError:
        raise NoPages("this PDF is damaged, or needs a password") from None
    for number in range(len(document)):
        try:
            yield _pdf_page(document, number, rows)
        except (pypdfium2.PdfiumError, ValueError):
            raise NoPages(f"page {number + 1} of this PDF is damaged") from None


def _pdf_page(document: pypdfium2.PdfDocument, number: int, rows: int) -> Image.Image:
    page = document[number]
    width, height = page.get_size()
    if not (width > 0 and height > 0):
        raise ValueError
    turned = width > height
    across, down = (height, width) if turned else (width, height)
    scale = min(WIDTH / across, (rows - HEAD_ROWS) / down * DPI[0] / DPI[1], 8.0)
    rotation = 90 if turned else 0
    image: Image.Image = page.render(scale=scale, rotation=rotation, grayscale=True).to_pil()
    page.close()
    return _fitted(image.convert("L"), 1.0, rows)


# -- pictures


def _picture_pages(content: bytes, kind: str, rows: int) -> Iterator[Image.Image]:
    wanted = kind.removeprefix("image/").upper()
    try:
        document = Image.open(io.BytesIO(content), formats=[wanted])
    except (UnidentifiedImageError, Image.DecompressionBombError, *_BROKEN):
        raise NoPages(f"this {wanted} file is damaged, or too large") from None
    number = 0
    while True:
        yield _picture_page(document, number, rows)
        number += 1
        if kind != "image/tiff":
            return
        try:
            document.seek(number)
        except EOFError:
            return
        except (Image.DecompressionBombError, *_BROKEN):
            raise NoPages(f"page {number + 1} is damaged, or too large") from None


def _picture_page(document: Image.Image, number: int, rows: int) -> Image.Image:
    if not 0 < document.width * document.height <= MOST_PIXELS:
        raise NoPages(f"page {number + 1} has too many dots")
    try:
        document.load()
        stretch = _stretch(document)
        if _is_fax_page(document, stretch, rows):
            return _on_paper(document.copy(), rows)
        grey = _grey(document)
    except (*_BROKEN, MemoryError):
        raise NoPages(f"page {number + 1} is damaged") from None
    if grey.width * 1.0 > grey.height * stretch:
        grey, stretch = grey.transpose(Image.Transpose.ROTATE_270), 1 / stretch
    return _fitted(grey, stretch, rows)


def _is_fax_page(page: Image.Image, stretch: float, rows: int) -> bool:
    """Is it one already, with room for the headline?"""
    fine = 0.95 < stretch * DPI[1] / DPI[0] < 1.05
    return page.mode == "1" and page.width == WIDTH and fine and page.height <= rows - HEAD_ROWS


def _stretch(image: Image.Image) -> float:
    """How much higher than wide a dot is."""
    try:
        across, down = (float(one) for one in image.info["dpi"])
        stretch = across / down
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return stretch if 0.25 <= stretch <= 4.0 else 1.0


def _grey(image: Image.Image) -> Image.Image:
    """On white paper."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    shown = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("L")


def _finished_pages(content: bytes) -> Iterator[Image.Image]:
    document = Image.open(io.BytesIO(content), formats=["TIFF"])
    for number in range(getattr(document, "n_frames", 1)):
        document.seek(number)
        yield document.convert("1")


# -- texts


def _text_pages(text: str, rows: int) -> Iterator[Image.Image]:
    font, pitch, width = _font(34), 44, WIDTH - 4 * MARGIN
    lines = (piece for line in _lines(text) for piece in wrapped(line, font, width))
    room = max(1, (rows - HEAD_ROWS - 2 * MARGIN) // pitch)
    while some := list(islice(lines, room)):  # a page at a time: the limit may be near
        page = _paper(rows)
        draw = ImageDraw.Draw(page)
        for place, line in enumerate(some):
            draw.text((2 * MARGIN, HEAD_ROWS + MARGIN + place * pitch), line, fill=0, font=font)
        yield page


def _lines(text: str) -> Iterator[str]:
    """None so long that breaking it takes for ever."""
    for line in _clean(text).split("\n"):
        yield line[:LONGEST_LINE]
        for begin in range(LONGEST_LINE, len(line), LONGEST_LINE):
            yield line[begin : begin + LONGEST_LINE]


def _clean(text: str) -> str:
    """Lines of visible characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").expandtabs(4)
    return "".join(c if c == "\n" or c.isprintable() else " " for c in text)


def _font(size: int) -> Font:
    return ImageFont.truetype(next(one for one in FONTS if one.is_file()), size)


# -- paper


def _paper(rows: int) -> Image.Image:
    return Image.new("1", (WIDTH, rows), 1)


def _on_paper(page: Image.Image, rows: int) -> Image.Image:
    paper = _paper(rows)
    paper.paste(page, ((WIDTH - page.width) // 2, HEAD_ROWS))
    return paper


def _fitted(grey: Image.Image, stretch: float, rows: int) -> Image.Image:
    """As large as it can be below the headline; its dots are *stretch* times as high as wide."""
    down = DPI[1] / DPI[0] * stretch
    scale = min(WIDTH / grey.width, (rows - HEAD_ROWS) / (grey.height * down))
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale * down)))
    shown = grey if size == grey.size else grey.resize(size, Image.Resampling.LANCZOS)
    return _on_paper(_black_and_white(shown), rows)


def _black_and_white(grey: Image.Image) -> Image.Image:
    """Writing stays sharp; a photograph becomes a pattern of dots."""
    shades = np.asarray(grey)
    between = float(np.mean((shades > _PALE) & (shades < _DARK)))
    if between > _SHADES_OF_A_PHOTO:
        return grey.convert("1")
    return grey.point([0 if shade < _INK else 255 for shade in range(256)]).convert("1")


def sheets(
    parts: Sequence[tuple[str, BinaryIO | bytes, int]], rows: int, most: int, head: Head | None
) -> Iterator[Image.Image]:
    """All pages of all documents, *most* at most; of each the first few are left out.

    Raises `NoPages`.
    """
    place = 0
    for kind, content, skip in parts:
        data = content if isinstance(content, bytes) else content.read()
        for number, page in enumerate(pages_of(kind, data, rows)):
            if number < skip:
                continue
            if place >= most:
                raise NoPages(f"it has more than {most} pages")
            yield with_head(page, head, place) if head else page
            place += 1
