"""Time the scoring of one million PSQI administrations, and measure what the file checks find and miss.

Run from the project's root: python benchmarks/bench_scoring.py [time|power] [seeds]

The power measure draws cohorts of 80 from a graded response model: one latent trait, item loadings 0.45-0.75, item
thresholds spread over the trait. Severities run from healthy to severely ill. A defect is planted in a clean cohort; it
counts as found when its own check reports it. A false alarm is any finding in a clean cohort.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from etl.scoring.answers import parse_responses
from etl.scoring.score import score
from etl.scoring.validity import file_findings
from schemas.instruments import INSTRUMENTS, Version

SEED = 20221
COHORT = 80
POWER = 0.95
LOADINGS = (0.45, 0.75)
WEAK = (0.25, 0.50)  # a scale that hangs together poorly: the hard case for checks by correlation
SEVERITIES = {"healthy": -0.7, "mixed": 0.0, "patients": 0.5, "severe": 1.0}
Defect = Callable[[Version, np.ndarray, np.random.Generator], np.ndarray]
SCORED = (
    "irls_10", "hama_14", "hamd_17", "hamd_24", "hads_14", "phq_9", "gad_7", "isi_7", "ess_8", "bdi_ia", "bdi_ii", "sas_20",
    "sds_20", "gds_15", "gds_30",
)  # fmt: skip
WRONG_TOTALS = (("hamd_24", "hamd_17"), ("sds_20", "index"), ("irls_10", "symptoms"))
VERSIONS = {v.id: v for i in INSTRUMENTS.values() for v in i.versions.values()}


def shift(by: int) -> Defect:
    return lambda _version, answers, _rng: answers + by


def draw_cohort(
    version: Version, severity: float, rng: np.random.Generator, loadings: tuple[float, float] = LOADINGS
) -> np.ndarray:
    """Return clean answers as coded in a right export, one row a subject, one column a scored item."""
    trait = rng.normal(severity, 1, COHORT)
    columns = []
    for name in version.scored_items:
        item = version.items[name]
        low, high = int(item.low or 0), int(item.high or 0)
        loading = rng.uniform(*loadings)
        latent = loading * trait + np.sqrt(1 - loading**2) * rng.normal(size=COHORT)
        thresholds = rng.uniform(-0.5, 1.0) + np.arange(high - low) * rng.uniform(0.5, 0.8)
        points = (latent[:, None] > thresholds).sum(axis=1) + low
        is_turned = item.is_reversed and version.reversal == "scoring"
        columns.append(low + high - points if is_turned else points)
    return np.column_stack(columns).astype(float)


def as_responses(version: Version, answers: np.ndarray) -> pl.DataFrame:
    """Return a matrix of answers as long responses."""
    table = pl.DataFrame(answers, schema=list(version.scored_items), orient="row").fill_nan(None)
    long = table.with_row_index("administration_id").unpivot(index="administration_id", variable_name="item")
    return long.with_columns(
        pl.col("administration_id").cast(pl.String),
        subject_id=pl.col("administration_id").cast(pl.String),
        instrument=pl.lit(version.instrument),
        version=pl.lit(version.id),
    )


def turn(version: Version, answers: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    turned = answers.copy()
    for at, name in enumerate(version.scored_items):
        if name in names:
            item = version.items[name]
            turned[:, at] = (item.low or 0) + (item.high or 0) - answers[:, at]
    return turned


def turn_reversed(version: Version, answers: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    return turn(version, answers, version.reversed_items)


def option_position(version: Version, answers: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    return turn(version, answers, version.printed_descending)


def constant_item(version: Version, answers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill one item with the answer that scores highest."""
    return _filled(version, answers, rng, is_highest=True)


