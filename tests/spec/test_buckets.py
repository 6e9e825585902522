"""Every row of the bucket table: which candidate goes where, and why. One small export each."""

from __future__ import annotations

import pytest

HEADER = "subject_id,test,result,unit,reference range,collected,accession,status"
GOOD = "P1,Vitamin B12,300,pg/mL,200-900,2021-03-05 08:12,,"

# name, rows after the header, expected buckets, expected reasons or absent reasons
CASES = [
    ("everything else is accepted", [GOOD], {"accepted": 1}, []),
    ("preliminary is accepted with its status", ["P1,Vitamin B12,300,pg/mL,,2021-03-05 08:12,,P"], {"accepted": 1}, []),
    ("a short line is held", [GOOD, "P2,Vitamin B12,300"], {"accepted": 1, "held": 1}, ["field_count"]),
    ("a known other analyte is out of scope", [GOOD, "P1,Potassium,4.1,mmol/L,,2021-03-05 08:12,,"],
     {"accepted": 1, "out_of_scope": 1}, []),
    ("a near miss of a study analyte is held", [GOOD, "P1,Vitamin B12x new,300,pg/mL,,2021-03-05 08:12,,"],
     {"accepted": 1, "held": 1}, ["unrecognised_analyte"]),
    ("a name like nothing is out of scope", [GOOD, "P1,Zebra count,3,1,,2021-03-05 08:12,,"],
     {"accepted": 1, "out_of_scope": 1}, []),
    ("no subject is held", [GOOD, ",Vitamin B12,301,pg/mL,,2021-03-05 08:12,,"], {"accepted": 1, "held": 1}, ["no_subject"]),
    ("identical content is a duplicate", [GOOD, GOOD], {"accepted": 1, "duplicate": 1}, []),
    ("an identical held record is a duplicate too", [GOOD, "P2,Vitamin B12,abc,pg/mL,,2021-03-05 08:12,,"] * 2,
     {"accepted": 1, "held": 1, "duplicate": 2}, ["bad_number"]),
    ("an empty value is accepted as absent", [GOOD, "P1,Creatinine,,mg/dL,,2021-03-05 08:12,,"], {"accepted": 2}, ["empty"]),
    ("haemolysed is accepted as absent", [GOOD, "P1,Creatinine,haemolysed,mg/dL,,2021-03-05 08:12,,"],
     {"accepted": 2}, ["haemolysed"]),
    ("cancelled is accepted as absent", [GOOD, "P1,Creatinine,,mg/dL,,2021-03-05 08:12,,X"], {"accepted": 2}, ["cancelled"]),
    ("a value that is nothing known is held", [GOOD, "P2,Vitamin B12,abc,pg/mL,,2021-03-05 08:12,,"],
     {"accepted": 1, "held": 1}, ["bad_number"]),
    ("an impossible date is held", [GOOD, "P2,Vitamin B12,301,pg/mL,,2021-02-31 08:12,,"],
     {"accepted": 1, "held": 1}, ["bad_date"]),
    ("outside hard bounds is held", [GOOD, "P2,Vitamin B12,500000,pg/mL,,2021-03-05 08:12,,"],
     {"accepted": 1, "held": 1}, ["out_of_bounds"]),
    ("an unsettled unit is held", [GOOD, "P2,Vitamin B12,301,,,2021-03-05 08:12,,"],
     {"accepted": 1, "held": 1}, ["unit_missing"]),
    ("a comparator is kept", [GOOD, "P2,Vitamin B12,<83,pg/mL,,2021-03-05 08:12,,"], {"accepted": 2}, []),
    ("two reasons are both told", [GOOD, "P2,Vitamin B12,500000,pg/mL,,2021-02-31 08:12,,"],
     {"accepted": 1, "held": 1}, ["bad_date", "out_of_bounds"]),
    ("an older version is superseded",
     ["P1,Vitamin B12,300,pg/mL,,2021-03-05 08:12,A1,P", "P1,Vitamin B12,310,pg/mL,,2021-03-05 08:12,A1,F"],
     {"accepted": 1, "superseded": 1}, []),
]  # fmt: skip
BUCKETS = ("accepted", "held", "duplicate", "superseded", "out_of_scope", "withdrawn")


