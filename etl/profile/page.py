"""The profile as one HTML page that needs nothing but itself: no server, no network, no script."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from etl.profile.model import ColumnProfile, FileProfile, Plot
from etl.report.chart import bars


def page(files: Sequence[FileProfile]) -> bytes:
    """Return the page."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("etl.profile"), PackageLoader("etl.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "share": _share, "words": _words}
    environment.globals |= {"plot": _plot, "css": _css(environment)}
    return environment.get_template("profile.html.j2").render(files=files).lstrip().encode()


def _css(environment: Environment) -> Markup:
    loader = environment.loader
    text = loader.get_source(environment, "page.css")[0] if loader else ""
    return Markup(text)  # noqa: S704 - our own file


def _plot(plot: Plot) -> Markup:
    hidden = sum(count is None for count in plot.counts)
    told = ", ".join("hidden" if count is None else str(count) for count in plot.counts)
    return bars(
        plot.counts, f"{plot.title}, {plot.edges[0]} to {plot.edges[-1]}: {told}; {hidden} bins hidden"
    )


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _share(column: ColumnProfile) -> str:
    return f"{100 * column.filled / column.records:.0f} %" if column.records else "–"


def _words(counts: dict[str, int | str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items())
