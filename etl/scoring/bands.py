"""Severity bands by named profile, as a table and as a column."""

from __future__ import annotations

import polars as pl

from schemas.instruments import INSTRUMENTS

_BAND_SCHEMA = {
    "instrument": pl.String,
    "version": pl.String,
    "scale": pl.String,
    "profile": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "band": pl.String,
    "is_verified": pl.Boolean,
    "source": pl.String,
}


def band_table() -> pl.DataFrame:
    """Return every band of every profile, both ends belonging to the band."""
    rows = [
        (
            instrument.id,
            version.id,
            bands.scale,
            bands.profile,
            low,
            high,
            name,
            bands.is_verified,
            bands.source,
        )
        for instrument in INSTRUMENTS.values()
        for version in instrument.versions.values()
        for bands in version.bands
        for low, high, name in bands.bands
    ]
    return pl.DataFrame(rows, schema=_BAND_SCHEMA, orient="row")


def add_bands(scores: pl.DataFrame, profile: str) -> pl.DataFrame:
    """Add the column band: null without a value, or where the profile has no bands for the scale.

    A prorated value between two bands (7.5) belongs to the lower one: a band begins at its low end.
    """
    keys = ["instrument", "version", "scale"]
    bands = (
        band_table().filter(pl.col("profile") == profile).select(*keys, "band", pl.col("low").alias("value"))
    )
    numbered = scores.with_row_index("_row")
    banded = numbered.sort("value").join_asof(
        bands.sort("value"), on="value", by=keys, strategy="backward", check_sortedness=False
    )
    return banded.sort("_row").drop("_row")
