"""HTML of a mail as text: first what could do harm is taken out, then inscriptis lays it out.

Runs in the confined worker. Nothing is fetched; what a reader would not see is not said.
"""

import re
from collections.abc import Iterator

from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

MOST_HTML = 1_000_000
"""Characters of source."""
MOST_ELEMENTS = 20_000
DEPTH = 60
"""Of nested elements; what lies deeper is taken out. inscriptis calls itself for each."""
LONGEST_CELL = 80
"""Characters in a cell of a table of data; in longer ones is text, so the table is a layout."""
LONGEST_QUOTE = 2000
_DROPPED_TAGS = """
script style head title meta link template noscript object embed applet iframe frame frameset
svg math canvas audio video source map area img input button select textarea option datalist
progress meter base bgsound noframes
"""
_DROPPED = frozenset(_DROPPED_TAGS.split())
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|"
    r"(?:^|;)\s*opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)",
    re.IGNORECASE,
)
_NO_SIZE = re.compile(
    r"(?:^|;)\s*(?:max-)?(?:height|width)\s*:\s*0(?:px)?\s*(?:;|!|$)", re.IGNORECASE
)
_CLIPPED = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_NO_LETTERS = re.compile(
    r"(?:^|;)\s*font-size\s*:\s*0(?:\.0+)?(?:px|pt|em|rem|%)?\s*(?:;|!|$)", re.IGNORECASE
)
_SIGNATURE = re.compile(r"(?:^|\s)(?:gmail_signature|moz-signature|x_?signature)(?:\s|$)")
_QUOTES = (
    "//blockquote[@type='cite' or contains(@class, 'quote')]"
    " | //div[contains(@class, 'yahoo_quoted')]"
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_FORGOTTEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def text_of_html(source: str) -> tuple[str, bool]:
    """What a person would see, with ``|`` between cells and ``>`` before quotes.

    The second value: is it only the beginning? Whatever the source holds, this does not raise.
    """
    tree, cut = _tree(source)
    if tree is None:
        return _without_tags(source), cut
    try:
        cut |= _defuse(tree)
        config = ParserConfig(css=CSS_PROFILES["strict"].copy())
        return Inscriptis(tree, config).get_text(), cut
    except (ValueError, AttributeError, IndexError, KeyError, TypeError, RecursionError):
        return _without_tags(source), cut


def _tree(source: str) -> tuple[HtmlElement | None, bool]:
    clean = _FORGOTTEN.sub(" ", source[:MOST_HTML])
    parser = HTMLParser(remove_comments=True, remove_pis=True, no_network=True, encoding="utf-8")
    try:
        tree = document_fromstring(clean.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None, len(source) > MOST_HTML
    return tree, len(source) > MOST_HTML


def _without_tags(source: str) -> str:
    """A last resort."""
    return " ".join(_TAG.sub(" ", source[:MOST_HTML]).split())


def _defuse(tree: HtmlElement) -> bool:
    """Leave only what is seen, flat enough, without attributes. True if something was cut off."""
    cut = False
    for count, (element, depth) in enumerate(list(_elements(tree))):
        if count > MOST_ELEMENTS or depth > DEPTH:
            cut = True
            _cut_off(element)
        elif not isinstance(element.tag, str) or _is_unseen(element):
            _empty(element)
    for quote in tree.xpath(_QUOTES):
        _mark_quote(quote)
    for table in reversed(list(tree.iter("table"))):
        _flatten(table)
    for element in tree.iter():
        element.attrib.clear()
    return cut


def _elements(tree: HtmlElement) -> Iterator[tuple[HtmlElement, int]]:
    """All elements with their depth, without calling itself."""
    depth = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if event == "start":
            depth += 1
            yield element, depth
        else:
            depth -= 1


def _cut_off(element: HtmlElement) -> None:
    """Take it out of the tree, with the text behind it."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _empty(element: HtmlElement) -> None:
    """Nothing of it is seen. Taking it out would cost the square of the text behind it."""
    element.clear(keep_tail=True)
    element.tag = "span"


def _is_unseen(element: HtmlElement) -> bool:
    if element.tag in _DROPPED or "hidden" in element.attrib:
        return True
    if _SIGNATURE.search(element.get("class", "")[:200]):
        return True
    style = element.get("style", "")[:2000]
    if _NO_LETTERS.search(style):
        return len(element) == 0  # around others it only closes the gaps between them
    return bool(_HIDDEN.search(style) or (_NO_SIZE.search(style) and _CLIPPED.search(style)))


def _mark_quote(quote: HtmlElement) -> None:
    """One line that begins as quotes do in plain text."""
    words = _words(quote, LONGEST_QUOTE)
    _become_line(quote, f"> {words}" if words else "")


def _words(element: HtmlElement, most: int) -> str:
    """The beginning of the text in it."""
    pieces, length = list[str](), 0
    for piece in element.itertext():
        pieces.append(piece)
        length += len(piece)
        if length > most * 2:
            break
    return " ".join(" ".join(pieces).split())[:most]


def _become_line(element: HtmlElement, text: str) -> None:
    tail = element.tail
    element.clear()
    element.tag, element.text, element.tail = "p", text, tail


def _flatten(table: HtmlElement) -> None:
    """A table of data becomes a line per row, any other one what lies in its cells."""
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in table.iter("tr")]
    if _is_data(rows):
        _become_rows(table, rows)
        return
    for element in [table, *table.iter("tbody", "thead", "tfoot", "tr", "td", "th", "caption")]:
        if element.tag != "p":
            element.tag = "div"


def _is_data(rows: list[list[HtmlElement]]) -> bool:
    """Two rows of two cells at least, only short ones, and no table in any."""
    cells = [cell for row in rows for cell in row]
    if len([row for row in rows if len(row) > 1]) < 2:
        return False
    if any(cell.find(".//pre") is not None for cell in cells):
        return False
    return all(len(_words(cell, LONGEST_CELL + 1)) <= LONGEST_CELL for cell in cells)


def _become_rows(table: HtmlElement, rows: list[list[HtmlElement]]) -> None:
    lines = [
        " | ".join(_words(cell, LONGEST_CELL).replace("|", " ") for cell in row) for row in rows
    ]
    tail = table.tail
    table.clear()
    table.tag, table.tail = "pre", tail
    table.text = "\n" + "\n".join(f"| {line} |" for line in lines if line) + "\n"
