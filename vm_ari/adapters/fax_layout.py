"""A page that a template describes, line by line: the cover of a fax, or the note of a second part.

    # Fax                 a heading
    ## Your order         a smaller one
    | To | Anna Müller    a name and a value
    ---                   a line across the page
    > whatever            text, exactly as it is, broken where it is too long
    (anything else)       the same

What a line is, its first characters say, which are the template's: a value can only fill it.
"""

from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont
FontOf = Callable[[int], Font]
TOP, SIDE = 150, 130
_TITLE, _HEADING, _TEXT = 96, 52, 38
_VALUES = 480
"""From the left: where the values stand."""
_LONGEST_LINE = 2000


def laid_out(page: Image.Image, text: str, font_of: FontOf) -> Image.Image:
    """The page with these lines on it; what does not fit is cut off, with a mark."""
    pen = _Pen(page, font_of)
    for line in text.splitlines():
        if not pen.draw(line[:_LONGEST_LINE].rstrip()):
            break
    return page


def wrapped(line: str, font: Font, room: int) -> Iterator[str]:
    """Broken between words where that is possible."""
    while font.getlength(line[:400]) > room:
        most = _fitting(line, font, room)
        at = line.rfind(" ", 1, most + 1)
        cut = at if at > 0 else most
        yield line[:cut].rstrip()
        line = line[cut:].lstrip()
    yield line


def _fitting(line: str, font: Font, room: int) -> int:
    """How many characters have room, at least one."""
    low, high = 1, min(len(line), 400)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(line[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


class _Pen:
    """Goes down the page."""

    def __init__(self, page: Image.Image, font_of: FontOf) -> None:
        self._draw = ImageDraw.Draw(page)
        self._width, self._bottom = page.width, page.height - TOP
        self._font_of = font_of
        self._at = TOP

    def draw(self, line: str) -> bool:
        """One line of the template; False: the page is full."""
        if line.startswith("---"):
            self._draw.rectangle((SIDE, self._at + 20, self._width - SIDE, self._at + 23), fill=0)
            self._at += 60
            return True
        if line.startswith("# "):
            return self._write(line[2:], _TITLE)
        if line.startswith("## "):
            return self._write(line[3:], _HEADING)
        if line.startswith("| "):
            name, _, value = line[2:].partition("|")
            self._draw.text((SIDE, self._at), name.strip(), fill=0, font=self._font_of(_TEXT))
            return self._write(value.strip(), _TEXT, _VALUES)
        return self._write(line[2:] if line.startswith("> ") else line.removeprefix(">"), _TEXT)

    def _write(self, text: str, size: int, left: int = SIDE) -> bool:
        font, pitch = self._font_of(size), round(size * 1.35)
        for piece in wrapped(text, font, self._width - SIDE - left):
            if self._at + 2 * pitch > self._bottom:
                self._draw.text((left, self._at), "…", fill=0, font=font)
                return False
            self._draw.text((left, self._at), piece, fill=0, font=font)
            self._at += pitch
        return True
