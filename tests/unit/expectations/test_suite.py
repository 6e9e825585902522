"""Definitions and overrides that are wrong say so; those that ship are whole."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from expectations import load_suites, override_thresholds, refuse_idle_overrides
from expectations.suite import SUBCATEGORIES
from schemas.analytes import registry
from schemas.errors import DefinitionError
from schemas.instruments import INSTRUMENTS

GOOD = """
category = "conformance"
[first]
subcategory = "value"
context = "verification"
severity = "fatal"
threshold = 0.0
table = "t"
limits = { days = 30 }
unexpected = "days > $days"
sentence = "s"
reason = "r"
advice = "a"
"""


def load(tmp_path, text):
    (tmp_path / "suite.toml").write_text(text)
    return load_suites(tmp_path)


def test_a_definition_is_read(tmp_path):
    (suite,) = load(tmp_path, GOOD)
    (check,) = suite.checks
    assert (check.rows, check.unexpected, check.scope) == ("select * from t", "days > 30.0", ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"conformance"', '"beauty"', "category"),
        ('"value"', '"temporal"', "temporal"),
        ('"fatal"', '"grave"', "grave"),
        ('"verification"', '"hope"', "hope"),
        ("$days", "$hours", "not complete"),
        ('advice = "a"', "", "not complete"),
        ('advice = "a"', 'advice = "a"\nadvise = "b"', "not complete"),
        ("limits", 'expectation = "expect_x"\nlimits', "mixes"),
        ("[first]", "[first", "not valid TOML"),
    ],
)
def test_a_wrong_definition_is_refused(tmp_path, old, new, said):
    with pytest.raises(DefinitionError, match=said):
        load(tmp_path, GOOD.replace(old, new))


def test_an_id_is_used_once(tmp_path):
    (tmp_path / "another.toml").write_text(GOOD)
    with pytest.raises(DefinitionError, match="defined twice"):
        load(tmp_path, GOOD)


def test_overrides_carry_their_notes(tmp_path):
    path = tmp_path / "thresholds.csv"
    path.write_text("check_id,scope,threshold,notes\nfirst,site=north,5,known gap in 2019\nfirst,,2,pilot\n")
    ((check,),) = [suite.checks for suite in override_thresholds(load(tmp_path, GOOD), path)]
    assert check.limit("site=north") == (5.0, "known gap in 2019")
    assert check.limit("site=south") == (2.0, "pilot")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("frist,,5,why", "line 2: no check is named 'frist'"),
        ("first,,101,why", "percentage"),
        ("first,,few,why", "percentage"),
        ("first,,nan,why", "percentage"),
        ("first,,5,", "no note"),
    ],
)
def test_a_wrong_override_is_refused(tmp_path, row, said):
    path = tmp_path / "thresholds.csv"
    path.write_text(f"check_id,scope,threshold,notes\n{row}\n")
    with pytest.raises(DefinitionError, match=said):
        override_thresholds(load(tmp_path, GOOD), path)


def test_an_override_file_without_notes_is_refused(tmp_path):
    path = tmp_path / "thresholds.csv"
    path.write_text("check_id,threshold\nfirst,5\n")
    with pytest.raises(DefinitionError, match="lacks a column"):
        override_thresholds(load(tmp_path, GOOD), path)


def test_the_suites_cover_every_category_and_speak_chinese():
    suites = load_suites()
    checks = [check for suite in suites for check in suite.checks]
    assert list(dict.fromkeys(suite.category for suite in suites)) == list(SUBCATEGORIES)
    assert {(check.category, check.subcategory) for check in checks} == {
        (category, each) for category, names in SUBCATEGORIES.items() for each in names
    }
    for check in checks:
        for part in ("sentence", "reason", "advice"):
            assert getattr(check, part).endswith("."), check.id
            assert check.text(part, "zh").endswith("。"), check.id


def test_names_in_the_suites_are_those_of_the_registries():
    sql = " ".join(f"{check.rows} {check.unexpected}" for suite in load_suites() for check in suite.checks)
    named = re.findall(r"analyte (?:=|in) \(?((?:'\w+'(?:, )?)+)", sql)
    analytes = {name for group in named for name in re.findall(r"\w+", group)}
    assert "vitamin_b12" in analytes
    assert analytes <= set(registry())
    assert set(re.findall(r"instrument = '(\w+)'", sql)) <= set(INSTRUMENTS)


def test_an_override_of_a_scope_that_nothing_has_is_refused(tmp_path):
    path = tmp_path / "thresholds.csv"
    path.write_text(
        "check_id,scope,threshold,notes\nfirst,,5,pilot\nfirst,site=north,5,gap\nfirst,site=nroth,5,gap\n"
    )
    suites = override_thresholds(load(tmp_path, GOOD), path)
    of_north = SimpleNamespace(check_id="first", scope="site=north")
    of_another = SimpleNamespace(check_id="second", scope="site=nroth")
    with pytest.raises(DefinitionError, match=r"line 4: the check 'first' has no scope 'site=nroth'") as said:
        refuse_idle_overrides(suites, [of_north, of_another])
    assert said.value.fix == "site=north"
    path.write_text("check_id,scope,threshold,notes\nfirst,,5,pilot\nfirst,site=north,5,gap\n")
    refuse_idle_overrides(override_thresholds(load(tmp_path, GOOD), path), [of_north])
