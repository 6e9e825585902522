"""Finding the tables on a sheet: preamble, header rows, footer, a second table behind blank rows.

Only the rows around a header are looked at one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from etl.readers.base import LEVELS, Hints
from etl.readers.footer import LONGEST
from etl.readers.grid import Grid, Region
from etl.readers.head import HEADER_WITHIN, VALUE
from etl.readers.layout import unique_names

BEHIND = 20  # rows behind a header that tell which columns hold values
COLON = (":", "：")
DIGIT = re.compile(r"\d")


def find_regions(grid: Grid, hints: Hints | None = None) -> list[Region]:
    """Return the tables of a sheet from top to bottom, none if the sheet is blank.

    header_row of the hints: the declared lowest row of the first table's header, or its first one.
    """
    return [_checked_footer(grid, _with_footer(grid, each)) for each in _regions(grid, hints or Hints())]


def _regions(grid: Grid, hints: Hints) -> Iterator[Region]:
    filled = np.flatnonzero(grid.counts)
    if not len(filled):
        return
    first, last = 1, int(filled[-1]) + 1
    while True:
        region = _region(grid, (first, last), hints)
        following = _next_table(grid, region) if region.header_row else None
        if following is None:
            yield region
            return
        yield _region(grid, (first, following - 1), hints)
        first, hints = following, replace(hints, header_row=None, is_first_row=False)


def _region(grid: Grid, rows: tuple[int, int], hints: Hints) -> Region:
    first, last = rows
    if not hints.has_header:
        places = _used(grid, first, last)
        return Region(first, 0, first, last, places, unique_names("" for _ in places))
    header = hints.header_row or _lowest_header(grid, first, last)
    lowest = header if hints.is_first_row else _below(grid, header, last)
    top = header if hints.is_first_row else _above(grid, header, first)
    places = _used(grid, top, last)
    names = _labels(grid, range(top, lowest + 1), places, is_spread=hints.is_first_row)
    region = Region(first, top, lowest + 1, last, places, unique_names(names))
    return _extended(grid, region, names, hints)


def _extended(grid: Grid, region: Region, names: list[str], hints: Hints) -> Region:
    """Add the rows below that belong to the header."""
    if hints.extend is None:
        return region
    below = range(region.body_row, min(region.body_row + LEVELS, region.last_row + 1))
    cells = [grid.filled(row) for row in below]
    rows = [[row.get(place, "") for place in region.places] for row in cells]
    heading = hints.extend(names, rows, hints.is_first_row)
    if not heading.lines:
        return region
    body, columns = region.body_row + heading.lines, unique_names(heading.names)
    return replace(region, body_row=body, columns=columns, told=heading.decisions)


def _used(grid: Grid, first: int, last: int) -> tuple[int, ...]:
    return tuple(np.flatnonzero(grid.is_filled[first - 1 : last].any(axis=0)).tolist())


def _lowest_header(grid: Grid, first: int, last: int) -> int:
    """Return the first row of names that is about as full as any; behind rows of values only a full one counts."""
    rows = [row for row in grid.rows(first, last, HEADER_WITHIN) if not _is_caption(grid.filled(row))]
    rows = rows or grid.rows(first, last, 1)
    frequent = Counter(int(grid.counts[row - 1]) for row in rows)
    width = max(frequent, key=lambda count: count * frequent[count])  # what covers most cells
    full = [row for row in rows if grid.counts[row - 1] >= width]
    candidates: list[int] = []
    for row in rows:
        cells = grid.filled(row)
        if _has_values(cells):
            if candidates and 2 * len(cells) >= width:
                break
        elif 2 * len(cells) >= width and (row <= full[0] or _is_strict(grid, row, last, width)):
            candidates.append(row)
    fullest = max((int(grid.counts[row - 1]) for row in candidates), default=0)
    near = [row for row in candidates if 4 * int(grid.counts[row - 1]) >= 3 * min(fullest, width)]
    return _behind_prose(grid, near, last) if near else full[0]


def _behind_prose(grid: Grid, rows: list[int], last: int) -> int:
    """Return the first of several rows of names, unless it is prose: a fuller one stands behind a gap, above values."""
    first = int(grid.counts[rows[0] - 1])
    for row in rows[1:]:
        has_gap = (grid.counts[rows[0] : row - 1] < first).any()
        if has_gap and grid.counts[row - 1] > first and row < last and _has_values(grid.filled(row + 1)):
            return row
    return rows[0]


def _is_caption(cells: dict[int, str]) -> bool:
    """Tell a line of a preamble: a label with a colon, and its text."""
    return len(cells) <= 2 and next(iter(cells.values())).endswith(COLON)


def _is_strict(grid: Grid, row: int, last: int, width: int) -> bool:
    """Tell a full row of different names with values behind it."""
    cells = grid.filled(row)
    is_full = len(cells) >= width and len(set(cells.values())) == len(cells)
    return is_full and any(_has_values(grid.filled(each)) for each in grid.rows(row + 1, last, HEADER_WITHIN))


def _has_values(cells: dict[int, str]) -> bool:
    return any(VALUE.fullmatch(cell) for cell in cells.values())


def _valued(grid: Grid, row: int, last: int) -> set[int]:
    """Return the places where most cells behind a row are values."""
    seen: Counter[int] = Counter()
    valued: Counter[int] = Counter()
    for behind in grid.rows(row + 1, last, BEHIND):
        for place, cell in grid.filled(behind).items():
            seen[place] += 1
            valued[place] += VALUE.fullmatch(cell) is not None
    return {place for place, count in seen.items() if 5 * valued[place] >= 4 * count}


def _below(grid: Grid, row: int, last: int) -> int:
    """Return the lowest header row: labels merged over rows tell, else a row that only fills what labels span."""
    row = min(grid.bottom(row), last)
    for _ in range(LEVELS):
        under = grid.filled(row + 1)
        if row >= last or not under or _has_values(under):
            break
        end = max(*grid.filled(row), *under)
        spans = [(first, to) for first, to in grid.spans(row, end).items() if to > first]
        is_within = all(any(first <= place <= to for first, to in spans) for place in under)
        if not is_within or not (grid.knows_merges or under.keys() & _valued(grid, row + 1, last)):
            break
        row += 1
    return row


def _above(grid: Grid, row: int, first: int) -> int:
    """Return the highest header row: labels above that group columns, but no title over all and no preamble."""
    for _ in range(LEVELS):
        labels = grid.filled(row - 1)
        places = grid.filled(row)
        if row - 1 < first or not labels or not places:
            break
        groups = [span for span in grid.spans(row - 1, max(places)).items() if span[1] > span[0]]
        covers_all = len(groups) == 1 and groups[0][0] <= min(places) and groups[0][1] >= max(places)
        is_preamble = _has_values(labels) or any(label.endswith(COLON) for label in labels.values())
        if is_preamble or covers_all or len(groups) < (1 if grid.knows_merges else 2):
            break
        row -= 1
    return row


def _labels(grid: Grid, rows: Sequence[int], places: Sequence[int], *, is_spread: bool = False) -> list[str]:
    """Join the labels of several header rows, each for the columns that it spans; the lowest's too if it is spread."""
    parts: dict[int, list[str]] = {place: [] for place in places}
    for row in rows:
        cells = grid.filled(row)
        is_group = row < rows[-1] or (is_spread and grid.knows_merges)
        spans = grid.spans(row, max(places)) if is_group else {place: place for place in cells}
        for first, label in cells.items():
            for place in range(first, spans[first] + 1):
                if place in parts and label not in parts[place]:
                    parts[place].append(label)
    return [re.sub(r"\s+", " ", " ".join(labels)) for labels in parts.values()]


