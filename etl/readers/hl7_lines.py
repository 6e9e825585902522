"""From physical lines to HL7 segments: which line begins one, which continues one, which is a broken one."""

from __future__ import annotations

import polars as pl

MARK = r"[!-/:-@\[-`{-~]"  # punctuation: what a separator can be
HEADER = rf"^MSH(?:\||{MARK}{MARK}|$)"
_BATCH = rf"^(?:FHS|BHS)(?:\||{MARK}{MARK}|$)"
# A header in the middle of a line: the line before lost its end, or the transfer was cut.
_GLUED = "MSH|^~\\&"
DEFAULT = "|^~\\&"
# Names that stand for a segment even without a field; any other needs its separator.
_BARE = ["FHS", "BHS", "MSH", "PID", "ORC", "OBR", "OBX", "NTE", "SPM", "BTS", "FTS"]
_WRITTEN_END = r'\\[rn]"?$'  # a line end that an exporter wrote as two characters
_FRAMING = "\x0b\x1c \t\ufeff"  # what the transport (MLLP) and editors put around a segment
_STATUS_FIELD = 11  # OBX-11; an OBX that has it is complete

# A line whose name is broken but that has an OBX's set id and value type.
_OBX_SHAPE = r"^[^|]{0,5}\|\d*\|[A-Z]{2,3}\|"
# A line that begins like a segment of whatever name.
_SEGMENT_SHAPE = r"^[^|]{0,4}\|[^|]*\|"


def settled(texts: pl.Series, before: int) -> pl.DataFrame:
    """Return the lines with line, text, message, opens, dialect, separator, name, is_glued, loses_patient.

    name: the segment's; `blank`, `preamble`, `broken` (a record that cannot be read); null where the line continues
    the segment above. opens: a message begins here, with its header or behind a line into which its header ran.
    dialect: separator and encoding characters of the message, empty if its header is broken or missing.
    """
    text = pl.col("text")
    begins = text.str.contains(HEADER)
    trimmed = text.str.strip_chars(_FRAMING).str.replace(_WRITTEN_END, "")
    frame = texts.to_frame().with_row_index("line").with_columns(trimmed)
    frame = frame.with_columns(
        begins.alias("begins"),
        text.str.contains(_BATCH).alias("is_batch"),
        (~begins & text.str.contains(_GLUED, literal=True)).alias("is_glued"),
    ).with_columns((pl.col("begins") | pl.col("is_glued").shift(1, fill_value=False)).alias("opens"))
    frame = frame.with_columns(
        (pl.col("opens").cum_sum().cast(pl.Int64) + before).alias("message"),
        _dialects(frame).forward_fill().fill_null(""),
    )
    frame = frame.with_columns(
        pl.when(pl.col("dialect") == "")
        .then(pl.lit("|"))
        .otherwise(pl.col("dialect").str.head(1))
        .alias("separator")
    )
    frame = frame.with_columns(_name(), pl.lit(value=False).alias("loses_patient"))
    return _with_strays(frame) if frame["name"].null_count() else frame


def joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Return one row a segment (or blank line), the lines that continue it joined by line feeds."""
    if not lines["name"].null_count():
        return lines
    owner = (pl.col("name").is_not_null() & (pl.col("name") != "blank")).cum_sum().alias("owner")
    parts = lines.with_columns(owner).filter((pl.col("name") != "blank").fill_null(value=True))
    continued = parts.filter(pl.col("name").is_null())["owner"].unique()
    whole = (
        parts.filter(pl.col("owner").is_in(continued.implode()))
        .group_by("owner", maintain_order=True)
        .agg(pl.col("line").first(), pl.col("text").str.join("\n").alias("whole"))
    )
    found = lines.filter(pl.col("name").is_not_null()).join(
        whole.drop("owner"), on="line", how="left", maintain_order="left"
    )
    return found.with_columns(pl.coalesce("whole", "text").alias("text")).drop("whole")


def dialect_of(start: str) -> str:
    """Return the separator and the encoding characters that follow a header's name, empty if they make no sense.

    Senders double a character now and then; what is missing at the end has its default.
    """
    separator, given = start[:1], start[1:].partition(start[:1] or "|")[0]
    characters = "".join(dict.fromkeys(given))
    is_sound = bool(characters) and len(given) <= 6 and (separator + characters).isascii()
    if not is_sound or any(each.isalnum() or each.isspace() for each in separator + characters):
        return ""
    return separator + characters[:4] + DEFAULT[1 + len(characters[:4]) :]


def _dialects(frame: pl.DataFrame) -> pl.Expr:
    starts = pl.col("text").str.slice(3, 9)
    distinct = frame.filter("begins").select(starts).to_series().unique()
    known = pl.DataFrame({"start": distinct, "dialect": [dialect_of(each) for each in distinct]})
    stated = starts.replace_strict(known["start"], known["dialect"], default="", return_dtype=pl.String)
    default = pl.when("opens").then(pl.lit(DEFAULT)).when("is_batch").then(pl.lit(""))
    return pl.when("begins").then(stated).otherwise(default).alias("dialect")


def _name() -> pl.Expr:
    text = pl.col("text")
    is_named = text.str.contains(r"^[A-Z][A-Z0-9]{2}") & (text.str.slice(3, 1) == pl.col("separator"))
    return (
        pl.when(pl.col("begins") | pl.col("is_batch") | is_named | text.is_in(_BARE))
        .then(text.str.head(3))
        .when(text == "")
        .then(pl.lit("blank"))
        .alias("name")
    )


def _with_strays(frame: pl.DataFrame) -> pl.DataFrame:
    """Name the lines that begin no segment, unless they continue one.

    A broken OBX must not vanish in the segment above, and where a broken PID or OBR may stand, nobody knows whose the
    results behind it are.
    """
    is_start = pl.col("name").is_not_null() & (pl.col("name") != "blank")
    plain = pl.col("text").str.split(pl.col("separator")).list.join("|")
    frame = frame.with_columns(
        plain.alias("plain"),
        is_start.cum_sum().alias("segment"),
        pl.when(is_start).then("name").forward_fill().alias("above"),
    ).with_columns(pl.col("plain").str.count_matches("|", literal=True).alias("fields"))
    before = pl.col("fields").cum_sum().over("segment") - pl.col("fields")
    in_result = pl.col("above") == "OBX"
    is_complete = in_result & (before >= _STATUS_FIELD)
    is_stray = pl.col("name").is_null()
    is_result = pl.col("plain").str.contains(_OBX_SHAPE)
    may_continue = (in_result & ~is_complete) | (pl.col("above") == "PID")
    is_segment = pl.col("plain").str.contains(_SEGMENT_SHAPE) & ~may_continue & ~is_result
    is_broken = is_result | is_segment | (is_complete & (pl.col("fields") > 0))
    name = (
        pl.when(~is_stray)
        .then("name")
        .when(is_broken)
        .then(pl.lit("broken"))
        .when(pl.col("above").is_null())
        .then(pl.lit("preamble"))
    )
    lost = (is_stray & is_segment).fill_null(value=False)
    return frame.with_columns(name.alias("name"), lost.alias("loses_patient")).drop(
        "plain", "segment", "above", "fields"
    )
