"""A declaration is a decision: recorded, applied to the files concerned, listed, revocable; nothing is lost on the way."""

from __future__ import annotations

from datetime import date

import pytest

from etl.declarations import Signature, UnitDeclared, declarations, declare, revoke
from schemas.errors import UsageError

BY = Signature("Dr. Lab", "the laboratory's letter of 5 March")
LABS = """
patient_id,test,result,unit,collected_at
1001,Vitamin B12,151,,2021-03-05
1002,Vitamin B12,300,,2021-06-05
1003,Vitamin B12,300,pg/mL,2020-12-05
"""
B12 = UnitDeclared("north", "labs", "vitamin_b12", "pmol/l")


@pytest.fixture
def held(place):
    """A warehouse that holds two results for their missing unit."""
    place.map("site: north\nfeeds:\n  labs: {files: ['labs*.csv']}\n")
    (outcome,) = place.ingest(place.write("labs.csv", LABS)).files
    assert (outcome.counts.accepted, dict(outcome.detail.reasons)) == (1, {"unit_missing": 2})
    return place


def sites(place):
    from etl.sites.mapping import load_sites

    return load_sites(place.folder / "sites")


def values(place):
    return place.rows(
        "select value_source, round(value, 3), unit_basis from core.lab_result order by collected_at, value_source"
    )


def test_a_declaration_loads_what_was_held_and_a_revocation_holds_it_again(held) -> None:
    before = held.digest()
    settled = declare(
        held.warehouse,
        UnitDeclared("north", "labs", "B12", "pmol/l", date(2021, 1, 1), date(2021, 3, 31)),
        BY,
        sites(held),
    )
    assert [each.status for each in settled.report.files] == ["refreshed"]
    assert settled.exit_code() == 0
    # 151 pmol/L x 1.35537 = 204.661 pg/mL; the result of June lies outside the period.
    assert values(held) == [("300", 300.0, "stated"), ("151", 204.661, "declared")]
    assert held.problems() == []
    (stored,) = declarations(held.warehouse)
    assert (stored["analyte"], stored["unit"], stored["who"], stored["revoked_by"]) == (
        "vitamin_b12", "pmol/L", "Dr. Lab", None,
    )  # fmt: skip
    revoke(held.warehouse, settled.decision_id, Signature("Dr. Lab", "wrong letter"), sites(held))
    assert held.digest() == before
    assert held.problems() == []
    assert declarations(held.warehouse)[0]["revoked_why"] == "wrong letter"
    with pytest.raises(UsageError, match="in force"):
        revoke(held.warehouse, settled.decision_id, BY, sites(held))


def test_an_override_wins_over_a_stated_unit(held) -> None:
    settled = declare(held.warehouse, B12, BY, sites(held))
    # The third result states pg/mL: with a plain declaration of pmol/L it is held.
    assert dict(settled.report.files[0].detail.reasons) == {"declaration_conflict": 1}
    revoke(held.warehouse, settled.decision_id, BY, sites(held))
    declare(
        held.warehouse, UnitDeclared("north", None, "vitamin_b12", "pmol/L", override=True), BY, sites(held)
    )
    assert {basis for *_, basis in values(held)} == {"declared"}
    assert held.problems() == []


def test_a_source_that_is_gone_is_named_by_its_hash(held) -> None:
    (held.folder / "labs.csv").rename(held.folder / "elsewhere.csv")
    settled = declare(held.warehouse, B12, BY, sites(held))
    ((_, sha256),) = held.rows("select 1, sha256 from meta.source_file where site = 'north'")
    (unread,) = settled.unread
    assert (unread.sha256, unread.advice) == (sha256[:12], "etl ingest PATH --site north")
    assert settled.exit_code() == 3
    # The file is known by its content, and its feed here by its name.
    (outcome,) = held.ingest(held.write("labs2.csv", LABS)).files
    assert outcome.status == "refreshed"
    assert held.problems() == []


def test_a_snapshot_without_one_of_its_files_is_left_alone(place) -> None:
    place.map("site: north\nfeeds:\n  labs: {files: ['labs*.csv'], delivery: snapshot}\n")
    one, two = place.write("labs1.csv", LABS), place.write("labs2.csv", LABS.replace("100", "200"))
    place.ingest(one, two)
    two.unlink()
    before = place.digest()
    settled = declare(place.warehouse, B12, BY, sites(place))
    assert len(settled.unread) == 2
    assert settled.report is None
    assert place.digest() == before
    assert place.problems() == []


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (UnitDeclared("north", "labs", "b13", "pmol/L"), "No analyte is called 'b13'"),
        (UnitDeclared("north", "labs", "vitamin_b12", "mmHg"), "is not a unit of vitamin_b12"),
        (
            UnitDeclared("north", "labs", "vitamin_b12", "pmol/L", date(2021, 2, 1), date(2021, 1, 1)),
            "ends before",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(held, declared, says) -> None:
    with pytest.raises(UsageError, match=says):
        declare(held.warehouse, declared, BY)
    assert declarations(held.warehouse) == []


def test_two_declarations_for_one_result_are_refused(held) -> None:
    spring = UnitDeclared("north", "labs", "vitamin_b12", "pmol/L", None, date(2021, 3, 31))
    declare(held.warehouse, spring, BY, sites(held))
    with pytest.raises(UsageError, match="already") as refused:
        declare(held.warehouse, UnitDeclared("north", None, "vitamin_b12", "pg/mL", date(2021, 3, 31)), BY)
    assert "--who WHO --why WHY" in refused.value.fix  # without them the command is refused
    declare(
        held.warehouse, UnitDeclared("north", None, "vitamin_b12", "pg/mL", date(2021, 4, 1)), BY, sites(held)
    )
    # 300 pg/mL by declaration in June, 151 pmol/L in March; the stated pg/mL of December contradicts.
    assert values(held) == [("151", 204.661, "declared"), ("300", 300.0, "declared")]


MAPPED = "site: north\nfeeds:\n  labs: {files: ['labs*.csv'], units: {vitamin_b12: %s}}\n"


def test_a_declaration_and_a_mapping_that_contradict_each_other_settle_nothing(held) -> None:
    held.map(MAPPED % "pg/ml")
    with pytest.raises(UsageError, match=r"north.yaml \(line 3\) declares pg/ml for vitamin_b12"):
        declare(held.warehouse, B12, BY, sites(held))
    # The other way round: the decision stands, and the line comes later.
    held.map(MAPPED % "pmol/L")
    declare(held.warehouse, B12, BY, sites(held))
    assert values(held) == [("151", 204.661, "declared"), ("300", 406.611, "declared")]
    held.map(MAPPED % "ng/L")
    (outcome,) = held.ingest(held.folder / "labs.csv").files
    assert dict(outcome.detail.reasons) == {"declaration_conflict": 3}
    assert held.problems() == []


def test_a_decision_needs_a_name_and_a_reason(held) -> None:
    with pytest.raises(UsageError, match="who took it"):
        declare(held.warehouse, B12, Signature(" ", "x"))
    assert held.problems() == []


@pytest.mark.parametrize(
    ("site", "feed", "says", "fix"),
    [
        ("nrth", None, "No site is called 'nrth'", "north"),
        ("north", "lab", "No feed is called 'lab'", "labs"),
    ],
)
def test_a_slip_in_the_site_or_feed_declares_nothing(held, site, feed, says, fix) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        declare(held.warehouse, UnitDeclared(site, feed, "vitamin_b12", "pmol/L"), BY, sites(held))
    assert fix in refused.value.fix
    assert declarations(held.warehouse) == []
