"""What cannot be right with a whole file: answers that are shifted, turned, constant, or of another version.

Works on the answers as written, before any is held, because what is held is the evidence. The thresholds are set for
cohorts of 80, to find at least 95 % of the defects with a false alarm in at most 1 % of clean files;
benchmarks/bench_scoring.py measures it on simulated cohorts. Two things stay out of reach: an item that always has its
lowest score, which healthy cohorts give honestly, and a wrong version whose ranges no answer happens to exceed.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from etl.scoring.forms import Form
from etl.scoring.wide import ID, forms_in, spread
from schemas.instruments import Item, Version

MIN_ADMINISTRATIONS = 20  # below this no statement about a file is made
MIN_ANSWERS = 400  # so many answers without a single lowest one are a shift even when none exceeds the range
MAX_SHARE_LOWEST = 0.005  # typing errors tolerated in a shifted file
MIN_SHARE_SHIFTED = 0.98
MIN_BEYOND = 3
MAX_CORRELATION = 0.0  # turned items run against the rest; rightly coded ones with it
MIN_SHARE_CONSTANT = 0.10  # of administrations that give one and the same answer to every item
MIN_WRONG_TOTALS = 3
MIN_SHARE_EXPLAINED = 0.90
MAX_MEDIAN_LATENCY = 3  # minutes; a cohort that falls asleep that fast answered in hours
MISSING_CODES = (7.0, 8.0, 9.0, 77.0, 88.0, 99.0, 777.0, 888.0, 999.0, -1.0, -7.0, -8.0, -9.0, -99.0)

FILE_FINDING_SCHEMA = pl.Schema(
    {
        "check_id": pl.String,
        "instrument": pl.String,
        "version": pl.String,
        "item": pl.String,
        "numerator": pl.Int64,
        "denominator": pl.Int64,
        "statistic": pl.Float64,
        "sentence": pl.String,
        "advice": pl.String,
    }
)
_Finding = dict[str, Any]
_TEXTS = Path(__file__).with_name("file_findings.toml")


def file_findings(responses: pl.DataFrame) -> pl.DataFrame:
    """Return one row a suspicion about a file's instrument: counts, a statistic, a sentence, advice; never an answer.

    responses: administration_id, subject_id, instrument, version, item, value; value_source, if present, is preferred,
    so that answers that will be held are seen. One row an administration and item is expected.
    """
    texts = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
    found = [
        {"instrument": form.instrument.id, "version": form.version_id, **one, **texts[one["check_id"]]}
        for form, rows in forms_in(responses)
        for check in _CHECKS
        for one in check(form, _as_written(rows))
    ]
    return pl.DataFrame(found, schema=FILE_FINDING_SCHEMA)


def _as_written(rows: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value").cast(pl.Float64)
    if "value_source" in rows.columns:
        value = pl.coalesce(pl.col("value_source").str.strip_chars().cast(pl.Float64, strict=False), value)
    return rows.with_columns(value=value)


def _counted(version: Version) -> list[Item]:
    return [
        i
        for i in version.items.values()
        if i.is_scored and i.kind in {"answer", "yes_no"} and i.high is not None
    ]


def _limits(version: Version) -> pl.DataFrame:
    items = _counted(version)
    return pl.DataFrame(
        {"item": [i.id for i in items], "low": [i.low for i in items], "high": [i.high for i in items]},
        schema={"item": pl.String, "low": pl.Float64, "high": pl.Float64},
    )


def _matrix(answers: pl.DataFrame, items: Sequence[str]) -> pl.DataFrame:
    """Return one row an administration, one column an item that the file has."""
    own = answers.filter(pl.col("item").is_in(list(items)), pl.col("value").is_not_null())
    return own.pivot("item", index=ID, values="value", aggregate_function="first")


def _shifts(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    value = pl.col("value")
    known = answers.filter(value.is_not_null()).join(_limits(form.version), on="item")
    if known[ID].n_unique() < MIN_ADMINISTRATIONS:
        return
    for name, by, near, far in (
        ("items_shifted_up", 1, "low", "high"),
        ("items_shifted_down", -1, "high", "low"),
    ):
        n, at_end, beyond, fits = known.select(
            pl.len(),
            (value == pl.col(near)).sum(),
            (value == pl.col(far) + by).sum().alias("beyond"),
            (value - by).is_between("low", "high").sum().alias("fits"),
        ).row(0)
        is_shifted = at_end <= MAX_SHARE_LOWEST * n and fits >= MIN_SHARE_SHIFTED * n
        if is_shifted and (beyond >= MIN_BEYOND or (by > 0 and n >= MIN_ANSWERS)):
            yield {"check_id": name, "numerator": beyond, "denominator": n}


def _turned(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    version = form.version
    for check, group in (
        ("reversed_items_wrong", version.reversed_items),
        ("option_position", version.printed_descending),
    ):
        correlation, n = _group_correlation(version, answers, group)
        if correlation is not None and correlation < MAX_CORRELATION:
            yield {"check_id": check, "denominator": n, "statistic": correlation}


def _group_correlation(
    version: Version, answers: pl.DataFrame, group: Sequence[str]
) -> tuple[float | None, int]:
    """Correlate the mean of a group of items with the mean of the rest, each as scored."""
    matrix = _matrix(answers, [i.id for i in _counted(version)])
    present = [i for i in _counted(version) if i.id in matrix.columns]
    inside = [_as_scored(i, version) for i in present if i.id in group]
    outside = [_as_scored(i, version) for i in present if i.id not in group]
    if matrix.height < MIN_ADMINISTRATIONS or not inside or not outside:
        return None, matrix.height
    r = matrix.select(pl.corr(pl.mean_horizontal(inside), pl.mean_horizontal(outside))).item()
    return (None if r is None or math.isnan(r) else float(r)), matrix.height


def _as_scored(item: Item, version: Version) -> pl.Expr:
    value = pl.col(item.id)
    is_turned = item.is_reversed and version.reversal == "scoring"
    return (item.low or 0) + (item.high or 0) - value if is_turned else value


def _constants(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    items = _counted(form.version)
    matrix = _matrix(answers, [i.id for i in items])
    present = [i for i in items if i.id in matrix.columns]
    if matrix.height < MIN_ADMINISTRATIONS or len(present) < 2:
        return
    for item in present:
        column = matrix.select(_as_scored(item, form.version).drop_nulls()).to_series()
        if column.len() >= MIN_ADMINISTRATIONS and column.n_unique() == 1 and column[0] != item.low:
            yield {
                "check_id": "constant_item",
                "item": item.id,
                "numerator": column.len(),
                "denominator": matrix.height,
            }
    if all((i.high or 0) - (i.low or 0) <= 1 for i in present):
        return  # with two answers, "all highest" is an honest extreme: severe cohorts give it
    names = [i.id for i in present]
    lowest = max(i.low or 0 for i in present)
    is_flat = (pl.min_horizontal(names) == pl.max_horizontal(names)) & (pl.min_horizontal(names) > lowest)
    flat = matrix.select(is_flat.sum()).item()
    if flat >= MIN_SHARE_CONSTANT * matrix.height:
        yield {"check_id": "constant_answers", "numerator": flat, "denominator": matrix.height}


def _codes(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    for item in form.version.items.values():
        column = answers.filter(pl.col("item") == item.id)["value"].drop_nulls()
        if item.kind != "answer" or item.high is None or column.is_empty():
            continue
        low, high = item.low or 0, item.high
        codes = [c for c in MISSING_CODES if not low - 1 <= c <= high + 1]
        for check, listed in (
            ("missing_code", codes),
            ("not_assessed_code", [float(c) for c in item.absent_codes]),
        ):
            if n := column.is_in(listed).sum():
                yield {"check_id": check, "item": item.id, "numerator": n, "denominator": column.len()}


def _versions(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    others = [v for v in form.instrument.versions.values() if v.id != form.version_id]
    known = {*form.version.scales, *(name for v in others for name in v.scales)}
    for (name,), rows in answers.filter(~pl.col("item").is_in(list(known))).group_by("item"):
        item, column = form.version.items.get(str(name)), rows["value"].drop_nulls()
        counts = {"item": str(name), "denominator": rows.height}
        if item is None:
            yield {"check_id": "item_of_another_version", "numerator": rows.height, **counts}
            continue
        if item.kind == "answer" and item.step == 1 and (n := (column % 1 != 0).sum()):
            yield {"check_id": "fraction_in_whole_items", "numerator": n, **counts}
        if item.high is not None and (n := _fitting_elsewhere(item, others, column)):
            yield {"check_id": "range_of_another_version", "numerator": n, **counts}


def _fitting_elsewhere(item: Item, others: Sequence[Version], column: pl.Series) -> int:
    """Count answers above the item's range that the same item allows in another version."""
    codes = {float(c) for c in item.absent_codes}
    highest = max((v.items[item.id].high or 0 for v in others if item.id in v.items), default=0)
    beyond = column.filter((column > (item.high or 0)) & (column <= highest) & ~column.is_in(list(codes)))
    return beyond.len()


