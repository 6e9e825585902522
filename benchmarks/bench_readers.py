"""Every reader against the plainest reading of the same file by the library under it: a ratio in one run.

    .venv/bin/python benchmarks/bench_readers.py [FORMAT ...] [--rows N]      default: all formats, 100,000 rows

Each file holds the same laboratory results: ten columns, 100 subjects for every 1,000 rows. HL7 holds one message
for each row. A reader goes through a file as an ingest does: once to decide for whole columns, with every column
shown, and once to read every cell as text with its row number. The plain reading parses the file into memory in the
library's own types and does nothing else. Each is a process of its own, so both pay for their imports.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Usage, median, pairs

RUNS = 3
PYTHON = sys.executable
OURS = """
import sys
from pathlib import Path
from etl.readers import detect
from etl.readers.base import Hints, Source
source = Source(Path(sys.argv[1]))
reader = detect(source)
rows = 0
for table in reader.inspect(source, Hints(), lambda columns: (columns, lambda frame: None)):
    for part in table.ranges:
        for batch in reader.read(source, table, part, table.columns):
            rows += batch.frame.height
assert rows >= int(sys.argv[2]), rows
"""
CASES = {  # the file's name, and the plain reading of sys.argv[1]
    "csv": ("labs.csv", "import polars; polars.read_csv(sys.argv[1], infer_schema=False)"),
    "xlsx": ("labs.xlsx", "import fastexcel; fastexcel.read_excel(sys.argv[1]).load_sheet(0).to_arrow()"),
    "ods": ("labs.ods", "import fastexcel; fastexcel.read_excel(sys.argv[1]).load_sheet(0).to_arrow()"),
    "parquet": ("labs.parquet", "import pyarrow.parquet as p; p.read_table(sys.argv[1])"),
    "arrow": ("labs.arrow", "import pyarrow.feather as p; p.read_table(sys.argv[1])"),
    "xpt": ("labs.xpt", "import pyreadstat as p; p.read_xport(sys.argv[1])"),
    "sav": ("labs.sav", "import pyreadstat as p; p.read_sav(sys.argv[1])"),
    "zsav": ("labs.zsav", "import pyreadstat as p; p.read_sav(sys.argv[1])"),
    "por": ("labs.por", "import pyreadstat as p; p.read_por(sys.argv[1])"),
    "dta": ("labs.dta", "import pyreadstat as p; p.read_dta(sys.argv[1])"),
    "json": ("labs.json", "import json; json.load(open(sys.argv[1]))"),
    "ndjson": ("labs.ndjson", "import json; [json.loads(line) for line in open(sys.argv[1])]"),
    "dataset-json": ("lb.json", "import json; json.load(open(sys.argv[1]))"),
    "fhir": ("Observation.ndjson", "import json; [json.loads(line) for line in open(sys.argv[1])]"),
    "hl7": ("oru.hl7", "[s.split('|') for s in open(sys.argv[1], newline='').read().split('\\r')]"),
    "odm": ("odm.xml", "from defusedxml.ElementTree import parse; parse(sys.argv[1])"),
}


def measure(name: str, rows: int, folder: Path) -> None:
    """Measure one format and print its line."""
    file, plain = CASES[name]
    path = folder / file
    writer = Path(__file__).with_name("export_formats.py")
    subprocess.run([PYTHON, str(writer), name, str(path), str(rows)], check=True)
    ours = [PYTHON, "-c", OURS, str(path), str(rows)]
    theirs = [PYTHON, "-c", f"import sys; {plain}", str(path)]
    measured = pairs(ours, theirs, RUNS, lambda: None)
    mine, other = (shown([pair[at] for pair in measured]) for at in (0, 1))
    cpu, wall = (
        median([getattr(a, kind) / getattr(b, kind) for a, b in measured]) for kind in ("cpu", "wall")
    )
    size = path.stat().st_size / 1e6
    print(f"{name:<13}{rows:>9,}{size:>7.1f}  {mine}  {other}{cpu:>8.1f}{wall:>8.1f}", flush=True)
    path.unlink()


def shown(runs: list[Usage]) -> str:
    """Return the medians: processor seconds, seconds, MB at the peak."""
    cpu, wall, peak = (median([getattr(run, kind) for run in runs]) for kind in ("cpu", "wall", "peak_mb"))
    return f"{cpu:>7.2f}{wall:>7.2f}{peak:>7.0f}"


def main() -> None:
    """Measure the formats asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("formats", nargs="*", choices=[[], *CASES])
    parser.add_argument("--rows", type=int, default=100_000)
    asked = parser.parse_args()
    print(f"{'':29}  {'reader':^21}  {'library':^21}{'ratio of':^16}")
    print(
        f"{'format':<13}{'rows':>9}{'MB':>7}  {'cpu s   wall     MB':>21}  {'cpu s   wall     MB':>21}{'cpu':>8}{'wall':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.formats or CASES:
            measure(name, asked.rows, Path(folder))


if __name__ == "__main__":
    main()