def _next_table(grid: Grid, region: Region) -> int | None:
    """Return the first row of another table behind blank rows: its title or its header."""
    counts = grid.counts[region.body_row - 1 : region.last_row]
    starts = np.flatnonzero((counts[1:] > 0) & (counts[:-1] == 0)) + 1 + region.body_row
    if not len(starts):
        return None
    names = grid.filled(region.header_row if region.told else region.body_row - 1)
    valued = _valued(grid, region.body_row - 1, int(starts[0]) - 1)
    for start in starts.tolist():
        row = start
        while row < start + LEVELS and grid.counts[row - 1] == 1 and row < region.last_row:
            row += 1
        if _starts_table(grid, row, region.last_row, (names, valued)):
            return int(start)
    return None


def _starts_table(grid: Grid, row: int, last: int, above: tuple[dict[int, str], set[int]]) -> bool:
    """Tell whether a row is the header of another table than the one above: of other columns, or named like it.

    above: the names and the value columns there. A word in a value column is no reason: it may be a result.
    """
    names, valued = above
    cells = grid.filled(row)
    labels = set(cells.values())
    is_header = len(cells) > 1 and not _has_values(cells) and len(labels) == len(cells)
    if not is_header or row >= last or not grid.counts[row] or labels == set(names.values()):
        return False
    behind = grid.rows(row + 1, last, BEHIND)
    run = [each for place, each in enumerate(behind) if each == row + 1 + place]
    own = _valued(grid, row, run[-1]) & cells.keys()
    within = sum(grid.filled(each).keys() <= cells.keys() for each in run)
    if not own or 5 * within < 4 * len(run):
        return False
    is_shaped_otherwise = not cells.keys() <= names.keys() or not own <= valued
    return is_shaped_otherwise or 2 * len(labels & set(names.values())) >= len(labels)


