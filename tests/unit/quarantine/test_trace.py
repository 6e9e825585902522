"""Trace, verify and the report command, on small exports whose cells are known."""

from __future__ import annotations

import json

import pytest

from etl.quarantine import waive
from etl.reporting import write_reports
from etl.status import status
from etl.trace import trace
from etl.validation import run_validation
from etl.verify import verify
from schemas.errors import UsageError

from .conftest import HEADER


@pytest.fixture
def loaded(place):
    """Two results of one subject, the second in pmol/L, and an answer; the second stands again in a later file."""
    rows = ["P001,Ferritin,30,ng/mL,,2021-03-05 08:12,A1", "P001,Vitamin B12,222,pmol/L,,2021-03-05 08:12,A2"]
    place.ingest(place.write("lab_1.csv", "\n".join([HEADER, *rows]) + "\n"))
    place.ingest(place.write("lab_2.csv", "\n".join([HEADER, rows[1]]) + "\n"))
    place.ingest(
        place.write("scale.csv", "subject_id,instrument,item,answer,date\nP001,irls,1,4,2021-03-05\n")
    )
    return place


def test_a_result_leads_to_its_cell(loaded) -> None:
    ((result_id, subject),) = loaded.rows(
        "select result_id::varchar, subject_id from core.lab_result where analyte = 'vitamin_b12'"
    )
    (found,) = trace(loaded.warehouse, [result_id])
    (step,) = found.steps
    assert (found.kind, step.kind, step.what, step.subject_id) == ("row", "result", "vitamin_b12", subject)
    # The value is the third cell of the third line.
    assert (step.source["row_number"], step.source["locator"], step.source["format"]) == (
        3,
        "L3/C3",
        "delimited",
    )
    assert step.cells == {}
    # 1 pmol/L is 1.355 pg/mL: the molar mass of cyanocobalamin is 1355.4 g/mol (domain facts; any table of atomic weights).
    assert step.unit["factor"] == pytest.approx(1.3554, abs=1e-4)
    assert "C63H88CoN14O14P" in step.unit["factor_source"]
    assert {each["about"] for each in step.decisions} >= {"dates:collected_at", "encoding"}
    assert [(each["row_number"], each["locator"]) for each in step.repeated] == [(2, "L2/C3")]
    assert step.rules[0]["check_id"] == "out_of_bounds"
    assert loaded.rows("select count(*) from meta.run where command = 'trace'") == [(0,)]


def test_the_cell_itself_is_shown_only_when_asked_for_and_recorded(loaded) -> None:
    ((result_id,),) = loaded.rows(
        "select result_id::varchar from core.lab_result where analyte = 'vitamin_b12'"
    )
    (found,) = trace(loaded.warehouse, [result_id[:8]], reveal=True)
    (step,) = found.steps
    assert (step.cells["value_source"], step.cells["unit_source"]) == ("222", "pmol/L")
    assert step.cells["value"] == pytest.approx(300.9, abs=0.1)  # 222 x 1.3554
    assert step.source["path"].endswith("lab_1.csv")
    ((detail,),) = loaded.rows("select detail from meta.run where command = 'trace'")
    assert json.loads(detail)["ids"] == [result_id]


def test_a_subject_leads_to_all_its_rows(loaded) -> None:
    ((subject,),) = loaded.rows("select distinct subject_id from core.lab_result")
    (found,) = trace(loaded.warehouse, [subject])
    assert [(step.kind, step.what) for step in found.steps] == [
        ("result", "ferritin"), ("result", "vitamin_b12"), ("response", "irls/1"),
    ]  # fmt: skip


def test_an_administration_leads_to_its_answers(loaded) -> None:
    ((administration,),) = loaded.rows("select administration_id::varchar from core.administration")
    (found,) = trace(loaded.warehouse, [administration])
    assert [(step.what, step.source["locator"]) for step in found.steps] == [("irls/1", "L2/C4")]


