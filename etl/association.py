"""Associate: from the marts to the study's estimates, behind the gate, in three forms that may be shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from etl.associate.analyse import analyse
from etl.associate.catalogue import summarise_checks
from etl.associate.disclosure import Counts, disclose
from etl.associate.marts import read_frames, study_protocol
from etl.associate.model import AnalysisFrames, AssociationReport
from etl.associate.plots import Points, take_points
from etl.associate.render import to_csv, to_html, to_json
from etl.disclosure import suppress_table
from etl.gate import Gate, inspect_gate
from etl.override import Override, rests_on
from etl.run import Run, tool_version
from etl.study import ensure_views
from etl.validate import last_validation
from schemas.study import Study, load_study
from warehouse.connection import open_warehouse
from warehouse.ledger import now

NAME = "association"  # of the files
NAME_OF_COMMAND = "associate"


@dataclass(frozen=True)
class AssociateOptions:
    """How to associate.

    despite: why the gate is overridden; who: by whom. has_points: draw single subjects, for nobody outside.
    """

    despite: str | None = None
    who: str = ""
    has_points: bool = False
    study_file: Path | None = None


@dataclass(frozen=True)
class Association:
    """What was written, and the report as it may be shared."""

    files: tuple[Path, ...]
    watermark: str
    report: AssociationReport

    def document(self) -> dict[str, Any]:
        """Return a summary as one JSON document; the whole is in the files."""
        return {
            "files": [str(path) for path in self.files],
            "watermark": self.watermark or None,
            "provenance": self.report.provenance,
            "beside": [asdict(beside) for beside in self.report.beside],
            "findings": [asdict(f) for f in self.report.findings if f.verdict == "inconsistent"],
            "notes": list(self.report.notes),
        }


def associate(warehouse: Path, out: Path, options: AssociateOptions | None = None) -> Association:
    """Analyse the included subjects and write association.json, .csv and .html into a folder.

    Raises GateClosed while anything stands against an analysis, unless it is overridden; then every output carries
    the reason, and the ledger too.
    """
    options = options or AssociateOptions()
    override = Override(options.despite, options.who)
    override.check(NAME_OF_COMMAND)
    with (
        open_warehouse(warehouse, must_exist=True) as connection,
        Run(connection, warehouse, "associate") as run,
    ):
        ensure_views(connection, options.study_file)
        gate = inspect_gate(connection)
        watermark = override.pass_gate(gate, NAME_OF_COMMAND)
        study = load_study(options.study_file)
        protocol = study_protocol(study)
        frames = read_frames(connection, protocol)
        provenance = _provenance(connection, study, gate, run.run_id)
        validation = last_validation(connection)
        checks = summarise_checks(validation.results) if validation else {}
        run.detail = {"digest": provenance["content_digest"], "despite": bool(gate.objections)}
        if gate.objections:
            override.record(connection, run, gate, NAME_OF_COMMAND)
    report = disclose(
        replace(
            analyse(frames, protocol),
            provenance=provenance,
            study=study.model_dump(mode="json"),
            checks=checks,
        ),
        hide_small,
    )
    points = _points(frames, report) if options.has_points else None
    return Association(_write(out, report, watermark, points), watermark, report)


def hide_small(counts: Counts) -> Counts:
    """Hide small counts of subjects with their complements; a count that is hidden already stays so."""
    shown = suppress_table([[cell or 0 for cell in row] for row in counts]).cells
    return tuple(
        tuple(None if given is None else cell for given, cell in zip(row, cells, strict=True))
        for row, cells in zip(counts, shown, strict=True)
    )


def _provenance(
    connection: duckdb.DuckDBPyConnection, study: Study, gate: Gate, run_id: str
) -> dict[str, str]:
    """Return what the estimates rest on; every output prints it."""
    return {
        **rests_on(connection),
        "study": f"{study.title}; {study.study} {study.version}",
        "study_digest": study.digest,
        "validation_run": gate.run_id or "none",
        "run": run_id,
        "made_at": f"{now():%Y-%m-%d %H:%M} UTC",
        "tool_version": tool_version(),
    }


def _points(frames: AnalysisFrames, report: AssociationReport) -> Points:
    return take_points(frames, str(report.protocol["exposure"]), [trend.y for trend in report.trends])


def _write(out: Path, report: AssociationReport, watermark: str, points: Points | None) -> tuple[Path, ...]:
    texts: Sequence[tuple[str, str]] = (
        ("json", to_json(report, watermark)),
        ("csv", to_csv(report, watermark)),
        ("html", to_html(report, watermark, points)),
    )
    out.mkdir(parents=True, exist_ok=True)
    paths = tuple(out / f"{NAME}.{ending}" for ending, _ in texts)
    for path, (_, text) in zip(paths, texts, strict=True):
        path.write_text(text, "utf-8")
    return paths
