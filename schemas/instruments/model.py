"""What a definition of an instrument holds, and what must be true of it before anything is scored with it.

An instrument has versions; a version has items and scales. A scale is a named rule over terms; a term is an item
or a scale that stands earlier in the list. A definition that contradicts itself does not load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.instruments.soundness import answer_problems, instrument_problems, scale_problems

ItemKind = Literal["answer", "number", "clock", "minutes", "hours", "yes_no", "text"]
RuleName = Literal[
    "sum",  # the terms added; every term needed
    "mean_prorate",  # the mean of the answered terms times their number; at most max_missing unanswered
    "banded",  # points by cut points over the sum of the terms
    "clock_span",  # hours from the first clock time to the second, over midnight
    "percent",  # 100 x first / second
    "half_up",  # factor x the only term, rounded half up
    "rescale",  # (sum - lowest) / (highest - lowest) x 100
    "one_of",  # two codings of one item, of which one is answered
    "all_met",  # 1 when every term is 1
    "none",  # the instrument has no such score
]
CheckRule = Literal["above", "equals", "zero_while"]


class Part(BaseModel):
    """Refuse unknown keys, so that a misspelt one is an error and not a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(Part):
    """One question: its own range, its kind, and the names it is known by."""

    id: str
    kind: ItemKind = "answer"
    low: float | None = None
    high: float | None = None
    step: float = 1
    is_reversed: bool = False
    is_scored: bool = True
    label: str = ""
    words: tuple[str, ...] = ()  # parts of a label that tell this item
    names: tuple[str, ...] = ()  # whole names beside the number
    has_letters: bool = False  # 1a, 1b ... count as their digit
    absent_codes: dict[str, str] = Field(default_factory=dict)  # code: absent reason

    def same_question(self, other: Item | None) -> bool:
        """Tell whether an answer means the same in both definitions."""
        return other is not None and self.model_dump(exclude={"names"}) == other.model_dump(exclude={"names"})


class Scale(Part):
    """One score: a named rule over terms."""

    id: str
    rule: RuleName = "sum"
    terms: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    is_verified: bool = Field(alias="verified")
    is_hidden: bool = Field(default=False, alias="hidden")  # a step on the way, not stored
    cuts: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    closed: Literal["left", "right"] = "left"  # which side of a cut belongs to the next band: left: x >= cut
    impossible_above: float | None = None
    factor: float = 1
    max_missing: int = 0
    is_missing_verified: bool = Field(default=True, alias="missing_verified")
    zero_if_missing: tuple[str, ...] = ()
    zero_without: dict[str, str] = Field(default_factory=dict)  # item: the text without which it counts 0
    names: tuple[str, ...] = ()
    note: str = ""


class Bands(Part):
    """A named profile of severity bands of one scale; both ends belong to a band."""

    profile: str
    scale: str
    bands: tuple[tuple[float, float, str], ...]
    is_verified: bool = Field(alias="verified")
    source: str

    def gaps(self, step: float) -> Iterator[str]:
        """Yield what keeps the bands from covering their range exactly once."""
        for (_, high, name), (low, _, following) in zip(self.bands, self.bands[1:], strict=False):
            if low != high + step:
                yield f"bands '{name}' and '{following}' of profile '{self.profile}' do not meet"


class Check(Part):
    """A conflict within one administration."""

    id: str
    rule: CheckRule
    term: str
    limit: float = 0
    others: tuple[str, ...] = ()
    sentence: str
    advice: str


