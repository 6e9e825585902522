"""What speaks against a unit declaration: a slip in the site or feed, the mapping, or another declaration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from etl.sites.mapping import SiteMapping
from etl.units import find_analyte, find_unit
from schemas.errors import UsageError

if TYPE_CHECKING:
    from etl.declarations import UnitDeclared


@dataclass(frozen=True)
class Known:
    """What a declaration is held against: places that files came from, mappings, declarations made before."""

    places: set[tuple[str, str]]
    sites: dict[str, SiteMapping]
    stored: list[dict[str, Any]]


def refuse(declared: UnitDeclared, known: Known) -> None:
    """Raise UsageError for a declaration that nothing would follow, or that contradicts what is declared."""
    _check_period(declared)
    _refuse_unknown_place(declared, known)
    _refuse_mapped(declared, known.sites)
    _refuse_second(declared, known.stored)


def _check_period(declared: UnitDeclared) -> None:
    if declared.valid_from and declared.valid_to and declared.valid_from > declared.valid_to:
        raise UsageError(
            "The period ends before it begins.", "No day lies within it.", "give --from before --to"
        )


def _refuse_unknown_place(declared: UnitDeclared, known_to: Known) -> None:
    """Refuse a site or feed that nothing was loaded from and no mapping names: a slip would declare nothing."""
    known = known_to.places | {(site, feed) for site, each in known_to.sites.items() for feed in each.feeds}
    feeds = {feed for site, feed in known if site == declared.site}
    if not feeds:
        raise _nowhere("site", declared.site, {site for site, _ in known})
    if declared.feed is not None and declared.feed not in feeds:
        raise _nowhere("feed", declared.feed, feeds)


def _nowhere(kind: str, given: str, known: set[str]) -> UsageError:
    near = get_close_matches(given, known, n=1) or sorted(known)[:1]
    return UsageError(
        f"No {kind} is called '{given}'.",
        f"Nothing was loaded from it, and no mapping names it. Known: {', '.join(sorted(known)) or 'none'}.",
        f"--{kind} {near[0]}" if near else "etl ingest first",
    )


def _refuse_second(declared: UnitDeclared, stored: list[dict[str, Any]]) -> None:
    """Refuse a declaration whose period meets that of another one for the same analyte of the same feed."""
    for other in stored:
        is_same = (other["site"], other["analyte"]) == (declared.site, declared.analyte)
        is_feed = None in {other["feed"], declared.feed} or other["feed"] == declared.feed
        if is_same and is_feed and not other["revoked_by"] and _meets(other, declared):
            raise UsageError(
                f"{other['unit']} is declared for {declared.analyte} at {declared.site} in that period already.",
                "Two declarations for one result would leave open which of them holds.",
                f"etl units revoke {other['decision_id']} --who WHO --why WHY, or choose another period",
            )


def _refuse_mapped(declared: UnitDeclared, sites: dict[str, SiteMapping]) -> None:
    """Refuse a declaration that says something else than the site's mapping."""
    mapping, analyte = sites.get(declared.site), find_analyte(declared.analyte)
    for name, feed in mapping.feeds.items() if mapping else ():
        said = feed.units.get(analyte.id)
        is_meant = said is not None and declared.feed in {None, name}
        if said and is_meant and not analyte.is_same_unit(find_unit(analyte, said.unit), declared.unit):
            where = mapping.where("feeds", name, "units", analyte.id) if mapping else ""
            raise UsageError(
                f"{where} declares {said.unit} for {analyte.id}.",
                "Two declarations for one result would leave open which of them holds.",
                "take that line out of the mapping first, or declare the same unit",
            )


def _meets(other: dict[str, Any], declared: UnitDeclared) -> bool:
    starts_in_time = (other["valid_from"] or date.min) <= (declared.valid_to or date.max)
    return bool(starts_in_time and (declared.valid_from or date.min) <= (other["valid_to"] or date.max))
