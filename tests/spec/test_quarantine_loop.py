"""The way back from quarantine: hold, explain, fix, load again; nothing is lost and both identities hold at each step.

Expected values are the rows of the exports themselves; every bucket follows from the contract's table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from etl.quarantine import explain, list_held, list_records
from etl.replay import replay
from etl.sites.mapping import load_sites
from schemas.reasons import REASONS
from warehouse.quarantine import Chosen

HEADER = "subject_id,test,result,unit,reference range,collected,accession,status"
GOOD = "P1,Vitamin B12,300,pg/mL,200-900,2021-03-05 08:12,A1,F"
FEED = "site: north\nfeeds:\n  labs:\n    files: '*.csv'\n"


@dataclass(frozen=True)
class Case:
    """A record that is held for one reason, and one way to mend it: in the mapping, or in a corrected copy."""

    reason: str
    row: str
    mapping: str = ""  # lines under the feed that settle it
    copy: str = ""  # the row as the site corrects it
    header: str = HEADER
    good: str = GOOD
    before: str = ""  # lines under the feed that make it be held
    values: tuple[float | None, ...] = field(default=(301.0,))


# 222 pmol/L of vitamin B12 are 222 x 1.355 = 300.9 pg/mL (molar mass 1355.4 g/mol, schemas/analytes/vitamin_b12.toml).
CASES = [
    Case("unit_missing", "P2,Vitamin B12,301,,,2021-03-06 08:00,A2,F", mapping="units: {vitamin_b12: pg/mL}"),
    Case("unit_missing", "P2,Vitamin B12,301,,,2021-03-06 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("unit_unknown", "P2,Vitamin B12,301,pgs,,2021-03-06 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("unit_not_commensurable", "P2,Vitamin B12,301,%,,2021-03-06 08:00,A2,F",
         copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("declaration_conflict", "P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F", good="P1,Ferritin,30,ng/mL,,2021-03-05,A1,F",
         before="units: {vitamin_b12: pmol/L}", mapping="units: {vitamin_b12: pg/mL}"),
    Case("bad_number", "P2,Vitamin B12,n.b.x,pg/mL,,2021-03-06 08:00,A2,F", mapping="missing: ['n.b.x']", values=(None,)),
    Case("bad_number", "P2,Vitamin B12,3o1,pg/mL,,2021-03-06 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("bad_date", "P2,Vitamin B12,301,pg/mL,,2021-02-31 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-02 08:00,A2,F"),
    Case("out_of_bounds", "P2,Vitamin B12,301000,pg/mL,,2021-03-06 08:00,A2,F",
         copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("unrecognised_analyte", "P2,Vitamin B12x new,301,pg/mL,,2021-03-06 08:00,A2,F",
         mapping="analytes: {Vitamin B12x new: vitamin_b12}"),
    Case("no_subject", ",Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("field_count", "P2,Vitamin B12,301,pg/mL", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("long_id_rounded", "4.10123E+17,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F",
         copy="410123000000000001,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("quote_damage", 'P2,"Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F', copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("control_bytes", "P2,Vitamin B12,301\x00,pg/mL,,2021-03-06 08:00,A2,F", copy="P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("item_out_of_range", "P2,irls,1,9,2021-03-06", copy="P2,irls,1,3,2021-03-06",
         header="subject_id,instrument,item,answer,date", good="P1,irls,1,4,2021-03-05", values=(3.0,)),
    Case("item_not_integer", "P2,irls,1,2.5,2021-03-06", copy="P2,irls,1,3,2021-03-06",
         header="subject_id,instrument,item,answer,date", good="P1,irls,1,4,2021-03-05", values=(3.0,)),
]  # fmt: skip


def held(place) -> list[tuple]:
    return place.rows("select status, reasons from quarantine.record order by all")


def loaded(place) -> list[float | None]:
    """Return the values of the second row, wherever it was loaded."""
    rows = place.rows(
        "select value, row_number from core.lab_result union all select value, row_number from core.response order by all"
    )
    return [value for value, _ in rows]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.reason} by {'mapping' if case.mapping else 'copy'}"
)
def test_a_record_comes_back(place, case) -> None:
    def map_feed(lines: str) -> None:
        place.map(FEED + "".join(f"    {line}\n" for line in lines.splitlines()))

    map_feed(case.before)
    place.ingest(place.write("labs.csv", f"{case.header}\n{case.good}\n{case.row}\n"))
    assert held(place) == [("open", [case.reason])]
    assert place.problems() == []

    listing = list_held(place.warehouse, Chosen())
    assert [(each.reason, each.site, each.records) for each in listing.groups] == [(case.reason, "north", 1)]
    explained = explain(place.warehouse, case.reason)
    assert (explained.sentence, explained.advice) == (
        REASONS[case.reason].sentence,
        REASONS[case.reason].advice,
    )
    assert [each.records for each in explained.groups] == [1]

    if case.mapping:
        map_feed(case.mapping)
        done = replay(place.warehouse, load_sites(place.folder / "sites"), Chosen(site="north"))
        assert (done.before, done.after, done.exit_code()) == (1, 0, 0)
        assert [outcome.status for outcome in done.files] == ["refreshed"]
        assert held(place) == []
    else:
        (record,) = list_records(place.warehouse, Chosen())
        place.ingest(place.write("copy.csv", f"corrects,{case.header}\n{record['record_id']},{case.copy}\n"))
        assert held(place) == [("corrected", [case.reason])]
    assert place.problems() == []
    # The good row, and the mended one.
    good = float(case.good.split(",")[3 if "irls" in case.good else 2])
    assert sorted(loaded(place), key=str) == sorted([good, *case.values], key=str)
