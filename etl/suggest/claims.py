"""Who claims a column for a field: known headers, schemes of standards, words of headers and labels, the cells alone."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from etl.suggest.content import Content
from etl.suggest.fits import Fit, fit
from etl.suggest.headers import claims as word_claims
from etl.suggest.headers import ideas_of, is_spelt_in_initials, words_of
from etl.suggest.relations import bounded
from etl.suggest.structure import told
from schemas.columns import COLUMNS, WEAK_TIER, header_key
from schemas.wording import IDENTIFYING, Form, wording

KNOWN, SURE, FAIR, HINT = 4, 3, 2, 1
CELLS_ALONE = "the cells alone"
_SPELT = 3  # columns in first letters of pinyin before any is read so
_NEAR, _LONG = 0.9, 8  # for a header that resembles a known one
# What the cells must be under a header that is known by itself.
_CONTENT = {rule.field: rule.content for rule in reversed(wording().rules)} | {"code": "codes"}
# Fields that cells give away by themselves, whatever the header is.
_BOUNDED = {"low": {"ref_low"}, "high": {"ref_high"}, "value": {"value", "value_number"}}
# The ideas that a header may have for each field that cells give away: none of anything else.
_NEUTRAL = frozenset({"of", "test", "raw", "code", "number_value", "description", "kind"})
_AGREE = {
    "value": _NEUTRAL | {"value", "number", "score", "report"},
    "ref_low": _NEUTRAL | {"reference", "range", "low", "value"},
    "ref_high": _NEUTRAL | {"reference", "range", "high", "value"},
    "subject": _NEUTRAL | {"subject", "chart", "number", "study", "pseudonym"},
    "collected_date": _NEUTRAL
    | {"date", "time", "moment", "checkup", "collect", "specimen", "value", "blood"},
}
# What the name of a file may say of its records, so that a bare `CODE` is the code of such a one.
_TOPICS = frozenset({"diagnosis", "drug", "test"})
TELLING = {"analyte": "analytes", "unit": "units", "ref_text": "ranges", "code": "loinc"}


@dataclass(frozen=True)
class Claimed:
    """A claim on a column: how strong the header is, how the cells fit, and why. rank: among equal claims, first wins."""

    field: str
    column: str
    strength: int
    fit: Fit
    why: str
    rank: int = 0


@dataclass(frozen=True)
class View:
    """What is known of a table before anything is chosen."""

    columns: tuple[str, ...]
    contents: Mapping[str, Content]
    labels: Mapping[str, str] = field(default_factory=dict)
    frame: pl.DataFrame = field(default_factory=pl.DataFrame, compare=False, repr=False)
    name: str = ""  # of the file, whose known words say what its records are
    _known_claims: dict[str, list[Claimed]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def has_initials(self) -> bool:
        """Tell whether the columns are named in first letters of pinyin."""
        return sum(is_spelt_in_initials(column) for column in self.columns) >= _SPELT

    @cached_property
    def borne_out(self) -> frozenset[tuple[str, str]]:
        """Return the columns, with low, high or value, whose numbers stand to each other as their headers say."""
        said = {
            place: [each for each in self.columns if fields & self._said(each)]
            for place, fields in _BOUNDED.items()
        }
        return frozenset(bounded(self.frame, self.contents, said["low"], said["high"], said["value"]))

    def _said(self, column: str) -> set[str]:
        """Return the fields that a header or label may name, whatever the cells are."""
        texts = (column, self.labels.get(column, ""))
        words = {claim.field for text in texts for claim in word_claims(text, initials=self.has_initials)}
        return words | {candidate.field for candidate in COLUMNS.find(column)}

    @cached_property
    def told(self) -> Mapping[str, list[tuple[str, str]]]:
        """Return, by column, the fields that the table's cells alone give away, and why."""
        found: dict[str, list[tuple[str, str]]] = {}
        for column, name, why in told(self.frame, self.contents):
            found.setdefault(column, []).append((name, why))
        return found

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """Return the words of the file's name that say what its records are."""
        return tuple(word.text.rpartition("~")[2] for word in words_of(self.name) if word.ideas & _TOPICS)

    def claims(self, column: str) -> list[Claimed]:
        """Return the claims on a column; the strongest of each field."""
        if column not in self._known_claims:
            self._known_claims[column] = self._strongest(column)
        return self._known_claims[column]

    def _strongest(self, column: str) -> list[Claimed]:
        found: dict[str, Claimed] = {}
        for claimed in self._all(column):
            old = found.get(claimed.field)
            if old is None or (claimed.strength, -claimed.rank) > (old.strength, -old.rank):
                found[claimed.field] = claimed
        return sorted(found.values(), key=lambda claimed: -claimed.strength)

    def is_identifying(self, column: str) -> bool:
        """Tell whether a header speaks of a person's name, address or national number."""
        ideas = ideas_of(column) | ideas_of(self.labels.get(column, ""))
        listed = {candidate.field for candidate in COLUMNS.find(column)} & {"name", "national_id"}
        is_known = all(word.ideas for word in words_of(column))
        is_name = (
            is_known and "name" in ideas and not ideas - {"name", "description", "subject", "of", "number"}
        )
        is_hidden = "pseudonym" in ideas and "national" in ideas
        return bool(listed or is_name or (ideas.intersection(IDENTIFYING) and not is_hidden))

    def _all(self, column: str) -> Iterator[Claimed]:
        yield from self._known(column)
        if header_key(column) in COLUMNS.known_unread and not column.islower():  # STUDYID is no study_id
            return
        yield from self._of_standards(column)
        for rank, (text, kind) in enumerate(((column, "header"), (self.labels.get(column, ""), "label"))):
            for claim in word_claims(text, initials=self.has_initials and kind == "header"):
                why = claim.why.replace("header", kind, 1)
                yield self._claimed(claim.field, column, claim.strength, claim.content, why, rank)
        is_number = "number" in ideas_of(column)  # whose number, the file's name does not say
        for topic in () if is_number else self.topics:
            for claim in word_claims(f"{topic} {column}"):
                if claim.strength > HINT:
                    why = f"{claim.why}, of which the file's name is one"
                    yield self._claimed(claim.field, column, FAIR, claim.content, why, 2)
        yield from self._resembling(column)
        yield from self._by_structure(column)
        yield from self._by_cells(column)

    def _claimed(
        self, name: str, column: str, strength: int, content: str, why: str, rank: int = 0
    ) -> Claimed:
        fits = fit(content, self.contents[column], column)
        place = next((place for place, fields in _BOUNDED.items() if name in fields), None)
        if fits is Fit.PASS and place and (column, place) in self.borne_out:
            fits, why = Fit.YES, f"{why}, and the numbers beside it bear it out"
        return Claimed(name, column, strength, fits, why, rank)

    def _known(self, column: str) -> Iterator[Claimed]:
        for candidate in COLUMNS.find(column):
            strength = FAIR if candidate.tier >= WEAK_TIER else KNOWN
            content = _CONTENT.get(candidate.field, "any")
            why = f"a known header ({candidate.names})"
            rank = candidate.tier * 1000 + candidate.position
            yield self._claimed(candidate.field, column, strength, content, why, rank)

    def _of_standards(self, column: str) -> Iterator[Claimed]:
        for rank, form in enumerate(wording().forms):
            found = form.pattern.fullmatch(column)
            if form.field == "measure" or found is None or not self.bears_out(form, column):
                continue
            domains = {group: text for group, text in found.groupdict().items() if text}
            if all(text in form.standard.groups[group] for group, text in domains.items()):
                yield self._claimed(form.field, column, KNOWN, form.content, form.standard.sentence, rank)

    def bears_out(self, form: Form, column: str) -> bool:
        """Tell whether enough other columns are named by the scheme of a form."""
        others = [each for each in self.columns if each != column]
        is_there = not form.only_with or any(
            header_key(each) == header_key(form.only_with) for each in others
        )
        return (
            is_there
            and sum(bool(form.standard.beside.fullmatch(each)) for each in others) >= form.standard.least
        )

    def _resembling(self, column: str) -> Iterator[Claimed]:
        """Find a known header that this one is a slip of the pen of."""
        key = header_key(column)
        if len(key) < _LONG or COLUMNS.find(column):
            return
        near = difflib.get_close_matches(
            key, [each for each in COLUMNS.by_key if len(each) >= _LONG], 1, _NEAR
        )
        for candidate in COLUMNS.by_key[near[0]] if near else ():
            content = _CONTENT.get(candidate.field, "any")
            yield self._claimed(
                candidate.field, column, FAIR, content, f"nearly the known header '{near[0]}'"
            )

    def _by_structure(self, column: str) -> Iterator[Claimed]:
        """Claim what the cells of the table give away, if the known words of the header agree, and there are some."""
        for name, why in self.told.get(column, ()):
            ideas = [word.ideas for word in words_of(column, initials=self.has_initials) if word.ideas]
            if ideas and all(of & _AGREE[name] for of in ideas):
                yield Claimed(name, column, HINT, Fit.YES, f"{CELLS_ALONE}: {why}", 3)

    def _by_cells(self, column: str) -> Iterator[Claimed]:
        content = self.contents[column]
        for name, need in TELLING.items():
            if fit(need, content, column) is Fit.YES and (name != "unit" or len(content.distinct) > 1):
                why = f"{CELLS_ALONE}: {round(100 * content.share(need.removesuffix('s')))} % of the distinct texts are such"
                yield Claimed(name, column, HINT, Fit.YES, why)


def fields_in(columns: Sequence[str], view: View) -> dict[str, list[Claimed]]:
    """Return the claims of all columns by field."""
    found: dict[str, list[Claimed]] = {}
    for column in columns:
        for claimed in view.claims(column):
            found.setdefault(claimed.field, []).append(claimed)
    return found
