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


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("psqi=order_a", "step latency_points: item 2: 0 up to 15, 1 up to 30, 2 up to 60, 3 above"),
        ("psqi=order_a", "scale c3 0-3: item 4: 3 below 5, 2 from 5, 1 from 6, 0 from 7"),
        (
            "psqi=order_b",
            "order_b: PSQI, web order: item 9 is sleep quality (told by: a declaration, labels)",
        ),
        ("hamd=hamd_17", "(told by: a declaration, its name, its items)"),
        ("hamd=hamd_24", "hamd_24: HAMD-24, Chinese form (told by: a declaration)"),
        ("hamd=hamd_21", "scale total 0-64: sum of all scored items (verified: no)"),
        (
            "gad7=gad_7",
            "up to 2 missing take the mean of the others (verified: yes; with missing answers no)",
        ),
        ("bdi=bdi_ii", "item 16: 0-3, 1a, 1b .. count as their digit"),
        ("bdi=bdi_ia", "30-63 severe (verified: no)"),
    ],
)
def test_a_definition_is_shown_with_its_rules_and_what_was_not_verified(version, line) -> None:
    instrument, _, name = version.partition("=")
    assert line in run("show", instrument, "--version", name)[1]


def test_no_subject_is_printed(place) -> None:
    path = place.write("irls.csv", f"subject_id,{IRLS},irls_total\nMeier-77,{ANSWERS},23\n")
    written = place.folder / "scores.csv"
    printed = [run("score", str(path), *more)[1] for more in ([], ["--json"], ["-o", str(written)])]
    assert all("L2" in text and "Meier-77" not in text for text in printed)
    assert "Meier-77" in written.read_text("utf-8")
