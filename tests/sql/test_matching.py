"""Match sets made by sex and age: as many pairs as an independent maximum matching finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from warehouse.catalogue import refresh
from warehouse.matching import make_match_sets, pair_by_age

AGES = st.lists(st.integers(20, 60), max_size=12)


@settings(deadline=None)  # the first call imports scipy
@given(AGES, AGES, st.integers(0, 8))
def test_no_other_pairing_within_the_caliper_has_more_pairs(cases, controls, caliper) -> None:
    cases, controls = sorted(cases), sorted(controls)
    pairs = pair_by_age(
        [(f"c{i}", age) for i, age in enumerate(cases)],
        [(f"k{i}", age) for i, age in enumerate(controls)],
        caliper,
    )
    ages = {f"c{i}": age for i, age in enumerate(cases)} | {f"k{i}": age for i, age in enumerate(controls)}
    assert all(abs(ages[case] - ages[control]) <= caliper for case, control in pairs)
    used = [subject for pair in pairs for subject in pair]
    assert len(set(used)) == len(used)
    allowed = (
        np.abs(np.subtract.outer(cases, controls)) <= caliper if cases and controls else np.zeros((1, 1))
    )
    most = (maximum_bipartite_matching(csr_matrix(allowed.astype(int))) >= 0).sum()
    assert len(pairs) == most


def test_made_sets_are_verified_like_given_ones_and_do_not_depend_on_arrival(warehouse, insert) -> None:
    people = [
        ["a", "case", "female", "1970-01-01"], ["b", "case", "female", "1980-01-01"], ["c", "case", "male", "1970-01-01"],
        ["k", "control", "female", "1973-01-01"], ["l", "control", "female", "1990-01-01"],
        ["m", "control", "male", "1970-01-01"], ["n", "control", "-", "1970-01-01"],
    ]  # fmt: skip
    found = []
    for rows in (people, people[::-1]):
        warehouse.execute("delete from core.subject_attribute; delete from core.lab_result")
        insert(
            warehouse,
            "subject",
            ["subject_id", "cohort_group", "sex", "birth_date"],
            [[None if c == "-" else c for c in r] for r in rows],
        )
        insert(
            warehouse,
            "core.lab_result",
            ["subject_id", "value", "collected_at"],
            [[r[0], 200, "2021-03-05 08:00:00"] for r in rows],
        )
        warehouse.execute("update study.parameter set value = 'made' where name = 'matching.source'")
        refresh(warehouse)
        assert warehouse.execute("select count(distinct match_set_id) from study.made_match").fetchone() == (
            2,
        )
        found.append(
            warehouse.execute(
                "select match_set_id, subject_id, is_valid from mart.matched_set order by all"
            ).fetchall()
        )
    assert found[0] == found[1]
    assert [(subject, valid) for _, subject, valid in found[0]] == [
        ("a", True),
        ("k", True),
        ("c", True),
        ("m", True),
    ]


@pytest.mark.parametrize("source", ["given", "made"])
def test_without_anybody_to_pair_there_are_no_sets(warehouse, source) -> None:
    warehouse.execute(
        "update study.parameter set value = $source where name = 'matching.source'", {"source": source}
    )
    assert make_match_sets(warehouse) == 0


@settings(deadline=None)  # the first call imports scipy
@given(AGES, AGES, st.integers(0, 8))
def test_no_other_pairing_of_that_size_is_nearer_in_age(cases, controls, caliper) -> None:
    # scipy's assignment, with a forbidden pair dearer than all allowed ones together.
    pairs = pair_by_age(
        [(f"c{i}", age) for i, age in enumerate(cases)],
        [(f"k{i}", age) for i, age in enumerate(controls)],
        caliper,
    )
    sums = sum(abs(cases[int(a[1:])] - controls[int(b[1:])]) for a, b in pairs)
    gaps = np.abs(np.subtract.outer(cases, controls)) if cases and controls else np.zeros((0, 0))
    rows, columns = linear_sum_assignment(np.where(gaps <= caliper, gaps, 1000))
    least = [gaps[i, j] for i, j in zip(rows, columns, strict=True) if gaps[i, j] <= caliper]
    assert (len(pairs), sums) == (len(least), sum(least))


def test_a_case_gets_a_control_of_its_own_age_if_there_is_one() -> None:
    # Controls enough: nobody is paired with one who is five years younger.
    pairs = pair_by_age([("a", 50), ("b", 55)], [(f"k{age}", age) for age in range(45, 61)], 5)
    assert pairs == [("a", "k50"), ("b", "k55")]


@pytest.mark.parametrize(("caliper", "pairs"), [(4, 0), (5, 1)])
def test_the_caliper_itself_is_allowed(caliper, pairs) -> None:
    assert len(pair_by_age([("a", 40)], [("b", 45)], caliper)) == pairs
