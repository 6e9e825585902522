"""Typed form of a study protocol."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.concepts import concept_sets
from schemas.thresholds import profiles

Group = Literal["case", "control"]
Days = Annotated[int, Field(ge=0)]

BOTH: tuple[Group, ...] = ("case", "control")

# What a result reported as <limit is worth to an analysis; None leaves it out.
CENSORING: dict[str, float | None] = {"limit": 1.0, "half": 0.5, "sqrt2": 0.5**0.5, "exclude": None}

# Which fields a kind of rule needs, and which it may have.
_NEEDED = {
    "required": {"target"},
    "threshold": {"targets"},
    "concept": {"targets"},
    "attribute": {"target", "excluded_values"},
    "age": set[str](),
    "criterion": {"instrument", "items"},
}
_ALLOWED = {"threshold": {"doubted_by"}, "concept": {"lookback_days"}, "age": {"minimum", "maximum"}}
_SPECIFIC = {
    "target", "targets", "excluded_values", "minimum", "maximum", "instrument", "items", "doubted_by", "lookback_days",
}  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Results(_Part):
    """Which laboratory results count."""

    usable_statuses: tuple[str, ...]
    unusable_specimens: dict[str, tuple[str, ...]] = {}
    latest_hour: dict[str, Annotated[int, Field(ge=1, le=23)]] = {}  # by analyte; undated hours are kept
    same_day: Literal["first", "last"]


class Subjects(_Part):
    """How statements about one subject are brought together."""

    age_tolerance_years: float = Field(ge=0)
    precedence: dict[str, tuple[str, ...]] = {}


class IndexDraw(_Part):
    """Which blood draw stands for a subject."""

    rule: Literal["earliest", "nearest_to_scales"]
    first_date: date | None = None
    last_date: date | None = None
    untreated_by: str | None = None
    washout_days: Days = 0

    @model_validator(mode="after")
    def _check(self) -> IndexDraw:
        _known_sets([self.untreated_by] if self.untreated_by else [])
        if self.first_date and self.last_date and self.first_date > self.last_date:
            raise ValueError("first_date is after last_date")
        return self


class Pairing(_Part):
    """How far apart a blood draw and a scale may be, in days."""

    window_days: Days
    review_days: Days
    limit_days: Days
    undated: Literal["leave_out", "accept"]
    usable_statuses: tuple[str, ...]
    reported_only: Literal["accept", "leave_out"]


class Covariates(_Part):
    """How far from the index draw a covariate may have been measured, in days."""

    window_days: Days


class Score(_Part):
    """What the study reads of an instrument."""

    instrument: str
    scale: str
    version: str | None = None  # None: any version; versions with other totals must not be mixed
    bands: str | None = None  # a band profile of the instrument
    groups: tuple[Group, ...] = BOTH


class Matching(_Part):
    """Where match sets come from and how they are verified."""

    source: Literal["given", "made"]
    caliper_years: float = Field(ge=0)


class Criteria(_Part):
    """The answers that an instrument's items must have."""

    instrument: str
    items: dict[str, float]


class Rule(_Part):
    """One eligibility rule: it excludes, keeps, or does not know."""

    id: str
    kind: Literal["required", "threshold", "concept", "attribute", "age", "criterion"]
    sentence: str
    source: str
    unknown: Literal["keep", "drop"]
    is_on: bool = True
    groups: tuple[Group, ...] | None = None  # None: everybody, also those without a group
    sex: Literal["male", "female"] | None = None
    target: str | None = None
    targets: tuple[str, ...] = ()
    excluded_values: tuple[str, ...] = ()
    unstated: Literal["unknown", "eligible"] = "unknown"  # of an attribute that no feed states
    minimum: float | None = None
    maximum: float | None = None
    instrument: str | None = None
    items: dict[str, float] = {}
    doubted_by: str | None = None  # a profile whose flagged band makes a good result doubtful
    lookback_days: Days = 0

    @model_validator(mode="after")
    def _check(self) -> Rule:
        given = {name for name in _SPECIFIC if getattr(self, name)}
        missing = _NEEDED[self.kind] - given
        surplus = given - _NEEDED[self.kind] - _ALLOWED.get(self.kind, set())
        if missing or surplus:
            wrong = ", ".join(sorted(missing or surplus))
            raise ValueError(f"a rule of kind {self.kind} {'needs' if missing else 'does not have'}: {wrong}")
        if self.kind == "required" and self.target not in {"cohort_group", "exposure", "sex", "age"}:
            raise ValueError("a required target is cohort_group, exposure, sex or age")
        if self.kind == "concept":
            _known_sets(self.targets)
        if self.kind == "threshold":
            _known_profiles([*self.targets, *([self.doubted_by] if self.doubted_by else [])])
        return self

    @property
    def criteria(self) -> Criteria | None:
        """The answers that a criterion rule asks for."""
        return Criteria(instrument=self.instrument, items=self.items) if self.instrument else None


class Question(_Part):
    """One analysis set: who belongs to it and what must be known of them."""

    id: str
    sentence: str
    groups: tuple[Group, ...]
    needs: tuple[str, ...]
    is_matched: bool = False


class Study(_Part):
    """A study protocol."""

    study: str
    version: str
    title: str
    exposure: str
    results: Results
    subjects: Subjects
    index_draw: IndexDraw
    pairing: Pairing
    covariates: Covariates
    scores: dict[str, Score]
    deficiency_profile: str
    censoring: Literal["limit", "half", "sqrt2", "exclude"]
    matching: Matching
    rules: tuple[Rule, ...]
    questions: tuple[Question, ...]

    @model_validator(mode="after")
    def _check(self) -> Study:
        _known_profiles([self.deficiency_profile])
        for kind, names in (
            ("rule", [r.id for r in self.rules]),
            ("question", [q.id for q in self.questions]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"a {kind}'s id occurs twice")
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the protocol's content, whatever its layout in YAML."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def _known_sets(names: list[str] | tuple[str, ...]) -> None:
    unknown = sorted(set(names) - concept_sets())
    if unknown:
        raise ValueError(f"no concept set is called {unknown[0]}; known: {', '.join(sorted(concept_sets()))}")


def _known_profiles(names: list[str]) -> None:
    unknown = sorted(set(names) - set(profiles()))
    if unknown:
        raise ValueError(
            f"no threshold profile is called {unknown[0]}; known: {', '.join(sorted(profiles()))}"
        )
