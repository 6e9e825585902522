"""What harmonizing costs: its share of the CPU time of an ingest.

    .venv/bin/python benchmarks/bench_harmonize.py [ROWS | EXPORT]      default: 10,000,000 rows

The export is that of bench_ingest.py. Three processes are timed, so that threads and libraries count: the ingest; a
pass that only inspects and reads; a pass that also harmonizes what it reads (dates, numbers, comparators, status,
analyte, specimen, unit, range; neither ids nor rules). The difference of the last two is what harmonizing costs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench_ingest import ETL, PYTHON, write_export
from measure import Usage, run

LATEST = datetime(2100, 1, 1)


def go_through(export: Path, *, is_harmonized: bool) -> None:
    """Read an export to its end, and harmonize it if asked to; nothing is kept."""
    from etl.engines.local import _pieces
    from etl.inspect import inspect, reader_of
    from etl.process.labs import LAB_ROLES, ROW_TRIMMED, LabHarmonizer
    from etl.process.roles import cleaned, long_frame
    from etl.process.subjects import SubjectIds
    from etl.readers.base import Source
    from warehouse.keys import Keys

    (plan,) = inspect(Source(export), "bench", None, LATEST)
    reader, keys = reader_of(plan), Keys(bytes(32))
    labs = LabHarmonizer(plan, reader, keys, SubjectIds(plan, keys))
    for part in plan.table.ranges:
        for batch in reader.read(plan.source, plan.table, part, plan.resolution.used_columns()):
            for piece in _pieces(batch):
                frame = long_frame(piece.frame, plan, reader, LAB_ROLES)
                if is_harmonized:
                    dated = labs._with_dates(cleaned(frame, ROW_TRIMMED))  # noqa: SLF001 - without the ids of subjects
                    labs._in_scope(labs._with_values(dated))  # noqa: SLF001


def measure(export: Path, folder: Path) -> None:
    """Time the three processes and print what harmonizing costs."""
    whole = run([ETL, "ingest", str(export), "--site", "bench", "-w", str(folder / "w.duckdb"), "--quiet"])
    only_read, harmonized = _pass(export, "read"), _pass(export, "harmonize")
    cost = harmonized.cpu - only_read.cpu
    print(f"ingest {whole.cpu:8.1f} s of CPU, {whole.wall:8.1f} s, {whole.peak_mb:.0f} MB")
    print(f"read   {only_read.cpu:8.1f} s of CPU, {only_read.wall:8.1f} s")
    print(f"harmonizing costs {cost:.1f} s of CPU: {cost / whole.cpu:.1%} of the ingest (at most 20 %)")


def _pass(export: Path, kind: str) -> Usage:
    return run([PYTHON, __file__, kind, str(export)], {"PYTHONPATH": os.pathsep.join(sys.path)})


def main() -> None:
    """Measure, or be one of the processes that are measured."""
    given = sys.argv[1:] or ["10000000"]
    if given[0] in {"read", "harmonize"}:
        go_through(Path(given[1]), is_harmonized=given[0] == "harmonize")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = Path(given[0])
        if not export.exists():
            export = folder / "lb.csv"
            write_export(export, int(given[0].replace(",", "").replace("_", "")))
        measure(export, folder)


if __name__ == "__main__":
    main()
