"""Small bar charts as inline SVG, readable without colour and announced as text."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

BAR, GAP, HEIGHT = 6, 1, 34


def bars(counts: Sequence[int | None], label: str) -> Markup:
    """Draw one bar a bin; a hidden bin (None) is hatched at a fixed height, which says nothing of its count."""
    if not counts:
        return Markup("")
    highest = max((count for count in counts if count), default=1)
    shown = "".join(_bar(index, HEIGHT * count / highest) for index, count in enumerate(counts) if count)
    hidden = "".join(_bar(index, HEIGHT / 4) for index, count in enumerate(counts) if count is None)
    width, height = len(counts) * (BAR + GAP), HEIGHT + 1
    return Markup(  # noqa: S704 - every part is a number of ours, or escaped
        f'<svg class="bars" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<title>{escape(label)}</title><path class="bar" d="{shown}"/><path class="hidden" d="{hidden}"/>'
        f'<path class="axis" d="M0 {HEIGHT + 0.5}H{width}"/></svg>'
    )


def _bar(index: int, height: float) -> str:
    # The lowest bar can still be seen.
    return f"M{index * (BAR + GAP)} {HEIGHT}h{BAR}v-{max(1.0, height):.0f}h-{BAR}z"
