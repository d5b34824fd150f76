"""Faxes as machines send them: letters drawn in black and white, and what breaks decoders."""

import io
import struct
from collections.abc import Sequence
from pathlib import Path

import reportlab
from PIL import Image, ImageDraw, ImageFont

FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
A4 = (1728, 2290)
"""Dots at 204 by 196 per inch."""

LETTER = (
    "Muster Maschinenbau GmbH",
    "Industriestraße 12, 80331 München",
    "",
    "Sehr geehrte Frau Schneider,",
    "",
    "vielen Dank für Ihre Bestellung vom 14. März.",
    "Wir liefern 250 Stück am Donnerstag um 16 Uhr",
    "und bitten um Rückruf unter 089 4711 22.",
    "",
    "Mit freundlichen Grüßen",
)
ENGLISH = (
    "Dear Sir or Madam,",
    "",
    "thank you for your order of 14 March.",
    "We shall deliver 250 pieces on Thursday.",
)


def page(lines: Sequence[str], *, points: float = 12) -> Image.Image:
    """A page of A4 with these lines on it, at 204 by 196 dots per inch."""
    image = Image.new("L", A4, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(FONT, points / 72 * 200)
    for number, line in enumerate(lines):
        draw.text((200, 250 + number * points / 72 * 200 * 1.5), line, "black", font)
    return image.convert("1", dither=Image.Dither.NONE)


def tiff(
    pages: Sequence[Image.Image],
    *,
    compression: str = "group3",
    lines_per_inch: int = 196,
    resolution: bool = True,
) -> bytes:
    """A fax of several pages; with 98 lines per inch every second line is left out."""
    low = [p.resize((p.width, round(p.height * lines_per_inch / 196))) for p in pages]
    tags = {282: 204.0, 283: float(lines_per_inch), 296: 2} if resolution else {}
    out = io.BytesIO()
    low[0].save(
        out, "TIFF", compression=compression, save_all=True, append_images=low[1:], tiffinfo=tags
    )
    return out.getvalue()


def pdf(pages: Sequence[Image.Image]) -> bytes:
    """The same as fax servers mail it."""
    out = io.BytesIO()
    pages[0].save(out, "PDF", resolution=204.0, save_all=True, append_images=pages[1:])
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    """One page."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def blank_pages(number: int) -> bytes:
    """A TIFF of so many tiny pages, each a few bytes long."""
    return tiff([Image.new("1", (64, 64), 1)] * number, compression="group4")


def giant_tiff(width: int, height: int) -> bytes:
    """A page that claims a size without having the data for it."""
    tags = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 1),
        (259, 3, 4),  # G4
        (262, 3, 0),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, 2),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 10) + b"\0\x10" + directory


def endless_tiff() -> bytes:
    """A directory of pages that leads back to itself."""
    fax = bytearray(blank_pages(1))
    first = struct.unpack_from("<I", fax, 4)[0]
    entries = struct.unpack_from("<H", fax, first)[0]
    struct.pack_into("<I", fax, first + 2 + 12 * entries, first)
    return bytes(fax)


def without_data(fax: bytes, *, page: int) -> bytes:
    """The same, but the dots of one page lie behind the end of the file."""
    broken, directory = bytearray(fax), struct.unpack_from("<I", fax, 4)[0]
    for _ in range(page - 1):
        entries = struct.unpack_from("<H", fax, directory)[0]
        directory = struct.unpack_from("<I", fax, directory + 2 + 12 * entries)[0]
    for entry in range(struct.unpack_from("<H", fax, directory)[0]):
        place = directory + 2 + 12 * entry
        tag, kind, count, value = struct.unpack_from("<HHII", fax, place)
        if tag == 273:  # where the strips of the page lie, or where that is written
            offset = place + 8 if count == 1 else value
            broken[offset : offset + 4 * count] = struct.pack("<I", len(fax) * 2) * count
            assert kind == 4
    return bytes(broken)
