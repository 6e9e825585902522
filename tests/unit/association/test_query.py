from __future__ import annotations

import polars as pl
import pytest

from etl.override import Override
from etl.query import QueryOptions, list_queries, run_named, split_parameters
from etl.query_disclosure import disclosed
from schemas.errors import GateClosed, UsageError, WarehouseMissing
from warehouse.catalogue import queries


def test_every_query_is_listed_with_its_parameters():
    rows = {row["query"]: row for row in list_queries().to_dicts()}
    assert set(rows) == set(queries())
    assert "cohort_group=case" in rows["exposure_correlation"]["parameters"]
    assert "z=1.959963984540054" in rows["exposure_correlation"]["parameters"]


def test_a_parameter_reaches_the_query(shown):
    # By construction of the cohort: IRLS is undefined for controls, so only three scores are left for them.
    of_cases = run_named(shown / "w.duckdb", "exposure_correlation").rows
    of_controls = run_named(shown / "w.duckdb", "exposure_correlation", ["cohort_group=control"]).rows
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


def test_an_association_stands_behind_the_gate_and_a_quality_query_does_not(warehouse):
    with pytest.raises(GateClosed) as refused:
        run_named(warehouse, "exposure_correlation")
    assert 'etl query exposure_correlation --despite "REASON"' in refused.value.message()
    assert run_named(warehouse, "participant_flow").notes() == [
        "To work with, not to share: small counts are not hidden."
    ]


def test_an_override_marks_every_row_and_is_recorded(warehouse, opened):
    options = QueryOptions(override=Override("a look", "A. Manager"))
    answer = run_named(warehouse, "exposure_correlation", options=options)
    assert answer.watermark.endswith("by A. Manager: a look")
    assert set(answer.marked()["watermark"]) == {answer.watermark}
    with opened() as connection:
        decisions = connection.execute(
            "select kind, who, why, target ->> 'command' from meta.decision"
        ).fetchall()
        assert decisions == [("despite", "A. Manager", "a look", "query exposure_correlation")]


def test_an_association_prints_the_digest_of_its_data(shown):
    from warehouse.connection import open_warehouse
    from warehouse.digest import content_digest

    answer = run_named(shown / "w.duckdb", "deficiency_by_group")
    with open_warehouse(shown / "w.duckdb", read_only=True) as connection:
        digest = content_digest(connection)
    assert set(answer.marked()["content_digest"]) == {digest}
    assert digest in answer.notes()[0]
    assert set(answer.marked()["watermark"]) == {""}


def test_a_small_count_goes_with_what_gives_it_back_and_what_describes_it():
    """By hand: 2 of 82 is small; with the sum known one more count hides it, the smallest of the others."""
    rows = pl.DataFrame(
        {
            "profile": ["a"] * 3 + ["b"],
            "band": list("xyzx"),
            "subjects": [2, 30, 50, 9],
            "mean": [1.0, 2.0, 3.0, 4.0],
        }
    )
    shown = disclosed(rows, "subjects by profile")
    assert shown["subjects"].to_list() == [None, None, 50, 9]
    assert shown["mean"].to_list() == [None, None, 3.0, 4.0]
    assert disclosed(rows, "subjects")["subjects"].to_list() == [None, 30, 50, 9]


def test_a_table_in_one_row_is_hidden_as_a_table():
    """3 cases: with the sums of rows and columns known, the other three cells would give it back."""
    rows = pl.DataFrame({"a": [3], "b": [20], "c": [30], "d": [40], "ratio": [1.5], "group": ["x"]})
    assert disclosed(rows, "a b | c d").row(0) == (None, None, None, None, None, "x")
    assert disclosed(rows.with_columns(a=5), "a b | c d").row(0) == (5, 20, 30, 40, 1.5, "x")


def test_every_association_says_what_counts_subjects_and_shows_no_small_count(shown):
    for query in queries().values():
        if query.topic != "association":
            continue
        counts = [name for name in query.subjects.partition(" by ")[0].split() if name != "|"]
        found = run_named(shown / "w.duckdb", query.name).rows
        assert counts, query.name
        for name in counts:
            assert not [count for count in found[name] if count is not None and 0 < count < 5]


def test_a_text_that_few_subjects_share_is_only_counted(place):
    """Five subjects have one text, one subject has another, twice: it may be a name in a shifted column."""
    rows = [f"P{at},hereditary toe itching,2020-01-0{at}" for at in range(1, 6)]
    rows += [f"P1,Zzyzx Wonderly,2020-02-0{at}" for at in (1, 2)]
    place.map('site: north\nfeeds:\n  diagnoses: {files: ["diagnoses.csv"]}\n')
    place.ingest(place.write("diagnoses.csv", "\n".join(["patient_id,diagnosis,start date", *rows, ""])))
    found = run_named(place.warehouse, "unmatched_texts").rows
    assert found.select("text_source", "texts", "records", "subjects").rows() == [
        ("hereditary toe itching", 1, 5, 5),
        (None, 1, 2, 1),
    ]
