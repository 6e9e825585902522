"""Score a file of answers without a warehouse: read as ingest reads it, with the same checks, and nothing kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from etl import refusals
from etl.inspect import inspect, reader_of
from etl.plan import ResolvedPlan
from etl.process.answers import ITEM_ROLES, AnswerReader
from etl.process.roles import cleaned, long_frame, text, wide_frame
from etl.readers.base import ROW
from etl.scoring.findings import score_findings
from etl.scoring.forms import form_of
from etl.scoring.score import score
from etl.scoring.validity import file_findings
from etl.scoring.versions import VersionChoice
from etl.scoring.wide import ID, SUBJECT
from etl.sites.model import SiteMapping
from etl.sources import expand
from schemas.errors import UsageError

_FORM = (
    "subject",
    "administered_at",
    "collected_at",
    "visit",
    "rater",
)  # what tells the forms of a long file apart
_ANSWER = (
    ID,
    SUBJECT,
    "instrument",
    "version",
    "item",
    "value",
    "value_source",
    "absent_reason",
    "reason",
    "locator",
)
_HELD = {"instrument": pl.String, "item": pl.String, "reason": pl.String, "len": pl.UInt32}


@dataclass(frozen=True)
class FileScores:
    """What a file of answers gives: scores, findings within administrations and about the file, and what was read how.

    unclaimed: columns (wide file) or names of other scales (long file) that are not read. held: answers that could not
    be used, as counts by instrument, item and reason; damaged records have no instrument.
    """

    scores: pl.DataFrame
    findings: pl.DataFrame
    file_findings: pl.DataFrame
    held: pl.DataFrame
    versions: dict[str, VersionChoice]
    unclaimed: tuple[str, ...]


@dataclass(frozen=True)
class _Read:
    answers: pl.DataFrame
    damaged: pl.DataFrame
    others: tuple[str, ...]


def score_file(path: Path, declared: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return the scores of a file, one row an administration and scale, in the file's order."""
    return examine_file(path, declared).scores


def examine_file(path: Path, declared: Mapping[str, str] | None = None) -> FileScores:
    """Read, score and check a file in any format that ingest reads, one row a form or one row an answer.

    declared: instrument -> version. administration_id is the line of a form, or of its first answer in a long file (`L2`).
    Raises SourceUnreadable, UsageError when no column is recognised, DefinitionError for a wrong version.
    """
    for instrument, version in (declared or {}).items():
        form_of(instrument, version)
    plans = _plans(path, declared or {})
    parts = [_read(plan, f"{plan.table.title}!" if len(plans) > 1 else "") for plan in plans]
    answers = pl.concat([part.answers for part in parts])
    accepted = answers.filter(pl.col("reason").is_null())
    scores = score(accepted)
    order = answers.select(ID).unique(maintain_order=True).with_row_index("_at")
    held = answers.filter(pl.col("reason").is_not_null()).group_by("instrument", "item", "reason").len()
    return FileScores(
        scores=scores.join(order, on=ID).sort("_at", "instrument", maintain_order=True).drop("_at"),
        findings=score_findings(scores, accepted),
        file_findings=file_findings(answers.filter(pl.col("item").is_not_null())),
        held=pl.concat([held.sort("instrument", "item"), *(part.damaged for part in parts)]),
        versions={name: choice for plan in plans for name, choice in plan.versions.items()},
        unclaimed=tuple(name for part in parts for name in part.others),
    )


def _plans(path: Path, declared: Mapping[str, str]) -> list[ResolvedPlan]:
    """Return the plans of the tables that hold answers. A file without subjects is taken for one subject's."""
    sources = [each.source for each in expand([str(path)])]
    if len(sources) != 1:
        raise UsageError(
            f"{path} holds {len(sources)} files.", "Files are scored one by one.", "name one file"
        )
    versions = {name: {"version": version} for name, version in declared.items()}
    feed = {"files": ["*"], "constants": {"subject": "1"}, "instruments": versions}
    mapping = SiteMapping.model_validate({"site": "file", "feeds": {"scales": feed}})
    plans = inspect(sources[0], "file", mapping, datetime.now(UTC).replace(tzinfo=None))
    found = [plan for plan in plans if plan.versions]
    if not found:
        columns = [column for plan in plans for column in plan.table.columns]
        raise UsageError(
            f"{path} holds no answers: no column is an item or a total of a known instrument.",
            f"Its first columns are {', '.join(columns[:8])}.",
            "name the columns like irls_1 or PSQI_5a, or map them under `measures:`",
        )
    for plan in found:
        if any(each.about == "subject" for each in plan.undecided()):
            raise refusals.undecided(plan, "subject")
    return found


def _read(plan: ResolvedPlan, prefix: str) -> _Read:
    """Return the answers of a table, with what is damaged or another scale's."""
    answers, reader = AnswerReader(plan), reader_of(plan)
    frames, damaged, others = [], [], dict.fromkeys(plan.resolution.unmapped if _is_wide(plan) else ())
    for part in plan.table.ranges:
        for batch in reader.read(plan.source, plan.table, part, plan.resolution.used_columns()):
            damaged.append(batch.damaged.select(pl.col("reason")))
            for frame in _role_frames(plan, batch.frame):
                read, names = answers.read(frame)
                frames.append(read)
                others |= dict.fromkeys(sorted(names))
    counted = (
        pl.concat(damaged).group_by("reason").len() if damaged else pl.DataFrame(schema={"reason": pl.String})
    )
    blank = [pl.lit(None, kind).alias(name) for name, kind in _HELD.items() if name not in counted.columns]
    return _Read(
        _by_form(pl.concat(frames), prefix, is_wide=_is_wide(plan)) if frames else _none(),
        counted.with_columns(blank).select(pl.col(name).cast(kind) for name, kind in _HELD.items()),
        tuple(others),
    )


def _none() -> pl.DataFrame:
    """Return the answers of a table without records."""
    return pl.DataFrame(schema=dict.fromkeys(_ANSWER, pl.String) | {"value": pl.Float64})


def _is_wide(plan: ResolvedPlan) -> bool:
    return plan.resolution.shape == "wide"


def _role_frames(plan: ResolvedPlan, records: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if not _is_wide(plan):
        yield cleaned(long_frame(records, plan, reader_of(plan), ITEM_ROLES))
        return
    measures = [measure for measure in plan.resolution.measures if measure.kind == "item"]
    frame = wide_frame(records, plan, reader_of(plan), ITEM_ROLES, measures)
    if frame is not None:
        yield frame


def _by_form(answers: pl.DataFrame, prefix: str, *, is_wide: bool) -> pl.DataFrame:
    """Name each form by its line: of a wide table its record, of a long one its first answer."""
    form = [ROW] if is_wide else [text(role) for role in _FORM]
    line = pl.format("{}L{}", pl.lit(prefix), pl.col(ROW).min().over(form))
    return answers.with_columns(line.alias(ID), pl.col(text("subject")).alias(SUBJECT)).select(_ANSWER)
