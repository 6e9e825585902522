"""List, show and score: what the tool knows about the clinical scales, and what a file of answers gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from etl.scoring.answers import parse_responses
from etl.scoring.findings import score_findings
from etl.scoring.forms import form_of
from etl.scoring.score import score
from etl.scoring.validity import file_findings
from etl.scoring.versions import VersionChoice, resolve_versions, settle_item
from etl.scoring.wide import ID, SUBJECT
from schemas.errors import SourceUnreadable, UsageError
from schemas.instruments import INSTRUMENTS, ItemRef, Version, match_item_codes, match_items

# Columns of a long file, most telling first. A site's mapping names others.
_LONG_ITEM = ("qstestcd", "item", "item_code", "question")
_LONG_INSTRUMENT = ("qscat", "instrument", "scale", "questionnaire")
_LONG_VALUE = ("qsstresn", "value", "score", "answer", "result", "qsorres")
_LONG_SUBJECT = ("usubjid", "subject", "subject_id", "participant_id", "record_id", "patient_id", "id")
_LONG_VISIT = ("visit", "visitnum", "qsdtc", "date")


@dataclass(frozen=True)
class FileScores:
    """What a file of answers gives: scores, findings within administrations and about the file, and what was read how.

    unclaimed: columns (wide file) or item texts (long file) that stand for nothing known. held: answers that could not
    be used, as counts by instrument, item and reason.
    """

    scores: pl.DataFrame
    findings: pl.DataFrame
    file_findings: pl.DataFrame
    held: pl.DataFrame
    versions: dict[str, VersionChoice]
    unclaimed: tuple[str, ...]


def list_instruments() -> pl.DataFrame:
    """Return one row a version: instrument, version, title, items, scales with their ranges, direction, verified."""
    rows = [
        {
            "instrument": instrument.id,
            "version": version.id,
            "title": version.title,
            "items": len(version.scored_items),
            "scales": ", ".join(_scale_range(version)),
            "direction": instrument.direction,
            "profiles": ", ".join(dict.fromkeys(bands.profile for bands in version.bands)),
            "unverified": ", ".join(s.id for s in version.scales.values() if not s.is_verified),
        }
        for instrument in INSTRUMENTS.values()
        for version in instrument.versions.values()
    ]
    return pl.DataFrame(rows)


def show_instrument(instrument: str, version: str | None = None) -> dict[str, Any]:
    """Return the whole definition as plain data, of one version or of all. Raises DefinitionError for unknown names."""
    definition = form_of(instrument, version).instrument
    shown = definition.model_dump(mode="json", exclude_defaults=True)
    if version:
        shown["versions"] = {version: shown["versions"][version]}
    return shown


def score_file(path: Path, declared: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return the scores of a delimited file, one row an administration and scale, in the file's order."""
    return examine_file(path, declared).scores


def examine_file(path: Path, declared: Mapping[str, str] | None = None) -> FileScores:
    """Read, score and check a delimited file (comma, semicolon or tab), one row a form or one row an answer.

    declared: instrument -> version. administration_id is the physical line of a wide file (`L2`), or subject and visit of
    a long one. Raises SourceUnreadable, UsageError when no column is recognised, DefinitionError for a wrong version.
    """
    return examine_table(read_table(path), declared)


def examine_table(table: pl.DataFrame, declared: Mapping[str, str] | None = None) -> FileScores:
    """Score a table of texts that some reader has read; see examine_file."""
    answers, refs, unclaimed = _long(table) or _wide(table)
    choices = resolve_versions(
        list(refs.values()), declared, answers.select("instrument", "item", "value_source")
    )
    responses = parse_responses(_with_versions(answers, refs, choices))
    is_accepted = pl.col("reason").is_null()
    scores = score(responses.filter(is_accepted))
    order = responses.select(ID).unique(maintain_order=True).with_row_index("_at")
    return FileScores(
        scores=scores.join(order, on=ID, how="left")
        .sort("_at", "instrument", maintain_order=True)
        .drop("_at"),
        findings=score_findings(scores, responses.filter(is_accepted)),
        file_findings=file_findings(responses),
        held=responses.filter(~is_accepted)
        .group_by("instrument", "item", "reason")
        .len()
        .sort("instrument", "item"),
        versions=choices,
        unclaimed=unclaimed,
    )


