"""Turn answer texts into values: each distinct text once, then joined back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import polars as pl

from etl.scoring.forms import Form, form_of
from etl.scoring.texts import (
    fold,
    read_clock,
    read_hours,
    read_labelled,
    read_lettered,
    read_minutes,
    read_number,
)
from schemas.errors import DefinitionError
from schemas.instruments import Item, ItemKind
from schemas.instruments.loader import load_grammar

KEYS = ["instrument", "version", "item", "value_source"]
_PARSED = {"value": pl.Float64, "absent_reason": pl.String, "reason": pl.String}
_READERS: Mapping[ItemKind, Callable[[str], float | None]] = {
    "answer": read_number,
    "number": read_number,
    "clock": read_clock,
    "minutes": read_minutes,
    "hours": read_hours,
    "yes_no": read_number,
}


class Answer(NamedTuple):
    """A value, or why there is none: absent (accepted without a value) or a reason to hold it."""

    value: float | None = None
    absent_reason: str | None = None
    reason: str | None = None


def parse_responses(frame: pl.DataFrame, missing: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Add value, absent_reason and reason to responses, by instrument, version, item and value_source.

    frame: those four as String; version may be null. An absent_reason already present is kept and leaves the value
    null. missing: what a site declares, text -> absent reason. Clock times become decimal hours, PSQI latency minutes,
    sleep hours. value, absent_reason and reason are never set together; reason is an id of schemas/reasons.toml.
    """
    declared = {fold(text): reason for text, reason in (missing or {}).items()}
    given = "absent_reason" in frame.columns
    known = (
        frame.rename({"absent_reason": "_given"})
        if given
        else frame.with_columns(_given=pl.lit(None, pl.String))
    )
    distinct = known.select(KEYS).unique()
    answers = [parse_answer(i, v, item, text, declared) for i, v, item, text in distinct.iter_rows()]
    parsed = distinct.hstack(pl.DataFrame(answers, schema=_PARSED, orient="row"))
    joined = known.join(parsed, on=KEYS, how="left", nulls_equal=True, maintain_order="left")
    was_given = pl.col("_given").is_not_null()
    return joined.with_columns(
        value=pl.when(~was_given).then("value"),
        absent_reason=pl.coalesce("_given", "absent_reason"),
        reason=pl.when(~was_given).then("reason"),
    ).drop("_given")


def parse_answer(
    instrument: str,
    version: str | None,
    item: str,
    text: str | None,
    missing: Mapping[str, str] | None = None,
) -> Answer:
    """Read one answer. missing: folded text -> absent reason."""
    try:
        form = form_of(instrument, version)
    except DefinitionError:
        return Answer(reason="bad_code")
    plain = fold(text or "")
    if absent := (missing or {}).get(plain) or _absent_words().get(plain):
        return Answer(absent_reason=absent)
    if item in form.items:
        return _read_item(form, form.items[item], plain)
    if item in form.version.scales and not form.version.scales[item].is_hidden:
        return _read_score(form, item, plain)
    return Answer(reason="version_unresolved" if form.version_id is None else "item_out_of_range")


def _read_score(form: Form, scale: str, text: str) -> Answer:
    """Read a reported total or component."""
    if form.is_total_open:
        return Answer(reason="version_unresolved")
    value = read_number(text)
    if value is None:
        return Answer(reason="bad_number")
    definition = form.version.scales[scale]
    return _within(value, definition.low, definition.high)


def _read_item(form: Form, item: Item, text: str) -> Answer:
    if item.kind == "text":  # that a text is there is all that scoring needs; 无 says that there is none
        return Answer(absent_reason="empty") if _yes_or_no(text) == "no" else Answer(value=1)
    if item.id in form.open_items:
        return Answer(reason=form.instrument.unresolved_reason)
    value = _read_value(form, item, text)
    if value is None:
        return Answer(reason="bad_number")
    if absent := item.absent_codes.get(f"{value:g}"):
        return Answer(absent_reason=absent)
    answer = _within(value, item.low, item.high)
    is_between_steps = item.kind in {"answer", "yes_no"} and (value / item.step) % 1 != 0
    return Answer(reason="item_not_integer") if answer.reason is None and is_between_steps else answer


def _read_value(form: Form, item: Item, text: str) -> float | None:
    labelled = read_labelled(text) if item.kind in {"answer", "yes_no"} else None
    word = _points(form, item, text)
    if word is None and labelled:  # the label says what was chosen; the number may be the option's place
        word = _points(form, item, labelled[1])
    if word is not None:
        return word
    if item.has_letters and (digit := read_lettered(text)) is not None:
        return digit
    return labelled[0] if labelled else _READERS[item.kind](text)


def _points(form: Form, item: Item, text: str) -> float | None:
    """Return what a known answer in words counts."""
    points = form.version.answers
    word = points.get(text, points.get(_yes_or_no(text)) if "yes" in points else None)
    if word is not None:
        turned = item.is_reversed and form.version.reversal == "words"
        return (item.low or 0) + (item.high or 0) - word if turned else word
    return float(_yes_or_no(text) == "yes") if item.kind == "yes_no" and _yes_or_no(text) else None


def _within(value: float, low: float | None, high: float | None) -> Answer:
    if (low is not None and value < low) or (high is not None and value > high):
        return Answer(reason="item_out_of_range")
    return Answer(value=value)


def _yes_or_no(text: str) -> str:
    points = _grammar()["yes_no"].get(text)
    return "" if points is None else ("yes" if points else "no")


def _absent_words() -> dict[str, str]:
    words: dict[str, str] = _grammar()["absent"]
    return words


@cache
def _grammar() -> dict[str, dict[str, str]]:
    return load_grammar()
