from __future__ import annotations

import pytest

from etl.query import list_queries, run_named, split_parameters
from schemas.errors import UsageError, WarehouseMissing
from warehouse.catalogue import queries


def test_every_query_is_listed_with_its_parameters():
    rows = {row["query"]: row for row in list_queries().to_dicts()}
    assert set(rows) == set(queries())
    assert "cohort_group=case" in rows["exposure_correlation"]["parameters"]
    assert "z=1.959963984540054" in rows["exposure_correlation"]["parameters"]


def test_a_parameter_reaches_the_query(shown):
    # By construction of the cohort: IRLS is undefined for controls, so only three scores are left for them.
    of_cases = run_named(shown / "w.duckdb", "exposure_correlation")
    of_controls = run_named(shown / "w.duckdb", "exposure_correlation", ["cohort_group=control"])
    assert sorted(of_cases["measure"]) == ["hama", "hamd", "irls", "psqi"]
    assert sorted(of_controls["measure"]) == ["hama", "hamd", "psqi"]
    assert set(of_controls["n"]) == {80}


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("exposure_corelation", [], "no query called"),
        ("exposure_correlation", ["group=case"], "has no parameter group"),
        ("exposure_correlation", ["z=wide"], "is a number"),
        ("exposure_correlation", ["cohort_group"], "is no parameter"),
        ("exposure_correlation", ["=case"], "is no parameter"),
        ("exposure_correlation", ["z=1", "z=2"], "given twice"),
    ],
)
def test_a_typing_error_shows_before_the_warehouse_is_opened(tmp_path, name, given, says):
    with pytest.raises(UsageError, match=says):
        run_named(tmp_path / "none.duckdb", name, given)


def test_a_missing_warehouse(tmp_path):
    with pytest.raises(WarehouseMissing):
        run_named(tmp_path / "none.duckdb", "loads")


def test_a_value_may_hold_an_equals_sign():
    assert split_parameters(["profile=a=b", " z = 1 "]) == {"profile": "a=b", "z": "1"}
