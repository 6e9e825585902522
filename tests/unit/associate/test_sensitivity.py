from __future__ import annotations

import polars as pl
import pytest

from etl.associate.model import AnalysisFrames
from etl.associate.prepare import prepare
from etl.associate.protocol import IronProfile, load_protocol
from etl.associate.sensitivity import iron_deficient, vary


@pytest.fixture(scope="module")
def part(cohort):
    low = pl.col("b12") < 110
    subjects = cohort.with_columns(
        b12=pl.when(low).then(110.0).otherwise(pl.col("b12")), b12_comparator=pl.when(low).then(pl.lit("<"))
    )
    rows, _ = prepare(AnalysisFrames(subjects), load_protocol())
    return vary(rows, load_protocol())


def value(part, scenario: str, per: str = "1 pg/mL") -> float:
    return next(e.value for e in part.estimates if e.id == f"sensitivity/{scenario}/b12/{per}")


def test_a_unit_slip_of_all_values_changes_the_unit_and_nothing_else(part):
    # x -> x / 0.737806: the log odds per unit shrink by that factor, per 1 SD they stay.
    per_unit = value(part, "adjusted for site")
    slip = value(part, "all values in pmol/L")
    base = value(part, "censored values: limit")
    assert slip == pytest.approx(base**0.737806, rel=1e-6)
    assert value(part, "all values in pmol/L", "1 SD") == pytest.approx(
        value(part, "censored values: limit", "1 SD"), rel=1e-6
    )
    assert per_unit != slip


def test_a_unit_slip_of_one_group_moves_the_estimate(part):
    # Controls higher by 35.5%: further from the cases, so a smaller odds ratio per SD; cases higher: the reverse.
    base = value(part, "censored values: limit", "1 SD")
    assert value(part, "controls in pmol/L", "1 SD") < base < value(part, "cases in pmol/L", "1 SD")


def test_every_policy_is_shown_and_exclusion_costs_rows(part):
    tables = {t.id: t for t in part.tables}
    rows = dict(zip(tables["sensitivity/rows"].rows, tables["sensitivity/rows"].counts, strict=True))
    below = [cells[0] for cells in tables["sensitivity/censored"].counts]
    assert below[0] > 0
    assert rows["censored values: exclude"] == (80 - below[0], 80 - below[1], sum(below))
    assert rows["censored values: half"] == (80, 80, 0)


def test_iron_status_has_three_values():
    # Below 50, or at most 75, or saturation below 20: one true settles it; a null that could, leaves it unknown.
    subjects = pl.DataFrame(
        {"ferritin": [40.0, 75.0, 90.0, 90.0, None, None], "tsat": [30.0, 30, 15, None, 15, 30]}
    )
    profile = IronProfile(name="p", ferritin_to=75, tsat_below=20)
    assert iron_deficient(subjects, profile).to_list() == [True, True, True, None, True, None]
    assert iron_deficient(subjects.select("tsat"), IronProfile(name="p", ferritin_below=50)) is None


def test_the_subjects_kept_under_each_iron_profile_are_counted(part, cohort):
    rows = {t.id: t for t in part.tables}["sensitivity/rows"]
    name = "without ferritin < 30 ug/L"
    kept = cohort.filter(pl.col("ferritin") >= 30)["cohort_group"].value_counts()
    counts = dict(kept.rows())
    assert rows.counts[rows.rows.index(name)][:2] == (counts["case"], counts["control"])


def test_a_platform_that_is_the_group_is_said_so(cohort):
    alone = cohort.with_columns(platform=pl.col("cohort_group").replace_strict({"case": "a", "control": "b"}))
    rows, _ = prepare(AnalysisFrames(alone), load_protocol())
    found = [e for e in vary(rows, load_protocol()).estimates if "adjusted for platform" in e.id]
    assert all("cannot be told apart" in e.note for e in found)
