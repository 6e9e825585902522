"""What a flow and a published comparison must not give back once small counts are hidden."""

from __future__ import annotations

import pytest

from etl.associate.disclosure import HIDDEN, disclose
from etl.associate.model import AssociationReport, Beside, CountTable, Estimate, Summary
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


def test_unknown_are_hidden_where_those_who_came_are():
    # Three cases left at the first rule: their number is hidden, so 'all cases are unknown' must not give it back.
    flow = tuple(
        {"step": f"{at}", "n_case": n, "n_control": 67, "n_unknown": unknown}
        for at, (n, unknown) in enumerate([(80, 0), (66, 66), (63, 125), (63, 63)])
    )
    shown = disclose(report(flow=flow), hide_small).flow
    assert [(step["n_case"], step["n_unknown"]) for step in shown] == [
        (80, 0),
        (None, None),
        (63, None),
        (63, 63),
    ]


def test_two_scenarios_do_not_give_away_who_is_in_one_only():
    # 66 and 63 cases: three are in one scenario only. Without them the wider one and its iron counts are hidden.
    columns = ("case", "control", "not in the model")
    tables = (
        CountTable("model/rows", "", ("crude", "matched"), columns, ((63, 62, 8), (61, 61, 11))),
        CountTable(
            "sensitivity/rows",
            "",
            ("primary model (adjusted)", "whatever the iron stores", "without many"),
            columns,
            ((63, 62, 8), (66, 67, 0), (50, 51, 32)),
        ),
        CountTable("sensitivity/iron/0", "", ("case", "control"), ("yes", "no"), ((6, 60), (7, 60))),
    )
    shown = {t.id: t.counts for t in disclose(report(tables=tables), hide_small).tables}
    assert shown["model/rows"] == ((63, 62, 8), (None, None, None))
    assert shown["sensitivity/rows"] == ((63, 62, 8), (None, None, None), (50, 51, 32))
    assert shown["sensitivity/iron/0"] == ((None, None), (None, None))
