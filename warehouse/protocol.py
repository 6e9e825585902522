"""The study protocol as tables, so that no threshold, window or rule stands in a view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from schemas.analytes import registry
from schemas.concepts import HIERARCHIC, code_system_spellings, concept_codes, concept_set_members, concepts
from schemas.derived import egfr_formulas
from schemas.errors import DefinitionError
from schemas.instruments import INSTRUMENTS, Version
from schemas.study.model import CENSORING, Score, Study
from schemas.thresholds import profiles

Row = Sequence[object]

# What a question may need: the columns of mart.subject_baseline that hold a measure.
MEASURES = (
    "b12", "age", "sex", "irls", "psqi", "hama", "hamd", "creatinine", "egfr", "urea", "uric_acid", "homocysteine",
    "folate", "holotranscobalamin", "mma", "ferritin", "iron", "tibc", "transferrin_saturation", "haemoglobin", "mcv",
    "crp", "glucose", "hba1c", "tsh", "vitamin_d_25oh", "total_cholesterol", "triglycerides", "alt", "ast", "bmi",
    "education_years",
)  # fmt: skip

_TABLES = {
    "parameter": "name varchar, value varchar",
    "usable_status": "status varchar",
    "usable_score_status": "status varchar",
    "unusable_specimen": "analyte varchar, specimen_quality varchar",
    "latest_hour": "analyte varchar, hour integer",
    "precedence": "attribute varchar, feed varchar, position integer",
    "score_choice": "score varchar, instrument varchar, version varchar, scale varchar, cohort_groups varchar[]",
    "score_band": "score varchar, version varchar, profile varchar, position integer, band varchar, lower double",
    "rule": "position integer, rule_id varchar, kind varchar, sentence varchar, source varchar, is_on boolean, "
    "unknown_policy varchar, cohort_groups varchar[], sex varchar, target varchar, targets varchar[], "
    "excluded_values varchar[], unstated varchar, minimum double, maximum double, doubted_by varchar, lookback_days integer",
    "criterion": "rule_id varchar, instrument varchar, item varchar, expected double",
    "question": "position integer, question varchar, sentence varchar, cohort_groups varchar[], needs varchar[], "
    "is_matched boolean",
    "threshold": "profile varchar, analyte varchar, unit varchar, source varchar, position integer, band varchar, "
    "lower double, lower_included boolean, upper double, upper_included boolean, flagged boolean",
    "unit_factor": "analyte varchar, unit varchar, factor double, shift double, is_canonical boolean",
    "egfr_formula": "formula varchar, sex varchar, scale double, kappa double, alpha double, beta double, "
    "age_base double, factor double, minimum_age double",
    "concept": "concept_set varchar, concept varchar, domain varchar",
    "concept_code": "domain varchar, concept varchar, code_system varchar, plain_code varchar, is_prefix boolean",
    "concept_name": "domain varchar, name varchar, concept varchar",
    "code_system": "code_system varchar, spelling varchar",
}


@dataclass(frozen=True)
class Unit:
    """How a unit relates to an analyte's canonical one: canonical = value * factor + shift."""

    analyte: str
    unit: str
    factor: float
    shift: float = 0.0
    is_canonical: bool = False


def store_study(
    connection: duckdb.DuckDBPyConnection, study: Study, units: Iterable[Unit] | None = None
) -> None:
    """Fill the tables of the schema `study`. Raises DefinitionError when the protocol asks for what is not known."""
    unit_rows = [
        (u.analyte, u.unit, u.factor, u.shift, u.is_canonical)
        for u in (registry_units() if units is None else units)
    ]
    _check(study, {(str(analyte), str(unit)) for analyte, unit, *_ in unit_rows})
    rows: dict[str, list[Row]] = {
        **_result_rows(study),
        **_score_rows(study),
        **_rule_rows(study),
        **_concept_rows(),
        "threshold": list(_threshold_rows()),
        "unit_factor": [*unit_rows],
        "egfr_formula": [*egfr_formulas()],
    }
    connection.execute("create schema if not exists study")
    connection.execute(
        "create table if not exists study.made_match (match_set_id varchar, subject_id varchar, role varchar)"
    )
    for table, columns in _TABLES.items():
        connection.execute(f"create or replace table study.{table} ({columns})")
        _insert(connection, f"study.{table}", rows[table])


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Insert all rows in one statement; a statement a row takes ten times as long."""
    if rows:
        marks = ", ".join([f"({', '.join('?' * len(rows[0]))})"] * len(rows))
        connection.execute(f"insert into {table} values {marks}", [cell for row in rows for cell in row])


def registry_units() -> list[Unit]:
    """Return the units of every analyte of the registry."""
    return [
        Unit(analyte.id, unit, conversion.factor, conversion.offset, is_canonical=unit == analyte.unit)
        for analyte in registry().values()
        for unit in analyte.units
        if (conversion := analyte.conversion(unit))
    ]


def _check(study: Study, units: set[tuple[str, str]]) -> None:
    for profile in profiles().values():
        if (profile.analyte, profile.unit) not in units:
            raise DefinitionError(
                f"The threshold profile {profile.profile} states its limits in {profile.unit}.",
                f"That is not a known unit of {profile.analyte}.",
                f"etl units show {profile.analyte}",
            )
    if profiles()[study.deficiency_profile].analyte != study.exposure:
        raise DefinitionError(
            f"The profile {study.deficiency_profile} is not one of {study.exposure}.",
            "A threshold of another analyte says nothing of the exposure.",
            "deficiency_profile: a profile of schemas/thresholds.toml, in the study file",
        )
    unknown = sorted({need for question in study.questions for need in question.needs} - set(MEASURES))
    if unknown:
        raise DefinitionError(
            f"A question of the study needs {unknown[0]}.",
            "No such measure is in mart.subject_baseline.",
            f"needs: with some of {', '.join(MEASURES)}",
        )


def _parameters(study: Study) -> dict[str, object]:
    """Return the protocol's single values by dotted name."""
    flat: dict[str, object] = {"study": study.study, "version": study.version, "digest": study.digest}
    for name, value in study.model_dump(mode="json").items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": v for key, v in value.items() if not isinstance(v, Mapping | list)}
        elif not isinstance(value, list):
            flat[name] = value
    flat["censoring.below_factor"] = CENSORING[study.censoring]
    flat["censoring.above_factor"] = None if study.censoring == "exclude" else 1
    return flat


