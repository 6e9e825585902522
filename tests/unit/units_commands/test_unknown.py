"""Units that settled nothing are listed with a suggestion, taught in the mapping, and loaded; so are unusual values."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from etl.commands.units import app
from etl.sites.mapping import load_sites
from etl.unknown_units import HIDDEN, unknown_units
from etl.validate import parameters
from schemas.errors import DefinitionError
from warehouse.ledger import now

LABS = """
patient_id,test,result,unit,collected_at
1,Vitamin B12,310,pgg/ml,2021-03-06
2,Vitamin B12,320,pgg/ml,2021-03-06
3,Ferritin,50,ng/mll,2021-03-06
4,TSH,2.1,ng/L,2021-03-06
5,Ferritin,51,Hans Mustermann,2021-03-06
6,Vitamin B12,0.4,pg/mL,2021-03-06
"""
PLAIN = "site: north\nfeeds:\n  labs:\n    files: ['labs*.csv']\n"


@pytest.fixture
def held(place):
    place.map(PLAIN)
    (outcome,) = place.ingest(place.write("labs.csv", LABS)).files
    assert dict(outcome.detail.reasons) == {
        "unit_unknown": 4,
        "unit_not_commensurable": 1,
        "out_of_bounds": 1,
    }
    return place


def test_the_summary_of_an_ingest_names_the_list(place):
    from etl.terminal import ingest_summary

    place.map(PLAIN)
    assert "etl units unknown" in ingest_summary(place.ingest(place.write("labs.csv", LABS)))
    clean = place.write(
        "labs2.csv", "patient_id,test,result,unit,collected_at\n9,Ferritin,50,ng/mL,2021-03-06\n"
    )
    assert "etl units unknown" not in ingest_summary(place.ingest(clean))


def test_each_unknown_unit_is_listed_once_with_the_nearest_that_can_measure_it(held):
    found = {(each.analyte, each.spelling): each for each in unknown_units(held.warehouse)}
    assert {key: (each.records, each.suggestion) for key, each in found.items()} == {
        ("vitamin_b12", "pgg/ml"): (2, "pg/mL"),
        ("ferritin", "ng/mll"): (1, "ng/mL"),
        ("tsh", "ng/L"): (1, None),  # nothing near it measures thyrotropin
        ("ferritin", HIDDEN): (1, None),
    }
    assert unknown_units(held.warehouse, "south") == []


def test_the_command_prints_what_to_type_and_no_name(held):
    done = CliRunner().invoke(app, ["unknown", "-w", str(held.warehouse)], catch_exceptions=False)
    assert 'spellings: {"pgg/ml": pg/mL}' in done.stdout
    assert "Mustermann" not in done.stdout


def test_a_taught_spelling_and_a_wider_bound_let_the_rows_in(held):
    held.map(
        PLAIN + '    spellings: {"pgg/ml": PG/ML, "ng/mll": ng/ml}\n    bounds: {vitamin_b12: [0.1, 1000]}\n'
    )
    (outcome,) = held.ingest(held.folder / "labs.csv").files
    assert outcome.status == "refreshed"
    assert dict(outcome.detail.reasons) == {"unit_unknown": 1, "unit_not_commensurable": 1}
    rows = held.rows("select value, unit, unit_basis from core.lab_result order by value")
    assert rows == [
        (0.4, "pg/mL", "stated"),
        (50, "ng/mL", "stated"),
        (310, "pg/mL", "stated"),
        (320, "pg/mL", "stated"),
    ]
    assert held.problems() == []
    # The check of the warehouse knows what was declared: wider below, and never narrower than the registry.
    with held.connection() as connection:
        bounds = parameters(connection, now()).frames["analyte"]
    (b12,) = bounds.filter(bounds["analyte"] == "vitamin_b12").rows(named=True)
    assert (b12["hard_low"], b12["hard_high"]) == (0.1, 100_000)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('spellings: {"x": furlong}', "is no unit"),
        ("bounds: {vitamin_b12: [5, 1]}", "the lower limit comes first"),
        ("bounds: {vitamin_b13: [1, 5]}", "'vitamin_b13' is no analyte"),
    ],
)
def test_a_wrong_line_of_the_mapping_is_named(place, line, says):
    place.map(PLAIN + f"    {line}\n")
    with pytest.raises(DefinitionError, match=says):
        load_sites(place.folder / "sites")