def _totals(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    """Compare the totals that miss their items with every other score of the same items."""
    stated = answers.filter(pl.col("item") == "total", pl.col("value").is_not_null()).select(
        ID, stated="value"
    )
    if stated.is_empty() or "total" not in form.version.scales:
        return
    own = _score_columns(form, answers).join(stated, on=ID)
    computed = f"{form.version.id}/total"
    if computed not in own.columns:
        return  # totals without all of their items
    wrong = own.filter((pl.col(computed) - pl.col("stated")).abs() > 0.005)
    if wrong.height < MIN_WRONG_TOTALS:
        return
    for name in own.columns:
        if "/" in name and name != computed:
            n = wrong.select((pl.col(name) == pl.col("stated")).sum()).item()
            if n >= MIN_SHARE_EXPLAINED * wrong.height:
                yield {
                    "check_id": "total_of_another_score",
                    "item": name,
                    "numerator": n,
                    "denominator": wrong.height,
                }


def _score_columns(form: Form, answers: pl.DataFrame) -> pl.DataFrame:
    """Return every score that the items allow in any version, one column `version/scale`."""
    found = answers.select(ID).unique()
    present = set(answers["item"].unique())
    for version in form.instrument.versions.values():
        if version.is_variant or not set(version.scored_items) <= present:
            continue
        wide = spread(Form(form.instrument, version, version.id, version.items), answers)
        scales = [s.id for s in version.scales.values() if not s.is_hidden and s.rule != "none"]
        found = found.join(wide.select(ID, pl.col(scales).name.prefix(f"{version.id}/")), on=ID, how="left")
    return found


def _latency(form: Form, answers: pl.DataFrame) -> Iterator[_Finding]:
    minutes = [i.id for i in form.version.items.values() if i.kind == "minutes"]
    column = answers.filter(pl.col("item").is_in(minutes))["value"].drop_nulls()
    median = column.median()
    if column.len() >= MIN_ADMINISTRATIONS and isinstance(median, float) and median < MAX_MEDIAN_LATENCY:
        yield {
            "check_id": "latency_in_hours",
            "item": minutes[0],
            "denominator": column.len(),
            "statistic": median,
        }


_CHECKS: tuple[Callable[[Form, pl.DataFrame], Iterator[_Finding]], ...] = (
    _shifts,
    _turned,
    _constants,
    _codes,
    _versions,
    _totals,
    _latency,
)
