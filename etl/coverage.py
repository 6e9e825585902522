"""What a mapping leaves unused: columns, names of analytes, and those nearly named like an analyte of the study."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from etl.harmonize.names import read_name, resembles
from etl.shown_names import is_listed
from etl.sites.mapping import SiteMapping
from etl.sources import expand
from etl.suggest.shared import shared
from etl.suggest.tables import Looked, look
from schemas.errors import UserError


@dataclass(frozen=True)
class Covered:
    """The use of one table: columns with their reading, unused ones with their fill, and names of analytes.

    names: a name, its records, and what it is; a name that few subjects share is only counted, unless it is known.
    """

    label: str
    shape: str = "unmapped"
    feed: str = ""
    records: int = 0
    used: list[tuple[str, str, str]] = field(default_factory=list)
    unused: list[tuple[str, str, str]] = field(default_factory=list)
    names: list[tuple[str, int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    explanation: str = ""
    error: str = ""

    def document(self) -> dict[str, Any]:
        """Return the table as JSON."""
        return asdict(self)


def coverage(paths: Iterable[str], sites: Mapping[str, SiteMapping], site: str | None) -> list[Covered]:
    """Return the use of every table behind some paths, mapped as ingest would map it."""
    found: list[Covered] = []
    for named in expand(paths):
        claiming = [each for each in sites.values() if each.claims(named.source.name)]
        mapping = sites.get(site) if site else (claiming[0] if len(claiming) == 1 else None)
        try:
            tables = look(named.source, mapping, mapping.site if mapping else site or "site")
        except UserError as error:
            found.append(Covered(named.source.label, error=error.message()))
            continue
        found += [_covered(table) for table in tables]
    return found


def _covered(looked: Looked) -> Covered:
    plan = looked.plan
    resolution = plan.resolution
    label = f"{plan.source.label} [{looked.title}]" if looked.title else plan.source.label
    names, notes = _names(looked)
    return Covered(
        label=label,
        shape=resolution.shape,
        feed=plan.feed,
        records=plan.table.records,
        used=list(_used(looked)),
        unused=[
            (looked.shown[column], _share(looked, column), resolution.resembling.get(column, ""))
            for column in resolution.unmapped
        ],
        names=names,
        notes=notes,
        explanation=resolution.explanation,
    )


def _used(looked: Looked) -> Iterator[tuple[str, str, str]]:
    resolution = looked.plan.resolution
    if resolution.shape == "unmapped":
        return
    for name, column in {**resolution.roles, **resolution.attributes}.items():
        yield column, name, resolution.basis.get(column, "")
    for measure in resolution.measures:
        yield measure.column, measure.meaning, resolution.basis.get(measure.column, "")


def _share(looked: Looked, column: str) -> str:
    filled = looked.contents[column].filled
    return f"{100 * filled / looked.frame.height:.0f} %" if looked.frame.height else "0 %"


def _names(looked: Looked) -> tuple[list[tuple[str, int, str]], list[str]]:
    """Return the names of a long table's analytes, the unknown and nearly known first, and notes on those not shown."""
    resolution, declared = looked.plan.resolution, looked.plan.analytes
    column = resolution.roles.get("analyte") or resolution.roles.get("code")
    subject = resolution.roles.get("subject")
    if resolution.shape != "lab_long" or column is None:
        return [], []
    shown = shared(looked.frame, column, [subject] if subject else []).names()
    counts = dict(looked.contents[column].values.value_counts().iter_rows())
    found, hidden = [], 0
    near: dict[str, int] = {}
    for name, records in counts.items():
        says = _reading(name, declared)
        if name in shown or is_listed(name, declared):
            found.append((name, records * looked.step, says))
        elif says.startswith("nearly"):
            near[says] = near.get(says, 0) + records
        else:
            hidden += 1
    notes = [f"{records} records under rare names: {says} (names of fewer than five subjects are not shown)."
             for says, records in near.items()]  # fmt: skip
    notes += [f"{hidden} more unknown names of fewer than five subjects are not shown."] if hidden else []
    order = {"nearly": 0, "unknown,": 1, "another": 3}
    return sorted(found, key=lambda each: (order.get(each[2].split()[0], 2), -each[1], each[0])), notes


def _reading(name: str, declared: Mapping[str, str]) -> str:
    if name in declared:
        return f"{declared[name]} (declared)"
    hit = read_name(name).hit
    if hit is None:
        from etl.harmonize.codes_of_analytes import read_code

        hit = read_code(name, None).hit
    if hit is None:
        near = resembles(name)
        return f"nearly {near}, but not known as it" if near else "unknown, and like no analyte of the study"
    if hit.is_other:
        return "another analyte, out of scope"
    return hit.analyte or "several analytes; settled by code, unit or panel"
