"""The report as one HTML page that needs nothing but itself: no server, no network, no other file."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from etl.report.chart import bars
from etl.report.model import Report
from etl.report.words import words

# Of a check with very many scopes the page lists so many passed ones; the other formats list all.
LISTED_PASSES = 12


def render(report: Report, language: str = "en") -> bytes:
    """Return the page in one language."""
    said = words(language)
    environment = Environment(
        loader=PackageLoader("etl.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": _count, "named": _named, "shown": _shown}
    environment.globals |= {"bars": bars, "label": _label, "source": _source(environment)}
    page = environment.get_template("page.html.j2")
    return page.render(report=report, t=said, language=language, findings=_findings(report)).lstrip().encode()


def _findings(report: Report) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what failed or could not run, with its check; the gravest severity first."""
    order = ("fatal", "convention", "characterization")
    found = [
        (check, result)
        for check in report.checks
        for result in check["results"]
        if result["status"] in {"error", "failed"}
    ]
    return sorted(found, key=lambda pair: (pair[1]["status"] != "error", order.index(pair[0]["severity"])))


def _shown(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every result that did not pass and the first of those that did."""
    passed = [result for result in results if result["status"] == "passed"]
    return [result for result in results if result["status"] != "passed"] + passed[:LISTED_PASSES]


def _count(number: float | None) -> str:
    """Write a number with thousands apart; what is hidden or unknown as a dash."""
    return "–" if number is None else f"{number:,.6g}" if isinstance(number, float) else f"{number:,}"


def _named(counts: dict[str, int] | None, said: dict[str, Any]) -> str:
    """List names with their counts, the largest first; a word of ours in the reader's language."""
    ordered = sorted((counts or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    named = [(said["data"].get(name, name) or said["no_unit"], number) for name, number in ordered]
    return " · ".join(f"{name} {number:,}" for name, number in named) or "–"


def _label(row: dict[str, Any], said: dict[str, Any]) -> str:
    """Say in words what a bar chart shows."""
    hidden = sum(count is None for count in row["histogram"])
    told = f"{said['distribution_of']} {_count(row['low'])} {said['to']} {_count(row['high'])} {row.get('unit', '')}: "
    told += ", ".join("–" if count is None else str(count) for count in row["histogram"])
    return f"{told}; {hidden} {said['hidden_bins']}" if hidden else told


def _source(environment: Environment) -> Any:  # noqa: ANN401 - a function for the template
    def source(name: str) -> Markup:
        loader = environment.loader
        return Markup(loader.get_source(environment, name)[0] if loader else "")  # noqa: S704 - our own files

    return source