def constant_at_lowest(version: Version, answers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill one item with the answer that scores lowest: on purpose not reported, since healthy cohorts give it."""
    return _filled(version, answers, rng, is_highest=False)


def _filled(
    version: Version, answers: np.ndarray, rng: np.random.Generator, *, is_highest: bool
) -> np.ndarray:
    filled, at = answers.copy(), rng.integers(answers.shape[1])
    item = version.items[version.scored_items[at]]
    is_turned = item.is_reversed and version.reversal == "scoring"
    filled[:, at] = item.high if is_highest != is_turned else item.low
    return filled


def constant_answers(version: Version, answers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    filled = answers.copy()
    rows = rng.choice(len(answers), size=len(answers) * 3 // 10, replace=False)
    filled[rows] = 1 + max(version.items[i].low or 0 for i in version.scored_items)
    return filled


def missing_code(_version: Version, answers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    coded = answers.copy()
    coded[rng.random(answers.shape) < 0.01] = 99
    return coded


def half_points(_version: Version, answers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where((rng.random(answers.shape) < 0.02) & (answers > 0), answers - 0.5, answers)


def shift_half(_version: Version, answers: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    """Shift every second form up by one: files of two codings put together."""
    shifted = answers.copy()
    shifted[::2] += 1
    return shifted


def mix(short: str) -> Defect:
    """Leave out in every second form what a shorter version does not ask."""

    def _mixed(version: Version, answers: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
        mixed = answers.copy()
        extra = [at for at, name in enumerate(version.scored_items) if name not in VERSIONS[short].items]
        mixed[np.ix_(np.arange(0, len(answers), 2), extra)] = np.nan
        return mixed

    return _mixed


def defects() -> Iterator[tuple[str, str, Defect, str]]:
    """Yield (expected check, version of the answers, defect, version that is declared)."""
    for name in SCORED:
        yield "items_shifted_up", name, shift(1), name
        if name not in {"sas_20", "sds_20"}:  # there the reversed items turn with the shift; see below
            yield "forms_shifted_up", name, shift_half, name
        yield "constant_item", name, constant_item, name
        yield "missing_code", name, missing_code, name
        if VERSIONS[name].reversed_items:
            yield "reversed_items_wrong", name, turn_reversed, name
        if not name.startswith("gds"):
            yield "constant_answers", name, constant_answers, name
    yield "items_shifted_down", "sas_20", shift(-1), "sas_20"
    yield "items_shifted_down", "sds_20", shift(-1), "sds_20"
    yield "option_position", "hads_14", option_position, "hads_14"
    yield "fraction_in_whole_items", "bdi_ii", half_points, "bdi_ii"
    yield "range_of_another_version", "hamd_24", lambda _v, a, _r: a, "hamd_24_item7_max2"
    yield "item_of_another_version", "gds_30", lambda _v, a, _r: a, "gds_15"
    yield "forms_of_several_versions", "hamd_24", mix("hamd_17"), "hamd_24"
    yield "forms_of_several_versions", "hamd_21", mix("hamd_17"), "hamd_21"
    yield "forms_of_several_versions", "gds_30", mix("gds_15"), "gds_30"


def is_found(
    case: tuple[str, str, Defect, str], severity: float, seed: int, loadings: tuple[float, float] = LOADINGS
) -> bool:
    """Plant one defect in one cohort and tell whether its own check reports it."""
    check, source, defect, declared = case
    rng, version = np.random.default_rng(seed), VERSIONS[source]
    answers = defect(version, draw_cohort(version, severity, rng, loadings), rng)
    responses = as_responses(version, answers).with_columns(version=pl.lit(declared))
    return check in file_findings(responses)["check_id"].to_list()


def finds_wrong_total(source: str, stated: str, severity: float, seed: int) -> bool:
    """State another score of the same items as the total and tell whether it is named."""
    version = VERSIONS[source]
    responses = as_responses(version, draw_cohort(version, severity, np.random.default_rng(seed)))
    other = score(responses).filter(pl.col("scale") == stated)
    totals = other.with_columns(item=pl.lit("total")).select(responses.columns)
    stated_too = pl.concat([responses, totals])
    return "total_of_another_score" in file_findings(stated_too)["check_id"].to_list()


def false_alarms(
    name: str, severity: float, seed: int, loadings: tuple[float, float] = LOADINGS
) -> list[str]:
    """Return the findings in one clean cohort."""
    version = VERSIONS[name]
    answers = draw_cohort(version, severity, np.random.default_rng(seed), loadings)
    return file_findings(as_responses(version, answers))["check_id"].to_list()


def measure(seeds: int) -> None:
    print(f"cohorts of {COHORT}, {seeds} seeds each; share found, by severity")
    found: dict[str, list[float]] = {}
    for case in defects():
        title = f"{case[0]} in {case[3]}"
        found[title] = _print_shares(title, lambda mu, seed, c=case: is_found(c, mu, seed), seeds)
        if case[0] in {"reversed_items_wrong", "option_position"}:
            _print_shares("... weak items", lambda mu, seed, c=case: is_found(c, mu, seed, WEAK), seeds)
    for source, stated in WRONG_TOTALS:
        title = f"total = {stated} in {source}"
        found[title] = _print_shares(
            title, lambda mu, s, a=source, b=stated: finds_wrong_total(a, b, mu, s), seeds
        )
    print("blind on purpose, by severity")
    for name in ("irls_10", "sds_20"):
        case = ("constant_item", name, constant_at_lowest, name)
        _print_shares(
            f"constant_item at the lowest in {name}", lambda mu, s, c=case: is_found(c, mu, s), seeds
        )
    print("share of clean files with any finding, by severity")
    alarms: list[float] = []
    for name in SCORED:
        alarms += _print_shares(name, lambda mu, seed, n=name: bool(false_alarms(n, mu, seed)), seeds)
        alarms += _print_shares(
            "... weak items", lambda mu, seed, n=name: bool(false_alarms(n, mu, seed, WEAK)), seeds
        )
    _print_summary(found, alarms, seeds)


def _print_summary(found: dict[str, list[float]], alarms: list[float], seeds: int) -> None:
    at = list(SEVERITIES).index("patients")
    weak = [f"{title} {shares[at]:.3f}" for title, shares in found.items() if shares[at] < POWER]
    every = [f"{title} {min(shares):.3f}" for title, shares in found.items() if min(shares) < POWER]
    print(
        f"power below {POWER:.0%} in patients: {', '.join(weak) or 'none'} (of {len(found)} planted defects)"
    )
    print(f"power below {POWER:.0%} at some severity (lowest): {', '.join(every) or 'none'}")
    print(
        f"false alarms: {np.mean(alarms):.4f} of {len(alarms) * seeds:,} clean files; at worst {max(alarms):.3f}"
    )


def _print_shares(title: str, trial: Callable[[float, int], bool], seeds: int) -> list[float]:
    shares = [float(np.mean([trial(mu, seed) for seed in range(seeds)])) for mu in SEVERITIES.values()]
    text = " ".join(f"{name} {share:.3f}" for name, share in zip(SEVERITIES, shares, strict=True))
    print(f"  {title:52} {text}", flush=True)
    return shares


def psqi_responses(administrations: int) -> pl.DataFrame:
    """Return complete PSQI answers in random row order, as texts and as values."""
    rng = np.random.default_rng(SEED)
    ids = pl.Series("administration_id", [f"{n:032x}" for n in range(administrations)])
    quarters = {"1": (84, 96), "3": (24, 32), "4": (12, 34)}
    parts = []
    for name in VERSIONS["order_a"].scored_items:
        low, high = quarters.get(name, (0, 120) if name == "2" else (0, 4))
        values = rng.integers(low, high, administrations) / (4 if name in quarters else 1)
        parts.append(pl.select(administration_id=ids, item=pl.lit(name), value=pl.Series(values)))
    rows = pl.concat(parts).sample(fraction=1, shuffle=True, seed=SEED)
    return rows.with_columns(
        subject_id=pl.col("administration_id"),
        instrument=pl.lit("psqi"),
        version=pl.lit("order_a"),
        value_source=pl.col("value").cast(pl.String),
        absent_reason=pl.lit(None, pl.String),
    )


def clock(administrations: int) -> None:
    responses = psqi_responses(administrations)
    texts = responses.drop("value", "absent_reason")
    wide = responses.select("administration_id", "item", "value")
    scored, plain, read = (
        timed(lambda: score(responses)),
        timed(
            lambda: wide.pivot("item", index="administration_id", values="value", aggregate_function="max")
        ),
        timed(lambda: parse_responses(texts)),
    )
    for what, (wall, used) in (
        (f"score {administrations:,} PSQI administrations, eight scores each", scored),
        ("pivot the same answers, and nothing else (polars)", plain),
        (f"read {texts.height:,} answers", read),
    ):
        print(f"{what}: {wall:.1f} s ({used:.1f} s of processor time)")
    print(f"scoring takes {scored[1] / plain[1]:.2f} times the processor time of the pivot")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the wall and processor seconds of some work."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - cpu


if __name__ == "__main__":
    what, count = (*sys.argv[1:], "time")[0], int((*sys.argv[2:], "0")[0])
    if what == "power":
        measure(count or 200)
    else:
        clock(count or 1_000_000)
