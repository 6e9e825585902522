"""What an output of the study rests on, and how the gate before it is overridden: watermarked and recorded."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from etl.freeze import matching_cut
from etl.gate import DESPITE, Gate
from etl.run import Run
from schemas.errors import UsageError
from warehouse.catalogue import mark_fresh
from warehouse.connection import transaction
from warehouse.digest import content_digest
from warehouse.ledger import canonical, now


@dataclass(frozen=True)
class Override:
    """Why the gate is overridden, and by whom; without a reason it is not."""

    despite: str | None = None
    who: str = ""

    def check(self, command: str) -> None:
        """Raise UsageError for an override without its reason or its maker."""
        if self.despite is not None and not (self.despite.strip() and self.who.strip()):
            raise UsageError(
                "An override needs its reason and who takes it.",
                "Both are recorded and printed on every output.",
                f'etl {command} --despite "REASON" --who NAME',
            )

    def pass_gate(self, gate: Gate, command: str) -> str:
        """Return the watermark, empty if nothing is open. Raises GateClosed unless overridden."""
        if not gate.objections:
            return ""
        if self.despite is None:
            raise gate.refusal(command)
        what = " ".join(objection.what for objection in gate.objections)
        return f"Not validated. {what} Shown despite this by {self.who}: {self.despite}"

    def record(self, connection: duckdb.DuckDBPyConnection, run: Run, gate: Gate, command: str) -> None:
        """Write the override into the ledger; it changes no data, so the marts stay what they are."""
        entry = {
            "decision_id": f"{run.run_id}/{DESPITE}",
            "kind": DESPITE,
            "target": canonical({"command": command, "open": [each.what for each in gate.objections]}),
            "who": self.who,
            "why": self.despite,
            "decided_at": now(),
            "run_id": run.run_id,
        }
        with transaction(connection):
            run.ledger.append("decision", entry)
            mark_fresh(connection)


def rests_on(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the data cut that holds the present data, if one does, and their content digest."""
    digest = content_digest(connection)
    cut = matching_cut(connection, digest)
    return {
        "data": cut.sentence() if cut else "not frozen: no data cut holds these data",
        "content_digest": digest,
    }
