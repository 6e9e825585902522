"""Suites as data: read and check the definitions in suites/*.toml and their overrides."""

from __future__ import annotations

import csv
import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from expectations.result import EVERYTHING, SEVERITIES, CheckResult
from schemas.errors import DefinitionError

FOLDER = Path(__file__).parent / "suites"

# Kahn et al., eGEMs 2016;4(1):1244: three categories; completeness has no subcategory of its own.
SUBCATEGORIES = {
    "conformance": ("value", "relational", "computational"),
    "completeness": ("completeness",),
    "plausibility": ("uniqueness", "atemporal", "temporal"),
}
COUNTED = ("rows", "subjects")
POPULATIONS = ("", "described", "case", "control")
CONTEXTS = ("verification", "validation")  # against the data's own rules, or against something outside them

OVERRIDE_COLUMNS = ("check_id", "scope", "threshold", "notes")

_LIMIT = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True)
class Override:
    """A threshold that a data manager set for one scope, or for all, and why."""

    threshold: float
    notes: str
    where: str = ""  # file and line


@dataclass(frozen=True)
class Check:
    """One check: the rows it looks at, and either a Great Expectations type or SQL that finds the unexpected rows.

    rows: a select. unexpected: a predicate over those rows; without it and without an expectation, the rows bring
    `numerator` and `denominator` columns that are summed. scope: the columns that make one result each.
    counts: what a row stands for, `rows` or `subjects`; few subjects are not shown in a report that leaves the hospital.
    population: whose number the rows of a site are (`case`, `control`, or `described` for all), hidden where that is.
    translations: language -> sentence, reason, advice.
    """

    id: str
    suite: str
    category: str
    subcategory: str
    context: str
    severity: str
    threshold: float
    sentence: str
    reason: str
    advice: str
    rows: str
    scope: tuple[str, ...] = ()
    counts: str = "rows"
    population: str = ""
    unexpected: str | None = None
    expectation: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def limit(self, scope: str) -> tuple[float, str]:
        """Return the threshold of a scope and the note of the override that set it."""
        override = self.overrides.get(scope) or self.overrides.get(EVERYTHING)
        return (override.threshold, override.notes) if override else (self.threshold, "")

    def text(self, part: str, language: str) -> str:
        """Return the sentence, reason or advice in a language, English where there is no translation."""
        return self.translations.get(language, {}).get(part) or str(getattr(self, part))


@dataclass(frozen=True)
class Suite:
    """The checks of one Kahn category."""

    name: str
    category: str
    checks: tuple[Check, ...]


def load_suites(folder: Path = FOLDER) -> tuple[Suite, ...]:
    """Read every suite of a folder, in the order of the categories. Raises DefinitionError."""
    categories = list(SUBCATEGORIES)
    suites = sorted(
        map(_read, folder.glob("*.toml")), key=lambda suite: (categories.index(suite.category), suite.name)
    )
    seen: set[str] = set()
    for check in (check for suite in suites for check in suite.checks):
        if check.id in seen:
            raise DefinitionError(
                f"The check '{check.id}' is defined twice in {folder}.",
                "Results are known by a check's id.",
                "give one of them another id",
            )
        seen.add(check.id)
    return tuple(suites)


def override_thresholds(suites: Sequence[Suite], path: Path) -> tuple[Suite, ...]:
    """Return the suites with the thresholds of a CSV file: check_id, scope (empty: all), threshold, notes.

    Raises DefinitionError; a threshold without a note is refused, because nobody can judge it later.
    """
    overrides: dict[str, dict[str, Override]] = {}
    known = [check.id for suite in suites for check in suite.checks]
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if set(OVERRIDE_COLUMNS) - set(reader.fieldnames or ()):
            raise DefinitionError(
                f"{path} lacks a column.",
                "Overrides are read by name.",
                f"columns {', '.join(OVERRIDE_COLUMNS)}",
            )
        for line, row in enumerate(reader, start=2):
            check_id, scope, override = _override(row, known, f"{path}, line {line}")
            overrides.setdefault(check_id, {})[scope] = override
    return tuple(
        replace(
            suite,
            checks=tuple(replace(check, overrides=overrides.get(check.id, {})) for check in suite.checks),
        )
        for suite in suites
    )


