"""Decisions on held records, and what may be seen of them."""

from __future__ import annotations

import json

import pytest

from etl.quarantine import assign, explain, list_held, list_records, show, waive
from schemas.errors import UsageError
from warehouse.ledger import ledger_path
from warehouse.quarantine import Chosen

from .conftest import HEADER, ROWS


def statuses(place) -> dict[str, str]:
    return dict(place.rows("select reasons[1], status from quarantine.record"))


def test_records_are_counted_by_reason_site_and_feed(held) -> None:
    listing = list_held(held.warehouse, Chosen())
    assert listing.records == 3
    assert {(each.reason, each.site, each.feed, each.records) for each in listing.groups} == {
        ("unit_missing", "north", "labs", 1), ("field_count", "north", "labs", 1), ("bad_number", "north", "labs", 1),
    }  # fmt: skip
    assert list_held(held.warehouse, Chosen(reason="bad_number")).records == 1
    assert list_held(held.warehouse, Chosen(site="south")).records == 0


def test_a_list_holds_no_cell(held) -> None:
    shown = json.dumps(list_records(held.warehouse, Chosen()), default=str)
    assert "cmd" not in shown
    assert "P003" not in shown
    assert "lab_1" not in shown


def test_a_waived_record_stays_out_for_good(held, ids) -> None:
    waive(held.warehouse, [ids["unit_missing"]], "Li", "the laboratory does not answer")
    assert statuses(held) == {"unit_missing": "waived", "field_count": "open", "bad_number": "open"}
    assert held.problems() == []
    # The mapping would settle the unit now; the next delivery repeats the row with another one.
    held.map("site: north\nfeeds:\n  labs:\n    files: 'lab_*.csv'\n    units: {vitamin_b12: pg/mL}\n")
    held.ingest(
        held.folder / "lab_1.csv",
        held.write("lab_2.csv", f"{HEADER}\n{ROWS[1]}\n{ROWS[0].replace('300', '310')}\n"),
    )
    assert held.rows("select value from core.lab_result order by 1") == [(300.0,), (310.0,)]
    assert held.rows("select status, resolved_by from quarantine.record where reasons = ['waived']") == [
        ("waived", "Li")
    ]
    assert held.problems() == []


def test_a_decision_is_in_the_ledger_with_who_when_and_why(held, ids) -> None:
    waive(held.warehouse, [ids["unit_missing"][:8]], "Li", "no answer")
    assign(held.warehouse, [ids["field_count"], ids["bad_number"]], "Wang", "Li", "knows the export")
    rows = held.rows(
        "select kind, target ->> 'record_id', new, who, why, decided_at is null from meta.decision"
    )
    assert sorted(rows) == sorted([
        ("waive", ids["unit_missing"], "waived", "Li", "no answer", False),
        ("assign", ids["field_count"], "Wang", "Li", "knows the export", False),
        ("assign", ids["bad_number"], "Wang", "Li", "knows the export", False),
    ])  # fmt: skip
    entries = [json.loads(line) for line in ledger_path(held.warehouse).read_text().splitlines()]
    assert [each["entry"] for each in entries].count("decision") == 3
    assigned = {each["reasons"][0]: each["assigned_to"] for each in list_records(held.warehouse, Chosen())}
    assert assigned == {"field_count": "Wang", "bad_number": "Wang"}
    assert held.problems() == []


@pytest.mark.parametrize(
    ("given", "who", "why"),
    [("ffffffffff", "Li", "x"), ("no id", "Li", "x"), ("", "Li", "x"), (None, " ", "x"), (None, "Li", "")],
)
def test_what_cannot_be_decided_is_refused(held, ids, given, who, why) -> None:
    with pytest.raises(UsageError):
        waive(held.warehouse, [given if given is not None else ids["bad_number"]], who, why)
    assert held.rows("select count(*) from meta.decision") == [(0,)]
    assert set(statuses(held).values()) == {"open"}


def test_a_record_is_decided_on_once(held, ids) -> None:
    waive(held.warehouse, [ids["bad_number"]], "Li", "x")
    with pytest.raises(UsageError, match="waived already"):
        waive(held.warehouse, [ids["bad_number"]], "Li", "x")


def test_what_the_source_says_is_shown_only_when_asked_for_and_recorded(held, ids) -> None:
    (plain,) = show(held.warehouse, ids["bad_number"])
    assert "original" not in plain.document()
    assert held.rows("select count(*) from meta.run where command = 'quarantine show'") == [(0,)]
    (revealed,) = show(held.warehouse, ids["bad_number"], reveal=True)
    assert revealed.original["fields"]["value"] == "=1+cmd"
    assert revealed.original["fields"]["subject"] == "P004"
    assert revealed.original["path"].endswith("lab_1.csv")
    (line,) = show(held.warehouse, ids["field_count"], reveal=True)
    assert line.original["fields"]["line"].strip() == ROWS[2]
    details = held.rows(
        "select detail ->> 'record_id', detail ->> 'revealed' from meta.run where command = 'quarantine show'"
    )
    assert sorted(details) == sorted([(ids["bad_number"], "true"), (ids["field_count"], "true")])
    assert "cmd" not in ledger_path(held.warehouse).read_text()


def test_an_unknown_reason_names_the_nearest(held) -> None:
    with pytest.raises(UsageError) as caught:
        explain(held.warehouse, "unit_mising")
    assert caught.value.fix == "unit_missing"
