"""The headers and reasons as data: nothing stands for two things in one kind of file."""

from __future__ import annotations

import pytest

from schemas.codes import VALUES
from schemas.columns import COLUMNS, WEAK_TIER, header_key
from schemas.reasons import REASONS, STAGES

ROLES = (
    "subject source_site analyte code code_system category specimen value comparator unit ref_text ref_low ref_high flag "
    "collected_at collected_date collected_time resulted_at source_id status lab_id platform method fasting comment "
    "administered_at visit rater language instrument item link_from link_to"
)
ATTRIBUTES = "sex birth_date age cohort_group match_set name national_id education_years height weight pregnant arm race country"
KINDS = [
    {"any", "lab", "lab_long"},
    {"any", "item", "item_long"},
    {"any", "lab"},
    {"any", "item"},
    {"crosswalk"},
    {"manifest"},
]


def test_every_role_and_attribute_is_there() -> None:
    assert set(ROLES.split()) <= set(COLUMNS.roles)
    assert set(ATTRIBUTES.split()) == set(COLUMNS.attributes)


@pytest.mark.parametrize("groups", KINDS, ids=lambda groups: "-".join(sorted(groups)))
def test_a_header_stands_for_one_thing_in_one_kind_of_file(groups: set[str]) -> None:
    for key, candidates in COLUMNS.by_key.items():
        meant = {each.field for each in candidates if groups & set(COLUMNS.field(each.field).group)}
        assert len(meant) <= 1, f"{key} stands for {sorted(meant)}"


def test_only_weak_names_have_a_place_in_two_roles_of_all_files() -> None:
    shared = {key for key, candidates in COLUMNS.by_key.items() if len(candidates) > 1}
    weak = {key for key in shared if all(each.tier == WEAK_TIER for each in COLUMNS.by_key[key])}
    assert shared - weak == {"itemid", "path", "visitdate", "dateofvisit", "visitendatum"}


def test_code_sets_are_known() -> None:
    named = {each.codes for each in (*COLUMNS.roles.values(), *COLUMNS.attributes.values()) if each.codes}
    assert named == set(VALUES)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Date of Birth", "dateofbirth"),
        ("DATE_OF_BIRTH", "dateofbirth"),
        ("Ｈ／Ｌ", "hl"),
        ("结果（单位）", "结果单位"),
        ("ref. range:", "refrange"),
    ],
)
def test_header_keys(header: str, key: str) -> None:
    assert header_key(header) == key


def test_reasons_are_complete() -> None:
    assert {"bad_date", "bad_code", "bad_number", "no_subject", "long_id_rounded"} <= set(REASONS)
    for name, reason in REASONS.items():
        assert reason.id == name
        assert reason.stage in STAGES
        assert reason.sentence.endswith(".")
        assert reason.advice.endswith(".")
