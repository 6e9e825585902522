"""Codes: sex, group, status and the like, by a reviewed map and the site's own."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from schemas.codes import Code, code_key, code_set
from schemas.columns import header_key

_HAN = re.compile(r"[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff]")


def map_codes(texts: pl.Series, name: str, extra: Mapping[str, str], *, header: str = "") -> pl.DataFrame:
    """Map a column's texts to a code set; one row for each text, in order.

    Columns: source; value; reason (`bad_code` or null). `extra`, the site's own map, wins over the reviewed one. A
    text that was reviewed and has no counterpart is null without a reason; so is an empty one. Some codes mean
    something under a Chinese header, or under one named header, only: a bare 1 never does by itself. The context is
    the header and not the other texts, so that a part of a file is read as the whole.
    """
    distinct = texts.drop_nulls().unique()
    known = _in_context(code_set(name), header)
    known |= {code_key(text): value for text, value in extra.items()}
    rows = [(text, known.get(code_key(text)), _reason(text, known)) for text in distinct]
    schema = {"source": pl.String, "value": pl.String, "reason": pl.String}
    mapped = pl.DataFrame(rows, schema=schema, orient="row")
    return pl.DataFrame({"source": texts}).join(mapped, on="source", how="left", maintain_order="left")


def _in_context(codes: tuple[Code, ...], header: str) -> dict[str, str | None]:
    contexts = {"", f"header={header_key(header)}"} | ({"han"} if _HAN.search(header) else set())
    return {code_key(code.text): code.value for code in codes if _context(code) in contexts}


def _context(code: Code) -> str:
    kind, _, header = code.when.partition("=")
    return f"{kind}={header_key(header)}" if header else kind


def _reason(text: str, known: Mapping[str, str | None]) -> str | None:
    key = code_key(text)
    return None if not key or key in known else "bad_code"