def test_a_finding_leads_to_its_rows(loaded) -> None:
    (nothing,) = trace(loaded.warehouse, ["value_or_reason"])
    assert (nothing.kind, nothing.steps) == ("finding", [])
    assert "Nothing in the warehouse" in nothing.note
    with loaded.connection(read_only=False) as opened:
        opened.execute(
            "update core.lab_row set value = null where value = 30"
        )  # a value lost without a reason
    (found,) = trace(loaded.warehouse, ["value_or_reason"])
    assert [(step.what, step.source["locator"]) for step in found.steps] == [("ferritin", "L2/C3")]
    (subjects,) = trace(loaded.warehouse, ["lab_subjects_known"])
    assert {step.what for step in subjects.steps} == {"ferritin", "vitamin_b12", "irls/1"}


def test_a_held_record_leads_to_its_reasons(held, ids) -> None:
    waive(held.warehouse, [ids["bad_number"]], "Li", "never mind")
    (found,) = trace(held.warehouse, [ids["bad_number"]])
    (step,) = found.steps
    assert (step.kind, step.state, step.source["locator"]) == ("held", "waived", "L5/C3")
    assert step.rules[0]["check_id"] == "bad_number"
    assert step.decisions[-1]["why"] == "never mind"


@pytest.mark.parametrize("target", ["nothing", "0" * 32, "0" * 26, "", "%%%%%%%%"])
def test_what_leads_nowhere_is_said(loaded, target) -> None:
    with pytest.raises(UsageError, match="Nothing in the warehouse"):
        trace(loaded.warehouse, [target])


def test_verify_finds_a_lost_row_and_a_changed_decision(held, ids) -> None:
    waive(held.warehouse, [ids["bad_number"]], "Li", "never mind")
    sound = verify(held.warehouse)
    assert (sound.is_sound, sound.exit_code(), sound.uncopied) == (True, 0, 0)
    assert (sound.loads, sound.entries) == (1, 3)  # the ingest, the decision and the run that took it
    with held.connection(read_only=False) as opened:
        opened.execute("delete from core.lab_row")
    assert len(verify(held.warehouse).unbalanced) == 1
    with held.connection(read_only=False) as opened:
        opened.execute("update meta.decision set why = 'another reason'")
    broken = verify(held.warehouse)
    assert broken.exit_code() == 5
    assert broken.broken_ledger == [hash_ for (hash_,) in held.rows("select hash from meta.decision")]


def test_the_report_is_written_in_every_format(loaded) -> None:
    out = loaded.folder / "report"
    with pytest.raises(UsageError, match="Nothing was validated"):
        write_reports(loaded.warehouse, out, ["html"])
    run_validation(loaded.warehouse)
    paths = write_reports(loaded.warehouse, out, ["html", " xlsx", "JSON"], "zh")
    assert [path.name for path in paths] == ["validation.html", "validation.xlsx", "validation.json"]
    assert 'lang="zh' in paths[0].read_text("utf-8")
    assert (
        json.loads(paths[2].read_text("utf-8"))["run_id"]
        == loaded.rows("select max(run_id) from meta.check_result")[0][0]
    )
    for formats, language in ((["docx"], "en"), (["html"], "fr")):
        with pytest.raises(UsageError):
            write_reports(loaded.warehouse, out, formats, language)


def test_the_status_names_what_is_open(loaded) -> None:
    assert (status(loaded.warehouse).findings, status(loaded.warehouse).is_validation_old) == ([], False)
    run_validation(loaded.warehouse)
    found = status(loaded.warehouse)
    orphans = [each for each in found.findings if each["check"] == "lab_subjects_known"]
    # Neither file of results describes its one subject.
    assert [(each["severity"], each["rows"], each["of"]) for each in orphans] == [("fatal", 1, 1)]
    assert found.is_validation_old is False
    loaded.ingest(loaded.write("lab_3.csv", f"{HEADER}\nP009,Ferritin,31,ng/mL,,2021-03-06 08:12,A9\n"))
    assert status(loaded.warehouse).is_validation_old is True
