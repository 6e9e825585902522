"""What stands beside the results of a message: the subject, the order, the specimen, the notes."""

from __future__ import annotations

import polars as pl

from etl.readers.hl7_damage import NOBODY
from etl.readers.hl7_dialect import Dialect

# Segments that may stand between another one and the notes on it.
_BETWEEN = ["NTE", "PRT", "TQ1", "CTD", "blank"]


def subjects(segments: pl.DataFrame, dialect: Dialect) -> pl.LazyFrame:
    """Return one row a PID: pid_line, subject, birth_date, sex. A damaged identifier is none."""
    subject = dialect.component_of(3, 1)
    return _split(segments, "PID", dialect).select(
        pl.col("line").cast(pl.Int64).alias("pid_line"),
        pl.when(~subject.str.contains("[\ufffd\0]")).then(subject).alias("subject"),
        dialect.time_of(7).alias("birth_date"),
        dialect.component_of(8, 1).alias("sex"),
    )


def orders(segments: pl.DataFrame, dialect: Dialect) -> pl.LazyFrame:
    """Return one row an OBR: obr_line, its number, category, times, status, specimen and notes."""
    found = _split(segments, "OBR", dialect).select(
        "obr_line",
        pl.coalesce(dialect.component_of(3, 1), dialect.component_of(2, 1)).alias("order_number"),
        dialect.component_of(4, 2, 1).alias("category"),
        dialect.time_of(7).alias("order_collected_at"),
        dialect.material_of(15).alias("order_specimen"),
        dialect.time_of(22).alias("order_resulted_at"),
        dialect.component_of(25, 1).alias("order_status"),
    )
    comments = notes(segments, dialect).rename({"line": "obr_line", "comment": "order_comment"})
    return (
        found.join(_specimens(segments, dialect), on="obr_line", how="left", maintain_order="left")
        .join(comments, on="obr_line", how="left", maintain_order="left")
        .with_columns(pl.coalesce("specimen", "order_specimen").alias("specimen"))
    )


def notes(segments: pl.DataFrame, dialect: Dialect) -> pl.LazyFrame:
    """Return one row a segment that has notes: its line, and their text as comment."""
    about = pl.when(~pl.col("name").is_in(_BETWEEN)).then(pl.col("line").cast(pl.Int64)).forward_fill()
    text = dialect.field_of(3).str.replace_all(dialect.repetition, "\n", literal=True)
    return (
        _split(segments.with_columns(about.alias("about")), "NTE", dialect)
        .group_by(pl.col("about").alias("line"), maintain_order=True)
        .agg(text.drop_nulls().str.join("\n").alias("comment"))
    )


def _split(segments: pl.DataFrame, name: str, dialect: Dialect) -> pl.LazyFrame:
    return segments.lazy().filter(pl.col("name") == name).with_columns(dialect.parts())


def _specimens(segments: pl.DataFrame, dialect: Dialect) -> pl.LazyFrame:
    """Return one row an order that has one specimen: obr_line, specimen, specimen_collected_at.

    In ORU messages a specimen follows its order. Where one comes before any order (OUL), specimens come first
    throughout the message. An order with specimens of several kinds has none that counts.
    """
    line, name = pl.col("line").cast(pl.Int64), pl.col("name")
    marked = segments.filter(name.is_in(["MSH", "OBR", "SPM"])).with_columns(
        pl.when(name == "SPM").then(line).when(name == "MSH").then(NOBODY).forward_fill().alias("spm_line")
    )
    is_first = ((name == "SPM") & (pl.col("obr_line") == NOBODY)).any().over("message")
    marked = marked.with_columns(is_first.alias("is_first"))
    pairs = pl.concat(
        [
            marked.filter(~pl.col("is_first") & (name == "SPM")).select("obr_line", "spm_line"),
            marked.filter(pl.col("is_first") & (name == "OBR")).select("obr_line", "spm_line"),
        ]
    )
    materials = _split(segments, "SPM", dialect).select(
        line.alias("spm_line"),
        dialect.material_of(4).alias("specimen"),
        dialect.time_of(17).alias("specimen_collected_at"),
    )
    return (
        pairs.lazy()
        .join(materials, on="spm_line", how="inner", maintain_order="left")
        .group_by("obr_line", maintain_order=True)
        .agg(_agreed("specimen"), _agreed("specimen_collected_at"))
    )


def _agreed(column: str) -> pl.Expr:
    return pl.when(pl.col(column).n_unique() == 1).then(pl.col(column).first()).alias(column)
