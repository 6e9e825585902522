"""What in a file of answers speaks for another version of the scale: its items, ranges, half points, and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import polars as pl

from etl.scoring.forms import Form
from etl.scoring.wide import ID, spread
from schemas.instruments import Item, Version

MIN_WRONG_TOTALS = 3
MIN_SHARE_EXPLAINED = 0.90
MIN_FORMS = 3  # so many forms, and this share of the file, that answer exactly the items of a version
MIN_SHARE_FORMS = 0.05
Finding = dict[str, Any]


def _mixed(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
    """Find files in which forms answer exactly the items of different versions."""
    versions = [v for v in form.instrument.versions.values() if not v.is_variant]
    items = {item for v in versions for item in v.scored_items}
    if len({v.scored_items for v in versions}) < 2:
        return
    answered = answers.filter(pl.col("item").is_in(list(items)), pl.col("value").is_not_null())
    sets = answered.group_by(ID).agg(pl.col("item").unique().sort().str.join(" "))["item"]
    counted = dict(sets.value_counts().iter_rows())
    found = {v.scored_items: counted.get(" ".join(sorted(v.scored_items)), 0) for v in versions}
    many = [n for n in found.values() if n >= max(MIN_FORMS, MIN_SHARE_FORMS * sets.len())]
    if len(many) > 1:
        yield {
            "check_id": "forms_of_several_versions",
            "numerator": sum(many) - max(many),
            "denominator": sets.len(),
        }


def _versions(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


def _totals(form: Form, answers: pl.DataFrame) -> Iterator[Finding]:
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


VERSION_CHECKS: Final[tuple[Callable[[Form, pl.DataFrame], Iterator[Finding]], ...]] = (
    _versions,
    _totals,
    _mixed,
)
