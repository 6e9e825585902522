"""How long the study's marts take on a large warehouse: all stored views, first built, then computed again.

    .venv/bin/python benchmarks/bench_marts.py [ROWS [SUBJECTS]]      default: 10,000,000 and 100,000

The warehouse is filled by SQL, not by an ingest: a subject has four visits in four years, and at each the analytes of
the study. Half of the subjects are cases. IRLS, PSQI, HAMA and HAMD are answered once, item by item; one in ten is in a matched
set, one in five has a diagnosis or a drug on record. Two threads, and the memory that the tool itself allows.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from etl.study import ensure_views
from warehouse.catalogue import refresh, views
from warehouse.connection import open_warehouse, transaction

THREADS, VISITS = 2, 4
# analyte, canonical unit, middle, spread
ANALYTES = (
    ("vitamin_b12", "pg/mL", 300, 90), ("creatinine", "umol/L", 70, 12), ("homocysteine", "umol/L", 11, 3),
    ("folate", "ng/mL", 9, 2), ("ferritin", "ng/mL", 130, 40), ("iron", "umol/L", 16, 4), ("tibc", "umol/L", 60, 8),
    ("haemoglobin", "g/L", 137, 9), ("mcv", "fL", 90, 4), ("crp", "mg/L", 3, 1), ("glucose", "mmol/L", 5, 0.5),
    ("hba1c", "%", 5.3, 0.3), ("tsh", "m[IU]/L", 2, 0.6), ("urea", "mmol/L", 5, 1), ("uric_acid", "umol/L", 280, 45),
    ("total_cholesterol", "mmol/L", 4.6, 0.6), ("triglycerides", "mmol/L", 1.1, 0.3), ("alt", "U/L", 20, 5),
    ("ast", "U/L", 20, 4), ("height", "cm", 165, 8), ("weight", "kg", 65, 9), ("mma", "nmol/L", 180, 40),
    ("vitamin_d_25oh", "nmol/L", 50, 12), ("holotranscobalamin", "pmol/L", 70, 15), ("hdl_cholesterol", "mmol/L", 1.3, 0.2),
)  # fmt: skip
# instrument, items, highest answer; each is filled in once, near the first visit
SCALES = (("irls", 10, 4), ("psqi", 7, 3), ("hama", 14, 2), ("hamd", 24, 2))


def fill(connection: duckdb.DuckDBPyConnection, rows: int, subjects: int) -> None:
    """Write the core tables; the same sizes make the same rows."""
    listed = ", ".join(f"({i}, '{a}', '{u}', {m}, {s})" for i, (a, u, m, s) in enumerate(ANALYTES))
    connection.execute(
        f"create temp table analyte as from (values {listed}) as t (number, analyte, unit, middle, spread)"
    )
    connection.execute(
        f"create temp table person as select i, format('S{{:025d}}', i) as subject_id, if(i % 2 = 0, 'case', 'control')"
        f" as cohort_group, if(hash(i) % 3 = 0, 'male', 'female') as sex, 'site' || (i % 3) as site,"
        f" date '1950-01-01' + (hash(i, 1) % 14000)::integer as birth_date from range({subjects}) as t (i)"
    )
    _fill_results(connection, rows, subjects)
    _fill_subjects(connection)
    _fill_scales(connection)
    _fill_histories(connection)
    connection.execute("checkpoint")


def _fill_results(connection: duckdb.DuckDBPyConnection, rows: int, subjects: int) -> None:
    connection.execute(
        "insert into core.lab_context (context_id, site, feed, analyte, collected_precision, result_status,"
        " unit_source, unit, unit_basis, method_kind, platform)"
        " select number * 3 + site, 'site' || site, 'labs', analyte, 'minute', 'final', unit, unit, 'stated',"
        " 'reported', 'platform' || site from analyte, range(3) as t (site)"
    )
    connection.execute("insert into core.lab_subject select i, subject_id from person")
    connection.execute(
        f"""
        insert into core.lab_row (result_id, subject_no, context_id, collected_at, row_state, value)
        select
            uuid(), person.i, (n // {subjects}) % {len(ANALYTES)} * 3 + person.i % 3,
            timestamp '2018-01-01 08:00:00' + to_days(
                (365 * ((n // {subjects * len(ANALYTES)}) % {VISITS}) + hash(person.i, n // {subjects * len(ANALYTES)}) % 300)::integer
            ),
            'current', round(analyte.middle + analyte.spread * ((hash(n) % 1000) / 500.0 - 1), 2)
        from range({rows}) as t (n)
        inner join person on person.i = n % {subjects}
        inner join analyte on analyte.number = (n // {subjects}) % {len(ANALYTES)}
        """
    )


def _fill_subjects(connection: duckdb.DuckDBPyConnection) -> None:
    for attribute in ("cohort_group", "sex", "birth_date"):
        connection.execute(
            "insert into core.subject_attribute (record_id, subject_id, site, feed, attribute, value, row_state)"
            f" select uuid(), subject_id, site, 'subjects', '{attribute}', {attribute}::varchar, 'current' from person"
        )
    connection.execute(
        "insert into core.match_set (match_set_id, subject_id, role)"
        " select (i // 2)::varchar, subject_id, cohort_group from person where i % 20 < 2"
    )


def _fill_scales(connection: duckdb.DuckDBPyConnection) -> None:
    for instrument, items, most in SCALES:
        version = {"irls": "irls_10", "psqi": "order_a", "hama": "hama_14", "hamd": "hamd_24"}[instrument]
        connection.execute(
            f"""
            insert into core.administration (administration_id, subject_id, site, feed, instrument, version, administered_at)
            select md5(concat('{instrument}', person.i, visit))::uuid, subject_id, site, 'scales', '{instrument}', '{version}',
                timestamp '2018-01-01' + to_days((365 * visit + hash(person.i, visit) % 300 + person.i % 9)::integer)
            from person, (select 0 as visit) where cohort_group = 'case' or '{instrument}' <> 'irls'
            """
        )
        connection.execute(
            f"""
            insert into core.response (record_id, administration_id, subject_id, site, feed, instrument, item, value, row_state)
            select uuid(), administration_id, subject_id, site, feed, instrument, item::varchar,
                hash(administration_id, item) % {most + 1}, 'current'
            from core.administration, range(1, {items + 1}) as t (item) where instrument = '{instrument}'
            """
        )
    connection.execute(
        "insert into core.score (administration_id, subject_id, instrument, version, scale, value, basis, score_status)"
        " select administration_id, any_value(subject_id), instrument, any_value(version), 'total', sum(value), 'items',"
        " 'complete' from core.response inner join core.administration using (administration_id, subject_id, instrument)"
        " group by administration_id, instrument"
    )


def _fill_histories(connection: duckdb.DuckDBPyConnection) -> None:
    for table, system, codes in (
        ("condition", "ICD-10", ["I10", "G47.3", "N18.3", "E11.9", "M54.5"]),
        ("medication", "ATC", ["C07AB02", "A10BA02", "N04BC05", "B03BA01", "M01AE01"]),
    ):
        connection.execute(
            f"insert into core.{table} (record_id, subject_id, site, feed, code, code_system, status, started_at, row_state)"
            f" select uuid(), subject_id, site, '{table}', {codes}[(hash(i, '{table}') % 5 + 1)::integer], '{system}', 'present',"
            " timestamp '2017-01-01' + to_days((hash(i, 2) % 2000)::integer), 'current' from person where i % 5 = 0"
        )


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of a step."""
    before, started = os.times(), time.perf_counter()
    step()
    after = os.times()
    return time.perf_counter() - started, after.user + after.system - before.user - before.system


def by_view(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, float, float]]:
    """Compute one stored view after another and time each."""
    found = []
    for view in views():
        if view.is_stored:
            sql = f"create or replace table {view.qualified} as {view.sql}"
            found.append((view.qualified, *timed(lambda sql=sql: connection.execute(sql))))
    return found


def main(rows: int = 10_000_000, subjects: int = 100_000) -> None:
    """Fill, build, compute again, and show what each stored view costs."""
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder, "w.duckdb")) as connection:
        connection.execute(f"set threads = {THREADS}")
        wall, _ = timed(lambda: fill(connection, rows, subjects))
        print(f"{rows:,} laboratory rows of {subjects:,} subjects, filled in {wall:.0f} s; {THREADS} threads")
        print(
            f"{'first build':<40}{'{:.1f} s, {:.1f} s of CPU'.format(*timed(lambda: ensure_views(connection)))}"
        )

        def again() -> None:
            with transaction(connection):
                refresh(connection)

        print(f"{'computed again':<40}{'{:.1f} s, {:.1f} s of CPU'.format(*timed(again))}")
        for name, wall, cpu in sorted(by_view(connection), key=lambda each: -each[1]):
            print(f"  {name:<38}{wall:.1f} s, {cpu:.1f} s of CPU")
        included = connection.execute(
            "select count(*), count(*) filter (where is_included) from mart.subject_baseline"
        )
        print("subjects, included: {}, {}".format(*included.fetchone()))


if __name__ == "__main__":
    main(*(int(each.replace(",", "").replace("_", "")) for each in sys.argv[1:]))
