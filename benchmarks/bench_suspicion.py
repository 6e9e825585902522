"""How often the values alone tell a wrong unit: right, wrong and abstaining verdicts on simulated hospitals.

    python benchmarks/bench_suspicion.py

Values are lognormal. Every site has a bias of its own (platform, diet; SD 0.17 of ln for vitamin B12), every month one
too. In half of the trials one site, or one of its months, has a unit that its label does not say. Right means: the
suspicion names that unit, or a unit that is as labelled fits. Forced is what a choice without abstention between the
two units would get right.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import Counter
from datetime import date
from math import log
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from etl.suspicion import Stratum, Suspicion, judge_strata, unit_shifts
from schemas.analytes import registry

# analyte, the unit as labelled, the unit in truth, median in the canonical unit, SD of ln within a site
CASES = (
    ("vitamin_b12", "pg/mL", "pmol/L", 350.0, 0.45),
    ("creatinine", "umol/L", "mg/dL", 75.0, 0.30),
    ("haemoglobin", "g/L", "g/dL", 140.0, 0.12),
    ("glucose", "mmol/L", "mg/dL", 5.2, 0.12),
    ("vitamin_d_25oh", "nmol/L", "ng/mL", 50.0, 0.40),
    ("folate", "ng/mL", "nmol/L", 9.0, 0.50),
)
COLUMNS = ("analyte", "labelled", "in truth", "compared with", "n", "right", "wrong", "abstains", "forced")
SITES, MONTHS, SITE_BIAS, MONTH_BIAS = 5, 12, 0.17, 0.04


def stratum(
    random_: random.Random, site: str, month: int | None, size: int, center: float, case: tuple
) -> Stratum:
    """Return a stratum of simulated results."""
    analyte, labelled, _, middle, spread = case
    logs = sorted(random_.gauss(log(middle) + center, spread) for _ in range(size))
    quarter = size // 4
    return Stratum(
        site=site,
        analyte=analyte,
        factor_id=registry()[analyte].conversion(labelled).factor_id,
        month=None if month is None else date(2023, month, 1),
        results=size,
        middle=statistics.median(logs),
        spread=(logs[-1 - quarter] - logs[quarter]) / 1.349,
        is_declared=False,
    )


def trial(random_: random.Random, case: tuple, size: int, *, by_month: bool, is_wrong: bool) -> Suspicion:
    """Return what is said of the first stratum, which is the one with the wrong unit if any."""
    shift = _shift(case) if is_wrong else 0.0
    if by_month:
        own = random_.gauss(0, SITE_BIAS)
        biases = [own + random_.gauss(0, MONTH_BIAS) for _ in range(MONTHS)]
        made = [("s", month) for month in range(1, MONTHS + 1)]
    else:
        biases = [random_.gauss(0, SITE_BIAS) for _ in range(SITES)]
        made = [(f"s{number}", None) for number in range(SITES)]
    strata = [
        stratum(random_, site, month, size, bias + (shift if place == 0 else 0), case)
        for place, ((site, month), bias) in enumerate(zip(made, biases, strict=True))
    ]
    return judge_strata(strata)[0]


def _shift(case: tuple) -> float:
    analyte, labelled, truth, *_ = case
    found = registry()[analyte]
    return unit_shifts(found, found.conversion(labelled).factor_id)[truth]


def rates(
    case: tuple, size: int, *, by_month: bool, trials: int = 300, seed: int = 20221
) -> dict[str, float]:
    """Return the shares of right, wrong and abstaining verdicts, half of the trials with a wrong unit."""
    random_ = random.Random(seed)
    counts: Counter[str] = Counter()
    for number in range(trials):
        is_wrong = number % 2 == 0
        said = trial(random_, case, size, by_month=by_month, is_wrong=is_wrong)
        named = case[2] in (said.looks_like or "").split(" or ")
        is_right = named if is_wrong else said.verdict == "fits"
        counts["abstains" if said.verdict == "undecided" else "right" if is_right else "wrong"] += 1
        counts["forced"] += _is_nearer(said, _shift(case)) == is_wrong
    return {name: counts[name] / trials for name in COLUMNS[5:]}


def _is_nearer(said: Suspicion, shift: float) -> bool:
    """Tell whether the median lies nearer to the other unit than to the stated one."""
    seen = log(said.times or 1.0)
    return abs(seen - shift) < abs(seen)


def table() -> list[tuple]:
    """Return a row (COLUMNS) for every case, comparison and size."""
    return [
        (*case[:3], word, size, *rates(case, size, by_month=by_month).values())
        for case in CASES
        for by_month, word in ((False, "other sites"), (True, "other months"))
        for size in (20, 100)
    ]


def main() -> None:
    """Print the table."""
    print(
        f"{COLUMNS[0]:<16}{COLUMNS[1]:<10}{COLUMNS[2]:<10}{COLUMNS[3]:<14}"
        + "".join(f"{c:>9}" for c in COLUMNS[4:])
    )
    for analyte, labelled, truth, witness, size, *shares in table():
        print(
            f"{analyte:<16}{labelled:<10}{truth:<10}{witness:<14}{size:>9}"
            + "".join(f"{s:>9.1%}" for s in shares)
        )


if __name__ == "__main__":
    main()