def _result_rows(study: Study) -> dict[str, list[Row]]:
    return {
        "parameter": [
            (name, None if value is None else str(value)) for name, value in _parameters(study).items()
        ],
        "usable_status": [(status,) for status in study.results.usable_statuses],
        "usable_score_status": [(status,) for status in study.pairing.usable_statuses],
        "unusable_specimen": [(a, q) for a, found in study.results.unusable_specimens.items() for q in found],
        "latest_hour": [*study.results.latest_hour.items()],
        "precedence": [
            (attribute, feed, position)
            for attribute, feeds in study.subjects.precedence.items()
            for position, feed in enumerate(feeds)
        ],
    }


def _score_rows(study: Study) -> dict[str, list[Row]]:
    bands: list[Row] = []
    for name, score in study.scores.items():
        for version in _versions(name, score):
            for profile in version.bands:
                if (profile.profile, profile.scale) == (score.bands, score.scale):
                    bands += [
                        (name, version.id, profile.profile, i, b[2], b[0])
                        for i, b in enumerate(profile.bands)
                    ]
    choices = [(name, s.instrument, s.version, s.scale, list(s.groups)) for name, s in study.scores.items()]
    return {"score_choice": [*choices], "score_band": bands}


def _versions(name: str, score: Score) -> list[Version]:
    """Return the versions of an instrument that a score reads. Raises DefinitionError when there is none."""
    if score.instrument not in INSTRUMENTS:
        raise DefinitionError(
            f"The score {name} reads the instrument {score.instrument}, which is not known.",
            "No definition has that id.",
            "etl instruments list",
        )
    instrument = INSTRUMENTS[score.instrument]
    found = [v for v in instrument.versions.values() if score.version in {None, v.id}]
    for missing, known in (
        (f"version {score.version}", bool(found)),
        (f"scale {score.scale}", any(score.scale in v.scales for v in found)),
        (
            f"bands {score.bands}",
            not score.bands or any(b.profile == score.bands for v in found for b in v.bands),
        ),
    ):
        if not known:
            raise DefinitionError(
                f"The instrument {instrument.id} has no {missing}.",
                "The study file names it.",
                f"etl instruments show {instrument.id}",
            )
    return found


def _rule_rows(study: Study) -> dict[str, list[Row]]:
    rules: list[Row] = [
        (
            position, r.id, r.kind, r.sentence, r.source, r.is_on, r.unknown, list(r.groups) if r.groups else None, r.sex,
            r.target, list(r.targets), list(r.excluded_values), r.unstated,
            r.minimum, r.maximum, r.doubted_by, r.lookback_days,
        )
        for position, r in enumerate(study.rules, start=1)
    ]  # fmt: skip
    criteria = [
        (r.id, r.instrument, item, expected) for r in study.rules for item, expected in r.items.items()
    ]
    questions = [
        (position, q.id, q.sentence, list(q.groups), list(q.needs), q.is_matched)
        for position, q in enumerate(study.questions, start=1)
    ]
    return {"rule": rules, "criterion": [*criteria], "question": [*questions]}


def _threshold_rows() -> Iterable[Row]:
    for p in profiles().values():
        lower, lower_included = float("-inf"), True
        for position, band in enumerate(p.bands, start=1):
            upper = float("inf") if band.upper is None else band.upper
            included = band.upper_included or band.upper is None
            yield (
                p.profile, p.analyte, p.unit, p.source, position, band.band,
                lower, lower_included, upper, included, band.flagged,
            )  # fmt: skip
            lower, lower_included = upper, not included


def _concept_rows() -> dict[str, list[Row]]:
    known = concepts()
    return {
        "concept": [(m.concept_set, m.concept, known[m.concept].domain) for m in concept_set_members()],
        "concept_code": [
            (known[c.concept].domain, c.concept, c.code_system, _plain(c.code), c.code_system in HIERARCHIC)
            for c in concept_codes()
            if c.code
        ],
        "concept_name": [(c.domain, name.lower(), c.concept) for c in known.values() for name in c.names],
        "code_system": [(s.code_system, s.spelling.lower()) for s in code_system_spellings()],
    }


def _plain(code: str) -> str:
    return code.replace(".", "").upper()
