"""Make the demo: exports of three hospitals, a mapping for each, and the answer key."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from etl.demo.cohort import PAIRS, make_cohort
from etl.demo.defects import load_plants
from etl.demo.hospital import Hospital
from etl.demo.lakeside import lakeside_exports
from etl.demo.lindental import lindental_exports
from etl.demo.panel import MOST_FOLLOW_UPS, Draw, Panel, follow_up_draws, index_draws, load_panel
from etl.demo.truth import DemoTruth
from etl.demo.writer import write_export
from etl.demo.yuhe import yuhe_exports

EXPORTERS = {"yuhe": yuhe_exports, "lindental": lindental_exports, "lakeside": lakeside_exports}


def generate(out: Path, seed: int = 20221, scale: int = 1, *, defects: bool = True) -> DemoTruth:
    """Write `exports/<site>/`, `sites/<site>.yaml` and `truth.json` below the folder and return the truth.

    The same seed gives the same bytes. `scale` is the number of later laboratory draws a subject; the cohort and its
    index visits do not change with it. Without defects every row is clean. Raises ValueError for a scale out of range.
    """
    if not 1 <= scale <= MOST_FOLLOW_UPS:
        raise ValueError(f"scale must be between 1 and {MOST_FOLLOW_UPS}")
    panel = load_panel()
    rng = np.random.default_rng(seed)
    cohort = make_cohort(rng, panel)
    draws = index_draws(rng, panel, cohort)
    plants = load_plants() if defects else []
    written = [
        write_export(export, plants, out / "exports")
        for site, exporter in EXPORTERS.items()
        for export in exporter(_hospital(site, panel, draws, seed, scale))
    ]
    truth = DemoTruth(
        seed=seed,
        scale=scale,
        subjects=tuple(cohort),
        files=tuple(file for file, _ in written),
        defects=tuple(defect for _, planted in written for defect in planted),
    )
    _write_mappings(out / "sites")
    truth.write(out / "truth.json")
    return truth


def _hospital(site: str, panel: Panel, draws: list[Draw], seed: int, scale: int) -> Hospital:
    own = [draw for draw in draws if draw.subject.site == site]
    stream = [seed, 1 + list(PAIRS).index(site)]  # a trailing 0 would repeat the cohort's own stream
    return Hospital(
        panel=panel,
        draws=tuple(own),
        follow_ups=lambda: follow_up_draws(np.random.default_rng(stream), panel, own, scale),
    )


def _write_mappings(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for site in EXPORTERS:
        text = (files("etl.demo") / f"{site}.yaml").read_bytes()
        (folder / f"{site}.yaml").write_bytes(text)
