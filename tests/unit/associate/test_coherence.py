"""The inconsistencies that published figures are known to have, and those that they are known not to have."""

from __future__ import annotations

import pytest

from etl.associate import arithmetic as calc
from etl.associate.coherence import check_published
from etl.associate.model import Finding
from schemas.published import Published, load_published, parse_printed

PMOL = ("pmol/L", 0.737806)


@pytest.fixture(scope="module")
def findings() -> dict[tuple[str, str], Finding]:
    return {(f.figure, f.check): f for f in check_published(load_published(), PMOL)}


def check(**figure: object) -> list[Finding]:
    study = {"s": {"title": "t", "source": "s", "design": "d"}}
    base = {"id": "f", "study": "s", "label": "l", "mark": "V"}
    return check_published(Published.model_validate({"study": study, "figure": [base | figure]}), PMOL)


def test_r_and_p_that_cannot_both_be_right_are_named(findings):
    # By t with 78 degrees of freedom: r = -0.025 gives P = 0.826; P = 0.023 needs |r| 0.2531 to 0.2549, or n near 8,270.
    found = findings["geng-b12-irls", "r, n, P"]
    assert found.verdict == "inconsistent"
    assert "r = -0.025 with P = 0.023 is impossible at n = 80: that r gives P = 0.826" in found.sentence
    fits = " | ".join(found.would_fit)
    assert "r = -0.254 (|r| from 0.2531 to 0.2549)" in fits
    assert "n of about 8,27" in fits
    assert "at n = 160 that r gives P = 0.754" in fits


def test_the_second_correlation_does_not_fit_either(findings):
    # r = -0.295 gives P = 0.0079 at n = 80; P = 0.001 needs |r| of 0.361, or n near 121.
    found = findings["geng-b12-hamd", "r, n, P"]
    assert found.verdict == "inconsistent"
    fits = " | ".join(found.would_fit)
    assert "P = 0.0079 belongs to r = -0.295" in fits
    assert "r = -0.361" in fits
    assert "n of about 121" in fits


@pytest.mark.parametrize("figure", ["chen-hads-a", "chen-hads-d"])
def test_consistent_correlations_pass(findings, figure):
    assert findings[figure, "r, n, P"].verdict == "consistent"


def test_the_odds_ratio_agrees_with_its_interval(findings):
    # beta = -0.03046, SE about 0.0053, P about 7e-9.
    found = findings["geng-b12-or", "OR, CI, P"]
    assert found.verdict == "consistent"
    assert "0.0053" in found.sentence
    assert "7e-09" in found.sentence


def test_the_odds_ratio_is_restated_per_step_and_unit(findings):
    # 0.737 per 10, 0.218 per 50, 0.048 per 100 pg/mL; 0.9596 (0.946-0.973) per pmol/L.
    sentence = findings["geng-b12-or", "unit"].sentence
    assert "0.737 per 10, 0.218 per 50, 0.0476 per 100 pg/mL" in sentence
    assert "0.960 (0.946 to 0.973)" in sentence


def test_the_mean_stays_an_open_question(findings):
    # 168 pg/mL = 124 pmol/L; 168 pmol/L would be 228 pg/mL.
    found = findings["geng-b12-mean", "unit"]
    assert found.verdict == "open"
    assert "124 pmol/L" in found.sentence
    assert "228 pg/mL" in found.sentence


def test_or_auc_and_sd_that_cannot_belong_together(findings):
    # Equal-variance normals: OR 0.008 with AUC 0.967 implies an SD of 0.54 ng/mL; real SDs are about 5.
    found = findings["geng-vd-auc", "OR, AUC, SD"]
    assert found.verdict == "inconsistent"
    assert "SD of 0.54 ng/mL" in found.sentence


def test_published_counts_give_the_published_odds_ratio(findings):
    found = findings["wali-deficient", "counts, OR"]
    assert found.verdict == "consistent"
    assert "59/78 against 52/123 gives OR 4.24" in found.sentence


