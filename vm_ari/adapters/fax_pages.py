"""The pages of a fax as images that can be recognised; runs in the confined worker.

A page of a TIFF fax has 204 dots per inch in a line, but often only 98 lines per inch: what is not
square is stretched before it is recognised, or figures are misread.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pypdfium2
from PIL import Image, UnidentifiedImageError

MOST_PIXELS = 40_000_000
"""Of a page: A4 at 600 dots per inch has 35 million."""
LARGEST = 12_000_000
"""Pixels that the recogniser is given; larger pages are made smaller."""
PDF_DPI = 240
MOST_STRETCH = 4.0
"""Lines closer or wider than that are no fax (T.30 knows 38 to 391 lines per inch)."""
FAX_WIDTH = 1728
"""Pixels of a line of A4."""
STANDARD_LINES, FINE_LINES = 1250, 2.08
"""A page that does not tell its resolution and has fewer lines is one of 98 per inch."""
_PDF = b"%PDF-"
_X, _Y = 282, 283
"""Tags of the resolution (TIFF 6.0)."""


class NoFax(Exception):
    """The file holds nothing that can be shown."""


def images(file: BinaryIO) -> Iterator[Image.Image | None]:
    """Each page in shades of grey, its pixels square; None for one that cannot be decoded.

    Raises `NoFax`.
    """
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    start = os.pread(file.fileno(), 1024, 0)
    return _pages_of_pdf(file) if _PDF in start else _pages_of_image(file)


# -- PDF


def _pages_of_pdf(file: BinaryIO) -> Iterator[Image.Image | None]:
    try:
        file.seek(0)
        # the bytes: a file would be read by callbacks, which a confined service may not make
        document = pypdfium2.PdfDocument(file.read())
    except pypdfium2.PdfiumError:
        raise NoFax from None
    for number in range(len(document)):
        try:
            yield _pdf_page(document, number)
        except (pypdfium2.PdfiumError, ValueError):
            yield None


def _pdf_page(document: pypdfium2.PdfDocument, number: int) -> Image.Image | None:
    page = document[number]
    width, height = page.get_size()
    if not width * height > 0:
        return None
    scale = min(PDF_DPI / 72, (LARGEST / (width * height)) ** 0.5)
    image: Image.Image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    page.close()
    return image


# -- TIFF, PNG


def _pages_of_image(file: BinaryIO) -> Iterator[Image.Image | None]:
    try:
        document = Image.open(file, formats=["TIFF", "PNG"])
    except (UnidentifiedImageError, Image.DecompressionBombError, *_BROKEN):
        raise NoFax from None
    number = 0
    while True:
        yield _image_page(document)
        number += 1
        try:
            document.seek(number)
        except EOFError:
            return
        except (Image.DecompressionBombError, *_BROKEN):
            raise NoFax from None


_BROKEN = (OSError, ValueError, TypeError, KeyError, IndexError, SyntaxError, OverflowError)
"""What Pillow raises for a file that is not as it should be."""


def _image_page(document: Image.Image) -> Image.Image | None:
    width, height = document.size
    if not 0 < width * height <= MOST_PIXELS:
        return None
    try:
        document.load()
        stretch = _stretch(document)
        grey = _without_specks(document) if document.mode == "1" else _grey(document)
        return _square(grey, stretch)
    except (*_BROKEN, MemoryError):
        return None


def _grey(image: Image.Image) -> Image.Image:
    """On white paper."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("L")
    shown = image.convert("RGBA")
    paper = Image.new("RGBA", shown.size, "white")
    return Image.alpha_composite(paper, shown).convert("L")


def _stretch(image: Image.Image) -> float:
    """How much higher than wide a dot is."""
    tags = getattr(image, "tag_v2", None)
    try:
        across, down = float(tags[_X]), float(tags[_Y])  # type: ignore[index]
        stretch = across / down
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        short = image.width == FAX_WIDTH and image.height < STANDARD_LINES
        return FINE_LINES if short else 1.0
    return stretch if 1 / MOST_STRETCH <= stretch <= MOST_STRETCH else 1.0


def _square(image: Image.Image, stretch: float) -> Image.Image:
    """Never with fewer dots than it had, unless they are too many."""
    width, height = image.width * max(1.0, 1 / stretch), image.height * max(1.0, stretch)
    scale = min(1.0, (LARGEST / (width * height)) ** 0.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)


def _without_specks(page: Image.Image) -> Image.Image:
    """Dots of the line's noise, black or white and all alone, taken away."""
    black = ~np.asarray(page, dtype=bool)
    around = np.zeros(black.shape, dtype=np.uint8)
    padded = np.pad(black, 1).astype(np.uint8)
    height, width = black.shape
    for down in range(3):
        for across in range(3):
            if (down, across) != (1, 1):
                around += padded[down : down + height, across : across + width]
    black = (black & (around > 0)) | (around == 8)
    return Image.fromarray(np.where(black, 0, 255).astype(np.uint8))
