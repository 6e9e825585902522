"""Where a header stands, as a mapping declares it: `header_row: 3`, or its first and last line, `header_row: [2, 3]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictInt

from etl.readers.base import LEVELS


def lines_of(rows: tuple[int, ...] | None) -> int | None:
    """Return how many lines a header has; None where only one of its lines is named."""
    return rows[1] - rows[0] + 1 if rows and len(rows) == 2 else None


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _few_lines(rows: tuple[int, ...]) -> tuple[int, ...]:
    if len(rows) in {1, 2} and 1 <= rows[0] <= rows[-1] < rows[0] + LEVELS:
        return rows
    message = (
        f"one line from 1 on, or the first and the last of a header of up to {LEVELS} lines, is expected"
    )
    raise ValueError(message)


HeaderRow = Annotated[
    tuple[StrictInt, ...],
    BeforeValidator(_listed, json_schema_input_type=int | list[int]),
    AfterValidator(_few_lines),
]
