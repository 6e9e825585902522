"""Laboratory spellings of units. The table is labelled by hand, from what each spelling means."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from etl.harmonize.units import parse_unit, suggest_unit, unit_readings

TABLE = Path(__file__).with_name("spellings.csv")
ROWS = [(r["spelling"], r["ucum"] or None) for r in csv.DictReader(TABLE.read_text("utf-8").splitlines())]


def test_the_table_is_large_enough_to_mean_something():
    assert len(ROWS) >= 500
    assert sum(ucum is None for _, ucum in ROWS) >= 50


def test_every_spelling_is_right_or_held():
    wrong = {text: (parse_unit(text), ucum) for text, ucum in ROWS if parse_unit(text) not in {ucum, None}}
    assert wrong == {}


def test_at_least_99_percent_of_the_known_spellings_are_read():
    known = [(text, ucum) for text, ucum in ROWS if ucum is not None]
    held = [text for text, ucum in known if parse_unit(text) != ucum]
    assert len(held) <= len(known) // 100, held


# UCUM would accept each of these as something absurd: petagauss, gauss, tesla, megagram (the UCUM specification, table 1).
@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("PG/ML", ("pg/mL",)),
        ("G/L", ("g/L", "10*9/L")),
        ("G/l", ("g/L", "10*9/L")),
        ("T/l", ("10*12/L",)),
        ("Mg/L", ("mg/L",)),
        ("M/L", ()),
    ],
)
def test_capitals_never_become_physics(text, readings):
    assert unit_readings(text) == readings


# Each is UCUM, and says half, a third or a fifth of what a laboratory measured.
@pytest.mark.parametrize("text", ["(pg/mL)/2", "m[IU]/L/2", "(2.pg)/mL", "pg/(5.mL)"])
def test_a_multiple_is_no_unit(text):
    assert unit_readings(text) == ()


def test_two_readings_are_no_unit():
    assert parse_unit("G/L") is None


# U+00B5 is the micro sign of Western code pages, U+03BC the Greek letter of Asian ones.
@pytest.mark.parametrize("micro", ["\u00b5", "\u03bc"])
def test_both_micro_signs_mean_micro(micro):
    assert parse_unit(f"{micro}mol/L") == "umol/L"


@pytest.mark.parametrize("text", [None, "", "  ", "NO UNITS", "无", "-"])
def test_nothing_stated_is_no_unit(text):
    assert unit_readings(text) == ()


@pytest.mark.parametrize(("text", "unit"), [("mg/dll", "mg/dL"), ("pg/mml", "pg/mL")])
def test_a_slip_gets_a_suggestion_but_no_reading(text, unit):
    assert parse_unit(text) is None
    assert suggest_unit(text) == unit


def test_no_suggestion_for_something_else():
    assert suggest_unit("Zimmer 12") is None


def test_every_code_that_we_give_is_valid_ucum():
    """The judge is ucumvert's own grammar of UCUM."""
    from ucumvert import PintUcumRegistry
    from ucumvert.parser import get_ucum_parser

    assert PintUcumRegistry  # the package is whole
    parser = get_ucum_parser()
    for ucum in {ucum for _, ucum in ROWS if ucum}:
        parser.parse(ucum)
