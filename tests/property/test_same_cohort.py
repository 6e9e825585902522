"""One cohort in every format, by writers that share no code with the readers: the same content digest from each.

The flat tables are written by csv, openpyxl, xlwt, pandas, pyarrow, pyreadstat and json; HL7 by python-hl7; OpenDocument
by hand, after its specification. Values are compared with the cohort itself too, so that one error that all
readers share would show.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.property.cohort import Cohort, Writer, cohort
from tests.property.cohort_clinical import CODED, DECLARED, FULL, ZONE
from tests.property.cohort_studies import STUDIES
from tests.property.cohort_tables import TABLES

MADE = {is_full: cohort(is_full=is_full) for is_full in (False, True)}
MAPPING = f"""
site: north
timezone: {ZONE}
feeds:
  labs:
    files: {{files}}
    constants: {{{{status: final, code_system: loinc}}}}
"""
TYPED = ("xlsx", "xls", "ods", "parquet", "xpt 5", "sav", "por", "dta", "json")  # each with times of its own
CASES = {
    **{
        f"{name}, codes and days": (writer, False)
        for name, writer in {**TABLES, **FULL, **CODED, **STUDIES}.items()
    },
    **{f"{name}, names and times": (writer, True) for name, writer in {**FULL, **STUDIES}.items()},
    **{f"{name}, names and times": (TABLES[name], True) for name in TYPED},
}
del CASES["csv, codes and days"]  # what the others are compared with


def delivered(place, name: str, writer: Writer, made: Cohort) -> tuple[str, list[tuple]]:
    """Write, ingest, and return the digest of the results and the statements about subjects."""
    folder = place.folder / "in"
    folder.mkdir()
    writer(made, folder)
    files = '["lb.*", "measurement.*"]' if name.startswith(DECLARED) else '["none"]'
    place.map(MAPPING.format(files=files))
    report = place.ingest(folder)
    assert report.exit_code() == 0, report.document()
    assert report.totals()["held"] == 0, report.document()
    said = place.rows("select distinct subject_id, attribute, value from core.subject_attribute order by all")
    from warehouse.digest import content_digest

    with place.connection() as opened:
        return content_digest(opened, ("core.lab_result",)), said


@pytest.fixture(scope="module")
def expected(template, tmp_path_factory) -> dict[bool, tuple[str, list[tuple]]]:
    from tests.conftest import _copied

    folder = tmp_path_factory.mktemp("csv")
    return {
        is_full: delivered(_copied(template, folder / str(is_full)), "csv", TABLES["csv"], made)
        for is_full, made in MADE.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_every_format_gives_the_same_content(name, place, expected) -> None:
    writer, is_full = CASES[name]
    assert delivered(place, name, writer, MADE[is_full]) == expected[is_full]


def test_the_content_is_the_cohort(place) -> None:
    """Results in their canonical unit are compared as they are; B12 in pmol/L by its molar mass, 1355.37 g/mol."""
    made = MADE[True]
    _, said = delivered(place, "csv", TABLES["csv"], made)
    wanted = [each for each in made.results if each.test.name != "Potassium"]
    factors = {"pmol/L": 1.35537, "g/dL": 10.0}
    rows = place.rows("select analyte, comparator, value, absent_reason, collected_at from core.lab_result")
    assert len(rows) == len(wanted)
    assert Counter(row[1] for row in rows) == Counter(each.comparator or None for each in wanted)
    assert sum(row[3] == "empty" for row in rows) == sum(each.number is None for each in wanted)
    assert Counter(row[4] for row in rows) == Counter(each.drawn for each in wanted)
    found = sorted(row[2] for row in rows if row[2] is not None)
    numbers = sorted(each.number * factors.get(each.unit, 1) for each in wanted if each.number is not None)
    assert found == pytest.approx(numbers, rel=1e-5)
    sexes = {"F": "female", "M": "male"}
    assert Counter(value for _, attribute, value in said if attribute == "birth_date") == Counter(
        each.born.isoformat() for each in made.subjects
    )
    assert Counter(value for _, attribute, value in said if attribute == "sex") == Counter(
        sexes[each.sex] for each in made.subjects
    )
