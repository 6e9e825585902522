"""The ledger is a chain: whatever is changed or removed shows."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from cryptography.exceptions import InvalidTag

from warehouse.connection import open_warehouse
from warehouse.ledger import Ledger, broken_links, ledger_path
from warehouse.seal import seal, unseal

RUN = {"run_id": "r1", "command": "ingest", "started_at": datetime(2021, 3, 5, 8), "detail": '{"files":1}'}


@pytest.fixture
def chained(tmp_path):
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as connection:
        ledger = Ledger(connection, path)
        ledger.append("run", RUN)
        ledger.append(
            "decision", {"decision_id": "d1", "kind": "waive", "target": '{"record_id":"x"}', "who": "NN"}
        )
        ledger.append("run", {**RUN, "run_id": "r2"})
        ledger.publish()
        yield connection, path


def test_a_sound_chain_has_no_broken_links(chained) -> None:
    connection, path = chained
    assert broken_links(connection) == []
    lines = [json.loads(line) for line in ledger_path(path).read_text().splitlines()]
    assert [line["entry"] for line in lines] == ["run", "decision", "run"]
    assert [line["prev_hash"] for line in lines[1:]] == [line["hash"] for line in lines[:-1]]


@pytest.mark.parametrize(
    "tampering",
    [
        "update meta.decision set who = 'somebody else'",
        "update meta.run set outcome = 'failed' where run_id = 'r1'",
        "delete from meta.decision",
    ],
)
def test_tampering_shows(chained, tampering) -> None:
    connection, _ = chained
    connection.execute(tampering)
    assert broken_links(connection)


def test_what_is_sealed_opens_with_its_key_only() -> None:
    (sealed,) = seal(b"a" * 32, [b"Anna Muster;B12;168"])
    assert b"Muster" not in sealed
    assert unseal(b"a" * 32, sealed) == b"Anna Muster;B12;168"
    with pytest.raises(InvalidTag):
        unseal(b"b" * 32, sealed)
