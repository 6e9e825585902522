"""A definition of a clinical scale as plain text, for the terminal and the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from etl.scoring.forms import form_of
from etl.scoring.versions import with_items
from schemas.instruments import INSTRUMENTS, Instrument, Item, Scale, Version


def definition_text(instrument: str, version: str | None = None) -> str:
    """Return what defines an instrument, or one version of it. Raises DefinitionError for unknown names."""
    definition = form_of(instrument, version).instrument
    shown = [each for each in definition.versions.values() if version in (None, each.id)]
    parts = [f"{definition.title} ({definition.id}), {definition.direction}."]
    parts += ["\n".join(_version_lines(each)) for each in shown]
    parts.append("Sources\n" + "\n".join(f"  {source}" for source in definition.sources))
    return "\n\n".join(parts)


def score_rows(definition: Instrument) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield version, scale, range, how it is made, and whether the rule was read in a source; steps on the way too."""
    for version in definition.versions.values():
        for scale in version.scales.values():
            name = f"({scale.id})" if scale.is_hidden else scale.id
            yield version.id, name, _span(scale), rule_text(scale, version), verified_text(scale)


def item_groups(version: Version) -> list[tuple[str, str]]:
    """Return runs of items that share range and kind, with what they share: ("1 - 10", "0-4")."""
    groups: list[tuple[str, list[str]]] = []
    for item in version.items.values():
        said = item_text(item)
        if groups and groups[-1][0] == said:
            groups[-1][1].append(item.id)
        else:
            groups.append((said, [item.id]))
    return [(names[0] if len(names) == 1 else f"{names[0]} - {names[-1]}", said) for said, names in groups]


def item_text(item: Item) -> str:
    """Return an item's range and what is special about it."""
    span = "" if item.low is None or item.kind == "text" else f"{item.low:g}-{item.high:g}"
    parts = [
        span,
        "" if item.kind == "answer" else item.kind.replace("_", " or "),
        f"steps of {item.step:g}" if item.kind == "answer" and item.step != 1 else "",
        "reversed" if item.is_reversed else "",
        "1a, 1b .. count as their digit" if item.has_letters else "",
        "" if item.is_scored else "not scored",
        *(f"{code} is {reason.replace('_', ' ')}" for code, reason in item.absent_codes.items()),
    ]
    return ", ".join(part for part in parts if part)


def rule_text(scale: Scale, version: Version) -> str:
    """Return how a score is made, with its rule for missing answers."""
    terms = _terms(scale, version)
    made = {
        "sum": terms if len(scale.terms) == 1 else f"sum of {terms}",
        "mean_prorate": f"sum of {terms}; up to {scale.max_missing} missing take the mean of the others",
        "banded": f"{'sum of ' if len(scale.terms) > 1 else ''}{terms}: {_cuts(scale)}",
        "clock_span": f"hours from item {' to item '.join(scale.terms)}, over midnight",
        "percent": f"100 x {' / '.join(scale.terms)}",
        "half_up": f"{scale.factor:g} x {terms}, rounded half up",
        "rescale": f"sum of {terms}, as a share of 100 between its lowest and highest",
        "one_of": f"{' or '.join(scale.terms)}, of which one is answered",
        "all_met": f"1 if {terms} are all 1",
        "none": "no such score is accepted",
    }[scale.rule]
    zero = [f"{item} counts 0 when unanswered" for item in scale.zero_if_missing]
    zero += [f"{item} counts 0 without {text}" for item, text in scale.zero_without.items()]
    above = [f"above {scale.impossible_above:g} impossible"] if scale.impossible_above is not None else []
    return "; ".join([made, *zero, *above])


def told_by(version: Version, definition: Instrument) -> str:
    """Return what settles that a file holds this version."""
    if len(definition.versions) == 1:
        return "the only version"
    if version.is_variant or version.needs_declaration:
        return "a declaration"
    has_words = any(item.words != version.items[name].words for name, item in _others(version, definition))
    is_only = with_items(definition, set(version.items)) == {version.id}
    ways = {"its name": bool(version.names), "labels": has_words, "its items": is_only}
    return ", ".join(["a declaration", *(way for way, is_one in ways.items() if is_one)])


def _others(version: Version, definition: Instrument) -> Iterator[tuple[str, Item]]:
    for other in definition.versions.values():
        yield from ((name, item) for name, item in other.items.items() if name in version.items)


def _terms(scale: Scale, version: Version) -> str:
    if len(scale.terms) == 1 and scale.terms[0] in version.items:
        return f"item {scale.terms[0]}"
    if len(scale.terms) > 2 and set(scale.terms) == set(version.scored_items):
        return "all scored items"
    runs: list[list[str]] = []
    order = list(version.items)
    for term in scale.terms:
        follows = (
            runs and term in order and order.index(term) and order[order.index(term) - 1] == runs[-1][-1]
        )
        if follows:
            runs[-1].append(term)
        else:
            runs.append([term])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)


def _cuts(scale: Scale) -> str:
    """Return the points between the cuts: 0 up to 15, 1 up to 30 (right closed); 0 below 1, 1 from 1 (left closed)."""
    if not scale.points:
        return ""
    if scale.closed == "right":
        steps = [f"{point:g} up to {cut:g}" for point, cut in zip(scale.points, scale.cuts, strict=False)]
        return ", ".join([*steps, f"{scale.points[-1]:g} above"])
    steps = [f"{point:g} from {cut:g}" for point, cut in zip(scale.points[1:], scale.cuts, strict=True)]
    return ", ".join([f"{scale.points[0]:g} below {scale.cuts[0]:g}", *steps])


def _version_lines(version: Version) -> Iterator[str]:
    yield f"{version.id}: {version.title} (told by: {told_by(version, INSTRUMENTS[version.instrument])})"
    yield from (f"  item {names}: {said}" for names, said in item_groups(version))
    for scale in version.scales.values():
        what = "step" if scale.is_hidden else "scale"
        told = verified_text(scale)
        marked = "" if told == "yes" else f" (verified: {told})"
        yield f"  {what} {' '.join(filter(None, (scale.id, _span(scale))))}: {rule_text(scale, version)}{marked}"
    for bands in version.bands:
        cuts = ", ".join(f"{low:g}-{high:g} {name}" for low, high, name in bands.bands)
        marked = "" if bands.is_verified else " (verified: no)"
        yield f"  bands of {bands.scale} ({bands.profile}): {cuts}{marked}"
    yield from (f"  check {check.id}: {check.sentence}" for check in version.checks)


def _span(scale: Scale) -> str:
    return "" if scale.low is None else f"{scale.low:g}-{scale.high:g}"


def verified_text(scale: Scale) -> str:
    """Return whether the rule, and the one for missing answers, were read in a source."""
    if not scale.is_verified:
        return "no"
    return "yes" if scale.is_missing_verified else "yes; with missing answers no"
