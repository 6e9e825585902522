"""The way back from quarantine: hold, explain, fix, load again; nothing is lost and both identities hold at each step.

One case at least for each reason of the catalogue. Expected values are the rows of the exports themselves; every bucket
follows from the contract's table.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from etl.quarantine import explain, list_held, list_records, waive
from etl.replay import replay
from etl.sites.mapping import load_sites
from schemas.reasons import REASONS
from warehouse.quarantine import Chosen

HEADER = "subject_id,test,result,unit,reference range,collected,accession,status"
GOOD = "P1,Vitamin B12,300,pg/mL,200-900,2021-03-05 08:12,A1,F"
MENDED = "P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"
CODED = "subject_id,test,loinc,specimen,result,unit,collected"
CODED_GOOD = "P1,Vitamin B12,2132-9,Serum,300,pg/mL,2021-03-05"
CODED_MENDED = "P2,Vitamin B12,2132-9,Serum,301,pg/mL,2021-03-06"
SCALE = "subject_id,instrument,item,answer,date"
SCALE_GOOD = "P1,irls,1,4,2021-03-05"
FEED = "site: north\nfeeds:\n  labs:\n    files: '*'\n"
MESSAGE = "MSH|^~\\&|LAB|H|||20210305||ORU^R01|1|P|2.5\rPID|1||P1\rOBR|1|A1||B12|||202103050812\r"
RESULT = "OBX|1|NM|2132-9^Vitamin B12^LN||300|pg/mL|||||F|||202103050812\r"
JSON = '{"subject_id": "P1", "test": "Vitamin B12", "result": "300", "unit": "pg/mL", "collected": "2021-03-05"}\n'


@dataclass(frozen=True)
class Case:
    """A record that is held for one reason, and one way to mend it: in the mapping, or in a corrected copy."""

    reason: str
    row: str | bytes  # stands behind the good row
    mapping: str = ""  # lines under the feed that settle it
    copy: str = ""  # the row as the site corrects it
    header: str = HEADER
    good: str = GOOD
    before: str = ""  # lines under the feed that make it be held
    values: tuple[str, ...] = ("300.0", "301.0")  # what is loaded in the end
    name: str = "export.csv"
    text: str = ""  # what is before the row, where that is no header and row

    @property
    def export(self) -> bytes:
        """Return the file as the site sends it."""
        before = self.text or f"{self.header}\n{self.good}\n"
        row = self.row if isinstance(self.row, bytes) else self.row.encode()
        return before.encode() + row + (b"" if self.text else b"\n")


# CASES: the good row first, then the one that is held.
CASES = [
    Case("unit_missing", "P2,Vitamin B12,301,,,2021-03-06 08:00,A2,F", mapping="units: {vitamin_b12: pg/mL}"),
    Case("unit_missing", "P2,Vitamin B12,301,,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unit_unknown", "P2,Vitamin B12,301,pgs,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unit_contradiction", "P2,Vitamin B12,301 pmol/L,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unit_not_commensurable", "P2,Vitamin B12,301,%,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unit_range_conflict", "P2,Vitamin B12,301,pg/mL,138-652,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unit_loinc_conflict", "P2,Vitamin B12,2132-9,Serum,222,pmol/L,2021-03-06", copy=CODED_MENDED, header=CODED,
         good=CODED_GOOD),
    Case("declaration_conflict", "P2,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F", good="P1,Ferritin,30,ng/mL,,2021-03-05,A1,F",
         before="units: {vitamin_b12: pmol/L}", mapping="units: {vitamin_b12: pg/mL}", values=("30.0", "301.0")),
    Case("bad_number", "P2,Vitamin B12,n.b.x,pg/mL,,2021-03-06 08:00,A2,F", mapping="missing: ['n.b.x']", values=("300.0", "None")),
    Case("bad_number", "P2,Vitamin B12,3o1,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("bad_date", "P2,Vitamin B12,301,pg/mL,,2021-02-31 08:00,A2,F", copy=MENDED),
    Case("out_of_bounds", "P2,Vitamin B12,301000,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("unrecognised_analyte", "P2,Vitamin B12x new,301,pg/mL,,2021-03-06 08:00,A2,F",
         mapping="analytes: {Vitamin B12x new: vitamin_b12}"),
    Case("ambiguous_analyte", "P2,Folate (Vitamin B12),301,pg/mL,,2021-03-06 08:00,A2,F",
         mapping="analytes: {Folate (Vitamin B12): vitamin_b12}"),
    Case("damaged_code", "P2,,Sep-32,Serum,301,pg/mL,2021-03-06", copy=CODED_MENDED, header=CODED, good=CODED_GOOD),
    Case("damaged_code", "P2,,Sep-32,Serum,301,pg/mL,2021-03-06", mapping="analytes: {Sep-32: vitamin_b12}", header=CODED,
         good=CODED_GOOD),
    Case("specimen_mismatch", "P2,Vitamin B12,2132-9,CSF,301,pg/mL,2021-03-06", copy=CODED_MENDED, header=CODED, good=CODED_GOOD),
    Case("no_subject", ",Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("long_id_rounded", "4.10123E+17,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F",
         copy="410123000000000001,Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F"),
    Case("bad_code", "P2,weib", header="subject_id,sex", good="P1,f", mapping="values: {sex: {weib: female}}",
         values=("female", "female")),
    Case("bad_code", "P2,weib", header="subject_id,sex", good="P1,f", copy="P2,m", values=("female", "male")),
    # The record is damaged.
    Case("field_count", "P2,Vitamin B12,301,pg/mL", copy=MENDED),
    Case("quote_damage", 'P2,"Vitamin B12,301,pg/mL,,2021-03-06 08:00,A2,F', copy=MENDED),
    Case("control_bytes", "P2,Vitamin B12,301\x00,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("undecodable_line", b"P2,Vitamin B12\xff\xfe,301,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED,
         good=GOOD.replace("P1", "Größe")),
    Case("line_too_long", f"P2,{'x' * 9000},301,pg/mL,,2021-03-06 08:00,A2,F", copy=MENDED),
    Case("broken_segment", "OBX|2|NM\r", name="export.hl7", text=MESSAGE + RESULT, copy=MENDED),
    Case("broken_message", "MSH|\r" + RESULT, name="export.hl7", text=MESSAGE + RESULT, copy=MENDED),
    Case("broken_json", '{"subject_id": "P2", "test"\n', name="export.ndjson", text=JSON, copy=MENDED),
    # Answers.
    Case("item_out_of_range", "P2,irls,1,9,2021-03-06", copy="P2,irls,1,3,2021-03-06", header=SCALE, good=SCALE_GOOD,
         values=("3.0", "4.0")),
    Case("item_not_integer", "P2,irls,1,2.5,2021-03-06", copy="P2,irls,1,3,2021-03-06", header=SCALE, good=SCALE_GOOD,
         values=("3.0", "4.0")),
    Case("unrecognised_item", "P2,irls,11,3,2021-03-06", copy="P2,irls,1,3,2021-03-06", header=SCALE, good=SCALE_GOOD,
         values=("3.0", "4.0")),
    Case("order_undeclared", "P2,psqi,6,2,2021-03-06", mapping="instruments: {psqi: {version: order_a}}", header=SCALE,
         good=SCALE_GOOD, values=("2.0", "4.0")),
    Case("version_unresolved", "P2,hamd,7,2,2021-03-06", mapping="instruments: {hamd: {version: hamd_24}}", header=SCALE,
         good=SCALE_GOOD, values=("2.0", "4.0")),
]  # fmt: skip


def held(place) -> list[tuple]:
    return place.rows("select status, reasons from quarantine.record order by all")


def loaded(place) -> tuple[str, ...]:
    """Return every value that is loaded, as text."""
    rows = place.rows(
        """
        select value::varchar from core.lab_result
        union all
        select value::varchar from core.response
        union all
        select value from core.subject_attribute where attribute = 'sex'
        """
    )
    return tuple(sorted(str(value) for (value,) in rows))


def test_every_reason_has_a_way_back() -> None:
    assert {case.reason for case in CASES} == set(REASONS)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.reason} by {'mapping' if case.mapping else 'copy'}"
)
def test_a_record_comes_back(place, case, monkeypatch) -> None:
    # A line of four million bytes takes long to write.
    monkeypatch.setattr("etl.readers.scan.LONGEST_RECORD", 5000)

    def map_feed(lines: str) -> None:
        place.map(FEED + "".join(f"    {line}\n" for line in lines.splitlines()))

    map_feed(case.before)
    place.ingest(place.write(case.name, case.export))
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
        header = HEADER if case.text else case.header
        (outcome,) = place.ingest(
            place.write("copy.csv", f"corrects,{header}\n{record['record_id']},{case.copy}\n")
        ).files
        assert (outcome.status, outcome.detail.corrections) == ("loaded", {"corrected": 1})
        assert held(place) == [("corrected", [case.reason])]
        # The correction is a decision of the site; who, when and which file are kept.
        ((by, at),) = place.rows("select resolved_by, resolved_at from quarantine.record")
        assert by
        assert at
        # A replay afterwards loads the file again and leaves the correction in force.
        assert replay(place.warehouse, load_sites(place.folder / "sites"), Chosen()).before == 0
    assert place.problems() == []
    assert loaded(place) == tuple(sorted(case.values))


def test_what_the_reason_says_of_a_note_below_a_table_settles_it(place) -> None:
    """The note has as many fields as a record, and names no analyte: neither way of mapping it is right, but to waive it."""
    note = "Source,Vitamin B12 method,ECLIA,,,,,"
    place.ingest(place.write("export.csv", f"{HEADER}\n{GOOD}\n{note}\n"))
    assert held(place) == [("open", ["unrecognised_analyte"])]
    advice = explain(place.warehouse, "unrecognised_analyte").advice
    assert "`other`" in advice
    assert "a note below a table" in advice
    (record,) = list_records(place.warehouse, Chosen())
    waive(place.warehouse, [record["record_id"]], "D. Manager", "a note, no result")
    assert (held(place), loaded(place)) == ([("waived", ["unrecognised_analyte"])], ("300.0",))
    assert place.problems() == []


def test_a_name_that_is_declared_as_another_is_out_of_scope(place) -> None:
    place.write("export.csv", f"{HEADER}\n{GOOD}\nP2,Vitamin B12x new,301,pg/mL,,2021-03-06 08:00,A2,F\n")
    place.map(FEED + "    analytes: {Vitamin B12x new: other}\n")
    (outcome,) = place.ingest(place.folder / "export.csv").files
    assert (outcome.counts.accepted, outcome.counts.out_of_scope) == (1, 1)
