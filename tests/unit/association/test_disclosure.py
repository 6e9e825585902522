"""What a flow and a published comparison must not give back once small counts are hidden."""

from __future__ import annotations

import pytest

from etl.associate.disclosure import HIDDEN, disclose
from etl.associate.model import AssociationReport, Beside, Estimate, Summary
from etl.association import hide_small


def report(**parts: object) -> AssociationReport:
    names = (
        "flow",
        "summaries",
        "tables",
        "estimates",
        "diagnostics",
        "curves",
        "trends",
        "findings",
        "beside",
    )
    return AssociationReport(protocol={}, **dict.fromkeys(names, ()) | parts)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # Worked by hand; a difference of 1 to 4 to the next shown count is a small group of those who left.
        ([100, 95, 80], [100, 95, 80]),
        ([83, 82, 80], [None, None, 80]),
        ([100, 98, 80], [None, 98, 80]),
        ([80, 80, 80], [80, 80, 80]),
        ([86, 83, 80], [86, None, 80]),
        ([9, 3], [9, None]),
    ],
)
def test_the_flow_does_not_give_away_how_few_left(counts, expected):
    flow = tuple(
        {"step": f"{at}", "n_case": n, "n_control": 50, "n_unknown": 0} for at, n in enumerate(counts)
    )
    shown = disclose(report(flow=flow), hide_small).flow
    assert [step["n_case"] for step in shown] == expected
    assert {step["n_control"] for step in shown} == {50}


def test_a_few_unknown_are_hidden_alone():
    flow = ({"step": "all", "n_case": 80, "n_control": 80, "n_unknown": 3},)
    assert disclose(report(flow=flow), hide_small).flow == (
        {"step": "all", "n_case": 80, "n_control": 80, "n_unknown": None},
    )


def test_nothing_hidden_shows_beside_a_published_figure():
    few = Estimate(
        "r", "correlation", "Pearson r", "b12 with irls", "case", "Pearson", 4, -0.25, -0.9, 0.8, 0.7
    )
    many = Estimate(
        "s", "correlation", "Pearson r", "b12 with hamd", "case", "Pearson", 40, -0.25, -0.5, 0.1, 0.1
    )
    mean = Summary("b12", "pg/mL", "case", 3, 0, 168.0)
    beside = tuple(
        Beside(name, "study", name, "r -0.025", "r -0.250", n, is_same=True, estimate=name)
        for name, n in (("r", 4), ("s", 40), ("summary/b12/case", 3))
    )
    shown = disclose(report(estimates=(few, many), summaries=(mean,), beside=beside), hide_small)
    assert shown.estimates[0].note == HIDDEN
    assert [(b.ours, b.n, b.is_same) for b in shown.beside] == [
        ("hidden", None, None),
        ("r -0.250", 40, True),
        ("hidden", None, None),
    ]
