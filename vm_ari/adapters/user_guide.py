"""The guide of the telephone menus as PDF: one or two A4 pages in the user's language (WELCOME-01).

The keys come from the key map, the words from ``templates/guide/<language>/guide.toml``; an action
without words there is described as it is spoken, so that a new menu is in the guide at once.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.lib.colors import HexColor, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from vm_ari.adapters.prompt_texts import BadTexts, read_texts
from vm_ari.adapters.templates import MailTemplates
from vm_ari.domain.guide import Chapter, Guide, Line

TEMPLATE = "guide"
PART = "guide.toml"
MARGIN = 17 * mm
GAP = 8 * mm
HEAD = 27 * mm
FOOT = 13 * mm
INK, QUIET, ACCENT, PALE = map(HexColor, ("#111827", "#4b5563", "#1e3a8a", "#eef2ff"))
WIDE_FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
)
"""For languages whose letters the fonts of every PDF reader lack."""


class GuideUnwritable(Exception):
    """The words of the guide cannot be used. The text names the file and says what is wrong."""


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    language: str
    title: str
    subtitle: str
    page: str
    login_title: str
    login: tuple[str, ...]
    back: str
    """What is said of the key that leads back, where all menus have the same; else empty."""
    chapters: Mapping[str, str]
    lines: Mapping[str, str]


def user_guide(guide: Guide, language: str, templates: MailTemplates, sounds: Path) -> bytes:
    """The PDF in the language that suits best; the same for the same words and keys.

    *sounds* is the folder of prompts, for actions without words of their own. Raises
    `GuideUnwritable`.
    """
    words, chapters = _worded(guide, language, templates, sounds)
    return _Pages(words).drawn(chapters)


def user_guide_text(guide: Guide, language: str, templates: MailTemplates, sounds: Path) -> str:
    """The same as text, for a terminal. Raises `GuideUnwritable`."""
    words, chapters = _worded(guide, language, templates, sounds)
    blocks = [[words.title, words.subtitle]]
    blocks += [[title, *(f"  {key}  {text}" for key, text in lines)] for title, lines in chapters]
    return "\n\n".join("\n".join(filter(None, block)) for block in blocks) + "\n"


def _worded(
    guide: Guide, language: str, templates: MailTemplates, sounds: Path
) -> tuple[Words, Sequence[tuple[str, Sequence[tuple[str, str]]]]]:
    """The chapters with their titles and lines, in the language that suits best."""
    code = templates.language(TEMPLATE, language)
    words = read_words(guide, code, templates)
    spoken = _spoken_words(sounds / code)
    return words, [(_title(c, words), _lines(c, words, spoken)) for c in shown(guide, words)]


def read_words(guide: Guide, language: str, templates: MailTemplates) -> Words:
    """Those of a folder in ``templates/guide``. Raises `GuideUnwritable`."""
    where = f"templates/{TEMPLATE}/{language}/{PART}"
    values = {"key": guide.keys, "login_number": guide.login_number, "back": _back_key(guide)}
    try:
        table = tomllib.loads(templates.render(TEMPLATE, language, PART, values))
        return Words(
            language=language,
            title=str(table["title"]),
            subtitle=str(table["subtitle"]),
            page=str(table["page"]),
            login_title=str(table["login_title"]),
            login=tuple(map(str, table["login"])),
            back=str(table.get("back", "")),
            chapters=dict(table["chapters"]),
            lines=dict(table["words"]),
        )
    except KeyError as error:
        raise GuideUnwritable(f"{where}: there is no {error.args[0]}; write one") from None
    except Exception as error:  # a site's template can do anything wrong
        raise GuideUnwritable(f"{where}: {error}") from error


def shown(guide: Guide, words: Words) -> list[Chapter]:
    """The chapters, without the key that leads back, where one sentence says it for all."""
    if not words.back:
        return list(guide.chapters)
    return [
        Chapter(c.name, tuple(line for line in c.lines if not _leads_back(line)))
        for c in guide.chapters
    ]


def _leads_back(line: Line) -> bool:
    return line.action.endswith(".back") and line.action != "greeting_review.back"


def _back_key(guide: Guide) -> str:
    """The one that leads back everywhere; empty where menus differ."""
    keys = {line.key for c in guide.chapters for line in c.lines if _leads_back(line)}
    return next(iter(keys)) if len(keys) == 1 else ""


def _title(chapter: Chapter, words: Words) -> str:
    return words.chapters.get(chapter.name, chapter.name.replace("_", " ").capitalize())


def _lines(chapter: Chapter, words: Words, spoken: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (line.key, words.lines.get(line.action) or spoken.get(line.prompt) or _guess(line))
        for line in chapter.lines
    ]


def _guess(line: Line) -> str:
    return line.action.partition(".")[2].replace("_", " ")


def _spoken_words(folder: Path) -> Mapping[str, str]:
    try:
        return {prompt.id: prompt.words for prompt in read_texts(folder).values()}
    except (OSError, BadTexts):
        return {}


class _Pages:
    """Draws the guide of one language."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._font, self._bold = _fonts(words)
        self._text = ParagraphStyle(
            "text", fontName=self._font, fontSize=9.2, leading=11.6, textColor=INK
        )
        self._head = ParagraphStyle(
            "head", fontName=self._bold, fontSize=10.5, leading=13, textColor=ACCENT, spaceAfter=3
        )
        self._key = ParagraphStyle(
            "key", parent=self._text, fontName=self._bold, textColor=ACCENT, alignment=1
        )

    def drawn(self, chapters: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> bytes:
        """All pages."""
        target = BytesIO()
        width, height = A4
        column = (width - 2 * MARGIN - GAP) / 2
        document = BaseDocTemplate(
            target, pagesize=A4, title=f"{self._words.title} – {self._words.subtitle}",
            subject=self._words.subtitle, author="vm_ari", lang=self._words.language, invariant=1,
        )  # fmt: skip

        def frames(top: float) -> list[Frame]:
            size = (column, height - top - FOOT)
            places = (MARGIN, MARGIN + column + GAP)
            return [Frame(x, FOOT, *size, 0, 0, 0, 0, id=f"at {x:.0f}") for x in places]

        document.addPageTemplates(
            [
                PageTemplate(
                    "first", frames(HEAD + 7 * mm), onPage=self._first, autoNextPageTemplate="next"
                ),
                PageTemplate("next", frames(MARGIN), onPage=self._foot),
            ]
        )
        document.build(self._story(chapters, column))
        return target.getvalue()

    def _story(
        self, chapters: Sequence[tuple[str, Sequence[tuple[str, str]]]], width: float
    ) -> list[Flowable]:
        steps = [(f"{n}.", text) for n, text in enumerate(self._words.login, start=1)]
        story = [self._box(self._words.login_title, steps, width, badge=False)]
        if self._words.back:
            story += [self._paragraph(self._words.back, self._text), Spacer(1, 4 * mm)]
        return story + [self._box(title, lines, width) for title, lines in chapters if lines]

    def _box(
        self, title: str, lines: Sequence[tuple[str, str]], width: float, *, badge: bool = True
    ) -> Flowable:
        """One menu; it never breaks across columns."""
        rows = [
            [self._paragraph(key, self._key), self._paragraph(text, self._text)]
            for key, text in lines
        ]
        style: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("RIGHTPADDING", (0, 0), (0, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        if badge:
            style += [
                ("BACKGROUND", (0, 0), (0, -1), PALE),
                ("LINEBELOW", (0, 0), (-1, -2), 1.2, white),
            ]
        table = Table(rows, colWidths=[8 * mm, width - 8 * mm], style=TableStyle(style))
        return KeepTogether([self._paragraph(title, self._head), table, Spacer(1, 3.8 * mm)])

    def _paragraph(self, text: str, style: ParagraphStyle) -> Paragraph:
        return Paragraph(escape(text, quote=False), style)

    def _first(self, canvas: Canvas, document: BaseDocTemplate) -> None:
        width, height = A4
        canvas.saveState()
        canvas.setFillColor(ACCENT)
        canvas.rect(0, height - HEAD, width, HEAD, stroke=0, fill=1)
        canvas.setFillColor(white)
        canvas.setFont(self._bold, 19)
        canvas.drawString(MARGIN, height - 14 * mm, self._words.title)
        canvas.setFont(self._font, 11)
        canvas.drawString(MARGIN, height - 21 * mm, self._words.subtitle)
        canvas.restoreState()
        self._foot(canvas, document)

    def _foot(self, canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setFillColor(QUIET)
        canvas.setFont(self._font, 8)
        text = f"{self._words.page} {document.page}"
        canvas.drawRightString(A4[0] - MARGIN, 7 * mm, text)
        canvas.restoreState()


def _fonts(words: Words) -> tuple[str, str]:
    """Those of every reader, where they have the letters; else wide ones, if there are any."""
    texts = (words.title, words.subtitle, words.page, words.login_title, words.back, *words.login)
    every = "".join((*texts, *words.chapters.values(), *words.lines.values()))
    try:
        every.encode("cp1252")
    except UnicodeEncodeError:
        return _wide_fonts() or ("Helvetica", "Helvetica-Bold")
    return "Helvetica", "Helvetica-Bold"


@cache
def _wide_fonts() -> tuple[str, str] | None:
    try:
        for path in WIDE_FONTS:
            pdfmetrics.registerFont(TTFont(path.stem, str(path)))
    except (OSError, TTFError):
        return None
    return WIDE_FONTS[0].stem, WIDE_FONTS[1].stem
