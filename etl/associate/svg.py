"""A small canvas for charts: scaled coordinates in, accessible SVG text out. Colours come from the page's styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 14, 44

Range = tuple[float, float]


class Canvas:
    """One chart with linear axes; x and y are in the units of the data."""

    def __init__(self, title: str, x: Range, y: Range, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.title, self.x_range, self.y_range, self.size = title, _spread(x), _spread(y), size
        self.parts: list[str] = []

    def x(self, value: float) -> float:
        """Place a value of x on the page."""
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (self.size[0] - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Place a value of y on the page."""
        low, high = self.y_range
        return self.size[1] - BOTTOM - (value - low) / (high - low) * (self.size[1] - TOP - BOTTOM)

    def line(self, start: tuple[float, float], end: tuple[float, float], style: str = "line") -> None:
        """Draw a straight line between two points of the data."""
        (x1, y1), (x2, y2) = start, end
        self.parts.append(
            f'<line class="{style}" x1="{self.x(x1):.1f}" y1="{self.y(y1):.1f}" '
            f'x2="{self.x(x2):.1f}" y2="{self.y(y2):.1f}"/>'
        )

    def path(self, xs: Sequence[float], ys: Sequence[float], style: str = "line") -> None:
        """Draw a line through points."""
        points = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(xs, ys, strict=True))
        self.parts.append(f'<polyline class="{style}" points="{points}"/>')

    def box(self, left: float, right: float, bottom: float, top: float, style: str = "box") -> None:
        """Draw a rectangle."""
        self.parts.append(
            f'<rect class="{style}" x="{self.x(left):.1f}" y="{self.y(top):.1f}" '
            f'width="{self.x(right) - self.x(left):.1f}" height="{self.y(bottom) - self.y(top):.1f}"/>'
        )

    def dot(self, x: float, y: float, radius: float = 3, style: str = "dot") -> None:
        """Draw a point."""
        self.parts.append(f'<circle class="{style}" cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="{radius}"/>')

    def text(self, x: float, y: float, text: str, anchor: str = "middle") -> None:
        """Write at a place of the page, in pixels."""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>')

    def axes(self, x_label: str, y_label: str, *, x_ticks: bool = True, y_ticks: bool = True) -> None:
        """Draw both axes with round ticks."""
        width, height = self.size
        for value in ticks(self.x_range) if x_ticks else ():
            self.line((value, self.y_range[0]), (value, self.y_range[1]), "grid")
            self.text(self.x(value), height - BOTTOM + 16, f"{value:g}")
        for value in ticks(self.y_range) if y_ticks else ():
            self.line((self.x_range[0], value), (self.x_range[1], value), "grid")
            self.text(LEFT - 6, self.y(value) + 4, f"{value:g}", "end")
        self.text((LEFT + width - RIGHT) / 2, height - 8, x_label)
        middle = (TOP + height - BOTTOM) / 2
        self.parts.append(
            f'<text x="14" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 14 {middle:.1f})">'
            f"{escape(y_label)}</text>"
        )

    def render(self) -> str:
        """Return the chart as one element that a screen reader announces by its title."""
        width, height = self.size
        title = escape(self.title, quote=True)
        return (
            f'<svg role="img" aria-label="{title}" viewBox="0 0 {width} {height}" '
            f'style="max-width:{width}px">{"".join(self.parts)}</svg>'
        )


def ticks(bounds: Range, count: int = 5) -> list[float]:
    """Choose about that many round numbers inside the bounds."""
    low, high = bounds
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _spread(bounds: Range) -> Range:
    low, high = bounds
    return (low, high) if high > low else (low - 1, high + 1)
