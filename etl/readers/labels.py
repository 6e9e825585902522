"""What a statistical file says about its codes: labels, and codes that its owner declared missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from etl.readers.base import Decision
from etl.readers.cell_text import as_text

Code = float | int | str
# That many consecutive whole numbers and more are a scale, whose numbers count: answers, stages, grades.
SCALE = 3


@dataclass(frozen=True)
class Span:
    """Codes from low to high that mean that there is no value."""

    low: Code
    high: Code

    @property
    def name(self) -> str:
        """The code, or the first and the last one."""
        return (
            code_text(self.low)
            if self.low == self.high
            else f"{code_text(self.low)} to {code_text(self.high)}"
        )

    def holds(self, cell: pl.Expr) -> pl.Expr:
        """Return whether a cell is one of the codes."""
        return cell.is_between(pl.lit(self.low), pl.lit(self.high)).fill_null(value=False)


@dataclass
class Codes:
    """The codes of one column: labels by the code's text, spans of missing codes, and what was seen of them."""

    is_number: bool = True
    labels: dict[str, str] = field(default_factory=dict)
    missing: tuple[Span, ...] = ()
    seen: set[str] = field(default_factory=set)
    absent: Counter[str] = field(default_factory=Counter)

    def present(self, cells: pl.Series) -> pl.Series:
        """Return the cells without the missing codes, which are counted; letters of SAS and Stata are such codes."""
        if cells.dtype == pl.Object or (self.is_number and cells.dtype == pl.String):
            cells = self._without_letters(cells)
        for span in self.missing:
            if isinstance(span.low, str) != (cells.dtype == pl.String):
                continue
            is_missing = cells.to_frame().select(span.holds(pl.col(cells.name))).to_series()
            if count := int(is_missing.sum()):
                self.absent[span.name] += count
                cells = pl.select(pl.when(~is_missing).then(cells)).to_series().alias(cells.name)
        return cells

    def _without_letters(self, cells: pl.Series) -> pl.Series:
        values = cells.to_list()
        self.absent.update(value for value in values if isinstance(value, str))
        kept = [None if isinstance(value, str) else value for value in values]
        return pl.Series(cells.name, kept, strict=False)

    def note(self, texts: pl.Series) -> None:
        """Remember which codes occur, as long as all of them have labels."""
        if self.labels and self.seen <= self.labels.keys():
            self.seen.update(texts.drop_nulls().unique().to_list())

    def use_labels(self) -> bool:
        """Tell whether labels stand for the codes: all codes that occur have one, and they are names, not a scale."""
        return bool(self.seen) and self.seen <= self.labels.keys() and not is_scale(self._own())

    def labelled(self, texts: pl.Series) -> pl.Series:
        """Return the labels of codes."""
        return texts.replace(self.labels)

    def decisions(self, name: str) -> list[Decision]:
        """Return what was decided about a column, with counts."""
        made = []
        if self.labels and self.seen:
            unlabelled = len(self.seen - self.labels.keys())
            evidence: dict[str, int | str] = {"labels": len(self.labels), "codes_without_label": unlabelled}
            if is_scale(self._own()):
                evidence["codes_are"] = "a scale"
            made.append(
                Decision(f"labels:{name}", "labels" if self.use_labels() else "codes", "content", evidence)
            )
        if self.absent:
            named = {
                f"{code} {self.labels.get(code, '')}".strip(): count for code, count in self.absent.items()
            }
            made.append(Decision(f"missing:{name}", ", ".join(sorted(self.absent)), "declared", dict(named)))
        return made

    def _own(self) -> list[str]:
        """Return the labelled codes that are values."""
        return [code for code in self.labels if not any(_within(code, span) for span in self.missing)]


def is_scale(codes: Sequence[str]) -> bool:
    """Tell whether codes are consecutive whole numbers, three or more."""
    numbers = sorted(int(code) for code in codes if code.removeprefix("-").isdecimal())
    return len(numbers) == len(codes) >= SCALE and numbers == list(range(numbers[0], numbers[-1] + 1))


def codes_of(labels: Mapping[Code, str], missing: Sequence[Mapping[str, Code]], *, is_number: bool) -> Codes:
    """Return the codes of a column as a file's metadata states them."""
    texts = {code_text(code): label.strip() for code, label in labels.items() if label.strip()}
    return Codes(is_number, texts, tuple(Span(each["lo"], each["hi"]) for each in missing))


def code_text(code: Code) -> str:
    """Return a code as its cells are shown."""
    if isinstance(code, str):
        return code.rstrip()
    return str(as_text(pl.DataFrame({"code": [float(code)]}))["code"][0])


def _within(code: str, span: Span) -> bool:
    try:
        return float(span.low) <= float(code) <= float(span.high)
    except ValueError:
        return code in {span.low, span.high}
