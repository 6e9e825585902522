"""The commands: what is printed and which code they end with."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from etl.commands import study
from etl.gate import GateClosed


@pytest.fixture
def run():
    app = typer.Typer()
    for command in (study.query, study.associate, study.freeze):
        app.command()(command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_query_lists_and_runs(run, shown, tmp_path):
    assert "exposure_correlation" in run("query").output
    listed = json.loads(run("query", "--json").stdout)
    assert {"query", "topic", "title", "parameters"} == set(listed[0])
    warehouse = shown / "w.duckdb"
    rows = run(
        "query", "group_comparison", "-p", "question=matched_comparison", "-w", warehouse, "--format", "csv"
    )
    assert rows.exit_code == 0
    assert rows.stdout.splitlines()[0].startswith("measure,")
    run("query", "loads", "-w", warehouse, "-o", tmp_path / "loads.json")
    loads = json.loads((tmp_path / "loads.json").read_text("utf-8"))
    assert sum(row["loads"] for row in loads) == 10  # the files of the three hospitals


def test_associate_refuses_with_code_1_and_writes_after_an_override(run, warehouse, tmp_path):
    refused = run("associate", "--out", tmp_path / "out", "-w", warehouse)
    assert isinstance(refused.exception, GateClosed)
    assert refused.exception.exit_code == 1
    words = ("--out", tmp_path / "out", "-w", warehouse, "--despite", "a look", "--who", "A. Manager")
    text = run("associate", *words)
    assert text.exit_code == 0
    assert "r = -0.254, P = 0.023" in text.stdout
    assert "WATERMARK" in text.stdout
    assert "not frozen" in text.stdout
    document = json.loads(run("associate", *words, "--json").stdout)
    assert document["watermark"].endswith("by A. Manager: a look")
    assert {path.rsplit(".", 1)[1] for path in document["files"]} == {"json", "csv", "html"}
    assert document["findings"][0]["figure"] == "geng-b12-irls"


def test_freeze_prints_the_digest(run, warehouse):
    made = json.loads(run("freeze", "first", "--who", "A. Manager", "-w", warehouse, "--json").stdout)
    again = run("freeze", "first", "--who", "A. Manager", "-w", warehouse).stdout
    assert made["digest"] in again
    assert "(unchanged)" in again
    assert run("freeze", "first", "-w", warehouse).exit_code == 2