def _override(row: Mapping[str, str | None], known: Sequence[str], where: str) -> tuple[str, str, Override]:
    check_id, scope, threshold, notes = ((row[name] or "").strip() for name in OVERRIDE_COLUMNS)
    if check_id not in known:
        near = difflib.get_close_matches(check_id, known, n=1)
        raise DefinitionError(
            f"{where}: no check is named '{check_id}'.",
            "The suites have no such id.",
            near[0] if near else "see docs/checks.md",
        )
    try:
        percentage = float(threshold)
    except ValueError:
        percentage = -1.0
    if not 0 <= percentage <= 100:
        raise DefinitionError(
            f"{where}: the threshold is not a percentage.",
            "It is compared with one.",
            "a number from 0 to 100",
        )
    if not notes:
        raise DefinitionError(
            f"{where}: the threshold has no note.",
            "Whoever reads the report needs the reason for it.",
            "fill in `notes`",
        )
    return check_id, scope or EVERYTHING, Override(percentage, notes, where)


def refuse_idle_overrides(suites: Sequence[Suite], results: Sequence[CheckResult]) -> None:
    """Raise DefinitionError for an override of a scope that no result has: it would change nothing, in silence."""
    scopes: dict[str, list[str]] = {}
    for result in results:
        scopes.setdefault(result.check_id, []).append(result.scope)
    for check in (check for suite in suites for check in suite.checks):
        for scope, override in check.overrides.items():
            known = scopes.get(check.id, [])
            if scope != EVERYTHING and scope not in known:
                near = difflib.get_close_matches(scope, known, n=1)
                raise DefinitionError(
                    f"{override.where}: the check '{check.id}' has no scope '{scope}' in this warehouse.",
                    f"Its scopes are {', '.join(check.scope) or 'all data at once'}; this threshold would change nothing.",
                    near[0]
                    if near
                    else "one of the scopes that `etl validate` prints, or none for all of them",
                )


def _read(path: Path) -> Suite:
    with path.open("rb") as file:
        try:
            data = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise DefinitionError(f"{path} is not valid TOML.", str(error), "mend the line") from error
    category = data.pop("category", None)
    if category not in SUBCATEGORIES:
        raise DefinitionError(
            f"{path} names no category.",
            "Reports are grouped by it.",
            f"category: {', '.join(SUBCATEGORIES)}",
        )
    checks = tuple(_check(path, category, check_id, entry) for check_id, entry in data.items())
    return Suite(path.stem, category, checks)


def _check(path: Path, category: str, check_id: str, entry: Mapping[str, Any]) -> Check:
    fields = dict(entry)
    limits = fields.pop("limits", {})
    table = fields.pop("table", None)
    fields["scope"] = tuple(fields.get("scope", ()))
    fields["translations"] = {"zh": fields.pop("zh", {})}
    try:
        fields["rows"] = _fill(fields.get("rows") or f"select * from {table}", limits)
        if "unexpected" in fields:
            fields["unexpected"] = _fill(fields["unexpected"], limits)
        check = Check(id=check_id, suite=path.stem, category=category, **fields)
    except (TypeError, KeyError) as error:
        raise DefinitionError(
            f"{path}: the check '{check_id}' is not complete.", str(error), "add what is missing"
        ) from error
    for value, allowed in (
        (check.severity, SEVERITIES),
        (check.context, CONTEXTS),
        (check.counts, COUNTED),
        (check.population, POPULATIONS),
        (check.subcategory, SUBCATEGORIES.get(category, ())),
    ):
        if value not in allowed:
            raise DefinitionError(
                f"{path}: the check '{check_id}' says '{value}'.",
                "It is none of the known words.",
                ", ".join(allowed),
            )
    if check.expectation and (check.unexpected or check.scope):
        raise DefinitionError(
            f"{path}: the check '{check_id}' mixes an expectation with SQL or a scope.",
            "Each says by itself which rows fail.",
            "keep one of them",
        )
    return check


def _fill(sql: str, limits: Mapping[str, float]) -> str:
    """Put the check's own numbers in the place of `$name`, so that none stands bare in the SQL."""
    return _LIMIT.sub(lambda match: str(float(limits[match[1]])), sql)
