"""Row rules: asking all of them at once finds the rows that asking each by itself finds."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.tables import COMPARATORS, REASONS, check_rows, lab_result_rules, subject_rules

LATEST = datetime(2026, 1, 1)
SCHEMA = {
    "value": pl.Float64, "comparator": pl.String, "unit": pl.String, "unit_canonical": pl.String, "unit_basis": pl.String,
    "absent_reason": pl.String, "hard_low": pl.Float64, "hard_high": pl.Float64, "collected_at": pl.Datetime("us"),
    "resulted_at": pl.Datetime("us"),
}  # fmt: skip
SOUND = {
    "value": 5.0, "comparator": None, "unit": "pmol/L", "unit_canonical": "pmol/L", "unit_basis": "stated",
    "absent_reason": None, "hard_low": 1.0, "hard_high": 9.0, "collected_at": datetime(2021, 3, 5),
    "resulted_at": None,
}  # fmt: skip

_numbers = st.sampled_from([None, math.nan, math.inf, -math.inf, 0.0, 1.0, 5.0, 9.0, 9.5])
_moments = st.sampled_from(
    [None, datetime(1899, 12, 31), datetime(1900, 1, 1), LATEST, datetime(2026, 1, 1, 0, 0, 0, 1)]
)
_words = st.sampled_from([None, "pmol/L", "ug/L"])
_row = st.fixed_dictionaries(
    {
        "value": _numbers,
        "comparator": st.sampled_from([None, "<", "~", "=<", ""]),
        "unit": _words,
        "unit_canonical": _words,
        "unit_basis": st.sampled_from([None, "stated"]),
        "absent_reason": st.sampled_from([None, "pending"]),
        "hard_low": st.sampled_from([None, 1.0]),
        "hard_high": st.sampled_from([None, 9.0]),
        "collected_at": _moments,
        "resulted_at": _moments,
    }
)


def _is_outside(moment: datetime | None) -> bool:
    return moment is not None and not datetime(1900, 1, 1) <= moment <= LATEST


def broken(row: dict[str, Any]) -> set[str]:
    """The rules in plain words, one row at a time; what is unknown breaks nothing."""
    value, low, high = row["value"], row["hard_low"], row["hard_high"]
    is_settled = row["unit_basis"] is not None
    found = set()
    if value is not None and not math.isfinite(value):
        found.add("value|finite")
    # A not-a-number is above every number, as polars orders them.
    if value is not None and (
        (low is not None and value < low) or (high is not None and (value > high or math.isnan(value)))
    ):
        found.add("value|within_hard_bounds")
    if is_settled and (value is None) != (row["absent_reason"] is not None):
        found.add("value|present_or_absent_reason")
    if row["comparator"] is not None and row["comparator"] not in COMPARATORS:
        found.add("comparator|known")
    if None not in (row["unit"], row["unit_canonical"]) and row["unit"] != row["unit_canonical"]:
        found.add("unit|canonical")
    if value is not None and not is_settled:
        found.add("unit_basis|evidence")
    found |= {f"{name}|possible" for name in ("collected_at", "resulted_at") if _is_outside(row[name])}
    return found


def verdicts(rows: list[dict[str, Any]]) -> set[tuple[int, str]]:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    return set(check_rows(lab_result_rules(LATEST), frame).rows())


@settings(max_examples=60, deadline=None)
@given(st.lists(_row, max_size=12))
def test_the_rules_find_what_each_row_breaks(rows: list[dict[str, Any]]) -> None:
    expected = {(at, REASONS[rule]) for at, row in enumerate(rows) for rule in broken(row)}
    assert verdicts(rows) == expected


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"value": math.nan}, ["bad_number", "out_of_bounds"]),
        ({"value": 9.5}, ["out_of_bounds"]),
        ({"value": None}, ["bad_number"]),
        ({"comparator": "=<"}, ["bad_number"]),
        ({"unit": "ug/L"}, ["unit_not_commensurable"]),
        ({"unit_basis": None}, ["unit_missing"]),
        ({"collected_at": datetime(1800, 1, 1)}, ["bad_date"]),
        ({"resulted_at": datetime(2030, 1, 1)}, ["bad_date"]),
        # The column that the rules together are reported under is empty: the others are judged all the same.
        ({"value": None, "absent_reason": "pending", "collected_at": datetime(1800, 1, 1)}, ["bad_date"]),
    ],
    ids=str,
)
def test_one_broken_rule_among_sound_rows_is_found(given: dict[str, Any], reason: list[str]) -> None:
    assert verdicts([SOUND, SOUND | given, SOUND]) == {(1, each) for each in reason}


def test_sound_rows_and_no_rows_break_nothing() -> None:
    assert verdicts([SOUND] * 3) == verdicts([]) == set()


def test_an_identifier_that_passed_as_it_was_names_nobody() -> None:
    frame = pl.DataFrame({"subject_id": ["a" * 26, None, "310123198001011234"]})
    assert check_rows(subject_rules(), frame).rows() == [(2, "no_subject")]


@pytest.mark.parametrize("first", ["", "import pandas\n"], ids=["pandas is not loaded", "pandas is loaded"])
def test_the_rules_load_no_pandas_and_leave_it_to_others(first: str) -> None:
    """Whatever a process loaded before: the rules hold, and what needs pandas finds it afterwards."""
    code = f"""{first}
import sys
import polars as pl
from schemas.tables import check_rows, subject_rules
had = "pandas" in sys.modules
assert check_rows(subject_rules(), pl.DataFrame({{"subject_id": ["short", "a" * 26]}}))["index"].to_list() == [0]
assert ("pandas" in sys.modules) == had
import pandas
assert pandas.DataFrame({{"a": [1]}}).shape == (1, 1)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_pandas_is_hidden_from_the_thread_alone_that_loads_the_rules() -> None:
    code = """
import sys, threading
from schemas.lean_pandera import _hidden
with _hidden("pandas"):
    try:
        import pandas
        sys.exit("it is not hidden")
    except ModuleNotFoundError:
        pass
    other = threading.Thread(target=__import__, args=("pandas",))
    other.start()
    other.join()
    assert "pandas" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
