"""Each rule of the catalogue is printed with what answers it, its parameters and the number unknown."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from etl.associate.catalogue import catalogue, summarise_checks
from etl.associate.settings import settings
from expectations.result import CheckResult
from schemas.study import load_study
from schemas.study.catalogue import catalogue_rules
from warehouse.catalogue import queries

ROOT = Path(__file__).parents[3]
STUDY = load_study().model_dump(mode="json")


def entry(rule_id: str, flow=(), checks=None, study=None):
    return next(e for e in catalogue(study or STUDY, flow, checks or {}) if e.id == rule_id)


def test_every_rule_from_c01_to_c21_has_an_answer():
    found = catalogue(STUDY, (), {})
    assert [e.id for e in found][:21] == [f"C{number:02}" for number in range(1, 22)]
    assert all(e.means for e in found)


def test_every_rule_of_the_protocol_is_printed():
    printed = {m.name for e in catalogue(STUDY, (), {}) for m in e.means if m.kind == "eligibility"}
    assert printed == {rule.id for rule in load_study().rules}


def test_what_the_catalogue_names_exists():
    names = {name for name, _ in settings(STUDY)}
    suites = [tomllib.loads(p.read_text("utf-8")) for p in (ROOT / "expectations" / "suites").glob("*.toml")]
    checks = {check for suite in suites for check in suite}
    for rule in catalogue_rules():
        for wanted in rule.settings:
            assert any(n == wanted or n.startswith(f"{wanted}.") for n in names), wanted
        assert set(rule.checks) <= checks, rule.id
        assert set(rule.queries) <= set(queries()), rule.id


def test_the_number_unknown_stands_beside_a_rule_that_is_on():
    flow = ({"rule": "iron_stores", "n_unknown": 12}, {"rule": "kidney_function", "n_unknown": None})
    (iron,) = (m for m in entry("C03", flow).means if m.name == "iron_stores")
    assert (iron.state, iron.unknown) == ("on", 12)
    assert "ferritin_50" in iron.says
    (kidney,) = (m for m in entry("C02", flow).means if m.name == "kidney_function")
    assert kidney.unknown == "hidden"


def test_a_rule_that_is_off_says_so_and_counts_nobody():
    (treatment,) = entry("C06", ({"rule": "rls_treatment", "n_unknown": 3},)).means
    assert (treatment.state, treatment.unknown) == ("off", "")


def test_settings_show_their_values():
    values = {m.name: m.state for m in entry("C07").means if m.kind == "setting"}
    assert values["pairing.window_days"] == "7"
    assert values["index_draw.untreated_by"] == "supplements"


@pytest.mark.parametrize(("checks", "state"), [({}, "never run"), ({"case_or_control": "failed"}, "failed")])
def test_checks_say_how_the_last_validation_ended(checks, state):
    assert {m.state for m in entry("C13", checks=checks).means if m.name == "case_or_control"} == {state}


def test_scopes_of_a_check_are_counted_by_their_end():
    def result(status: str) -> CheckResult:
        return CheckResult(
            "r",
            "s",
            "values_vary",
            "plausibility",
            "",
            "convention",
            "x",
            status,
            0,
            1,
            0.0,
            0.0,
            "",
            "",
            "",
            None,
        )

    found = summarise_checks([result("passed"), result("passed"), result("not_applicable")])
    assert found == {"values_vary": "not applicable, passed in 2"}
