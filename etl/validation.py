"""The validate command: open the warehouse, run the suites, store and record what they find."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from etl.run import Run
from etl.study import ensure_views
from etl.validate import ValidationReport, validate
from warehouse.connection import open_warehouse


def run_validation(
    warehouse: Path, fail_on: str = "fatal", thresholds: Path | None = None
) -> ValidationReport:
    """Validate a warehouse and store the results in meta.check_result. Raises WarehouseMissing."""
    with (
        open_warehouse(warehouse, must_exist=True) as connection,
        Run(connection, warehouse, "validate") as run,
    ):
        ensure_views(connection)
        report = validate(
            connection,
            run_id=run.run_id,
            as_of=datetime.now(UTC).astimezone().replace(tzinfo=None),
            fail_on=fail_on,
            thresholds=thresholds,
        )
        run.detail = {"status": report.status, "blocking": len(report.blocking)}
        return report