def read_table(path: Path) -> pl.DataFrame:
    """Read a delimited file as texts; the delimiter is the one the header holds most of."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
        delimiter = max("\t;,", key=header.count)
        return pl.read_csv(path, separator=delimiter, infer_schema=False, truncate_ragged_lines=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as problem:
        raise SourceUnreadable(
            f"{path.name} cannot be read as a delimited file",
            type(problem).__name__,
            "save it as UTF-8 with a header, separated by comma, semicolon or tab",
        ) from None


def _scale_range(version: Version) -> Iterator[str]:
    for scale in version.scales.values():
        if not scale.is_hidden:
            yield scale.id if scale.low is None else f"{scale.id} {scale.low:g}-{scale.high:g}"


def _wide(table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, ItemRef], tuple[str, ...]]:
    """Turn one row a form into one row an answer; key is the header."""
    refs = match_items(table.columns)
    if not refs:
        raise UsageError(
            "no column of the file is an item or a total of a known instrument",
            f"columns: {', '.join(table.columns[:8])} ...",
            "name the columns like irls_1 or PSQI_5a, or map them under `measures:`",
        )
    numbered = table.with_row_index("_line", offset=2).with_columns(pl.format("L{}", "_line").alias(ID))
    subject = _first(table.columns, _LONG_SUBJECT)
    numbered = numbered.with_columns((pl.col(subject) if subject else pl.lit(None, pl.String)).alias(SUBJECT))
    places = {name: at for at, name in enumerate(table.columns, start=1)}
    answers = numbered.unpivot(
        list(refs), index=[ID, SUBJECT], variable_name="key", value_name="value_source"
    )
    located = answers.with_columns(
        pl.concat_str(
            pl.col(ID), pl.lit("/C"), pl.col("key").replace_strict(places, return_dtype=pl.Int64)
        ).alias("locator")
    )
    return _named(located, refs), refs, tuple(c for c in table.columns if c not in refs and c != subject)


def _long(table: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, ItemRef], tuple[str, ...]] | None:
    """Take one row an answer; None when the file has no columns for an item and its value."""
    item, value = _first(table.columns, _LONG_ITEM), _first(table.columns, _LONG_VALUE)
    if item is None or value is None:
        return None
    instrument, subject = _first(table.columns, _LONG_INSTRUMENT), _first(table.columns, _LONG_SUBJECT)
    category = pl.col(instrument) if instrument else pl.lit(None, pl.String)
    pairs = (
        table.select(category.alias("category"), pl.col(item).alias("text"))
        .unique()
        .drop_nulls("text")
        .rows()
    )
    found = match_item_codes(pairs)
    refs = {f"{category or ''}\n{text}": ref for (category, text), ref in found.items()}
    visits = [c for c in table.columns if c.casefold() in _LONG_VISIT]
    who = [subject] if subject else []
    keyed = table.with_row_index("_line", offset=2).select(
        pl.concat_str([*who, *visits], separator=" / ", ignore_nulls=True).alias(ID)
        if who or visits
        else pl.lit("1").alias(ID),
        (pl.col(subject) if subject else pl.lit(None, pl.String)).alias(SUBJECT),
        pl.concat_str(category.fill_null(""), pl.lit("\n"), pl.col(item)).alias("key"),
        pl.col(value).alias("value_source"),
        pl.format("L{}", "_line").alias("locator"),
    )
    unclaimed = sorted({text for _, text in pairs} - {text for _, text in found})
    return _named(keyed.filter(pl.col("key").is_in(list(refs))), refs), refs, tuple(unclaimed)


def _named(answers: pl.DataFrame, refs: Mapping[str, ItemRef]) -> pl.DataFrame:
    names = pl.DataFrame(
        {
            "key": list(refs),
            "instrument": [r.instrument for r in refs.values()],
            "item": [r.item for r in refs.values()],
        }
    )
    return answers.join(names, on="key", how="left", maintain_order="left")


def _with_versions(
    answers: pl.DataFrame, refs: Mapping[str, ItemRef], choices: Mapping[str, VersionChoice]
) -> pl.DataFrame:
    settled = [
        (key, choices[ref.instrument].version or _own_version(ref), settle_item(ref, choices[ref.instrument]))
        for key, ref in refs.items()
    ]
    table = pl.DataFrame(
        settled, schema={"key": pl.String, "version": pl.String, "item": pl.String}, orient="row"
    )
    return answers.drop("item").join(table, on="key", how="left", maintain_order="left")


def _own_version(ref: ItemRef) -> str | None:
    """Return the version that a total's own name tells; it needs no other evidence."""
    return ref.version if ref.kind == "total" else None


def _first(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    known = {column.casefold(): column for column in columns}
    return next((known[name] for name in wanted if name in known), None)
