"""Check mappings before anything is loaded by them: the words of the file, and the headers of exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from etl.inspect import inspect
from etl.readers.base import Source
from etl.sites.mapping import SiteMapping, load_mapping
from etl.sites.resolve import resolve
from etl.sources import expand
from schemas.errors import DefinitionError, UserError


@dataclass(frozen=True)
class Checked:
    """What was found in one mapping: a sentence, or the three-part message of what is wrong."""

    path: str
    says: str = ""
    error: str | None = None


def check(files: Sequence[Path], data: Iterable[str]) -> list[Checked]:
    """Check each mapping; with data, also that every file it claims has the columns that it maps."""
    sources = [named.source for named in expand(data)]
    return [_checked(path, sources) for path in files]


def _checked(path: Path, sources: Sequence[Source]) -> Checked:
    if not path.is_file():
        problem = UserError(
            f"There is no mapping at {path}.",
            "No such file stands there.",
            "etl map suggest EXPORT --out " + str(path),
        )
        return Checked(str(path), error=problem.message())
    try:
        mapping = load_mapping(path)
        claimed = [source for source in sources if mapping.claims(source.name)]
        for source in claimed:
            _check_columns(mapping, source)
    except UserError as error:
        return Checked(str(path), error=error.message())
    feeds = ", ".join(mapping.feeds)
    seen = (
        f"; {len(claimed)} of {len(sources)} files are claimed, and have the mapped columns"
        if sources
        else ""
    )
    return Checked(str(path), f"sound. Site {mapping.site}, feeds {feeds}{seen}.")


def _check_columns(mapping: SiteMapping, source: Source) -> None:
    """Compare the tables of a source with the feed that claims it. Raises DefinitionError with the line."""
    plans = inspect(source, mapping.site, mapping, datetime.now())  # noqa: DTZ005 - local, as in ingest
    feed = next(each for each in mapping.feeds.values() if each.claims(source.name))
    for plan in plans:
        has_concepts = plan.decision("vocabulary") is not None
        resolution = resolve(plan.table.columns, feed, has_concepts=has_concepts)
        missing = next((each for each in resolution.findings if "is not in the file" in each.what), None)
        if missing is not None:
            header = missing.what.split("'")[1]
            place = _place(mapping, feed.feed, header)
            raise DefinitionError(
                f"{place}: {missing.what}", f"{missing.why} The file is {source.name}.", missing.fix
            )
        if resolution.shape == "unmapped":
            place = mapping.where("feeds", feed.feed)
            raise DefinitionError(
                f"{place}: {source.name} is still not mapped: {resolution.findings[0].what}",
                resolution.findings[0].why,
                resolution.findings[0].fix,
            )


def _place(mapping: SiteMapping, feed: str, header: str) -> str:
    """Name the line of the key under which a header stands."""
    declared = mapping.feeds[feed]
    role = next((name for name, headers in declared.columns.items() if header in headers), None)
    keys = ("columns", role) if role else ("measures", header)
    return mapping.where("feeds", feed, *keys)