@pytest.mark.parametrize(
    ("rows", "buckets", "reasons"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bucket(place, rows, buckets, reasons) -> None:
    export = place.write("labs.csv", "\n".join([HEADER, *rows]) + "\n")
    (outcome,) = place.ingest(export).files
    counts = vars(outcome.counts)
    assert {name: counts[name] for name in BUCKETS if counts[name]} == buckets
    assert counts["read"] == len(rows)
    held = place.rows("select distinct unnest(reasons) as reason from quarantine.record order by reason")
    absent = place.rows("select absent_reason from core.lab_result where absent_reason is not null")
    assert sorted(reason for (reason,) in [*held, *absent]) == sorted(reasons)
    assert place.problems() == []


def test_an_erased_subject_is_withdrawn(place) -> None:
    export = place.write("labs.csv", f"{HEADER}\n{GOOD}\n")
    place.ingest(export)
    with place.connection(read_only=False) as opened:
        (subject,) = opened.execute("select subject_id from core.lab_result").fetchone()
        opened.execute(
            "insert into meta.decision (decision_id, kind, target) values ('d', 'erase', ?)",
            [f'{{"subject_id": "{subject}"}}'],
        )
    again = place.write("more.csv", f"{HEADER}\n{GOOD.replace('300', '310')}\nP2,{GOOD[3:]}\n")
    (outcome,) = place.ingest(again).files
    assert (outcome.counts.withdrawn, outcome.counts.accepted) == (1, 1)


@pytest.mark.parametrize(
    ("dates", "settled"),
    [
        (["05/03/2021"], None),
        (["05/03/2021", "25/03/2021"], "2021-03-05"),
        (["05/03/2021", "03/25/2021"], "2021-05-03"),
    ],
)
def test_a_column_that_shows_no_date_order_waits(place, dates, settled) -> None:
    rows = "".join(f"P{at},Vitamin B12,30{at},pg/mL,,{day},,\n" for at, day in enumerate(dates))
    waiting = place.write("labs.csv", f"{HEADER}\n{rows}")
    other = place.write("other.csv", f"{HEADER}\n{GOOD}\n")
    report = place.ingest(waiting, other)
    by_name = {outcome.path.rsplit("/", 1)[1]: outcome for outcome in report.files}
    assert by_name["other.csv"].status == "loaded"
    if settled is None:
        assert by_name["labs.csv"].status == "needs_declaration"
        assert "dates: {collected_at: dmy}" in by_name["labs.csv"].error.message()
        assert report.exit_code() == 2
    else:
        days = place.rows("select distinct collected_at::date::varchar from core.lab_result order by 1")
        assert (settled,) in days


def test_no_two_hospitals_share_a_patient(place) -> None:
    first = place.write("a.csv", f"{HEADER}\n1001,{GOOD[3:]}\n")
    second = place.write("b.csv", f"{HEADER}\n1001,{GOOD[3:]}\nP9,{GOOD[3:]}\n")
    place.ingest(first, site="north")
    place.ingest(second, site="south")
    assert place.rows("select count(distinct subject_id) from core.lab_result") == [(3,)]


def test_the_same_bytes_from_two_sites_stop(place) -> None:
    export = place.write("a.csv", f"{HEADER}\n{GOOD}\n")
    place.ingest(export, site="north")
    report = place.ingest(export, site="south")
    assert report.exit_code() == 2
    assert "north" in report.files[0].error.what
    assert place.rows("select distinct site from core.lab_result") == [("north",)]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("-9", "declared_missing"),
        ("未检", "not_done"),
        ("溶血", "haemolysed"),
        ("insufficient sample", "insufficient"),
    ],
)
def test_words_for_no_result_are_accepted_as_absent(place, word, reason) -> None:
    place.map('site: north\nfeeds:\n  labs: {files: ["labs.csv"], missing: ["-9"]}\n')
    export = place.write("labs.csv", f"{HEADER}\n{GOOD}\nP2,Vitamin B12,{word},pg/mL,,2021-03-05 08:12,,\n")
    (outcome,) = place.ingest(export).files
    assert (outcome.counts.accepted, outcome.counts.held) == (2, 0)
    assert place.rows(
        "select value, absent_reason, value_source from core.lab_result where subject_id <> (select min(subject_id) from core.lab_result where value = 300)"
    ) == [(None, reason, word)]


def test_a_unit_glued_to_the_value_is_heard(place) -> None:
    """A number with its own unit beside a column of another unit is held; alone it states the unit."""
    rows = [
        "P1,Creatinine,80 umol/L,,,2021-03-05 08:12,,",
        "P2,Creatinine,80 umol/L,mg/dL,,2021-03-05 08:12,,",
    ]
    place.ingest(place.write("labs.csv", "\n".join([HEADER, *rows]) + "\n"))
    assert place.rows("select value, unit, unit_source from core.lab_result") == [(80.0, "umol/L", "umol/L")]
    assert place.rows("select reasons from quarantine.record") == [(["unit_contradiction"],)]
