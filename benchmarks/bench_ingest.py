"""Ingest against the plainest DuckDB load of the same file: time as a ratio within one run, and peak memory.

    .venv/bin/python benchmarks/bench_ingest.py [ROWS ...]      default: 1,000,000 and 5,000,000

The file is a laboratory export as an SDTM sender writes it: 14 columns, 116 bytes a row, 100,000 subjects, six
analytes of which one is out of scope. The plain load is `create table as select * from read_csv(...)`: no subject id,
no unit, no duplicate, no reconciliation.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import median, pairs

RUNS = 3
PYTHON = sys.executable
ETL = str(Path(PYTHON).with_name("etl"))
PLAIN = """
import duckdb, sys
with duckdb.connect(sys.argv[2]) as connection:
    connection.execute(f"create table export as select * from read_csv('{sys.argv[1]}')")
    connection.execute("checkpoint")
"""
HEADER = "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBCAT,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,VISITNUM,VISIT,LBDTC\n"
# code, name, unit, range, lowest and highest value in tenths, decimals
TESTS = [
    ("VITB12", "Vitamin B12", "pg/mL", "200", "900", 1000, 9000, 0),
    ("CREAT", "Creatinine", "mg/dL", "0.7", "1.4", 5, 20, 1),
    ("HGB", "Hemoglobin", "g/dL", "11.5", "15.8", 90, 170, 1),
    ("ALT", "Alanine Aminotransferase", "U/L", "6", "35", 50, 900, 0),
    ("CHOL", "Cholesterol", "mg/dL", "149", "286", 1000, 3000, 0),
    ("K", "Potassium", "mEq/L", "3.4", "5.4", 30, 60, 1),
]


def write_export(path: Path, rows: int, block: int = 100_000) -> None:
    """Write the export; the same number of rows makes the same bytes."""
    random = np.random.default_rng(1)
    with path.open("w") as file:
        file.write(HEADER)
        for start in range(0, rows, block):
            number = min(block, rows - start)
            kind = random.integers(0, len(TESTS), number)
            subject = random.integers(1, 100_000, number)
            minute = random.integers(0, 1500 * 1440, number).astype("m8[m]")
            drawn = np.datetime_as_string(np.datetime64("2013-01-01T00:00") + minute, unit="m")
            share = random.random(number)
            file.writelines(
                _line(start + at, TESTS[kind[at]], subject[at], share[at], drawn[at]) for at in range(number)
            )


def _line(at: int, test: tuple, subject: int, share: float, drawn: str) -> str:
    code, name, unit, low, high, least, most, decimals = test
    value = f"{(least + share * (most - least)) / 10:.{decimals}f}"
    return (
        f"CDISCPILOT01,LB,01-701-{subject:05d},{at}.0,{code},{name},CHEMISTRY,{value},{unit},{low},{high},"
        f"1.0,SCREENING 1,{drawn}\n"
    )


def measure(folder: Path, rows: int) -> None:
    """Measure one size and print it."""
    export, ours, theirs = folder / "lb.csv", folder / "ours", folder / "plain.duckdb"
    write_export(export, rows)

    def reset() -> None:
        shutil.rmtree(ours, ignore_errors=True)
        theirs.unlink(missing_ok=True)

    ingest = [ETL, "ingest", str(export), "--site", "bench", "-w", str(ours / "w.duckdb"), "--quiet"]
    measured = pairs(ingest, [PYTHON, "-c", PLAIN, str(export), str(theirs)], RUNS, reset)
    ratio = median([a.wall / b.wall for a, b in measured])
    print(
        f"{rows:>10,} rows  {export.stat().st_size / 1e6:>5.0f} MB  "
        f"ingest {median([a.wall for a, _ in measured]):6.1f} s {median([a.peak_mb for a, _ in measured]):6.0f} MB  "
        f"plain {median([b.wall for _, b in measured]):6.1f} s {median([b.peak_mb for _, b in measured]):6.0f} MB  "
        f"ratio {ratio:.2f}",
        flush=True,
    )


def main() -> None:
    """Measure every size that was asked for."""
    sizes = [int(size.replace(",", "").replace("_", "")) for size in sys.argv[1:]] or [1_000_000, 5_000_000]
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), rows)


if __name__ == "__main__":
    main()
