"""The registry and the table of units by evidence, as a data manager asks for them."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from etl.commands.units import app
from etl.units import RULES, Printed, explain, find_analyte, list_units, show_analyte
from schemas.analytes import registry
from schemas.errors import UsageError

# Each row of the table of units by evidence, with what leads to it (187-883 is printed for pg/mL, 138-652 for pmol/L;
# 2132-9 is the mass code).
CASES = {
    "declaration_conflict": Printed("pg/mL", declared="pmol/L"),
    "declaration_override": Printed("pg/mL", declared="pmol/L", override=True),
    "declared": Printed(declared="pmol/L"),
    "unit_range_conflict": Printed("pmol/L", 187, 883),
    "stated_flagged": Printed("pmol/L", 138, 652, "2132-9"),
    "unit_loinc_conflict": Printed("pmol/L", loinc="2132-9"),
    "loinc_settled": Printed("pmol/L", loinc="2132-9", declared="pmol/L"),
    "stated": Printed("PG/ML"),
    "range": Printed(None, 138, 652),
    "unit_missing": Printed(None, 1, 2, "2132-9"),
    "unit_not_commensurable": Printed("mIU/L"),
    "unit_unknown": Printed("pgg/mL"),
}


@pytest.mark.parametrize("row", RULES)
def test_every_row_is_told_by_its_name(row: str) -> None:
    found = explain("vitamin_b12", CASES[row])
    assert found.row == row
    assert (found.reason is not None) == RULES[row].endswith("held")
    assert (found.factor is None) == (found.reason is not None)


def test_the_witnesses_speak() -> None:
    found = explain("B12", Printed("pmol/l", 138, 652, "2132-9"))
    assert found.witnesses["unit"] == "pmol/L (molar)"
    assert found.witnesses["range"].startswith("pmol/L (")
    assert found.witnesses["loinc"] == "mass"
    assert found.factor == pytest.approx(1.35537)
    assert "nearest: pg/mL" in explain("B12", CASES["unit_unknown"]).witnesses["unit"]


def test_an_affine_unit_and_a_unit_of_urea_nitrogen() -> None:
    hba1c = explain("hba1c", Printed("mmol/mol"))
    assert (hba1c.factor, hba1c.offset) == (pytest.approx(0.09148), pytest.approx(2.152))
    of = {(each["unit"], each["of"]): each["factor"] for each in show_analyte("urea")["units"]}
    assert of["mg/dL", "urea"] == pytest.approx(0.16651, abs=1e-5)
    assert of["mg/dL", "urea_nitrogen"] == pytest.approx(0.35697, abs=1e-5)


def test_analytes_are_found_by_id_and_by_printed_name() -> None:
    assert find_analyte("ferritin").id == "ferritin"
    assert find_analyte("维生素B12").id == "vitamin_b12"
    with pytest.raises(UsageError) as error:
        find_analyte("feritin")
    assert error.value.fix == "etl units show ferritin"


def test_every_analyte_is_listed_and_shown() -> None:
    assert set(list_units()["analyte"]) == set(registry())
    for name in registry():
        assert show_analyte(name)["units"]


def run(*arguments: str):
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_commands_print_text_and_json() -> None:
    assert "pmol/L" in run("list").stdout
    assert "1.35537" in run("show", "vitamin_b12").stdout
    explained = run("explain", "vitamin_b12", "--unit", "pmol/L", "--low", "187", "--high", "883")
    assert "another unit: held" in explained.stdout
    document = json.loads(run("explain", "vitamin_b12", "--unit", "pg/mL", "--json").stdout)
    assert (document["row"], document["factor"]) == ("stated", 1.0)


def test_declare_list_and_revoke_by_command(place) -> None:
    place.map("site: north\nfeeds:\n  labs: {files: ['labs*.csv']}\n")
    place.ingest(
        place.write("labs.csv", "patient_id,test,result,unit,collected_at\n1,Vitamin B12,151,,2021-03-05\n")
    )
    at = ("-w", str(place.warehouse), "--sites", str(place.folder / "sites"))
    by = ("--who", "Dr. Lab", "--why", "letter")
    order = ("--site", "north", "--analyte", "b12", "--unit", "pmol/L", "--from", "2021-01-01")
    declared = run("declare", *order, *by, *at)
    assert declared.exit_code == 0, declared.output
    decision_id = re.search(r"Recorded as (\S+)\.", declared.stdout)[1]
    assert "in force" in run("declarations", "-w", str(place.warehouse)).stdout
    assert run("revoke", decision_id, *by, *at).exit_code == 0
    assert "revoked by Dr. Lab" in run("declarations", "-w", str(place.warehouse)).stdout
    assert "none to look at" in run("suspicions", "-w", str(place.warehouse)).stdout
    assert place.problems() == []
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        run("declare", *order[:-1], "5.3.2021", *by, *at)
