"""Validate and report a large warehouse: wall seconds and peak memory of the whole commands.

    .venv/bin/python benchmarks/bench_validate.py [ROWS ...]      default: 5,000,000

The warehouse is filled by SQL, past the readers: results of 14 analytes at five sites over four years, 100,000 subjects
with a group, a sex and a birth date, a share of empty and of censored results, and one site whose vitamin B12 is really
in another unit. Every expectation of the suites is run; the bar is 40 of them on 5 million rows in 15 s and 1.5 GB.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import duckdb
from measure import median, run

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from etl.study import ensure_views
from schemas.analytes import registry
from warehouse.connection import open_warehouse

RUNS = 3
ETL = str(Path(sys.executable).with_name("etl"))
SITES, SUBJECTS, LOADS = 5, 100_000, 4
ANALYTES = (
    "vitamin_b12", "folate", "ferritin", "homocysteine", "haemoglobin", "mcv", "creatinine", "alt", "ast", "glucose",
    "hba1c", "tsh", "total_cholesterol", "triglycerides",
)  # fmt: skip

_CONTEXTS = """
    insert into core.lab_context (
        context_id, load_id, site, feed, analyte, analyte_source, specimen, specimen_basis, collected_precision,
        result_status, unit_source, comparator, unit, unit_basis, factor_id, absent_reason, method_kind, run_id
    )
    select
        (site * 100 + analyte.position) * 4 + kind, 'load_' || site, 'site' || site, 'labs', analyte.id, analyte.id, 'serum',
        'default', 'minute', 'final', analyte.unit, if(kind = 2, '<', null), analyte.unit, 'stated', analyte.factor_id,
        if(kind = 3, 'pending', null), 'reported', 'filled'
    from range($sites) as sites(site), analyte, range(1, 4) as kinds(kind)
"""
# Of a hundred results one is a limit and four are empty. Medians lie in the middle of the usual range.
_RESULTS = """
    insert into core.lab_row (
        result_id, subject_no, context_id, collected_at, resulted_at, result_key, source_token, row_state, value_source,
        value, file_id, row_number, locator
    )
    with drawn as (
        select
            number, hash(number) as chance, (hash(number, 1) % $subjects)::bigint as subject, hash(number, 2) % 100 as kind,
            exp(0.12 * (random() + random() + random() + random() - 2) / 0.577) as factor
        from range($rows) as numbers(number)
    )
    select
        md5(number::varchar)::uuid, subject,
        (subject % $sites * 100 + analyte.position) * 4 + case when kind < 95 then 1 when kind < 96 then 2 else 3 end,
        timestamp '2019-01-01' + to_minutes((chance % 2102400)::bigint),
        timestamp '2019-01-01 05:00' + to_minutes((chance % 2102400)::bigint),
        md5('key' || number)::uuid, md5('source' || number)::uuid, 'current',
        case when kind < 96 then round(center * factor, 1)::varchar end,
        case when kind < 96 then
            round(center * factor, 1) / if(analyte.id = 'vitamin_b12' and subject % $sites = 4, 1.355, 1.0)
        end,
        'file_' || subject % $sites, number, 'L' || number || '/C5'
    from drawn inner join analyte on analyte.position = chance % len($analytes)
"""
_PERSONS = "insert into core.lab_subject select i, 'S' || i from range($subjects) as persons(i)"
_LOADS = """
    insert into meta.load (
        load_id, file_id, site, feed, status, delivery, read, accepted, held, duplicate, superseded, out_of_scope,
        withdrawn, attributes, attributes_stored, attributes_held, attributes_repeated, plan, loaded_at
    )
    select 'load_' || site, 'file_' || site, 'site' || site, 'labs', 'active', 'increment', $rows // $sites,
        $rows // $sites, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', timestamp '2023-01-01'
    from range($sites) as sites(site)
"""
_ATTRIBUTES = """
    insert into core.subject_attribute (record_id, subject_id, site, feed, attribute, value, row_state, file_id, row_number, locator)
    select md5(attribute || subject)::uuid, 'S' || subject, 'site' || subject % $sites, 'subjects', attribute,
        case attribute
            when 'sex' then if(subject % 2 = 0, 'female', 'male')
            when 'cohort_group' then if(subject % 3 = 0, 'case', 'control')
            else (date '1940-01-01' + (subject % 20000)::integer)::varchar
        end, 'current', 'file_' || subject % $sites, subject, 'L' || subject
    from range($subjects) as subjects(subject), (select unnest(['sex', 'cohort_group', 'birth_date']) as attribute)
"""


def fill(path: Path, rows: int) -> None:
    """Fill a new warehouse."""
    with open_warehouse(path) as connection:
        known = [(number, *_analyte(name)) for number, name in enumerate(ANALYTES)]
        connection.execute(
            "create temp table analyte (position integer, id varchar, unit varchar, factor_id varchar, center double)"
        )
        connection.executemany("insert into analyte values (?, ?, ?, ?, ?)", known)
        connection.execute("select setseed(0.5)")
        values = {"sites": SITES, "rows": rows, "subjects": SUBJECTS, "analytes": list(ANALYTES)}
        for query in (_CONTEXTS, _LOADS, _ATTRIBUTES, _PERSONS, _RESULTS):
            connection.execute(query, {name: value for name, value in values.items() if f"${name}" in query})
        ensure_views(connection)
        connection.execute("checkpoint")


def _analyte(name: str) -> tuple[str, str, str, float]:
    analyte = registry()[name]
    conversion = analyte.conversion(analyte.unit)
    low, high = analyte.soft
    return (
        name,
        analyte.unit,
        conversion.factor_id if conversion else "",
        (max(low, high / 100) * high) ** 0.5,
    )


def measure(folder: Path, rows: int) -> None:
    """Measure one size and print it."""
    warehouse = folder / "w.duckdb"
    fill(warehouse, rows)
    validate = [ETL, "validate", "-w", str(warehouse), "--json", "--quiet"]
    report = [ETL, "report", "-w", str(warehouse), "--out", str(folder / "report")]
    validated = [run(validate, ends_with={0, 1}) for _ in range(RUNS)]
    reported = [run(report) for _ in range(RUNS)]
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        checks, results, failed = connection.execute(
            """
            select count(distinct check_id), count(*), string_agg(distinct check_id, ', ') filter (where status = 'failed')
            from meta.check_result
            where run_id = (select run_id from meta.check_result order by checked_at desc limit 1)
                and status in ('passed', 'failed')
            """
        ).fetchall()[0]
    page = os.stat(folder / "report" / "validation.html").st_size  # noqa: PTH116 - a number of bytes is all
    seconds, peak = median([each.wall for each in validated]), median([each.peak_mb for each in validated])
    cpu = median([each.cpu for each in validated])
    print(
        f"{rows:>10,} rows  {checks} expectations with {results:,} results: validate {seconds:5.1f} s ({cpu:.1f} s of processors)"
        f" {peak:5.0f} MB"
        f" ({40 * seconds / checks:.1f} s for 40)  report {median([each.wall for each in reported]):5.1f} s"
        f" {median([each.peak_mb for each in reported]):5.0f} MB, page {page / 1e6:.2f} MB\n  failed: {failed}",
        flush=True,
    )


def main() -> None:
    """Measure every size that was asked for."""
    sizes = [int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]] or [5_000_000]
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), rows)


if __name__ == "__main__":
    main()
