"""The same rows in another encoding, dialect, order, container or partition have the same content digest."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pytest

# Columns whose decimal mark the sender's locale decides.
NUMBERS = ("LBORRES", "LBORNRLO", "LBORNRHI")


@pytest.fixture(scope="module")
def pilot(shared: Path) -> tuple[list[str], list[dict[str, str]], bytes]:
    """A real trial's laboratory file: every tenth subject, header and rows, and its demographics."""
    with gzip.open(shared / "cdisc/pilot/lb_original.csv.gz", "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if int(row["USUBJID"][-4:]) % 5 == 0]
        return list(reader.fieldnames or []), rows, (shared / "cdisc/pilot/dm.csv").read_bytes()


def as_csv(header: list[str], rows: list[dict[str, str]], delimiter: str = ",", decimal: str = ".") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: cell.replace(".", decimal) if name in NUMBERS else cell for name, cell in row.items()}
        )
    return text.getvalue()


def test_the_same_rows_have_the_same_digest(pilot, places) -> None:
    header, rows, subjects = pilot
    shuffled = random.Random(4).sample(rows, len(rows))
    tenth = -(-len(rows) // 10)
    plain = as_csv(header, rows).encode()
    deliveries: dict[str, dict[str, bytes]] = {
        "plain": {"lb.csv": plain, "dm.csv": subjects},
        "subjects first": {"a_dm.csv": subjects, "lb.csv": plain},
        "gb18030, semicolons, decimal commas": {
            "lb.csv": as_csv(header, rows, ";", ",").encode("gb18030"),
            "dm.csv": subjects,
        },
        "gzipped": {"lb.csv.gz": gzip.compress(plain), "dm.csv": subjects},
        "shuffled": {"lb.csv": as_csv(header, shuffled).encode(), "dm.csv": subjects},
        "utf-16 with tabs": {"lb.txt": as_csv(header, rows, "\t").encode("utf-16"), "dm.csv": subjects},
        "ten files": {
            "dm.csv": subjects,
            **{
                f"lb{at}.csv": as_csv(header, rows[at * tenth : (at + 1) * tenth]).encode()
                for at in range(10)
            },
        },
    }
    digests = {}
    for name, files in deliveries.items():
        place = places(name)
        paths = [place.write(f"in/{file}", content) for file, content in files.items()]
        for path in paths:  # one command a file: arrival order is part of what must not matter
            report = place.ingest(path, site="pilot")
            assert report.exit_code() == 0, report.document()
        assert place.rows("select count(*) from core.lab_result")[0][0] > 2_000
        assert place.problems() == []
        digests[name] = place.digest()
    assert len(set(digests.values())) == 1, digests


def test_another_value_has_another_digest(pilot, places) -> None:
    header, rows, _ = pilot
    changed = [dict(row) for row in rows[:500]]
    target = next(row for row in changed if row["LBTESTCD"] == "ALT")
    target["LBORRES"] = str(int(target["LBORRES"]) + 1)
    digests = set()
    for name, delivered in (("a", rows[:500]), ("b", changed)):
        place = places(name)
        place.ingest(place.write("lb.csv", as_csv(header, delivered)), site="pilot")
        digests.add(place.digest())
    assert len(digests) == 2
