"""A definition of a clinical scale as plain text, for the terminal and the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from etl.scoring.forms import form_of
from schemas.instruments import Instrument, Item, Scale, Version


def definition_text(instrument: str, version: str | None = None) -> str:
    """Return what defines an instrument, or one version of it. Raises DefinitionError for unknown names."""
    definition = form_of(instrument, version).instrument
    shown = [each for each in definition.versions.values() if version in (None, each.id)]
    parts = [f"{definition.title} ({definition.id}), {definition.direction}."]
    parts += ["\n".join(_version_lines(each)) for each in shown]
    parts.append("Sources\n" + "\n".join(f"  {source}" for source in definition.sources))
    return "\n\n".join(parts)


def score_rows(definition: Instrument) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield version, scale, range, how it is made, and whether the rule was read in a source."""
    for version in definition.versions.values():
        for scale in version.scales.values():
            if not scale.is_hidden:
                yield version.id, scale.id, _span(scale), rule_text(scale, version), _verified(scale)


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
        "" if item.is_scored else "not scored",
        *(f"{code} is {reason.replace('_', ' ')}" for code, reason in item.absent_codes.items()),
    ]
    return ", ".join(part for part in parts if part)


def rule_text(scale: Scale, version: Version) -> str:
    """Return how a score is made, with its rule for missing answers."""
    items = ", ".join(scale.terms)
    if set(scale.terms) == set(version.scored_items) and len(scale.terms) > 1:
        items = "all scored items"
    missing = f", up to {scale.max_missing} missing" if scale.rule == "mean_prorate" else ""
    return "none" if scale.rule == "none" else f"{scale.rule.replace('_', ' ')} of {items}{missing}"


def _version_lines(version: Version) -> Iterator[str]:
    variant = " (by declaration only)" if version.is_variant else ""
    yield f"{version.id}: {version.title}{variant}"
    yield from (f"  item {names}: {said}" for names, said in item_groups(version))
    for scale in version.scales.values():
        if not scale.is_hidden:
            yield f"  scale {scale.id} {_span(scale)}: {rule_text(scale, version)}{_unverified(scale)}"
    for bands in version.bands:
        cuts = ", ".join(f"{low:g}-{high:g} {name}" for low, high, name in bands.bands)
        yield f"  bands of {bands.scale} ({bands.profile}): {cuts}"
    yield from (f"  check {check.id}: {check.sentence}" for check in version.checks)


def _span(scale: Scale) -> str:
    return "" if scale.low is None else f"{scale.low:g}-{scale.high:g}"


def _verified(scale: Scale) -> str:
    return "yes" if scale.is_verified else "no"


def _unverified(scale: Scale) -> str:
    return "" if scale.is_verified else " (not verified in a source)"
