"""What a laboratory row says besides its number: analyte, specimen, unit and range, settled once per combination."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from etl.harmonize.analytes import CONCEPT, recognise
from etl.harmonize.analytes import CONTEXT as RECOGNISED_BY
from etl.harmonize.concepts import concept_id
from etl.harmonize.numbers import parse_ranges, parse_results
from etl.harmonize.units import CONTEXT as SETTLED_BY
from etl.harmonize.units import parse_unit, settle_units, unit_readings
from etl.plan import Declaration, ResolvedPlan
from etl.process.roles import cleaned, text
from schemas.analytes import registry

# Roles that decide how the number of a row is understood.
ROLES = ("analyte", "code", "code_system", "category", "specimen", "unit", "ref_text", "ref_low", "ref_high")
# What some senders glue to the number instead: "7.4 kg (7.7-9.4)".
GLUED = ("unit_glued", "ref_glued")
# Ids of concepts beside the texts, in tables of OMOP.
CODED = ("analyte_concept", "unit_concept")
PERIOD = "period"
_RENAMED = {
    "analyte": "analyte_source",
    "code": "code_source",
    "specimen": "specimen_source",
    "unit": "unit_source",
    "ref_low": "ref_low_source",
    "ref_high": "ref_high_source",
    "analyte_concept": CONCEPT,
}


def settle_contexts(contexts: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """Return each context's key with its analyte, specimen, unit, factor, bounds, bucket and reasons.

    contexts: `settled_by` (key), the ROLES as text (absent ones null) and `period`, one row each.
    """
    frame = _with_unit(_with_roles(contexts), plan)
    known = [*RECOGNISED_BY, CONCEPT]
    frame = _join(frame, recognise(frame.select(known).unique(), plan.analytes, plan.concepts), known)
    frame = _with_ranges(_with_codes(frame, plan), plan).rename({"reason": "reason_analyte"})
    frame = _with_declarations(frame, plan.declarations)
    frame = _join(frame, settle_units(frame.select(SETTLED_BY).unique(), plan.spellings), SETTLED_BY)
    contradicted = pl.when("is_contradicted").then(pl.lit("unit_contradiction"))
    frame = frame.with_columns(pl.coalesce(contradicted, "reason").alias("reason_unit"))
    # Without a settled unit there is no value that bounds could judge.
    settled = pl.when(pl.col("reason_unit").is_null())
    frame = frame.with_columns(settled.then(name).alias(name) for name in ("factor", "offset", "unit_basis"))
    return frame.join(_bounds(plan), on="analyte", how="left").drop(
        PERIOD, "reason", "is_contradicted", *GLUED, CONCEPT, "unit_concept"
    )


def _with_roles(contexts: pl.DataFrame) -> pl.DataFrame:
    """Name the texts as the warehouse does, and add the roles that the file does not have."""
    texts = [
        (pl.col(text(role)) if text(role) in contexts.columns else pl.lit(None, pl.String)).alias(
            _RENAMED.get(role, role)
        )
        for role in (*ROLES, *GLUED, *CODED)
    ]
    frame = cleaned(contexts).select("settled_by", PERIOD, *texts)
    apart = [
        stated is not None and glued is not None and parse_unit(stated) != parse_unit(glued)
        for stated, glued in frame.select("unit_source", "unit_glued").iter_rows()
    ]
    return frame.with_columns(
        pl.Series("is_contradicted", apart, dtype=pl.Boolean),
        pl.coalesce("unit_source", "unit_glued").alias("unit_source"),
        pl.coalesce("ref_text", "ref_glued").alias("ref_text"),
    )


def _with_unit(frame: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """Put the unit of a row's concept, `unit_concept`, in the place of one that is missing or that nobody knows.

    Adds said_unit: the unit, where it is the concept's.
    """
    if not plan.concepts:
        return frame.with_columns(pl.lit(None, pl.String).alias("said_unit"))
    coded = [_unit(plan, text) for text in frame["unit_concept"]]
    is_known = [bool(_readings(plan, text)) for text in frame["unit_source"]]
    said = [None if known else unit for known, unit in zip(is_known, coded, strict=True)]
    return frame.with_columns(
        pl.Series("unit_concept", coded, dtype=pl.String), pl.Series("said_unit", said, dtype=pl.String)
    ).with_columns(pl.coalesce("said_unit", "unit_source").alias("unit_source"))


def _unit(plan: ResolvedPlan, text: str | None) -> str | None:
    concept = plan.concepts.get(concept_id(text) or "")
    return concept.unit if concept else None


def _readings(plan: ResolvedPlan, text: str | None) -> tuple[str, ...]:
    hint = plan.spellings.get((text or "").strip())
    return (hint,) if hint else unit_readings(text)


def _with_codes(frame: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """Let the code and the name of a row's concept stand where it has none that is known; hold two units in one row.

    Adds said_code: the code, where nothing that the row itself says is known.
    """
    read = ("code_read", "system_read", "is_by_concept")
    if not plan.concepts:
        return frame.drop(read).with_columns(pl.lit(None, pl.String).alias("said_code"))
    names = {key: concept.name for key, concept in plan.concepts.items()}
    named = [names.get(concept_id(text) or "") for text in frame[CONCEPT]]
    apart = [
        _are_apart(analyte, _readings(plan, stated), _readings(plan, coded))
        for analyte, stated, coded in frame.select("analyte", "unit_source", "unit_concept").iter_rows()
    ]
    return frame.with_columns(
        pl.col("code_read").alias("code_source"),
        pl.col("system_read").alias("code_system"),
        pl.when("is_by_concept").then("code_read").alias("said_code"),
        pl.coalesce("analyte_source", pl.Series(named, dtype=pl.String)).alias("analyte_source"),
        pl.col("is_contradicted") | pl.Series(apart, dtype=pl.Boolean),
    ).drop(read)


def _are_apart(analyte: str | None, stated: Sequence[str], coded: Sequence[str]) -> bool:
    """Tell whether two units are given and no reading of one is a reading of the other for an analyte."""
    known = registry().get(analyte or "")
    pairs = [(one, other) for one in stated for other in coded]
    return (
        known is not None
        and bool(pairs)
        and not any(one == other or known.is_same_unit(one, other) for one, other in pairs)
    )


def _join(frame: pl.DataFrame, answers: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return frame.join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")


def _with_ranges(frame: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """Read the limits of the printed range, given in two columns or as one text."""
    decimal = plan.decided("decimal") or "."
    for role in ("ref_low", "ref_high"):
        texts = frame[f"{role}_source"].drop_nulls().unique()
        limits = parse_results(texts, decimal, ()).select(
            pl.col("source").alias(f"{role}_source"),
            pl.when(pl.col("comparator").is_null()).then(pl.col("value")).alias(role),
        )
        frame = frame.join(limits, on=f"{role}_source", how="left", maintain_order="left")
    ranges = parse_ranges(frame["ref_text"].drop_nulls().unique(), decimal).rename(
        {"source": "ref_text", "ref_low": "text_low", "ref_high": "text_high"}
    )
    frame = frame.join(ranges, on="ref_text", how="left", maintain_order="left")
    return frame.with_columns(
        pl.coalesce("ref_low", "text_low").alias("ref_low"),
        pl.coalesce("ref_high", "text_high").alias("ref_high"),
    ).drop("text_low", "text_high", "ref_low_source", "ref_high_source")


def boundaries(declarations: tuple[Declaration, ...]) -> list[date]:
    """Return the days on which the declarations in force change; a row's period is how many lie behind it."""
    starts = {date.fromisoformat(each.valid_from) for each in declarations if each.valid_from}
    after = {
        date.fromordinal(date.fromisoformat(each.valid_to).toordinal() + 1)
        for each in declarations
        if each.valid_to
    }
    return sorted(starts | after)


