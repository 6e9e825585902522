"""Ids made from content: equal content of one feed has one id, whatever the file, its order or its encoding."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import polars_hash as plh

# Separates fields; a cell cannot hold it, because control bytes are damage.
FIELD = "\x1f"


def content(texts: Iterable[str | pl.Expr], *constants: str) -> pl.Expr:
    """Return the framed text of some columns or expressions; an empty cell keeps its place."""
    cells = [pl.col(each) if isinstance(each, str) else each for each in texts]
    parts = [pl.lit(constant) for constant in constants] + [cell.fill_null("") for cell in cells]
    return pl.concat_str(parts, separator=FIELD)


def with_hmac(frame: pl.DataFrame, name: str, text: pl.Expr, key: str) -> pl.DataFrame:
    """Add the first 128 bits of HMAC-SHA256(key, text) as 32 hex digits; a null text has a null id."""
    hashed = plh.col(name).chash.hmac_sha256(key=key).str.slice(0, 32)
    # Hashing takes longer than anything else that a row needs, so each core gets a part of the rows.
    size = -(-max(frame.height, 1) // pl.thread_pool_size())
    parts = [each.lazy().select(text.alias(name)).select(hashed) for each in frame.iter_slices(size)]
    return frame.with_columns(
        pl.concat(pl.collect_all(parts))[name] if parts else pl.lit(None, pl.String).alias(name)
    )