class Version(Part):
    """One form of an instrument."""

    id: str
    instrument: str
    title: str
    names: tuple[str, ...] = ()
    is_variant: bool = False  # chosen by a declaration only, never by the items present
    needs_declaration: bool = False  # has variants that neither names nor items tell apart
    reversal: Literal["scoring", "words"] = "scoring"  # words: numbers are points already
    printed_descending: tuple[str, ...] = ()  # items whose answers are printed from most to least
    answers: dict[str, float] = Field(default_factory=dict)  # words of an answer
    items: dict[str, Item]
    scales: dict[str, Scale]
    bands: tuple[Bands, ...] = ()
    checks: tuple[Check, ...] = ()

    @property
    def reversed_items(self) -> tuple[str, ...]:
        """The items that count against the rest."""
        return tuple(i.id for i in self.items.values() if i.is_reversed)

    @property
    def scored_items(self) -> tuple[str, ...]:
        """The items that some score needs."""
        return tuple(i.id for i in self.items.values() if i.is_scored)

    def items_of(self, scale: str) -> tuple[str, ...]:
        """Return the items a scale rests on, through other scales."""
        found: dict[str, None] = {}
        for term in self.scales[scale].terms:
            found.update(dict.fromkeys(self.items_of(term) if term in self.scales else (term,)))
        return tuple(found)

    @model_validator(mode="after")
    def check_itself(self) -> Version:
        """Raise when ids, terms, ranges or bands contradict each other."""
        # Ranges and bands can only be computed once every term is known.
        problems = [*self._name_problems(), *self._term_problems(), *scale_problems(self)] or [
            *self._range_problems(),
            *self._band_problems(),
            *answer_problems(self),
        ]
        if problems:
            msg = f"version '{self.id}': " + "; ".join(problems)
            raise ValueError(msg)
        return self

    def _name_problems(self) -> Iterator[str]:
        yield from (f"'{name}' is an item and a scale" for name in self.items if name in self.scales)
        known = set(self.items) | set(self.scales)
        for check in self.checks:
            yield from (
                f"check '{check.id}' uses unknown '{t}'"
                for t in (check.term, *check.others)
                if t not in known
            )
        yield from (
            f"printed_descending names unknown '{i}'" for i in self.printed_descending if i not in self.items
        )

    def _term_problems(self) -> Iterator[str]:
        known = set(self.items)
        for scale in self.scales.values():
            yield from (
                f"scale '{scale.id}' uses '{t}' before it is defined" for t in scale.terms if t not in known
            )
            if scale.rule == "banded" and len(scale.points) != len(scale.cuts) + 1:
                yield f"scale '{scale.id}' needs one more point than cuts"
            known.add(scale.id)

    def _range_problems(self) -> Iterator[str]:
        for item in self.items.values():
            if item.low is not None and item.high is not None and item.low >= item.high:
                yield f"item '{item.id}' has an empty range"
        for scale in self.scales.values():
            reached = self._reach(scale)
            if not scale.is_hidden and reached is not None and reached != (scale.low, scale.high):
                yield f"scale '{scale.id}' states {scale.low}-{scale.high}, its terms give {reached[0]}-{reached[1]}"

    def _reach(self, scale: Scale) -> tuple[float, float] | None:
        """Return the least and the greatest value that the terms allow; None where the rule does not tell."""
        if scale.rule == "banded":
            return min(scale.points), max(scale.points)
        if scale.rule not in {"sum", "mean_prorate", "half_up", "one_of"}:
            return None
        ends = [self._ends(term) for term in scale.terms]
        lows, highs = [low for low, _ in ends], [high for _, high in ends]
        if scale.rule == "one_of":
            return min(lows), max(highs)
        return round(scale.factor * sum(lows)), round(scale.factor * sum(highs))

    def _ends(self, term: str) -> tuple[float, float]:
        if term in self.items:
            item = self.items[term]
            return item.low or 0, item.high or 0
        return self._reach(self.scales[term]) or (0, 0)

    def _band_problems(self) -> Iterator[str]:
        for bands in self.bands:
            if bands.scale not in self.scales:
                yield f"bands of unknown scale '{bands.scale}'"
                continue
            scale = self.scales[bands.scale]
            if (bands.bands[0][0], bands.bands[-1][1]) != (scale.low, scale.high):
                yield f"bands '{bands.profile}' do not cover {scale.low}-{scale.high}"
            yield from bands.gaps(1)


class CodeList(Part):
    """CDISC test codes: a prefix, two digits and perhaps a letter."""

    prefix: str
    version: str
    total: str = ""
    source: str


class Instrument(Part):
    """A scale as defined, in all its versions."""

    id: str
    title: str
    direction: Literal["higher is worse", "higher is better", "yes or no"]
    unresolved_reason: Literal["version_unresolved", "order_undeclared"] = "version_unresolved"
    has_bare_total: bool = True  # a column that bears the instrument's name alone holds the total
    sources: tuple[str, ...]
    names: tuple[str, ...]
    codes: dict[str, str] = Field(default_factory=dict)  # other codes: code -> item
    test_codes: tuple[CodeList, ...] = ()
    versions: dict[str, Version]

    @model_validator(mode="after")
    def check_itself(self) -> Instrument:
        """Raise when a code stands for nothing, or no source is named."""
        if problems := list(instrument_problems(self)):
            raise ValueError("; ".join(problems))
        return self
