"""Logistic, Firth and conditional fits against published results."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from etl.associate.conditional import fit_conditional
from etl.associate.design import Design, informative_sets, make_design
from etl.associate.firth import fit_firth
from etl.associate.logistic import fit_logistic

# sex2 of the R package logistf (urinary tract infection; Foxman et al. 1997), collapsed: age, oc, vic, vicl, vis, dia
# as a pattern, then cases and controls.
SEX2 = """000010 1 1, 001000 14 2, 001010 3 1, 001100 10 8, 001110 12 18, 001111 1 0, 010000 44 42, 010001 3 0,
010010 0 1, 011000 15 1, 011001 1 0, 011010 2 0, 011100 7 5, 011110 3 6, 101000 2 0, 101010 1 0, 101011 1 0,
101100 1 2, 101110 0 4, 101111 1 0, 110000 5 14, 110010 0 1, 111000 3 1, 111110 0 2"""
SEX2_TERMS = ("age", "oc", "vic", "vicl", "vis", "dia")

# infert of R (Trichopoulos et al. 1976): matched sets as case/controls, each subject as spontaneous and induced
# abortions, and how many sets have that pattern.
INFERT = """00/00,00x3 00/00,01x1 00/02,10x1 00/10,10x1 00/10,20x1 01/00,00x3 01/00,01x4 01/00,10x3 01/02,11x1
01/10,20x1 02/00,00x1 02/00,01x1 02/00,02x1 02/01,01x1 02/02,02x1 02/02,12x1 02/10,20x2 02/11,11x1 10/00,00x5
10/00,01x7 10/00,10x4 10/01,01x1 10/01,10x2 10/02,10x1 10/10,10x2 11/00,00x1 11/00,02x1 11/01,01x1 11/02,11x1
11/10,20x1 12/10,11x2 12/11,20x1 12/20,21x1 20/00,00x4 20/00,01x2 20/00,02x2 20/01,01x3 20/01,02x2 20/01,10x1
20/01,11x1 20/11,20x2 20/20x1 21/02,02x3 21/02,12x1 21/11,12x1 21/12,20x1"""


def design(rows: list[tuple[int, ...]], names: tuple[str, ...], sets: list[int] | None = None) -> Design:
    table = np.array(rows, dtype=float)
    groups = np.array(sets or [0] * len(rows), dtype=np.int64)
    return Design(names, table[:, 1:], table[:, 0], groups, 0, ())


def two_by_two(case: tuple[int, int], control: tuple[int, int]) -> Design:
    rows = [(1, 1)] * case[0] + [(1, 0)] * case[1] + [(0, 1)] * control[0] + [(0, 0)] * control[1]
    return design(rows, ("exposed",))


@pytest.fixture(scope="module")
def sex2() -> Design:
    rows = []
    for entry in SEX2.split(","):
        pattern, cases, controls = entry.split()
        terms = tuple(int(c) for c in pattern)
        rows += [(1, *terms)] * int(cases) + [(0, *terms)] * int(controls)
    assert len(rows) == 239
    return design(rows, SEX2_TERMS)


@pytest.fixture(scope="module")
def infert() -> Design:
    rows, sets = [], []
    for entry in INFERT.split():
        pattern, times = entry.split("x")
        case, controls = pattern.split("/")
        for _ in range(int(times)):
            number = sets[-1] + 1 if sets else 1
            members = [case, *controls.split(",")]
            rows += [(int(i == 0), int(m[0]), int(m[1])) for i, m in enumerate(members)]
            sets += [number] * len(members)
    assert (len(rows), sets[-1]) == (248, 83)
    return design(rows, ("spontaneous", "induced"), sets)


def test_logistic_prints_the_published_table():
    # Spector and Mazzeo 1980, as in Greene, Econometric Analysis, table 21.1:
    # GPA 2.826 (1.263), TUCE 0.095 (0.142), PSI 2.379 (1.065).
    from statsmodels.datasets import spector

    data = spector.load_pandas()
    frame = np.column_stack([data.endog, data.exog])
    fit = fit_logistic(design([tuple(row) for row in frame], ("gpa", "tuce", "psi")))
    assert [f"{b:.3f}" for b in fit.beta] == ["2.826", "0.095", "2.379"]
    assert [f"{s:.3f}" for s in fit.se] == ["1.263", "0.142", "1.065"]


def test_logistic_on_a_table_is_the_cross_product_with_woolf():
    fit = fit_logistic(two_by_two((59, 19), (52, 71)))
    ratio, low, high, _ = fit.per("exposed", 1)
    half = 1.959963984540054 * math.sqrt(1 / 59 + 1 / 19 + 1 / 52 + 1 / 71)
    expected = 59 * 71 / (19 * 52)
    assert (ratio, low, high) == pytest.approx(
        (expected, expected * math.exp(-half), expected * math.exp(half))
    )


def test_an_odds_ratio_per_step_is_the_power_of_the_one_per_unit():
    # 0.97 (0.96-0.98) per pg/mL is 0.737 (0.665-0.817) per 10 and 0.048 (0.017-0.133) per 100.
    from etl.associate.fit import Fit

    one = np.array([1.0])
    fit = Fit("", ("b12",), math.log(0.97) * one, one, math.log(0.96) * one, math.log(0.98) * one, one)
    assert [f"{v:.3f}" for v in fit.per("b12", 10)[:3]] == ["0.737", "0.665", "0.817"]
    assert [f"{v:.3f}" for v in fit.per("b12", 100)[:3]] == ["0.048", "0.017", "0.133"]
    # A negative step turns the limits: 1/0.98 and 1/0.96.
    assert fit.per("b12", -1)[1:3] == pytest.approx((1 / 0.98, 1 / 0.96))


def test_firth_reproduces_logistf(sex2):
    # logistf documentation, sex2: coefficients, profile intervals and p-values without the intercept.
    fit = fit_firth(sex2)
    assert fit.beta == pytest.approx(
        [-1.10598131, -0.06881673, 2.26887464, -2.11140817, -0.78831694, 3.09601166], abs=1e-5
    )
    assert fit.low == pytest.approx(
        [-1.9737884, -0.9414363, 1.2730216, -3.2608611, -1.6080879, 0.7745682], abs=3e-5
    )
    assert fit.high == pytest.approx(
        [-0.30742514, 0.78920202, 3.43543273, -1.11773495, 0.01518468, 8.03029352], abs=3e-5
    )
    assert fit.p == pytest.approx(
        [6.143472e-03, 8.751911e-01, 1.678877e-06, 1.237805e-05, 5.449701e-02, 4.951873e-03], rel=1e-6
    )


@pytest.mark.parametrize(("case", "control"), [((7, 3), (4, 6)), ((9, 0), (3, 6))])
def test_firth_on_a_table_adds_a_half_to_each_cell(case, control):
    # Saturated model: Jeffreys' prior is 1/2 in each cell, whatever the counts; the Wald error follows likewise.
    a, b, c, d = (cell + 0.5 for cell in (*case, *control))
    fit = fit_firth(two_by_two(case, control))
    assert fit.beta[0] == pytest.approx(math.log(a * d / (b * c)), abs=1e-7)


def test_separated_data_go_to_firth_and_keep_finite_limits():
    fit = fit_logistic(two_by_two((9, 0), (3, 6)))
    assert fit.method.startswith("Firth")
    assert np.isfinite([fit.beta[0], fit.low[0], fit.high[0]]).all()
    assert fit.low[0] < fit.beta[0] < fit.high[0]


def test_conditional_reproduces_clogit(infert):
    # R: clogit(case ~ spontaneous + induced + strata(stratum), infert):
    # 1.9859 (se 0.3524, p 1.75e-08) and 1.4090 (se 0.3607, p 9.38e-05).
    fit = fit_conditional(infert)
    assert [f"{b:.4f}" for b in fit.beta] == ["1.9859", "1.4090"]
    assert [f"{s:.4f}" for s in fit.se] == ["0.3524", "0.3607"]
    assert fit.p == pytest.approx([1.75e-08, 9.38e-05], rel=5e-3)


def test_conditional_on_pairs_is_the_ratio_of_discordant_pairs():
    # McNemar: 15 pairs with the case exposed only, 6 with the control only: OR 15/6, se sqrt(1/15 + 1/6).
    pairs = [(1, 0)] * 15 + [(0, 1)] * 6 + [(1, 1)] * 10 + [(0, 0)] * 9
    rows = [row for case, control in pairs for row in ((1, case), (0, control))]
    fit = fit_conditional(design(rows, ("exposed",), [i // 2 for i in range(len(rows))]))
    assert fit.beta[0] == pytest.approx(math.log(15 / 6), abs=1e-6)
    assert fit.se[0] == pytest.approx(math.sqrt(1 / 15 + 1 / 6), rel=1e-5)


def test_conditional_says_why_it_has_no_estimate():
    def fit(rows: list[tuple[int, int]]):
        return fit_conditional(design(rows, ("exposed",), [i // 2 for i in range(len(rows))]))

    assert "separated" in fit([(1, 1), (0, 0)] * 5).note
    assert "does not vary" in fit([(1, 1), (0, 1), (1, 0), (0, 0)]).note


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(1, 1, 2), (0, 2, 4), (1, 3, 6)] * 2, "linearly dependent"),
        ([(1, 1, 2), (0, 2, 5), (1, 3, 6)], "two rows"),
        ([(1, 1, 5), (1, 2, 4)], "one group"),
    ],
)
def test_logistic_says_why_it_has_no_estimate(rows, why):
    fit = fit_logistic(design(rows, ("a", "b")))
    assert why in fit.note
    assert np.isnan(fit.beta).all()


def test_design_takes_complete_rows_and_the_commonest_level_as_reference():
    frame = pl.DataFrame(
        {
            "cohort_group": ["case", "case", "control", "control", "control"],
            "b12": [100.0, float("nan"), 300.0, 250.0, 260.0],
            "platform": ["roche", "roche", "abbott", None, "roche"],
            "site": ["a"] * 5,
        }
    )
    found = make_design(frame, ["b12", "platform", "site"])
    assert (found.n, found.n_case, found.left_out) == (3, 1, 2)
    assert found.names == ("b12", "platform: abbott")
    assert found.column("platform: abbott").tolist() == [0.0, 1.0, 0.0]


def test_constant_terms_are_named():
    frame = pl.DataFrame({"cohort_group": ["case", "control"], "b12": [1.0, 2.0], "age": [50, 50]})
    assert make_design(frame, ["b12", "age"]).constants == ("age",)


def test_a_set_that_lost_its_control_is_left_out():
    frame = pl.DataFrame(
        {
            "cohort_group": ["case", "control", "case", "control", "control"],
            "b12": [1.0, 2.0, 3.0, None, 5.0],
            "match_set": ["p", "p", "q", "q", None],
        }
    )
    kept, broken = informative_sets(make_design(frame, ["b12"], "match_set"))
    assert (kept.n, broken, kept.left_out) == (2, 1, 3)


def test_a_term_that_no_longer_varies_in_the_complete_sets_is_dropped():
    frame = pl.DataFrame(
        {
            "cohort_group": ["case", "control", "case"],
            "b12": [1.0, 2.0, 3.0],
            "smoker": [0, 0, 1],
            "match_set": ["p", "p", "q"],
        }
    )
    kept, _ = informative_sets(make_design(frame, ["b12", "smoker"], "match_set"))
    assert (kept.names, kept.constants) == (("b12",), ("smoker",))
