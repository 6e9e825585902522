"""Result texts. The table is labelled by hand, from what each text means; blank means held."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from etl.harmonize.numbers import RESULTS, parse_results

TABLE = Path(__file__).with_name("results.csv")
with TABLE.open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.DictReader(stream))
MISSING = ["-9", "999", "未查到", "n. best."]


def _parsed(decimal: str) -> dict[str, dict[str, object]]:
    texts = pl.Series([row["text"] for row in ROWS if row["decimal"] == decimal])
    return {row["source"]: row for row in parse_results(texts, decimal, MISSING).iter_rows(named=True)}


def _wanted(row: dict[str, str]) -> dict[str, object]:
    wanted: dict[str, object] = {
        "value": float(row["value"]) if row["value"] else None,
        "comparator": row["comparator"] or None,
        "flag_source": row["flag"] or None,
        "unit_text": row["unit_text"] or None,
        "ref_text": row["ref_text"] or None,
        "absent_reason": row["absent_reason"] or None,
        "specimen_quality": row["specimen_quality"] or None,
    }
    is_held = wanted["value"] is None and wanted["absent_reason"] is None
    return wanted | {"reason": "bad_number" if is_held else None}


def test_the_table_is_large_enough_to_mean_something():
    assert len(ROWS) >= 300
    assert sum(not row["value"] and not row["absent_reason"] for row in ROWS) >= 100


@pytest.mark.parametrize("decimal", [".", ","])
def test_every_text_is_right_or_held(decimal):
    parsed = _parsed(decimal)
    rows = [row for row in ROWS if row["decimal"] == decimal]
    wrong = [row["text"] for row in rows if {k: parsed[row["text"]][k] for k in _wanted(row)} != _wanted(row)]
    assert wrong == []


def test_one_row_a_distinct_text_and_a_fixed_schema():
    parsed = parse_results(pl.Series(["1", "1", None, None, "x"]), ".", [])
    assert parsed.height == 3
    assert parsed.schema == RESULTS
    assert parse_results(pl.Series([], dtype=pl.String), ".", []).schema == RESULTS


def test_a_declared_number_is_missing_however_it_is_printed():
    parsed = parse_results(pl.Series(["-9", "-9,0", "-90", "9"]), ",", ["-9"])
    absent = dict(parsed.select("source", "absent_reason").iter_rows())
    assert absent == {"-9": "declared_missing", "-9,0": "declared_missing", "-90": None, "9": None}


def test_plain_and_careful_path_agree():
    """The same numbers with a flag beside them go the careful way."""
    numbers = [f"{i / 7:.4f}" for i in range(1, 400)]
    plain = parse_results(pl.Series(numbers), ".", []).sort("source")
    careful = parse_results(pl.Series([f"{n} H" for n in numbers]), ".", []).sort("source")
    assert (
        plain["value"].to_list()
        == careful["value"].to_list()
        == sorted(map(float, numbers), key=lambda v: f"{v:.4f}")
    )


def test_digits_of_other_scripts_are_no_number():
    assert parse_results(pl.Series(["١٢"]), ".", [])["reason"].item() == "bad_number"
