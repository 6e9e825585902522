"""The figures that the cohort is made to show, recomputed from the printed exports by numpy, statsmodels and scipy."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from etl.demo import generate


@pytest.mark.parametrize("seed", [20221, *range(1, 20)])
def test_printed_exports_give_the_published_figures(seed, tmp_path, read_exports):
    from statsmodels.discrete.discrete_model import Logit

    generate(tmp_path, seed, defects=False)
    exports = read_exports(tmp_path)
    b12, subjects = exports.first_b12(), exports.subjects()
    cases = [key for key, (group, _, _) in subjects.items() if group == "case"]
    controls = [key for key in subjects if key not in cases]
    assert (len(cases), len(controls)) == (80, 80)
    assert b12.keys() == subjects.keys()

    exposure = np.array([b12[key] for key in (*cases, *controls)])
    assert exposure.min() > 0
    fit = Logit(np.repeat([1, 0], 80), np.column_stack([np.ones(160), exposure])).fit(disp=False)
    estimate, (low, high) = fit.params[1], fit.conf_int()[1]
    assert [f"{np.exp(x):.2f}" for x in (estimate, low, high)] == ["0.97", "0.96", "0.98"]

    for instrument, target in (("IRLS", -0.254), ("HAMD", -0.295)):
        sums = exports.item_sums(instrument)
        r = np.corrcoef([b12[key] for key in cases], [sums[key] for key in cases])[0, 1]
        assert r == pytest.approx(target, abs=0.0005)


def test_answer_key_holds_the_b12_that_the_exports_print(clean):
    exports, truth = clean
    printed = exports.first_b12()
    for one in truth.subjects:
        assert one.b12 == pytest.approx(printed[one.site, one.identifier], abs=1e-9)


def test_means_are_those_of_the_recipe(clean):
    exports, _ = clean
    b12, subjects = exports.first_b12(), exports.subjects()
    for wanted, mean in (("case", 168), ("control", 244)):
        values = [b12[key] for key, (group, _, _) in subjects.items() if group == wanted]
        assert np.mean(values) == pytest.approx(mean, abs=1)
        assert np.std(values, ddof=1) == pytest.approx(50, abs=2)


def test_controls_have_no_irls_and_every_case_has(clean):
    exports, _ = clean
    cases = {key for key, (group, _, _) in exports.subjects().items() if group == "case"}
    assert exports.item_sums("IRLS").keys() == cases
    assert exports.item_sums("HAMD").keys() == exports.subjects().keys()


def test_pairs_share_hospital_and_sex_and_differ_by_at_most_three_years(clean):
    exports, truth = clean
    assert len({subject.match_set for subject in truth.subjects}) == 80
    for case, control in zip(truth.subjects[::2], truth.subjects[1::2], strict=True):
        assert (case.group, control.group) == ("case", "control")
        assert (case.site, case.match_set, case.sex) == (control.site, control.match_set, control.sex)
        ages = [
            (one.collected_at.date() - one.birth_date) / timedelta(days=365.25) for one in (case, control)
        ]
        assert abs(ages[0] - ages[1]) <= 3
        printed = [exports.subjects()[one.site, one.identifier] for one in (case, control)]
        assert printed[0][1:] == printed[1][1:]


def test_blood_is_drawn_within_a_week_of_the_scales(clean):
    _, truth = clean
    assert max(abs(one.collected_at.date() - one.administered_at) for one in truth.subjects) <= timedelta(
        days=7
    )


def test_later_draws_are_outside_every_window_around_the_scales(clean):
    exports, truth = clean
    scales = {(one.site, one.identifier): one.administered_at for one in truth.subjects}
    for key, draws in exports.results("★维生素B12(VitB12)", "Vitamin B12", "B12").items():
        assert len(draws) == 2
        assert (draws[1][0].date() - scales[key]).days > 90


def test_hospitals_have_cases_and_controls(clean):
    exports, _ = clean
    counts = {site: [0, 0] for site in ("yuhe", "lindental", "lakeside")}
    for (site, _), (group, _, _) in exports.subjects().items():
        counts[site][group == "control"] += 1
    assert counts == {"yuhe": [40, 40], "lindental": [20, 20], "lakeside": [20, 20]}


@pytest.mark.parametrize("seed", [20221, 2, 3])
def test_creatinine_and_homocysteine_are_higher_in_cases(seed, tmp_path, read_exports):
    from scipy.stats import ttest_ind

    generate(tmp_path, seed, defects=False)
    exports = read_exports(tmp_path)
    for names, factors in (
        (("肌酐(CREA)", "Kreatinin", "Creatinine"), {"mg/dl": 88.402, "mg/dL": 88.402}),
        (("同型半胱氨酸(Hcy)", "Homocystein", "Homocysteine"), {}),
    ):
        by_group = {"case": [], "control": []}
        for key, [(_, text, unit), *_] in exports.results(*names).items():
            by_group[exports.subjects()[key][0]].append(exports.number(text) * factors.get(unit, 1))
        test = ttest_ind(by_group["case"], by_group["control"], equal_var=False)
        assert test.statistic > 0
        assert test.pvalue < 0.05


def test_nobody_is_iron_deficient_by_the_widest_profile(clean):
    exports, _ = clean
    for draws in exports.results("铁蛋白(FER)", "Ferritin").values():
        assert min(exports.number(text) for _, text, _ in draws) >= 50


def test_scores_rise_with_irls_in_cases(clean):
    _, truth = clean
    cases = [one for one in truth.subjects if one.group == "case"]
    irls = [one.total("irls") for one in cases]
    for instrument in ("psqi", "hama", "hamd"):
        assert np.corrcoef(irls, [one.total(instrument) for one in cases])[0, 1] > 0.2
