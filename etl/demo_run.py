"""The demo: three synthetic hospitals from raw exports to a validated cohort, told step by step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from etl.association import AssociateOptions, associate
from etl.association_summary import summarise
from etl.demo import generate
from etl.ingest import IngestOptions, ingest
from etl.sites.mapping import load_sites
from etl.sql import render, run_sql
from etl.terminal import ingest_summary, validation_summary
from etl.validation import run_validation

# The planted defects leave a fatal finding open, which closes the gate; a study would have it mended instead.
DESPITE = "planted defects"
HELD = """
    select site, reason, count(*) as rows, min(locator) as first_at
    from quarantine.record, unnest(reasons) as held(reason) group by all order by site, reason
"""
BASELINE = """
    select
        cohort_group, count(*) as subjects, round(avg(b12), 1) as mean_b12_pg_ml, round(avg(irls), 1) as mean_irls
    from mart.subject_baseline group by all order by all
"""


def demo(out: Path, seed: int, tell: Callable[[str], object]) -> dict[str, Any]:
    """Generate, ingest, validate and query; tell each step; return the documents of all steps."""
    truth = generate(out, seed)
    warehouse = out / "warehouse.duckdb"
    tell(
        f"1. Exports of three synthetic hospitals are in {out / 'exports'}: {len(truth.files)} files, "
        f"{len(truth.subjects)} subjects, {len(truth.defects)} planted defects.\n"
    )
    tell(f"2. etl ingest {out / 'exports'} --sites {out / 'sites'} -w {warehouse}\n")
    loaded = ingest([str(out / "exports")], warehouse, IngestOptions(sites=load_sites(out / "sites")))
    tell(ingest_summary(loaded) + "\n")
    tell(f"3. etl validate -w {warehouse}\n")
    validated = run_validation(warehouse)
    tell(validation_summary(validated) + "\n")
    tell(f'4. etl sql -w {warehouse} "{_one_line(BASELINE)}"\n')
    tell(_shown(warehouse, BASELINE))
    tell("5. What was held, and where it stands in its file:\n")
    tell(_shown(warehouse, HELD))
    tell(f'6. etl associate -w {warehouse} --out {out / "association"} --who demo --despite "{DESPITE}"\n')
    options = AssociateOptions(despite=DESPITE, who="demo")
    tell(summarise(associate(warehouse, out / "association", options)) + "\n")
    tell(f"Look around: etl sql -w {warehouse} 'from mart.subject_baseline limit 5'")
    return {"ingest": loaded.document(), "validate": validated.document(), "planted": len(truth.defects)}


def _shown(warehouse: Path, query: str) -> str:
    return render(run_sql(warehouse, query), "table").decode()


def _one_line(query: str) -> str:
    return " ".join(query.split())
