"""What the values say of their unit: shifts by hand, abstention where it could be either, and simulated rates."""

from __future__ import annotations

import importlib.util
from datetime import date
from math import log
from pathlib import Path

import pytest

from etl.declarations import Signature, UnitDeclared, declare
from etl.suspicion import Stratum, judge, judge_strata, suspicions, unit_shifts
from etl.validation import run_validation
from schemas.analytes import registry

BENCH = Path(__file__).parents[3] / "benchmarks" / "bench_suspicion.py"


def bench():
    spec = importlib.util.spec_from_file_location("bench_suspicion", BENCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stratum(
    site: str, median: float, *, analyte="creatinine", unit="umol/L", month=None, declared=False
) -> Stratum:
    factor_id = registry()[analyte].conversion(unit).factor_id
    spread = 0.12 if analyte == "haemoglobin" else 0.3
    return Stratum(site, analyte, factor_id, month, 200, log(median), spread, declared)


def test_shifts_are_those_of_the_molar_masses() -> None:
    b12 = unit_shifts(registry()["vitamin_b12"], registry()["vitamin_b12"].conversion("pg/mL").factor_id)
    assert b12["pmol/L"] == pytest.approx(-log(1.35537))  # read as pg/mL, pmol/L are too small
    assert b12["ng/dL"] == pytest.approx(-log(10))
    assert "ng/L" not in b12  # the same unit
    creatinine = unit_shifts(registry()["creatinine"], "creatinine:umol/L")
    assert creatinine["mg/dL"] == pytest.approx(-log(10_000 / 113.12))
    # Urea in mg/dL read as such: were it urea nitrogen, the values would be 28.0134/60.055 of the truth.
    urea = unit_shifts(registry()["urea"], registry()["urea"].conversion("mg/dL").factor_id)
    assert urea["mg/dL of urea nitrogen"] == pytest.approx(log(28.0134 / 60.055))
    assert unit_shifts(registry()["hba1c"], registry()["hba1c"].conversion("mmol/mol").factor_id) == {}


def test_a_shift_that_could_be_either_is_not_decided() -> None:
    shifts = {"pmol/L": -log(1.35537)}
    # With a site bias of SD 0.19, a shift by the whole factor is explained by the unit at 4:1 only.
    assert judge(-log(1.35537), 0.19, shifts).verdict == "undecided"
    assert judge(-log(1.35537), 0.10, shifts).looks_like == "pmol/L"
    assert judge(0.0, 0.10, shifts).verdict == "fits"
    assert judge(log(1.2), 0.10, shifts).verdict == "fits"  # higher than expected is not pmol/L
    assert judge(0.0, 0.10, {}).verdict == "undecided"


def test_two_units_that_explain_a_shift_are_both_named() -> None:
    # Haemoglobin of 14 read as g/L: g/dL (10), and not far from it mmol/L (16.1 per mmol).
    strata = [stratum(f"s{n}", 140, analyte="haemoglobin", unit="g/L") for n in range(4)]
    found = judge_strata([*strata, stratum("odd", 14, analyte="haemoglobin", unit="g/L")])
    odd = next(each for each in found if each.site == "odd")
    assert odd.verdict == "suspected"
    assert odd.looks_like.split(" or ")[0] == "g/dL"
    assert odd.times == pytest.approx(0.1, abs=1e-3)


def test_a_site_alone_and_a_declared_one_are_not_judged_but_bear_witness() -> None:
    (alone,) = judge_strata([stratum("a", 75)])
    assert (alone.verdict, alone.witness) == ("undecided", None)
    declared = stratum("b", 75, declared=True)
    (odd,) = judge_strata([stratum("a", 75 / 88.4017), declared])
    # 1/88.4 is as near to a hundredth as makes no difference.
    assert (odd.verdict, odd.looks_like, odd.witness) == ("suspected", "mg/dL or x0.01", "other sites")


def test_the_month_that_differs_from_the_others_is_suspected() -> None:
    months = [stratum("a", 75 * (0.1 if m == 4 else 1), month=date(2023, m, 1)) for m in range(1, 7)]
    found = judge_strata(months)
    assert [each.month.month for each in found if each.verdict == "suspected"] == [4]
    assert {each.verdict for each in found if each.month.month != 4} == {"fits"}
    (april,) = [each for each in found if each.verdict == "suspected"]
    assert "x0.1" in april.looks_like.split(" or ")
    assert judge_strata(months[:2])[0].verdict == "undecided"  # two months cannot outvote each other


@pytest.fixture
def three_sites(place):
    """Forty results a site and month; the third site's values have lost their decimal point."""
    head = "patient_id,test,result,unit,collected_at\n"
    for site, times in (("a", 1), ("b", 1), ("c", 10)):
        lines = [
            f"{site}{n},Creatinine,{(60 + n) * times},umol/L,2021-03-{n % 28 + 1:02d}" for n in range(40)
        ]
        place.ingest(place.write(f"{site}/labs.csv", head + "\n".join(lines) + "\n"), site=site)
    return place


def test_strata_come_from_the_warehouse(three_sites) -> None:
    with three_sites.connection() as connection:
        found = suspicions(connection)
    whole = {row["site"]: row for row in found.filter(found["month"].is_null()).iter_rows(named=True)}
    assert {site: row["results"] for site, row in whole.items()} == {"a": 40, "b": 40, "c": 40}
    assert whole["c"]["verdict"] == "suspected"
    assert whole["c"]["times"] == pytest.approx(10, rel=0.01)
    assert "x10" in whole["c"]["looks_like"]
    assert set(found.filter(found["month"].is_not_null())["results"]) == {40}


@pytest.mark.slow
def test_a_suspicion_is_a_fatal_finding_until_the_unit_is_declared(three_sites) -> None:
    def status() -> dict[str, str]:
        report = run_validation(three_sites.warehouse)
        return {r.scope: r.status for r in report.results if r.check_id == "values_fit_their_unit"}

    assert status()["site=c, analyte=creatinine"] == "failed"
    signature = Signature("Dr. Lab", "an intensive care unit for kidney failure")
    declare(three_sites.warehouse, UnitDeclared("c", None, "creatinine", "umol/L"), signature)
    assert "site=c, analyte=creatinine" not in status()
    assert three_sites.problems() == []


@pytest.mark.parametrize("place_in_cases", [1, 2])
def test_well_separated_units_are_told_from_each_other(place_in_cases: int) -> None:
    module = bench()
    found = module.rates(module.CASES[place_in_cases], 40, by_month=False, trials=60)
    assert found["right"] >= 0.95
    assert found["wrong"] <= 0.02


def test_vitamin_b12_of_biased_sites_is_mostly_not_decided_and_seldom_wrong() -> None:
    """A forced choice would be right in about 80 % here; whoever never abstains is guessing."""
    module = bench()
    sites = module.rates(module.CASES[0], 100, by_month=False, trials=100)
    assert sites["abstains"] >= 0.5
    assert sites["wrong"] <= 0.05
    months = module.rates(module.CASES[0], 100, by_month=True, trials=100)
    assert months["right"] > sites["right"]
    assert months["wrong"] <= 0.05
