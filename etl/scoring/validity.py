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

import polars as pl

from etl.scoring.forms import Form
from etl.scoring.version_checks import VERSION_CHECKS, Finding
from etl.scoring.wide import ID, forms_in
from schemas.instruments import Item, Version

MIN_ADMINISTRATIONS = 20  # below this no statement about a file is made
MIN_ANSWERS = 400  # so many answers without a single lowest one are a shift even when none exceeds the range
MAX_SHARE_LOWEST = 0.005  # typing errors tolerated in a shifted file
MIN_SHARE_SHIFTED = 0.98
MIN_BEYOND = 3
MAX_CORRELATION = 0.0  # turned items run against the rest; rightly coded ones with it
MIN_SHARE_CONSTANT = 0.10  # of administrations that give one and the same answer to every item
MAX_MEDIAN_LATENCY = 3  # minutes; a cohort that falls asleep that fast answered in hours
MAX_MEDIAN_SLEEP = 1.5  # hours; a spreadsheet keeps 7.5 hours as 0.3125 days
MIN_CLOCK_LIKE = 3
MIN_FORMS_SHIFTED = 3
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
_TEXTS = Path(__file__).with_name("file_findings.toml")


def file_findings(responses: pl.DataFrame) -> pl.DataFrame:
    """Return one row a suspicion about a file's instrument: counts, a statistic, a sentence, advice; never an answer.

    responses: administration_id, subject_id, instrument, version, item, value; value_source, if present, is preferred,
    so that answers that will be held are seen. One row an administration and item is expected.
    """
    texts = finding_texts()
    found = [
        {"instrument": form.instrument.id, "version": form.version_id, **one, **texts[one["check_id"]]}
        for form, rows in forms_in(responses)
        for answers in [_as_written(rows)]
        for check in _CHECKS
        for one in check(form, answers)
    ]
    return pl.DataFrame(found, schema=FILE_FINDING_SCHEMA)


def finding_texts() -> dict[str, dict[str, str]]:
    """Return what each finding about a file says, and what settles it."""
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def _as_written(rows: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value").cast(pl.Float64)
    if "value_source" in rows.columns:
        value = pl.coalesce(pl.col("value_source").str.strip_chars().cast(pl.Float64, strict=False), value)
    return rows.drop("instrument", "version").with_columns(value=value)


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


def _shifts(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


def _forms_shifted(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
    """Find single forms that go one beyond the range without a lowest answer, among forms that do not."""
    known = answers.filter(pl.col("value").is_not_null()).join(_limits(form.version), on="item")
    value, codes = pl.col("value"), _absent_codes(form.version)
    forms = known.group_by(ID).agg(
        ((value == pl.col("high") + 1) & ~pl.concat_str("item", value, separator="=").is_in(codes))
        .any()
        .alias("beyond"),
        (value == pl.col("low")).any().alias("lowest"),
    )
    shifted = forms.select((pl.col("beyond") & ~pl.col("lowest")).sum()).item()
    is_found = forms.height >= MIN_ADMINISTRATIONS and shifted >= MIN_FORMS_SHIFTED
    if is_found and not any(_shifts(form, answers)):
        yield {"check_id": "forms_shifted_up", "numerator": shifted, "denominator": forms.height}


def _absent_codes(version: Version) -> list[str]:
    return [f"{item.id}={float(code)}" for item in version.items.values() for code in item.absent_codes]


def _turned(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


def _constants(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


def _codes(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


def _units(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
    """Find latencies in hours, and hours of sleep as fractions of a day or as hours and minutes."""
    for check, kind, limit in (
        ("latency_in_hours", "minutes", MAX_MEDIAN_LATENCY),
        ("sleep_in_days", "hours", MAX_MEDIAN_SLEEP),
    ):
        items = [i.id for i in form.version.items.values() if i.kind == kind]
        column = answers.filter(pl.col("item").is_in(items))["value"].drop_nulls()
        median = column.median()
        if column.len() >= MIN_ADMINISTRATIONS and isinstance(median, float) and median < limit:
            yield {"check_id": check, "item": items[0], "denominator": column.len(), "statistic": median}


def _clock_like(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
    """Find hours such as 6.45 whose two decimals never pass 59: hours and minutes behind a point."""
    items = [i.id for i in form.version.items.values() if i.kind == "hours"]
    if not items or "value_source" not in answers.columns:
        return
    texts = answers.filter(pl.col("item").is_in(items))["value_source"].str.strip_chars()
    decimals = texts.str.extract(r"^[1-9]\d?[.,](\d\d)$").cast(pl.Int64).drop_nulls()
    odd = int((~decimals.is_in([0, 25, 50, 75])).sum())
    if decimals.len() >= MIN_ADMINISTRATIONS and odd >= MIN_CLOCK_LIKE and not (decimals >= 60).any():
        yield {
            "check_id": "sleep_hours_as_clock",
            "item": items[0],
            "numerator": odd,
            "denominator": decimals.len(),
        }


_CHECKS: tuple[Callable[[Form, pl.DataFrame], Iterator[Finding]], ...] = (
    _shifts,
    _forms_shifted,
    _turned,
    _constants,
    _codes,
    *VERSION_CHECKS,
    _units,
    _clock_like,
)
