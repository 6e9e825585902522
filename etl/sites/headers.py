"""Which column plays which role: declared by the mapping, else recognised by its header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from etl.harmonize.spelling import parse_unit
from etl.readers.base import Question
from etl.sites.model import FeedMapping, MeasureMapping
from etl.sites.resolution import Finding, Measure
from schemas.columns import COLUMNS, LANGUAGE_TIER, STANDARDS, Candidate, header_key

BRACKETS = re.compile(r"[(\[](?P<inside>[^()\[\]]+)[)\]]\s*$")
# Units in which heights, weights and ages are asked for, and which are not those of the attribute.
OTHER_UNITS = frozenset({
    "m", "meter", "meters", "metre", "metres", "mm", "in", "inch", "inches", "ft", "feet", "lb", "lbs", "pounds", "g", "grams",
    "oz", "stone", "months", "weeks", "days",
})  # fmt: skip


@dataclass
class Roles:
    """Roles and attributes found so far, with what settled each, and what could not be settled."""

    columns: dict[str, str] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    implied: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def take(self, name: str, column: str, basis: str) -> None:
        """Give a role or attribute its column."""
        self.columns[name] = column
        self.basis[column] = basis

    def drop(self, name: str) -> None:
        """Leave a role without its column."""
        column = self.columns.pop(name, None)
        if column is not None and column not in self.columns.values():
            self.basis.pop(column)


def find_column(header: str, columns: Sequence[str]) -> str | None:
    """Return the column that a mapping means: exactly, else without case, width, spaces and punctuation."""
    if header in columns:
        return header
    alike = [column for column in columns if header_key(column) == header_key(header)]
    return alike[0] if len(alike) == 1 else None


def declared_measure(header: str, declared: MeasureMapping, columns: Sequence[str]) -> Measure | str:
    """Return a declared measure with its columns, or the header that the file does not have."""
    column = find_column(header, columns) or _with_its_unit(header, declared, columns)
    if column is None:
        return header
    unit_column = find_column(declared.unit_column, columns) if declared.unit_column else None
    if declared.unit_column and unit_column is None:
        return declared.unit_column
    known = declared.model_dump() | {"unit_column": unit_column}
    if declared.unit is None and unit_column is None:
        known["unit"] = _unit_of(column, declared)
    return Measure(column, "lab" if declared.analyte else "item", **known)


def _with_its_unit(header: str, declared: MeasureMapping, columns: Sequence[str]) -> str | None:
    """Return the one column whose header is the declared one and a unit, as a line of units makes it."""
    found = [column for column in columns if (cut := BRACKETS.search(column))
             and header_key(column[: cut.start()]) == header_key(header)
             and (unit := _unit_of(column, declared)) and (declared.unit is None or parse_unit(declared.unit) == unit)]  # fmt: skip
    return found[0] if len(found) == 1 else None


def _unit_of(column: str, declared: MeasureMapping) -> str | None:
    """Return the unit in the header of a declared analyte."""
    cut = BRACKETS.search(column) if declared.analyte else None
    return parse_unit(cut["inside"]) if cut else None


def missing_column(what: str, header: str, columns: Sequence[str], feed: FeedMapping) -> Finding:
    """Describe a mapped column that the file does not have, with the column that was probably meant."""
    nearest = get_close_matches(header, columns, n=1, cutoff=0.5)
    return Finding(
        f"the column '{header}', mapped as {what}, is not in the file.",
        f"The nearest column is '{nearest[0]}'." if nearest else f"The file has {len(columns)} columns.",
        f"correct the header under feeds: {feed.feed}: in the mapping of {feed.site}",
    )


def declared_roles(columns: Sequence[str], feed: FeedMapping, roles: Roles) -> None:
    """Take the columns that the mapping names; one that is not there, also one to fill down, is a finding."""
    for name, headers in feed.columns.items():
        column = next((found for header in headers if (found := find_column(header, columns))), None)
        if column is None:
            roles.findings.append(missing_column(name, headers[0], columns, feed))
        else:
            roles.take(name, column, "mapping")
    roles.findings += [
        missing_column("one to fill down", header, columns, feed)
        for header in feed.fill_down
        if find_column(header, columns) is None
    ]


def recognised_roles(
    columns: Iterable[str],
    group: Iterable[str],
    roles: Roles,
    questions: Mapping[str, Question] | None = None,
) -> None:
    """Recognise the roles of some groups, and the attributes, by the headers that are not yet taken.

    A column that a dictionary explains may be told by its label as well, where no header has the role.
    """
    wanted, names = set(group), list(columns)
    _claim({column: COLUMNS.find(column) for column in names}, wanted, roles)
    if not questions:
        return
    for name in [name for name in roles.columns if name in COLUMNS.attributes]:
        _contradict(name, roles, questions)
    labelled = {
        column: COLUMNS.find(questions[column].label)
        for column in names
        if column in questions and (questions[column].is_written or questions[column].is_chosen)
    }
    settled = set(roles.findings)
    _claim(
        {name: [c for c in found if c.tier <= LANGUAGE_TIER] for name, found in labelled.items()},
        wanted,
        roles,
    )
    roles.findings[:] = [each for each in roles.findings if each in settled]  # labels only add what is clear


def _claim(found: Mapping[str, Iterable[Candidate]], wanted: set[str], roles: Roles) -> None:
    claims: dict[str, list[tuple[Candidate, str]]] = {}
    taken = set(roles.columns.values())
    for column, candidates in found.items():
        for candidate in () if column in taken else candidates:
            is_free = candidate.field not in roles.columns
            if is_free and wanted.intersection(COLUMNS.field(candidate.field).group):
                claims.setdefault(candidate.field, []).append((candidate, column))
    for name, claimed in claims.items():
        _settle(name, claimed, roles)


def _contradict(name: str, roles: Roles, questions: Mapping[str, Question]) -> None:
    """Leave an attribute open whose label states another unit than the attribute has: `Height (m)`."""
    column, known = roles.columns[name], COLUMNS.attributes[name]
    question = questions.get(column)
    stated = BRACKETS.search(question.label) if question and known.within and not known.codes else None
    is_ours = stated and header_key(stated["inside"]) in {header_key(word) for word in known.within}
    if (
        stated
        and question
        and not is_ours
        and roles.basis[column] != "mapping"
        and _is_unit(stated["inside"])
    ):
        roles.drop(name)
        roles.findings.append(
            Finding(
                f"{name} may be the column '{column}', in another unit.",
                f"The dictionary calls it '{question.label}'; read is {known.sentence}.",
                f"columns: {{{name}: HEADER}} in the mapping, once the column is converted",
            )
        )


def _is_unit(text: str) -> bool:
    return text.strip().casefold() in OTHER_UNITS


def _settle(name: str, claimed: list[tuple[Candidate, str]], roles: Roles) -> None:
    """Take the column with the best place in the lists; leave the role open if two have equal right to it."""
    claimed.sort(key=lambda claim: (claim[0].tier, claim[0].position))
    best, column = claimed[0]
    rivals = [
        other
        for candidate, other in claimed[1:]
        if _is_rival(candidate, best) and not _is_ranked(name, column, other)
    ]
    if rivals:
        names = ", ".join(f"'{each}'" for each in (column, *rivals))
        roles.findings.append(
            Finding(
                f"{name} may be any of the columns {names}.",
                f"Each of these headers says by itself: {COLUMNS.field(name).sentence}.",
                f"columns: {{{name}: {column}}} in the mapping, or another of them",
            )
        )
        return
    # `Sex` is a word, `SEX` is the standard's name.
    is_standard = best.names in STANDARDS and column in COLUMNS.field(name).names[best.names]
    roles.take(name, column, best.names if is_standard else "synonym")


def _is_rival(candidate: Candidate, best: Candidate) -> bool:
    """Tell whether nothing ranks two columns: the same place in one list, or two languages."""
    if candidate.tier != best.tier:
        return False
    return candidate.position == best.position or (
        best.tier == LANGUAGE_TIER and candidate.names != best.names
    )


def _is_ranked(name: str, best: str, column: str) -> bool:
    """Tell whether a list has both columns, the best one first: `Test Name` and `Testname` are words of two languages."""
    wanted = (header_key(best), header_key(column))
    for listed in COLUMNS.field(name).names.values():
        keys = [header_key(header) for header in listed]
        if all(key in keys for key in wanted) and keys.index(wanted[0]) < keys.index(wanted[1]):
            return True
    return False


def settle_collection_time(roles: Roles) -> None:
    """Keep one column for the moment of collection, or a date and a time side by side.

    A header such as 采样时间 is a clock time beside a date, and date and time where it stands alone.
    """
    parts = [name for name in ("collected_date", "collected_time") if name in roles.columns]
    if "collected_at" not in roles.columns and len(parts) == 1:
        column = roles.columns[parts[0]]
        roles.take("collected_at", column, roles.basis[column])
    if "collected_at" in roles.columns:
        for name in parts:
            roles.drop(name)


def settle_value(roles: Roles) -> None:
    """Take the result as a number for the result where no column has it as printed."""
    if "value_number" in roles.columns and "value" not in roles.columns:
        column = roles.columns["value_number"]
        roles.take("value", column, roles.basis[column])
        roles.columns.pop("value_number")


def settle_concepts(roles: Roles) -> None:
    """Take the concept of a sex for the sex where no column states it."""
    if "sex_concept" in roles.columns and "sex" not in roles.columns:
        column = roles.columns.pop("sex_concept")
        roles.take("sex", column, roles.basis[column])


def settle_site(roles: Roles) -> None:
    """Leave out the site where the subject's number is unique across sites already."""
    unique = {header_key(header) for header in COLUMNS.roles["subject"].unique_across_sites}
    site = roles.columns.get("source_site")
    is_declared = site is not None and roles.basis[site] == "mapping"
    if header_key(roles.columns.get("subject", "")) in unique and not is_declared:
        roles.drop("source_site")


def implied_constants(roles: Roles) -> None:
    """Note what the header of a column says of another role: the system of its codes."""
    for name, column in roles.columns.items():
        for candidate in COLUMNS.find(column):
            for role, words in COLUMNS.field(name).implies.items() if candidate.field == name else ():
                if candidate.names in words:
                    roles.implied[role] = words[candidate.names]
