"""Match sets made by sex and age, where the sites give none."""

from __future__ import annotations

import duckdb

from schemas.study.model import Study

Member = tuple[str, float]  # subject, age


def make_match_sets(connection: duckdb.DuckDBPyConnection, study: Study) -> int:
    """Pair every included case with at most one included control of the same sex, and store the pairs.

    As many pairs as the caliper allows. Deterministic: ages are taken in order, equal ages by the pseudonym, so the
    order in which files arrived does not matter. Returns the number of pairs; needs the views.
    """
    pairs: list[tuple[str, str]] = []
    for sex in ("female", "male"):
        members = {group: _members(connection, sex, group) for group in ("case", "control")}
        pairs += pair_by_age(members["case"], members["control"], study.matching.caliper_years)
    rows = [
        (f"made:{number:06}", subject, role)
        for number, pair in enumerate(pairs, start=1)
        for subject, role in zip(pair, ("case", "control"), strict=True)
    ]
    connection.execute("delete from study.made_match")
    if rows:
        connection.executemany("insert into study.made_match values (?, ?, ?)", rows)
    return len(pairs)


def pair_by_age(cases: list[Member], controls: list[Member], caliper: float) -> list[tuple[str, str]]:
    """Pair two lists that are sorted by age so that no pair differs by more than the caliper.

    On a line, pairing the youngest who can still be paired leaves the most for those who follow, so no other
    pairing has more pairs.
    """
    pairs = []
    i = j = 0
    while i < len(cases) and j < len(controls):
        (case, case_age), (control, control_age) = cases[i], controls[j]
        if abs(case_age - control_age) <= caliper:
            pairs.append((case, control))
            i, j = i + 1, j + 1
        elif case_age < control_age:
            i += 1
        else:
            j += 1
    return pairs


def _members(connection: duckdb.DuckDBPyConnection, sex: str, group: str) -> list[Member]:
    return connection.execute(
        """
        select subject_id, age from mart.subject_baseline
        where sex = $sex and cohort_group = $group and age is not null and is_included
        order by age, subject_id
        """,
        {"sex": sex, "group": group},
    ).fetchall()
