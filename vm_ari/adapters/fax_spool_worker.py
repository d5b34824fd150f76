"""Looks at the pages of one received fax, and makes a PDF of them, in a process of its own.

``python -m vm_ari.adapters.fax_spool_worker < TIFF``: a line of JSON with ``pages``, ``lines`` (per
inch) and ``size``, and so many bytes of PDF. The fax may be made to break decoders: so the process
is confined before it is opened.
"""

import io
import json
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from vm_ari.adapters.confinement import confine

if TYPE_CHECKING:
    from PIL import Image

MEMORY = 768 << 20
CPU_SECONDS = 60
MOST_PAGES = 1000
MOST_PIXELS = 40_000_000
"""Of a page: A3 at the finest resolution has 22 million."""
USUAL = (204.0, 196.0)
"""Dots per inch, where a page does not say it."""
_BROKEN = (OSError, ValueError, TypeError, KeyError, IndexError, SyntaxError, OverflowError)
"""What Pillow raises for a file that is not as it should be."""
_X, _Y = 282, 283
"""Tags of the resolution (TIFF 6.0)."""


def main() -> None:
    """Read the file that is standard input."""
    confine(memory=MEMORY, cpu_seconds=CPU_SECONDS)
    warnings.simplefilter("ignore")  # of what is damaged
    try:
        pages = list(whole_pages(sys.stdin.buffer))
        pdf = pdf_of(pages) if pages else b""
        lines = dots_per_inch(pages[0])[1] if pages else 0.0
    except (MemoryError, RecursionError) as error:
        sys.exit(type(error).__name__)
    head = json.dumps({"pages": len(pages), "lines": lines, "size": len(pdf)})
    sys.stdout.buffer.write(head.encode() + b"\n" + pdf)
    sys.stdout.buffer.flush()


def whole_pages(file: BinaryIO) -> Iterator["Image.Image"]:
    """Each page that can be decoded, in black and white; an end in the middle ends it."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        document = Image.open(file, formats=["TIFF"])
        for number in range(MOST_PAGES):
            document.seek(number)
            document.load()
            page = document.convert("1", dither=Image.Dither.NONE)
            page.info["tags"] = (_tag(document, _X, USUAL[0]), _tag(document, _Y, USUAL[1]))
            yield page
    except (EOFError, Image.DecompressionBombError, *_BROKEN):
        return  # there are no more


def pdf_of(pages: "list[Image.Image]") -> bytes:
    """All pages with the resolution of the first, dot by dot where they have the same."""
    dots = dots_per_inch(pages[0])
    alike = [_as_fine(page, dots) for page in pages]
    out = io.BytesIO()
    alike[0].save(out, "PDF", save_all=True, append_images=alike[1:], dpi=dots)
    return out.getvalue()


def dots_per_inch(page: "Image.Image") -> tuple[float, float]:
    """In a line, and lines."""
    return page.info["tags"]  # type: ignore[no-any-return]  # put there by `whole_pages`


def _as_fine(page: "Image.Image", dots: tuple[float, float]) -> "Image.Image":
    own = dots_per_inch(page)
    size = (round(page.width * dots[0] / own[0]), round(page.height * dots[1] / own[1]))
    fits = size == page.size or size[0] * size[1] > MOST_PIXELS or min(size) < 1
    return page if fits else page.resize(size)


def _tag(document: "Image.Image", number: int, usual: float) -> float:
    try:
        value = float(document.tag_v2[number])  # type: ignore[attr-defined]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError):
        return usual
    return value if 30 <= value <= 1300 else usual


if __name__ == "__main__":
    main()
