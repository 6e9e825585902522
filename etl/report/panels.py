"""What the report shows beside the checks, as rows of plain values. Edges of bins come from the registries, not the data."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import duckdb

from etl.disclosure import is_small, suppress, suppress_table
from etl.report.words import reason_texts
from schemas.analytes import registry
from schemas.instruments import INSTRUMENTS

BINS = 24

Row = dict[str, Any]

_FILES = """
    select
        load.site, load.feed, load.file_id, file.format, file.encoding, load.status, load.loaded_at, load.delivery,
        load.lines, load.records, load.continuation, load.structural, load.read, load.accepted, load.held,
        load.duplicate, load.superseded, load.out_of_scope, load.withdrawn, load.attributes, load.attributes_stored,
        load.attributes_held, load.attributes_repeated, load.plan_digest,
        coalesce(load.lines = load.records + load.continuation + load.structural, true)
            and load.read = load.accepted + load.held + load.duplicate + load.superseded + load.out_of_scope
                + load.withdrawn
            and load.attributes = load.attributes_stored + load.attributes_held + load.attributes_repeated as is_balanced,
        list_sort(json_keys(coalesce(load.detail, '{}'), '$.resembling')) as resembling
    from meta.load as load
    left join meta.source_file as file on file.file_id = load.file_id
    order by load.site, load.feed, load.loaded_at, load.file_id
"""

_ANALYTES = """
    select
        site, analyte,
        count(*) as results,
        count(value) as values,
        count(distinct subject_id) as subjects,
        count(*) filter (where value is not null and comparator in ('<', '<=')) as below_limit,
        count(*) filter (where value is not null and comparator in ('>', '>=')) as above_limit,
        count(*) filter (where row_state = 'conflicting') as conflicting,
        histogram(coalesce(unit_source, '')) filter (where value is not null) as units_sent,
        histogram(unit_basis) filter (where value is not null and unit_basis is not null) as unit_bases,
        histogram(absent_reason) filter (where absent_reason is not null) as absent_reasons,
        exp(avg(ln(value)) filter (where value > 0 and comparator is null)) as geometric_mean
    from core.lab_result
    where row_state in ('current', 'conflicting')
    group by site, analyte
    order by site, analyte
"""

_VALUE_BINS = """
    select site, analyte, bin, count(distinct subject_id) as subjects
    from (
        select
            result.site, result.analyte, result.subject_id,
            case
                when result.value < edge.low then 0
                when result.value >= edge.high then $bins + 1
                when edge.is_log then 1 + floor($bins * ln(result.value / edge.low) / ln(edge.high / edge.low))
                else 1 + floor($bins * (result.value - edge.low) / (edge.high - edge.low))
            end::integer as bin
        from core.lab_result as result
        inner join edge on edge.analyte = result.analyte
        where result.row_state = 'current' and result.value is not null
    )
    group by all
"""

_SCALES = """
    select
        instrument, version, scale,
        count(*) as scores,
        histogram(score_status) as statuses,
        count(*) filter (where basis = 'reported_only') as reported_only,
        count(*) filter (where value is not null and value_reported is not null) as compared,
        count(*) filter (where abs(value - value_reported) > 0.005) as disagreeing
    from core.score
    group by all
    order by instrument, version, scale
"""

_SCORES = """
    select instrument, version, scale, coalesce(value, value_reported) as score, count(distinct subject_id) as subjects
    from core.score
    where coalesce(value, value_reported) is not null
    group by all
"""

_SUBJECTS = """
    select site, coalesce(any_value(value) filter (where attribute = 'cohort_group'), 'unknown') as cohort_group, subject_id
    from core.subject_attribute
    where coalesce(row_state, 'current') = 'current'
    group by site, subject_id
"""

_HELD = """
    select site, feed, reason, count(*) as records
    from (select site, feed, unnest(reasons) as reason from quarantine.record where status = 'open')
    group by all
    order by site, feed, records desc, reason
"""


def files(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return every load with its counts and whether they balance."""
    return _rows(connection, _FILES)


def analytes(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return units, censoring, missingness and the distribution of each site and analyte."""
    bounds = {name: (*analyte.soft, analyte.unit) for name, analyte in registry().items()}
    bins = _value_bins(connection)
    shown = []
    for row in _rows(connection, _ANALYTES):
        low, high, unit = bounds.get(row["analyte"], (None, None, ""))
        mean = row.pop("geometric_mean")
        subjects = row.pop("subjects")
        row |= {
            "unit": unit,
            "low": low,
            "high": high,
            "histogram": suppress(bins[row["site"], row["analyte"]]),
        }
        row["geometric_mean"] = None if mean is None or is_small(subjects) else float(f"{mean:.3g}")
        row["subjects"] = None if is_small(subjects) else subjects
        shown.append(row)
    return shown


def scales(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return statuses, agreement with reported totals and the distribution of each scale."""
    ranges = {
        (name, version.id, scale.id): (scale.low, scale.high)
        for name, instrument in INSTRUMENTS.items()
        for version in instrument.versions.values()
        for scale in version.scales.values()
    }
    points: dict[tuple[str, str, str], list[tuple[float, int]]] = defaultdict(list)
    for row in _rows(connection, _SCORES):
        points[row["instrument"], row["version"], row["scale"]].append((row["score"], row["subjects"]))
    shown = []
    for row in _rows(connection, _SCALES):
        key = (row["instrument"], row["version"], row["scale"])
        low, high = ranges.get(key, (None, None))
        row |= {"low": low, "high": high, "histogram": suppress(_score_bins(points[key], low, high))}
        shown.append(row)
    return shown


def subjects(connection: duckdb.DuckDBPyConnection) -> Row:
    """Return subjects by site and group, small cells and those that would reveal them hidden."""
    counted = connection.sql(
        f"select site, cohort_group, count(*) from ({_SUBJECTS}) group by all order by all"
    ).fetchall()
    sites = sorted({site for site, _, _ in counted})
    groups = [
        name for name in ("case", "control", "unknown") if any(name == group for _, group, _ in counted)
    ]
    numbers = {(site, group): number for site, group, number in counted}
    shown = suppress_table([[numbers.get((site, group), 0) for group in groups] for site in sites])
    return {
        "groups": groups,
        "rows": [
            {"site": site, "subjects": cells, "total": total}
            for site, cells, total in zip(sites, shown.cells, shown.totals, strict=True)
        ],
    }


def held(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return the open records of quarantine by reason, with what settles it."""
    return [row | {"text": reason_texts(row["reason"])} for row in _rows(connection, _HELD)]


def _value_bins(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[int]]:
    edges = [(name, *analyte.soft, analyte.soft[0] > 0) for name, analyte in registry().items()]
    bins: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (BINS + 2))
    with connection.cursor() as cursor:
        cursor.execute("create temp table edge (analyte varchar, low double, high double, is_log boolean)")
        cursor.executemany("insert into edge values (?, ?, ?, ?)", edges)
        for site, analyte, index, number in cursor.execute(_VALUE_BINS, {"bins": BINS}).fetchall():
            bins[site, analyte][index] = number
    return bins


def _score_bins(points: Sequence[tuple[float, int]], low: float | None, high: float | None) -> list[int]:
    if low is None or high is None or high <= low:
        return []
    width = max(1, math.ceil((high - low + 1) / BINS))
    bins = [0] * (math.floor((high - low) / width) + 1)
    for score, number in points:
        if low <= score <= high:
            bins[int((score - low) // width)] += number
    return bins


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
