"""What stands against an analysis, one thing at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from etl.gate import Gate, inspect_gate
from warehouse.catalogue import refresh
from warehouse.ledger import now

LATER = now() + timedelta(days=1)


def sentences(gate: Gate) -> str:
    return " | ".join(objection.what for objection in gate.objections)


def test_a_clean_and_new_validation_opens_the_gate(settled, opened):
    with opened() as connection:
        assert inspect_gate(connection).objections == ()


def test_data_that_were_never_validated(settled, opened):
    with opened() as connection:
        connection.execute("delete from meta.check_result")
        gate = inspect_gate(connection)
    assert sentences(gate) == "The data have never been validated."
    assert (gate.run_id, gate.objections[0].fix) == (None, "etl validate")


@pytest.mark.parametrize(
    "change",
    [
        "update meta.load set loaded_at = $later where load_id = (select min(load_id) from meta.load)",
        "update meta.load set replaced_at = $later where load_id = (select min(load_id) from meta.load)",
        "insert into meta.decision (kind, decided_at) values ('unit', $later)",
        # The run that validated left no record: nobody knows when it was.
        "update meta.run set run_id = 'lost' where command = 'validate' and $later is not null",
    ],
)
def test_a_validation_older_than_the_data(settled, opened, change):
    with opened() as connection:
        connection.execute(change, {"later": LATER})
        assert sentences(inspect_gate(connection)) == "The newest validation is older than the data."


def test_an_earlier_override_is_no_change_of_the_data(settled, opened):
    with opened() as connection:
        connection.execute("insert into meta.decision (kind, decided_at) values ('despite', ?)", [LATER])
        assert inspect_gate(connection).objections == ()


def test_a_check_that_could_not_run_counts_as_open(settled, opened):
    with opened() as connection:
        connection.execute(
            "update meta.check_result set status = 'error' where check_id = 'no_irls_in_control' and scope = "
            "(select min(scope) from meta.check_result where check_id = 'no_irls_in_control')"
        )
        gate = inspect_gate(connection)
    assert len(gate.objections) == 1
    assert "no_irls_in_control could not run" in sentences(gate)


def test_only_fatal_checks_close_the_gate(warehouse, opened):
    # The planted defects fail one fatal check, and milder ones.
    with opened() as connection:
        gate = inspect_gate(connection)
        failed = connection.execute(
            "select distinct severity from meta.check_result where status = 'failed' order by 1"
        ).fetchall()
    assert ("convention",) in failed
    assert ("fatal",) in failed
    assert len(gate.objections) == 1


def test_an_exposure_without_a_settled_unit(settled, opened):
    with opened() as connection:
        connection.execute(
            "update core.lab_context set unit_basis = null where analyte = 'vitamin_b12' and site = 'yuhe'"
        )
        refresh(connection)
        gate = inspect_gate(connection)
    assert sentences(gate) == "The unit of the exposure is not settled for included subjects of yuhe."
    assert "etl units declare" in gate.objections[0].fix


@pytest.mark.parametrize(("held", "is_closed"), [(2, False), (40, True)])
def test_an_exposure_that_waits_for_its_unit(settled, opened, held, is_closed):
    # A line or two of 160 never closes the gate; a site of which a fifth waits is not what its export says.
    with opened() as connection:
        connection.execute(
            "insert into quarantine.record (record_id, site, measure, reasons, status) "
            "select uuid(), 'lindental', 'vitamin_b12', ['unit_missing'], 'open' from range(?)",
            [held],
        )
        said = sentences(inspect_gate(connection))
    assert said == (
        "Values of the exposure are held because their unit is not declared, at lindental." * is_closed
    )


def test_the_refusal_lists_every_reason_once(settled, opened):
    with opened() as connection:
        connection.execute("update meta.load set loaded_at = ?", [LATER])
        connection.execute(
            "update meta.check_result set status = 'failed' where check_id = 'no_irls_in_control'"
        )
        refusal = inspect_gate(connection).refusal("associate")
    assert refusal.why.count("older than the data") == 1
    assert refusal.why.count("no_irls_in_control") == 3  # one a site
    assert refusal.fix.count("leave IRLS empty") == 1
