"""The decimal mark is decided for a column. Labels follow from what thousands groups look like: three digits each."""

from __future__ import annotations

import polars as pl
import pytest

from etl.harmonize.numbers import decide_decimal, decimal_evidence

COLUMNS = [
    (["168", "865"], "."),
    ([], "."),
    (["3.8", "12.25"], "."),
    (["3,8", "12,25"], ","),
    (["1.234"], None),
    (["1,234", "865"], None),
    (["1.234", "3.8"], "."),
    (["1.234", "3,8"], ","),
    (["1,234", "3.8"], "."),
    (["3.8", "3,8"], None),
    (["0.123"], "."),
    (["0,123"], ","),
    (["1234.567"], "."),
    (["1234,567"], ","),
    (["1.234,5"], ","),
    (["1,234.5"], "."),
    (["1.234.567"], ","),
    (["1,234,567"], "."),
    (["1.234.567", "1,234,567"], None),
    (["<0,25", "negativ"], ","),
    ([">2000", "<1.5"], "."),
    (["7.4kg  (7.7-9.4)   偏低"], "."),
    (["80.8,正常"], "."),
    (["1.234e5"], "."),
    ([".5"], "."),
    ([",5"], ","),
    (["2021-03-05"], "."),
    (["12.3456"], "."),
    ([None, "", "溶血"], "."),
]


@pytest.mark.parametrize(("texts", "mark"), COLUMNS)
def test_the_column_decides(texts, mark):
    decision = decide_decimal(decimal_evidence(pl.Series(texts, dtype=pl.String)), None)
    assert decision.value == mark
    assert decision.about == "decimal"


def test_a_declaration_wins_and_is_named():
    decision = decide_decimal(decimal_evidence(pl.Series(["1.234"])), ",")
    assert (decision.value, decision.basis) == (",", "declared")


def test_the_basis_tells_proof_from_default():
    assert decide_decimal(decimal_evidence(pl.Series(["3.8"])), None).basis == "content"
    assert decide_decimal(decimal_evidence(pl.Series(["38"])), None).basis == "default"


def test_counts_of_parts_add_up():
    texts = ["1.234", "3.8", "865", "1,234", "x", None]
    whole = decimal_evidence(pl.Series(texts))
    parts = [decimal_evidence(pl.Series(texts[:3])), decimal_evidence(pl.Series(texts[3:]))]
    assert whole == {name: sum(part[name] for part in parts) for name in whole}
    assert whole == {
        "plain": 1,
        "dot_decimal_only_possible": 1,
        "comma_decimal_only_possible": 0,
        "ambiguous_dot": 1,
        "ambiguous_comma": 1,
    }
