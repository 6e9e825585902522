from __future__ import annotations

import math

import polars as pl
import pytest
from polars.testing import assert_series_equal

from etl.associate.model import AnalysisFrames
from etl.associate.prepare import censor, prepare
from etl.associate.protocol import AssociationProtocol, load_protocol
from schemas.errors import DefinitionError


@pytest.fixture(scope="module")
def protocol() -> AssociationProtocol:
    return load_protocol()


def frame(**columns: list[object]) -> pl.DataFrame:
    size = len(next(iter(columns.values())))
    base = {"subject_id": [f"s{i}" for i in range(size)], "cohort_group": ["case"] * size}
    return pl.DataFrame(base | columns, strict=False)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("limit", [83.0, 2000.0, 168.0]),
        ("half", [41.5, 2000.0, 168.0]),
        ("root2", [83 / math.sqrt(2), 2000.0, 168.0]),
        ("exclude", [None, None, 168.0]),
    ],
)
def test_censored_values_follow_the_policy(protocol, policy, expected):
    rows, _ = prepare(
        AnalysisFrames(frame(b12=[83.0, 2000.0, 168.0], b12_comparator=["<", ">", None])), protocol
    )
    assert_series_equal(censor(rows, "b12", policy)["b12"], pl.Series("b12", expected))


def test_deficiency_is_unknown_when_the_limit_does_not_settle_it(protocol):
    # Below 200: <83 is, <200 is, <250 may be, >2000 is not, >150 may be, 200 is not, 199.9 is.
    rows, _ = prepare(
        AnalysisFrames(
            frame(
                b12=[83.0, 200.0, 250.0, 2000.0, 150.0, 200.0, 199.9, None],
                b12_comparator=["<", "<", "<", ">", ">", None, None, None],
            )
        ),
        protocol,
    )
    assert rows["deficient"].to_list() == [True, True, None, False, None, False, True, None]


def test_a_comparison_made_in_the_thresholds_own_unit_is_kept(protocol):
    # 200 pg/mL is 147.56 pmol/L: not below 200 pg/mL, but below 148 pmol/L.
    rows, _ = prepare(AnalysisFrames(frame(b12=[200.0], deficient=[True])), protocol)
    assert rows["deficient"].to_list() == [True]


def test_irls_of_controls_is_set_aside_and_said_so(protocol):
    subjects = frame(b12=[100.0, 300.0], irls=[20, 0]).with_columns(
        cohort_group=pl.Series(["case", "control"])
    )
    rows, notes = prepare(AnalysisFrames(subjects), protocol)
    assert rows["irls"].to_list() == [20, None]
    assert any("IRLS is recorded in controls" in n for n in notes)


def test_nan_is_null_and_a_subject_without_group_is_left_out(protocol):
    subjects = frame(b12=[float("nan"), 100.0]).with_columns(cohort_group=pl.Series(["case", None]))
    rows, notes = prepare(AnalysisFrames(subjects), protocol)
    assert rows["b12"].to_list() == [None]
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("subjects", "says"),
    [
        (pl.DataFrame({"subject_id": ["secret"], "cohort_group": ["case"]}), "no column b12"),
        (
            pl.DataFrame({"subject_id": ["secret"] * 2, "cohort_group": ["case"] * 2, "b12": [1.0, 2.0]}),
            "one row",
        ),
    ],
)
def test_a_frame_that_is_no_analysis_frame_is_refused_without_a_value(protocol, subjects, says):
    with pytest.raises(DefinitionError, match=says) as error:
        prepare(AnalysisFrames(subjects), protocol)
    assert "secret" not in error.value.message()