def test_percentages_are_whole_numbers_of_subjects(findings):
    # 46/57 = 80.7%, 126/175 = 72.0%, 68/151 = 45.03%, 39/175 = 22.29%, 10/151 = 6.62%.
    names = [f for f, check_name in findings if check_name == "n, %"]
    assert len(names) == 5
    assert {findings[f, "n, %"].verdict for f in names} == {"consistent"}


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        ({"kind": "proportion", "n": 20, "percent": "33"}, "inconsistent"),  # 6/20 is 30, 7/20 is 35
        ({"kind": "proportion", "n": 20, "count": 6, "percent": "35"}, "inconsistent"),
        (
            {"kind": "correlation", "r": "0.00", "p": "0.99", "n": 50},
            "consistent",
        ),  # r rounds to 0: any P near 1
        ({"kind": "correlation", "r": "-0.50", "p": "<0.001", "n": 50}, "consistent"),
        ({"kind": "correlation", "r": "0.10", "p": "<0.05", "n": 50}, "inconsistent"),
        # 2 x 8 = 16, centre 4; printed 3.
        ({"kind": "odds_ratio", "value": "3.0", "low": "2.0", "high": "8.0", "unit": "x"}, "inconsistent"),
        ({"kind": "odds_ratio", "value": "4.0", "low": "2.0", "high": "8.0", "unit": "x"}, "consistent"),
        # An interval from 2 to 8 leaves no room for P = 0.2.
        (
            {"kind": "odds_ratio", "value": "4.0", "low": "2.0", "high": "8.0", "p": "0.2", "unit": "x"},
            "inconsistent",
        ),
        (
            {"kind": "odds_ratio", "value": "1.00", "low": "0.50", "high": "2.00", "p": "0.99", "unit": "x"},
            "consistent",
        ),
    ],
)
def test_made_up_figures(figure, verdict):
    assert [f.verdict for f in check(**figure)] == [verdict]


def test_counts_that_do_not_give_the_odds_ratio():
    # (10*20)/(10*20) = 1.
    figure = {"case_exposed": 10, "case_n": 20, "control_exposed": 20, "control_n": 40}
    (found,) = check(kind="two_by_two", **figure, value="2.00", low="0.3", high="3.0")
    assert found.verdict == "inconsistent"


def test_two_directions_of_the_same_arithmetic():
    assert calc.p_from_r(calc.r_from_p(0.023, 80), 80) == pytest.approx(0.023)
    assert calc.p_from_r(-0.025, calc.n_from(-0.025, 0.023)) == pytest.approx(0.023, abs=1e-5)
    assert calc.p_from_odds_ratio(0.008, calc.se_from_p(0.008, 0.004)) == pytest.approx(0.004)
    assert calc.sd_from(calc.odds_ratio_from(5.4, 0.967), 0.967) == pytest.approx(5.4)


@pytest.mark.parametrize(
    ("text", "value", "bounds"),
    [
        ("-0.025", -0.025, (-0.0255, -0.0245)),
        ("0.340", 0.34, (0.3395, 0.3405)),
        ("81", 81, (80.5, 81.5)),
        ("<0.05", 0.05, (float("-inf"), 0.05)),
    ],
)
def test_a_printed_number_keeps_its_last_digit(text, value, bounds):
    printed = parse_printed(text)
    assert (printed.text, printed.value) == (text, value)
    assert printed.bounds == pytest.approx(bounds)


@pytest.mark.parametrize("text", ["about 3", "", 0.5])
def test_what_is_not_a_printed_number(text):
    with pytest.raises(ValueError, match="printed"):
        parse_printed(text)


@pytest.mark.parametrize(("study", "times", "says"), [("other", 1, "no .study"), ("s", 2, "share an id")])
def test_the_registry_refuses_unknown_studies_and_double_ids(study, times, says):
    figure = {"id": "f", "study": study, "kind": "mean", "label": "l", "mark": "V", "value": "1", "unit": "u"}
    known = {"s": {"title": "t", "source": "s", "design": "d"}}
    with pytest.raises(ValueError, match=says):
        Published.model_validate({"study": known, "figure": [figure] * times})
