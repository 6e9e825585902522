"""Match sets made by sex and age, where the sites give none."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from scipy.sparse import coo_array

Member = tuple[str, float]  # subject, age


def make_match_sets(connection: duckdb.DuckDBPyConnection) -> int:
    """Pair every included case with at most one included control of the same sex, and store the pairs.

    As many pairs as the caliper allows and, of all such pairings, one with the least sum of age differences.
    Deterministic: people of one age are taken by their pseudonym, so the order in which files arrived does not matter.
    Returns the number of pairs: none unless the protocol says that sets are made. Needs the views.
    """
    connection.execute("delete from study.made_match")
    setting = dict(
        connection.execute("select name, value from study.parameter where name like 'matching.%'").fetchall()
    )
    if setting["matching.source"] != "made":
        return 0
    pairs: list[tuple[str, str]] = []
    for sex in ("female", "male"):
        cases, controls = (_members(connection, sex, group) for group in ("case", "control"))
        pairs += pair_by_age(cases, controls, float(setting["matching.caliper_years"]))
    _store(connection, pairs)
    return len(pairs)


def pair_by_age(cases: list[Member], controls: list[Member], caliper: float) -> list[tuple[str, str]]:
    """Pair cases and controls so that no pair differs by more than the caliper.

    The most pairs first, then the least sum of differences: a transport problem between ages, whose solution is whole.
    To pair the youngest who can still be paired would have as many pairs, but would take a younger control for
    everybody.
    """
    waiting = [_by_age(members) for members in (cases, controls)]
    allowed = [(a, b) for a in waiting[0] for b in waiting[1] if abs(a - b) <= caliper]
    pairs = []
    for (a, b), count in zip(allowed, _transport(allowed, waiting, caliper), strict=True):
        pairs += [(waiting[0][a].popleft(), waiting[1][b].popleft()) for _ in range(count)]
    return pairs


def _by_age(members: list[Member]) -> dict[float, deque[str]]:
    found: defaultdict[float, deque[str]] = defaultdict(deque)
    for subject, age in members:
        found[age].append(subject)
    return found


def _transport(
    allowed: list[tuple[float, float]], waiting: list[dict[float, deque[str]]], caliper: float
) -> list[int]:
    """Return how many pairs each allowed pair of ages has."""
    import numpy as np
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    if not allowed:
        return []
    sides = [_incidence([pair[side] for pair in allowed], list(waiting[side])) for side in (0, 1)]
    room = [len(people) for side in waiting for people in side.values()]
    # One pair more is worth more than all differences together.
    worth = (caliper + 1) * sum(room)
    cost = [abs(a - b) - worth for a, b in allowed]
    found = linprog(cost, A_ub=vstack(sides), b_ub=room, method="highs-ds")
    return [int(count) for count in np.round(found.x)]


def _incidence(ages: list[float], known: list[float]) -> coo_array:
    """Return which allowed pair of ages uses which age."""
    from scipy.sparse import coo_array

    place = {age: row for row, age in enumerate(known)}
    cells = ([1.0] * len(ages), ([place[age] for age in ages], range(len(ages))))
    return coo_array(cells, shape=(len(known), len(ages)))


def _store(connection: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]) -> None:
    rows = [
        (f"made:{number:06}", subject, role)
        for number, pair in enumerate(pairs, start=1)
        for subject, role in zip(pair, ("case", "control"), strict=True)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
    connection.execute(
        "insert into study.made_match select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])",
        columns,
    )


def _members(connection: duckdb.DuckDBPyConnection, sex: str, group: str) -> list[Member]:
    return connection.execute(
        """
        select subject_id, age from mart.subject_baseline
        where sex = $sex and cohort_group = $group and age is not null and is_included
        order by age, subject_id
        """,
        {"sex": sex, "group": group},
    ).fetchall()
