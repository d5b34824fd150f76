"""Curves as an SVG that is readable on light and on dark pages."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, TOP, HIGH, GAP = 760, 70, 20, 40, 200, 62
_STYLE = """\
<style>
  text { font: 12px sans-serif; fill: #333 }
  .head { font-weight: bold }
  .grid { stroke: #ccc; stroke-width: 0.7 }
  .curve { fill: none; stroke-width: 2 }
  .dashed { stroke-dasharray: 5 4 }
  .c0 { stroke: #0b5cad } .c1 { stroke: #c0392b } .c2 { stroke: #2e7d32 } .c3 { stroke: #8e44ad }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .grid { stroke: #555 }
    .c0 { stroke: #6db3ff } .c1 { stroke: #ff8a75 } .c2 { stroke: #7fd186 } .c3 { stroke: #d6a2ee }
  }
</style>"""


@dataclass(frozen=True)
class Curve:
    """One line; *colour*: 0 … 3. What is not a number is left out."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False

    @property
    def known(self) -> Sequence[tuple[float, float]]:
        """The points that have a value."""
        return [one for one in self.points if math.isfinite(one[1])]


@dataclass(frozen=True)
class Panel:
    """Curves over one axis; *title* says what is drawn, and its unit."""

    title: str
    curves: Sequence[Curve]
    logarithmic: bool = False


def svg(heading: str, across: str, panels: Sequence[Panel]) -> str:
    """The whole picture: panels one below the other; *across*: what the horizontal axis is."""
    high = TOP + len(panels) * (HIGH + GAP) + 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" role="img">'
    lines = [head, f"<title>{escape(heading)}</title>", _STYLE, _text(LEFT, 18, heading, "head")]
    last = max(x for panel in panels for curve in panel.curves for x, _ in curve.known)
    for number, panel in enumerate(panels):
        lines += _panel(panel, TOP + number * (HIGH + GAP), last)
    lines.append(_text(WIDTH - RIGHT, high - 18, across, anchor="end"))
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel: Panel, top: float, last: float) -> Iterator[str]:
    """Axes with their ticks, the curves, and what they are."""
    values = [y for curve in panel.curves for _, y in curve.known]
    ticks = _tenfold(values) if panel.logarithmic else _even(max(values))
    bottom = top + HIGH
    scale = _Scale(ticks, panel.logarithmic)
    yield _text(LEFT, top + 10, panel.title, "head")
    for tick in ticks:
        y = bottom - (HIGH - 18) * scale.of(tick)
        yield _rule(LEFT, y, WIDTH - RIGHT, y)
        yield _text(LEFT - 6, y + 4, f"{tick:g}", anchor="end")
    for tick in _even(last):
        if tick <= last:
            x = _across(tick, last)
            yield _rule(x, top + 18, x, bottom)
            yield _text(x, bottom + 16, f"{tick:g}", anchor="middle")
    for number, curve in enumerate(panel.curves):
        points = [(_across(x, last), bottom - (HIGH - 18) * scale.of(y)) for x, y in curve.known]
        yield _curve(curve, points)
        yield from _legend(curve, LEFT + 165 * number, bottom + 34)


def _across(x: float, last: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * x / (last or 1.0)


@dataclass(frozen=True)
class _Scale:
    ticks: Sequence[float]
    logarithmic: bool

    def of(self, value: float) -> float:
        """How far up: 0 … 1."""
        low, high, at = (self._even(one) for one in (self.ticks[0], self.ticks[-1], value))
        return (at - low) / ((high - low) or 1.0)

    def _even(self, value: float) -> float:
        return math.log10(max(value, self.ticks[0])) if self.logarithmic else value


def _even(highest: float) -> Sequence[float]:
    """Some round numbers from 0 to *highest* or a little more."""
    rough = max(highest, 1e-9) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * one for one in (1, 2, 5, 10) if unit * one >= rough)
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _tenfold(values: Sequence[float]) -> Sequence[float]:
    """Powers of ten around all of them."""
    low = math.floor(math.log10(max(min(values), 1e-3)))
    high = max(math.ceil(math.log10(max(*values, 1e-3))), low + 1)
    return [10.0**number for number in range(low, high + 1)]


def _curve(curve: Curve, points: Sequence[tuple[float, float]]) -> str:
    kind = f"curve c{curve.colour}" + (" dashed" if curve.dashed else "")
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def _legend(curve: Curve, x: float, y: float) -> Iterator[str]:
    yield _curve(curve, [(x, y - 4), (x + 22, y - 4)])
    yield _text(x + 28, y, curve.name)


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="grid" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    more = f' class="{kind}"' if kind else ""
    return f'<text{more} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
