"""The protocol, the thresholds and the concept sets: sound by themselves, and wrong ones are refused with a line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.analytes import registry
from schemas.concepts import code_system_spellings, concept_codes, concept_set_members, concept_sets, concepts
from schemas.errors import DefinitionError
from schemas.study import load_study
from schemas.thresholds import Profile, profiles
from warehouse.protocol import Unit, registry_units, store_study

STUDY = (Path(__file__).parents[2] / "schemas" / "study" / "study.yaml").read_text("utf-8")


def written(tmp_path: Path, old: str, new: str) -> Path:
    assert old in STUDY
    path = tmp_path / "own.yaml"
    path.write_text(STUDY.replace(old, new), "utf-8")
    return path


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(STUDY.splitlines(), start=1) if text in line)


def test_a_copy_of_the_protocol_is_the_same_protocol(tmp_path) -> None:
    same = load_study(written(tmp_path, "study: b12_rls", "# a comment\nstudy: b12_rls"))
    assert same == load_study()
    assert same.digest == load_study().digest
    assert load_study(written(tmp_path, "window_days: 7", "window_days: 8")).digest != same.digest


@pytest.mark.parametrize(
    ("old", "new", "marked", "said"),
    [
        ("window_days: 7", "window_dayz: 7", "window_days: 7", "window_days instead of window_dayz"),
        ("rule: earliest", "rule: latest", "rule: earliest", "'earliest' or 'nearest_to_scales'"),
        ("window_days: 7", "window_days: -7", "window_days: 7", "greater than or equal to 0"),
        ("[egfr_60]", "[egfr_61]", "id: kidney_function", "no threshold profile is called egfr_61"),
        (
            "[rls_diagnosis]",
            "[rls_diagnoses]",
            "id: control_diagnosis",
            "no concept set is called rls_diagnoses",
        ),
        (
            "kind: age, minimum: 18",
            "kind: concept, minimum: 18",
            "id: adult",
            "a rule of kind concept needs: targets",
        ),
        ("doubted_by: crp_10, ", "lookback_days: 3, ", "id: iron_stores", "does not have: lookback_days"),
        ("untreated_by: supplements", "untreated_by: pills", "index_draw:", "no concept set is called pills"),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path, old, new, marked, said) -> None:
    with pytest.raises(DefinitionError) as raised:
        load_study(written(tmp_path, old, new))
    assert f"own.yaml, line {line_of(marked)}:" in raised.value.what
    assert said in raised.value.message()


def test_broken_yaml_and_a_missing_file_are_user_errors(tmp_path) -> None:
    with pytest.raises(DefinitionError, match="not valid YAML"):
        load_study(written(tmp_path, "usable_statuses: [final", "usable_statuses: [[final"))
    with pytest.raises(DefinitionError, match="cannot be read"):
        load_study(tmp_path / "none.yaml")
    with pytest.raises(DefinitionError, match="not valid YAML"):
        load_study(written(tmp_path, "study: b12_rls", "study: b12_rls\nstudy: other"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deficiency_profile": "ferritin_15"}, "is not one of vitamin_b12"),
        ({"questions": [{"id": "q", "sentence": "?", "groups": ["case"], "needs": ["b13"]}]}, "needs b13"),
        ({"scores": {"x": {"instrument": "irlz", "scale": "total"}}}, "irlz, which is not known"),
        ({"scores": {"irls": {"instrument": "irls", "scale": "totl"}}}, "has no scale totl"),
        (
            {"scores": {"irls": {"instrument": "irls", "scale": "total", "version": "irls_11"}}},
            "has no version irls_11",
        ),
        (
            {"scores": {"irls": {"instrument": "irls", "scale": "total", "bands": "danish"}}},
            "has no bands danish",
        ),
    ],
)
def test_a_protocol_that_asks_for_the_unknown_is_refused(warehouse, changes, said) -> None:
    study = load_study()
    wrong = type(study).model_validate(study.model_dump(mode="json") | changes)
    with pytest.raises(DefinitionError, match=said):
        store_study(warehouse, wrong)


def test_a_profile_in_a_unit_that_the_registry_does_not_have_is_refused(warehouse) -> None:
    with pytest.raises(DefinitionError, match="states its limits in"):
        store_study(warehouse, load_study(), [Unit("vitamin_b12", "pg/mL", 1.0)])


def test_the_factor_of_the_exposure_is_that_of_its_molar_mass() -> None:
    """1355.37 g/mol: 1 pmol/L = 1355.37 pg/L = 1.35537 pg/mL."""
    (unit,) = (u for u in registry_units() if (u.analyte, u.unit) == ("vitamin_b12", "pmol/L"))
    assert (unit.factor, unit.shift, unit.is_canonical) == (1.35537, 0.0, False)


def test_bands_touch_and_cover_everything(installed) -> None:
    rows = installed.execute(
        "select profile, lower, lower_included, upper, upper_included from study.threshold order by profile, position"
    ).fetchall()
    by_profile: dict[str, list] = {}
    for profile, *limits in rows:
        by_profile.setdefault(profile, []).append(limits)
    for bands in by_profile.values():
        assert (bands[0][0], bands[-1][2]) == (float("-inf"), float("inf"))
        for before, after in pairwise(bands):
            assert before[2] == after[0]
            assert before[3] != after[1]


@pytest.mark.parametrize(
    "bands",
    [
        [{"band": "a", "flagged": True}],
        [{"band": "a", "upper": 2, "flagged": True}, {"band": "b", "upper": 3, "flagged": False}],
        [{"band": "a", "upper": 2, "flagged": True}, {"band": "b", "upper": 2, "flagged": False}, {"band": "c", "flagged": False}],
        [{"band": "a", "upper": 2, "flagged": True}, {"band": "a", "flagged": False}],
    ],
)  # fmt: skip
def test_a_profile_with_gaps_is_refused(bands) -> None:
    with pytest.raises(ValidationError):
        Profile(profile="p", analyte="a", unit="u", source="s", verified="no", bands=bands)


def test_profiles_name_studied_analytes_sources_and_verification() -> None:
    for profile in profiles().values():
        assert profile.analyte in registry()
        assert profile.source
        assert profile.verified in {"yes", "no"}


def test_codes_belong_to_concepts_and_systems_and_say_who_verified_them() -> None:
    systems = {spelling.code_system for spelling in code_system_spellings()}
    for code in concept_codes():
        assert code.concept in concepts()
        assert code.code_system in systems
        assert code.verified in {"yes", "no"}
        assert code.reviewer
        assert code.source if code.code else code.note.startswith("no match: ")
    assert {member.concept for member in concept_set_members()} == set(concepts())
    pairs = [(code.concept, code.code_system, code.code) for code in concept_codes()]
    assert len(set(pairs)) == len(pairs)


def test_concepts_are_named_in_three_languages_and_no_name_means_two() -> None:
    names = [(c.domain, name) for c in concepts().values() for name in {n.lower() for n in c.names}]
    assert all(name for _, name in names)
    assert len(set(names)) == len(names)
    assert concept_sets()
