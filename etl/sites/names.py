"""Words of a mapping that must be known elsewhere: roles, attributes, analytes, instruments, values of code sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from etl.sites.model import EVERY, FeedMapping, SiteMapping
from etl.sites.problems import Keys, Problem, unknown_word
from schemas.codes import VALUES
from schemas.columns import COLUMNS

Words = Iterator[tuple[Keys, str]]  # where a word stands, and the word

# The analyte of a name that is known to be none of the study's.
OTHER = "other"


def unknown_names(
    mapping: SiteMapping, analytes: Collection[str] | None, instruments: Collection[str] | None
) -> Iterator[Problem]:
    """Find the words that name nothing; analytes and instruments are those of the registry unless given."""
    fields = (*COLUMNS.roles, *COLUMNS.attributes)
    known: dict[str, tuple[Callable[[FeedMapping], Words], Callable[[], Collection[str]]]] = {
        "role or attribute": (_fields, lambda: fields),
        "analyte of the study": (_measured, lambda: _analytes(analytes)),
        "analyte of the study, nor `other`": (_listed, lambda: (*_analytes(analytes), OTHER)),
        "instrument": (_scales, lambda: _instruments(instruments)),
    }
    for name, feed in mapping.feeds.items():
        for kind, (words, choices) in known.items():
            for keys, word in words(feed):
                if word not in choices():
                    yield unknown_word(("feeds", name, *keys), word, kind, choices())
        for keys, word, values in _values(feed):
            if word not in values:
                yield unknown_word(("feeds", name, *keys), word, "value of this code set", values)


def _fields(feed: FeedMapping) -> Words:
    for key, words in (("columns", feed.columns), ("constants", feed.constants), ("values", feed.values)):
        yield from (((key, word), word) for word in words)
    yield from ((("dates", word), word) for word in feed.dates if word != EVERY)


def _measured(feed: FeedMapping) -> Words:
    for key, words in (("units", feed.units), ("bounds", feed.bounds)):
        yield from (((key, word), word) for word in words)
    for header, measure in feed.measures.items():
        if measure.analyte is not None:
            yield ("measures", header, "analyte"), measure.analyte


def _listed(feed: FeedMapping) -> Words:
    yield from ((("analytes", name), word) for name, word in feed.analytes.items())


def _scales(feed: FeedMapping) -> Words:
    yield from ((("instruments", word), word) for word in feed.instruments)
    for header, measure in feed.measures.items():
        if measure.instrument is not None:
            yield ("measures", header, "instrument"), measure.instrument


def _values(feed: FeedMapping) -> Iterator[tuple[Keys, str, Collection[str]]]:
    fields = {**COLUMNS.roles, **COLUMNS.attributes}
    for name, words in feed.values.items():
        codes = fields[name].codes if name in fields else None
        if codes:
            yield from ((("values", name, text), value, VALUES[codes]) for text, value in words.items())


def _analytes(given: Collection[str] | None) -> Collection[str]:
    if given is not None:
        return given
    # Read only now: it takes longer than most mappings, which name no analyte.
    from schemas.analytes import registry

    return tuple(registry())


def _instruments(given: Collection[str] | None) -> Collection[str]:
    if given is not None:
        return given
    from schemas.instruments import INSTRUMENTS

    return tuple(INSTRUMENTS)
