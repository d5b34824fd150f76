"""Office hours as a grid of the week, holidays, and the profiles that follow them (HOURS-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from vm_ari.domain.office_hours import DAYS, MIDNIGHT, Day, OfficeHours, Span
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    BREAK_PROFILE,
    HOLIDAY_REGION,
    HOLIDAYS,
    OFF_HOURS_PROFILE,
    OFFICE_HOURS,
    BadSetting,
    Layers,
    effective,
)
from vm_ari.web.fields import Form
from vm_ari.web.page import Page
from vm_ari.web.rendering import weekdays
from vm_ari.web.settings_page import described, sent, store
from vm_ari.web.visit import Visit

SETTINGS = (OFF_HOURS_PROFILE, BREAK_PROFILE, HOLIDAY_REGION, HOLIDAYS)
COLUMNS = ("from", "to", "break-from", "break-to")


@dataclass(frozen=True)
class Row:
    """One weekday, as it is typed."""

    day: str
    name: str
    texts: Sequence[str]
    """By column; empty for none."""
    error: str = ""

    @property
    def cells(self) -> list[tuple[str, str]]:
        """The names of the fields, and what is in them."""
        return [
            (f"{self.day}-{column}", text) for column, text in zip(COLUMNS, self.texts, strict=True)
        ]


async def show(visit: Visit) -> Response:
    """As everything is now."""
    texts = await described(visit)
    hours = effective(OFFICE_HOURS, texts.layers).value
    return await _shown(visit, _rows(visit, hours), texts.form(SETTINGS))


async def change(visit: Visit) -> Response:
    """Store it, take the default again, or copy one day to the working days of the week."""
    typed, texts = sent(visit), await described(visit)
    rows = _typed_rows(visit, typed)
    form = texts.typed(SETTINGS, typed)
    match typed.get("action", "save"):
        case "default":
            error = await store(visit, {OFFICE_HOURS.key: None})
        case "copy":
            return await _shown(visit, _copied(rows), form)
        case _:
            if form.errors or any(row.error for row in rows):
                return await _shown(visit, rows, form, HTTPStatus.UNPROCESSABLE_ENTITY)
            error = await store(visit, {**form.changes, **_changed(rows, texts.layers)})
    if error:
        return await _shown(visit, rows, form, HTTPStatus.UNPROCESSABLE_ENTITY, error)
    return await visit.done("office-hours.saved", "office-hours")


def _changed(rows: Sequence[Row], layers: Layers) -> dict[str, str | None]:
    """Hours that count already are no own ones."""
    written = OFFICE_HOURS.format(OFFICE_HOURS.parse(_written(rows)))
    now = OFFICE_HOURS.form.write(effective(OFFICE_HOURS, layers).value)
    return {} if written == now else {OFFICE_HOURS.key: written}


def _written(rows: Sequence[Row]) -> str:
    """As `parse_hours` reads a week."""
    days = [f"{row.day} {_day_text(row.texts)}" for row in rows if any(row.texts)]
    return "; ".join(days) or "always"


def _day_text(texts: Sequence[str]) -> str:
    start, end, pause, over = texts
    return f"{start}-{end}" + (f" {pause}-{over}" if pause or over else "")


def _rows(visit: Visit, hours: OfficeHours) -> list[Row]:
    names = weekdays(visit.language)
    return [Row(day, names[number], _texts(hours.week[number])) for number, day in enumerate(DAYS)]


def _texts(day: Day | None) -> Sequence[str]:
    if day is None:
        return ("",) * 4
    return (*_ends(day.work), *(_ends(day.pause) if day.pause else ("", "")))


def _ends(span: Span) -> tuple[str, str]:
    """As the fields for times have them, which know no 24:00."""
    return _clock(span.start % MIDNIGHT), _clock(span.end % MIDNIGHT)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _typed_rows(visit: Visit, typed: Mapping[str, str]) -> list[Row]:
    names = weekdays(visit.language)
    rows = []
    for number, day in enumerate(DAYS):
        texts = tuple(typed.get(f"{day}-{column}", "").strip()[:8] for column in COLUMNS)
        rows.append(Row(day, names[number], texts, _wrong(visit, day, texts)))
    return rows


def _wrong(visit: Visit, day: str, texts: Sequence[str]) -> str:
    """What is wrong with a day, for the user; empty: nothing."""
    if not any(texts):
        return ""
    try:
        OFFICE_HOURS.parse(f"{day} {_day_text(texts)}")
    except BadSetting:
        half = bool(texts[0]) != bool(texts[1]) or bool(texts[2]) != bool(texts[3])
        return visit.words(f"office-hours.{'half' if half or not texts[0] else 'wrong'}")
    return ""


def _copied(rows: Sequence[Row]) -> list[Row]:
    """Monday's hours for Tuesday to Friday, too."""
    monday = rows[0]
    same = [Row(row.day, row.name, monday.texts, monday.error) for row in rows[1:5]]
    return [monday, *same, *rows[5:]]


async def _shown(
    visit: Visit,
    rows: Sequence[Row],
    form: Form,
    status: HTTPStatus = HTTPStatus.OK,
    error: str = "",
) -> Response:
    texts = await described(visit)
    return visit.page(
        "office-hours.html",
        visit.words("office-hours.title"),
        status=status,
        rows=rows,
        columns=COLUMNS,
        form=form,
        hours=texts.form([OFFICE_HOURS]).fields[0],
        error=error,
    )


PAGES = (Page("office-hours", show, change, feature=Feature.OFFICE_HOURS, menu=40),)
