"""The report as one HTML page that needs nothing but itself: no server, no network, no other file."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from etl.report.chart import bars
from etl.report.model import Report
from etl.report.words import words
from schemas.analytes import registry

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
    environment.filters |= {
        "count": _count, "named": _named, "shown": _shown, "scope": _scope, "told": _told, "analyte": _analyte,
    }  # fmt: skip
    environment.globals |= {"bars": bars, "label": _label, "source": _source(environment)}
    page = environment.get_template("page.html.j2")
    sentences = {check["id"]: check["text"][language]["sentence"] for check in report.checks}
    shown = page.render(
        report=report, t=said, language=language, findings=_findings(report), sentences=sentences
    )
    return shown.lstrip().encode()


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


def _scope(scope: str, said: dict[str, Any]) -> str:
    """Write `site=north, analyte=ferritin` in the reader's words."""
    if "=" not in scope:
        return str(said["all"])
    pairs = (part.partition("=")[::2] for part in scope.split(", "))
    return ", ".join(
        f"{said[key].lower()} {said['data'].get(value, said.get(value, value) if key == 'cohort_group' else value)}"
        for key, value in pairs
    )


def _told(text: str) -> Markup:
    """Mark up what a text names as code, `like this`."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _analyte(name: str, language: str) -> str:
    """Return what people call an analyte: its title, or its first name in another language."""
    known = registry().get(name)
    if known is None:
        return name
    return next(iter(known.languages.get(language, ())), known.title) if language != "en" else known.title


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
