"""The gate before any association: nothing is analysed before its validation is clean and as new as the data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb

from etl.validate import ValidationReport, last_validation
from expectations.result import CheckResult
from schemas.errors import GateClosed

DESPITE = "despite"  # the kind of a decision that overrides the gate; it changes no data

VALIDATE = "etl validate"

# When the data last changed: a file came or left, or a decision was taken.
_CHANGED = f"""
    select max(moment) from (
        select greatest(loaded_at, coalesce(replaced_at, loaded_at)) as moment from meta.load
        union all
        select decided_at from meta.decision where kind <> '{DESPITE}'
    )
"""

_WITHOUT_UNIT = """
    select list(distinct coalesce(site, 'unknown site') order by coalesce(site, 'unknown site'))
    from mart.subject_baseline
    where is_included and b12 is not null and (b12_unit is null or b12_unit_basis is null)
"""


# Which share of a site's exposure values may wait for their unit. A judgement: a line or two, never a delivery.
WAITING_SHARE = 0.05

_WAITING = """
    with exposure as (select value as analyte from study.parameter where name = 'exposure'),
    held as (
        select site, count(*) as records
        from quarantine.record inner join exposure on measure = analyte
        where status = 'open' and list_bool_or(list_transform(reasons, lambda r: starts_with(r, 'unit_')))
        group by site
    ),
    accepted as (
        select site, count(*) as records
        from core.lab_result inner join exposure using (analyte)
        where row_state = 'current' and value is not null
        group by site
    )
    select list(held.site order by held.site)
    from held left join accepted on held.site is not distinct from accepted.site
    where held.records > $share * (held.records + coalesce(accepted.records, 0))
"""


@dataclass(frozen=True)
class Objection:
    """One reason against an analysis, and what settles it."""

    what: str
    fix: str


@dataclass(frozen=True)
class Gate:
    """What stands against an analysis; run_id names the validation that was looked at."""

    run_id: str | None
    objections: tuple[Objection, ...]

    def refusal(self, command: str) -> GateClosed:
        """Return the error that says what is open and what to type; command: what was asked for."""
        reasons = "\n".join(f"  - {objection.what}" for objection in self.objections)
        fixes = "\n       ".join(dict.fromkeys(objection.fix for objection in self.objections))
        return GateClosed(
            "No association before the data are validated.",
            reasons.lstrip(),
            f'{fixes}\n       or, as a recorded decision: etl {command} --despite "REASON"',
        )


def inspect_gate(connection: duckdb.DuckDBPyConnection) -> Gate:
    """Look at the newest validation and the exposure's unit; the marts must be up to date."""
    validation = last_validation(connection)
    found = [*_validation_objections(connection, validation), *_unit_objections(connection)]
    return Gate(validation.run_id if validation else None, tuple(found))


def _validation_objections(
    connection: duckdb.DuckDBPyConnection, validation: ValidationReport | None
) -> list[Objection]:
    if validation is None:
        return [Objection("The data have never been validated.", VALIDATE)]
    found = []
    if not _is_newer(connection, validation.run_id):
        found.append(Objection("The newest validation is older than the data.", VALIDATE))
    if not validation.blocking and not validation.is_clean:
        found.append(Objection("The newest validation found nothing to check.", VALIDATE))
    return found + [_objection(result) for result in validation.blocking]


def _objection(result: CheckResult) -> Objection:
    where = "" if result.scope == "all" else f", {result.scope}"
    state = "could not run" if result.status == "error" else "is open"
    return Objection(
        f"The check {result.check_id} {state} ({result.severity}{where}): {result.sentence}",
        f"{result.advice} Then: {VALIDATE}",
    )


def _is_newer(connection: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Tell whether a validation began after the last change; one that no run records is not known to."""
    started = _moment(connection, "select started_at from meta.run where run_id = ?", [run_id])
    changed = _moment(connection, _CHANGED, [])
    return started is not None and (changed is None or started >= changed)


def _moment(connection: duckdb.DuckDBPyConnection, query: str, values: list[str]) -> datetime | None:
    rows = connection.execute(query, values).fetchall()
    moment: datetime | None = rows[0][0] if rows else None
    return moment


def _unit_objections(connection: duckdb.DuckDBPyConnection) -> list[Objection]:
    unsettled = connection.execute(_WITHOUT_UNIT).fetchall()[0][0]
    waiting = connection.execute(_WAITING, {"share": WAITING_SHARE}).fetchall()[0][0]
    return [
        Objection(what.format(", ".join(str(site) for site in sites)), "etl units declare, then etl validate")
        for what, sites in (
            ("The unit of the exposure is not settled for included subjects of {}.", unsettled),
            ("Values of the exposure are held because their unit is not declared, at {}.", waiting),
        )
        if sites
    ]
