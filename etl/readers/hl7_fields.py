"""From HL7 segments to columns named by role: what the result, its order, its specimen and its subject say."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from etl.readers.base import LOCATOR, ROW
from etl.readers.evidence import decoded
from etl.readers.hl7_beside import notes, orders, subjects
from etl.readers.hl7_dialect import Dialect, either, filled
from etl.readers.hl7_scan import Part

COLUMNS = (
    "subject", "birth_date", "sex", "analyte", "code", "code_system", "category", "specimen", "value", "comparator",
    "unit", "ref_text", "flag", "collected_at", "resulted_at", "source_id", "status", "lab_id", "platform", "method",
    "comment",
)  # fmt: skip
LOINC = [
    "LN",
    "LOINC",
    "LNC",
    "2.16.840.1.113883.6.1",
]  # how senders name it; LN is the code of HL7 table 0396
CODED = ["CE", "CWE", "CNE", "CF"]
TEXTS = ["TX", "FT"]  # a repetition is a line
NUMBERS = ["NM", "SN", "ST"]
# A number after its sign, in components, under whatever type it came: `<^150`, `^5^-^10`.
STRUCTURED = r"^(?:[<>]=?|=|<>|[≤≥])?"
# Where a column's text comes from: the first that says anything.
SOURCES = {
    "collected_at": ("collected_at", "order_collected_at", "specimen_collected_at"),
    "resulted_at": ("order_resulted_at", "resulted_at"),
    "status": ("status", "order_status"),
    "source_id": ("source_id", "order_id"),
}


def fields(part: Part, columns: Sequence[str]) -> pl.DataFrame:
    """Return the sound records of a part in their order: the columns asked for, row_number, locator."""
    sound = part.records.filter(pl.col("reason").is_null())
    frames = []
    for dialect in sound["dialect"].unique():
        spoken = pl.col("dialect") == dialect
        frame = _fields(part.segments.filter(spoken), sound.filter(spoken), Dialect(*dialect))
        frames.append(_unescaped(frame.select(*columns, ROW, LOCATOR), Dialect(*dialect), part.encoding))
    schema = dict.fromkeys(columns, pl.String) | {ROW: pl.Int64, LOCATOR: pl.String}
    return pl.concat(frames).sort(ROW) if frames else pl.DataFrame(schema=schema)


def _fields(segments: pl.DataFrame, records: pl.DataFrame, dialect: Dialect) -> pl.LazyFrame:
    """Return all columns, to be chosen from; an order without results speaks as a result without a value."""
    nothing = pl.lit("")
    alone = pl.concat_list(nothing, nothing, nothing, pl.col("parts").list.get(4, null_on_oob=True))
    results = (
        records.lazy()
        .with_columns(dialect.parts())
        .with_columns(pl.when(pl.col("name") == "OBX").then("parts").otherwise(alone).alias("parts"))
        .with_columns(dialect.components_of(3).alias("coding"), dialect.field_of(5).alias("given"))
        .select(ROW, LOCATOR, **_result(dialect))
    )
    beside = [
        _beside(records, "pid_line", subjects(segments, dialect)),
        _beside(records, "obr_line", orders(segments, dialect)),
        _beside(records, "line", notes(segments, dialect)),
    ]
    order_id = pl.concat_str("order_number", pl.col("set_id").fill_null(""), separator="/")
    comment = pl.concat_str("order_comment", "comment", separator="\n", ignore_nulls=True)
    return (
        pl.concat([results, *beside], how="horizontal")
        .with_columns(order_id.alias("order_id"), filled(comment).alias("comment"))
        .with_columns(pl.coalesce(names).alias(name) for name, names in SOURCES.items())
    )


def _beside(records: pl.DataFrame, key: str, found: pl.LazyFrame) -> pl.LazyFrame:
    keys = records.lazy().select(pl.col(key).cast(pl.Int64))
    return keys.join(found, on=key, how="left", maintain_order="left").drop(key)


def _result(dialect: Dialect) -> dict[str, pl.Expr]:
    """Return what an OBX says, by role."""
    return (
        _coding()
        | _value(dialect)
        | {
            "unit": dialect.component_of(6, 1, 2),
            "ref_text": dialect.field_of(7),
            "flag": dialect.codes_of(8),
            "status": dialect.component_of(11, 1),
            "collected_at": dialect.time_of(14),
            "lab_id": pl.coalesce(dialect.component_of(15, 2, 1), dialect.component_of(23, 1)),
            "method": dialect.component_of(17, 2, 1, 5, 9),
            "platform": dialect.component_of(18, 1, 2),
            "resulted_at": dialect.time_of(19),
            "source_id": dialect.component_of(21, 1),
            "set_id": dialect.field_of(1),
        }
    )


def _coding() -> dict[str, pl.Expr]:
    """Return the code, LOINC before any other, and the sender's own name before its translations."""
    coding = pl.col("coding")
    pairs = [(either(coding, at), either(coding, at + 2)) for at in (1, 4, 10)]
    loinc = pl.coalesce(
        *(pl.when(system.str.to_uppercase().is_in(LOINC)).then(code) for code, system in pairs)
    )
    stated = pl.coalesce(*(pl.when(code.is_not_null()).then(system) for code, system in pairs))
    system = pl.when(loinc.is_not_null()).then(pl.lit("loinc")).otherwise(stated)
    bare = pl.when(loinc.is_null()).then(either(coding, 1, 4))
    return {
        "code": pl.coalesce(loinc, *(code for code, _ in pairs)),
        "code_system": system,
        "analyte": pl.coalesce(either(coding, 2, 5, 9, 11), bare),
    }


def _value(dialect: Dialect) -> dict[str, pl.Expr]:
    """Return value and comparator by the value's type; repetitions of anything but text stay as they came."""
    given, kind = pl.col("given"), dialect.component_of(2, 1)
    parts = given.str.split(dialect.component)
    is_repeated = given.str.contains(dialect.repetition, literal=True)
    has_sign = given.str.contains(STRUCTURED + re.escape(dialect.component))
    is_number = ~is_repeated & has_sign & kind.is_in(NUMBERS).fill_null(value=True)
    number = filled(parts.list.slice(1).list.join(""))
    sign = either(parts, 1)
    return {
        "value": pl.when(is_number)
        .then(pl.coalesce(number, sign))
        .when(kind.is_in(TEXTS))
        .then(given.str.replace_all(dialect.repetition, "\n", literal=True))
        .when(kind.is_in(CODED) & ~is_repeated)
        .then(either(parts, 2, 1, 5, 9, 4))
        .otherwise(given),
        "comparator": pl.when(is_number & number.is_not_null()).then(sign),
    }


def _unescaped(frame: pl.LazyFrame, dialect: Dialect, encoding: str) -> pl.DataFrame:
    def decode(raw: bytes) -> str:
        return decoded(raw, encoding) or raw.decode("latin-1")

    texts = frame.collect()
    return texts.with_columns(
        dialect.unescape(texts[name], decode) for name in texts.columns if name not in {ROW, LOCATOR}
    )
