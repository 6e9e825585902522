"""Answers give the same scores whatever the layout, the order, and the files that they come in."""

from __future__ import annotations

from random import Random

from warehouse.digest import content_digest

ITEM_NAMES = {
    "IRLS": [str(item) for item in range(1, 11)],
    "PSQI": ["1", "2", "3", "4", *(f"5{letter}" for letter in "abcdefghij"), "6", "7", "8", "9"],
    "HADS": [str(item) for item in range(1, 15)],
}


def cohort(random: Random) -> list[tuple[str, ...]]:
    """Answers of eight subjects at two visits: subject, date, visit, instrument, item, answer; some are missing."""
    special = {"1": "23:30", "2": "20", "3": "07:00", "4": "6.5"}
    rows = []
    for subject in range(8):
        for visit, day in (("V1", "2021-03-05"), ("V2", "2021-06-05")):
            for instrument, items in ITEM_NAMES.items():
                for item in items:
                    answer = str(random.randint(0, 3))
                    if instrument == "PSQI" and item in special:
                        answer = special[item]
                    rows.append(
                        (
                            f"P{subject}",
                            day,
                            visit,
                            instrument,
                            item,
                            "" if random.random() < 0.02 else answer,
                        )
                    )
                total = str(random.randint(0, 21))
                if instrument != "HADS":  # which has no total, only its two subscales
                    rows.append((f"P{subject}", day, visit, instrument, "total", total))
    return rows


def as_wide(rows: list[tuple[str, ...]], random: Random) -> str:
    """Write one line a subject and visit, lines and columns in random order."""
    columns = sorted({f"{instrument}_{item}" for *_, instrument, item, _ in rows})
    random.shuffle(columns)
    forms: dict[tuple[str, ...], dict[str, str]] = {}
    for *who, instrument, item, answer in rows:
        forms.setdefault(tuple(who), {})[f"{instrument}_{item}"] = answer
    lines = [
        ",".join([*who, *(answers.get(column, "") for column in columns)]) for who, answers in forms.items()
    ]
    random.shuffle(lines)
    return "\n".join([",".join(["subject_id,assessment date,visit", *columns]), *lines, ""])


def as_long(rows: list[tuple[str, ...]], random: Random) -> str:
    lines = [",".join(row) for row in random.sample(rows, len(rows))]
    return "\n".join(["subject_id,assessment date,visit,instrument,item,score", *lines, ""])


def test_wide_or_long_whole_or_in_parts_in_any_order_the_scores_are_the_same(places) -> None:
    random = Random(11)
    rows = cohort(random)
    parts = [rows[at::3] for at in range(3)]
    deliveries = {
        "wide": [as_wide(rows, random)],
        "long": [as_long(rows, random)],
        "long in parts": [as_long(part, random) for part in parts],
        "wide in parts, backwards": [as_wide(part, random) for part in reversed(parts)],
        "totals apart, first": [
            as_long([row for row in rows if row[4] == "total"], random),
            as_wide([row for row in rows if row[4] != "total"], random),
        ],
    }
    digests, found = {}, {}
    for name, files in deliveries.items():
        place = places(name)
        place.map(
            "site: north\nfeeds:\n  scales:\n    files: '*.csv'\n    instruments: {psqi: {version: order_a}}\n"
        )
        for at, text in enumerate(files):
            assert place.ingest(place.write(f"{at}.csv", text)).exit_code() == 0
        with place.connection() as connection:
            digests[name] = content_digest(connection, ("core.score",))
        assert place.rows("select count(*) filter (where value is not null) > 100 from core.score") == [
            (True,)
        ]
        found[name] = place.rows(
            "select check_id, value, value_reported from core.score_finding where level = 'administration' order by all"
        )
    assert len(set(digests.values())) == 1, digests
    assert len({str(each) for each in found.values()}) == 1