def _with_declarations(frame: pl.DataFrame, declarations: tuple[Declaration, ...]) -> pl.DataFrame:
    """Add unit_declared and override; an undated row falls under declarations without a period only."""
    days = boundaries(declarations)
    rows = [
        {"analyte": each.analyte, PERIOD: period, "unit_declared": each.unit, "override": each.override}
        for period in [None, *range(len(days) + 1)]
        for each in declarations
        if _is_in_force(each, period, days)
    ]
    schema = {"analyte": pl.String, PERIOD: pl.Int32, "unit_declared": pl.String, "override": pl.Boolean}
    said = pl.DataFrame(rows, schema=schema).group_by("analyte", PERIOD, maintain_order=True)
    table = pl.DataFrame(
        [
            (
                analyte,
                period,
                _one_of(str(analyte), group["unit_declared"].to_list()),
                group["override"].any(),
            )
            for (analyte, period), group in said
        ],
        schema=schema,
        orient="row",
    )
    joined = frame.join(table, on=["analyte", PERIOD], how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.col("override").fill_null(value=False))


def _one_of(analyte: str, units: list[str]) -> str:
    """Return the unit that all declarations agree on, else all of them: no unit, so that the rows are held."""
    known, first = registry()[analyte], parse_unit(units[0])
    is_one = all(
        unit == units[0] or known.is_same_unit(first or "", parse_unit(unit) or "") for unit in units[1:]
    )
    return units[0] if is_one else " / ".join(sorted(units))


def _is_in_force(declaration: Declaration, period: int | None, days: list[date]) -> bool:
    if period is None:
        return declaration.valid_from is None and declaration.valid_to is None
    first = days[period - 1] if period else date.min
    starts = date.fromisoformat(declaration.valid_from) if declaration.valid_from else date.min
    ends = date.fromisoformat(declaration.valid_to) if declaration.valid_to else date.max
    return starts <= first <= ends if period else starts == date.min


def _bounds(plan: ResolvedPlan) -> pl.DataFrame:
    """Return what is possible of each analyte, by the registry or by what the site declares."""
    rows = [
        (name, *plan.bounds.get(name, analyte.hard), analyte.unit) for name, analyte in registry().items()
    ]
    schema = {
        "analyte": pl.String,
        "hard_low": pl.Float64,
        "hard_high": pl.Float64,
        "unit_canonical": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
