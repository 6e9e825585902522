"""etl instruments: list, show, and score without a warehouse."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from etl.commands.instruments import app
from schemas.errors import UsageError

IRLS = ",".join(f"irls_{item}" for item in range(1, 11))
ANSWERS = "2,3,2,1,2,2,3,2,1,2"  # 20
OTHERS = "1,1,1,0,1,1,1,1,0,1"  # 8


def run(*arguments: str) -> tuple[int, str]:
    """Run `etl instruments` and return its exit code and output."""
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout


def test_a_file_is_scored_without_a_warehouse(place) -> None:
    path = place.write("irls.csv", f"subject_id,{IRLS},irls_total\nP1,{ANSWERS},23\nP2,{OTHERS},8\n")
    code, text = run("score", str(path), "--json", "-o", str(place.folder / "scores.csv"))
    document = json.loads(text)
    assert code == 0
    found = [
        (each["value"], each["value_reported"]) for each in document["scores"] if each["scale"] == "total"
    ]
    assert found == [(20, 23), (8, 8)]
    assert [(each["administration_id"], each["origin"][0]) for each in document["findings"]] == [
        ("L2", "L2/C12")
    ]
    assert (place.folder / "scores.csv").read_text().count("total") == 2
    assert run("score", str(path), "--strict")[0] == 1


def test_totals_alone_are_scored_without_a_warehouse(place) -> None:
    code, text = run("score", str(place.write("totals.csv", "subject_id,irls_total\nP1,31\n")), "--json")
    assert code == 0
    assert [(each["value"], each["basis"]) for each in json.loads(text)["scores"]] == [(31, "reported_only")]


def test_a_refused_version_says_why_and_what_to_type(place) -> None:
    header = ",".join(f"bdi_{item}" for item in range(1, 22))
    path = place.write("bdi.csv", f"{header}\n0.5,0.5{',1' * 19}\n")
    text = run("score", str(path), "--version", "bdi=bdi_ii")[1]
    assert "2 answers are not whole numbers" in text
    assert "--version bdi=VERSION" in text
    with pytest.raises(UsageError, match="names no instrument"):
        run_uncaught("score", str(path), "--version", "bdi_ii")


def run_uncaught(*arguments: str) -> None:
    CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_definitions_are_listed_and_shown() -> None:
    listed = {each["version"]: each["scales"] for each in json.loads(run("list", "--json")[1])}
    assert listed["hamd_24"] == "hamd_17 0-52, total 0-76"  # totals printed on the form: 52 and 76
    assert "item 5a - 5j: 0-3" in run("show", "psqi", "--version", "order_a")[1]
    assert (
        json.loads(run("show", "irls", "--json")[1])["versions"]["irls_10"]["scales"]["total"]["high"] == 40
    )
