from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from etl.report import build_report
from etl.validate import last_validation, validate

ROOT = Path(__file__).parents[3]

# One finding of each kind on the sound warehouse of the checks' tests, and a small group.
CHANGES = """
update core.lab_result set value = null, absent_reason = 'pending'
where row_number <= 15 and site = 'north' and analyte = 'homocysteine';
delete from core.score where instrument = 'irls' and subject_id <= 'north_04';
update core.subject_attribute set value = 'control' where attribute = 'cohort_group' and site = 'south' and subject_id > 'south_03';
update core.lab_result set value = 1234.5678, value_source = '1234.5678' where subject_id = 'north_01' and analyte = 'vitamin_b12';
insert into quarantine.record (site, feed, file_id, stage, status, reasons)
select 'north', 'lab', 'lab_north', 'unit', 'open', ['unit_missing'] from range(7);
"""


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "w.duckdb"
    with duckdb.connect(path) as connection:
        for migration in sorted((ROOT / "warehouse" / "migrations").glob("*.sql")):
            connection.execute(migration.read_text())
        connection.execute((ROOT / "tests" / "plain_results.sql").read_text())
        connection.execute((ROOT / "tests" / "unit" / "expectations" / "sound.sql").read_text())
        validate(connection, run_id="first", as_of=datetime(2024, 3, 2))
        connection.execute(CHANGES)
        validate(connection, run_id="second", as_of=datetime(2024, 3, 3))
        yield connection


@pytest.fixture(scope="session")
def validation(warehouse):
    return last_validation(warehouse)


@pytest.fixture(scope="session")
def report(warehouse, validation):
    return build_report(warehouse, validation)