def _with_footer(grid: Grid, region: Region) -> Region:
    """Find notes at the end: set off by the table's only blank rows, one cell each, or a caption with its text."""
    counts = grid.counts[region.body_row - 1 : region.last_row]
    blank = np.flatnonzero(counts == 0)
    if len(region.places) < 3:
        return region
    if not len(blank):
        return replace(region, footer_row=_scattered(grid, region, counts))
    row = int(blank[-1]) + region.body_row + 1
    earlier = counts[: row - region.body_row]
    is_only = not (earlier[: np.flatnonzero(earlier)[-1] + 1] == 0).any() if earlier.any() else False
    notes = range(row, region.last_row + 1)
    if not is_only or len(notes) > LONGEST or not all(_is_note(grid.filled(note)) for note in notes):
        return region
    return replace(region, footer_row=row)


def _checked_footer(grid: Grid, region: Region) -> Region:
    """Drop a footer into which a cell reaches from the records above: its rows are records."""
    if region.footer_row and grid.is_covered(region)[region.footer_row - 1 : region.last_row].any():
        return replace(region, footer_row=0)
    return region


def _scattered(grid: Grid, region: Region, counts: npt.NDArray[np.int64]) -> int:
    """Return the first of several rows of words scattered below whole records without a gap; 0 if there are none.

    A record has something in its first column, or a digit somewhere: an id alone is still a record.
    """
    row, places = region.last_row + 1, len(region.places)
    while row > region.body_row and _is_scattered(grid.filled(row - 1), places):
        row -= 1
    notes = [grid.filled(note) for note in range(row, region.last_row + 1)]
    records = counts[: row - region.body_row]
    is_below = len(records) >= len(notes) and 2 * int(records.min(initial=places)) >= places
    has_no_record = any(region.places[0] not in cells for cells in notes)
    return row if 2 <= len(notes) <= LONGEST and is_below and has_no_record else 0


def _is_scattered(cells: dict[int, str], places: int) -> bool:
    return 0 < 3 * len(cells) <= places and not any(DIGIT.search(cell) for cell in cells.values())


def _is_note(cells: dict[int, str]) -> bool:
    first = next(iter(cells.values()))
    return (len(cells) == 1 and not VALUE.fullmatch(first)) or (len(cells) == 2 and first.endswith(COLON))
