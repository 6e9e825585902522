"""The study protocol as a reader sees it: every setting by its dotted name, every rule with its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Printed in columns of their own.
_NAMED = ("id", "kind", "sentence", "source", "unknown", "is_on")

_SILENT = ("unstated", "unknown")  # the default: silence is no answer


def settings(study: Mapping[str, object]) -> list[tuple[str, str]]:
    """Flatten everything but the rules."""
    return [pair for name, value in study.items() if name != "rules" for pair in _flat(name, value)]


def rules(study: Mapping[str, object]) -> list[dict[str, str]]:
    """Return the rules in order, switched on or off, with what each of them looks at."""
    found = study.get("rules")
    each = [rule for rule in found if isinstance(rule, Mapping)] if isinstance(found, list | tuple) else []
    return [
        {name: str(rule.get(name, "")) for name in ("id", "kind", "sentence", "source", "unknown")}
        | {"state": "on" if rule.get("is_on") else "off", "parameters": _parameters(rule)}
        for rule in each
    ]


def _parameters(rule: Mapping[str, object]) -> str:
    given = {
        name: value
        for name, value in rule.items()
        if name not in _NAMED and value not in (None, [], {}, 0, ()) and (name, value) != _SILENT
    }
    return "; ".join(f"{name} {text}" for key, value in given.items() for name, text in _flat(key, value))


def _flat(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        return [pair for key, part in value.items() for pair in _flat(f"{name}.{key}", part)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(part, Mapping) for part in value):
            return [
                pair
                for at, part in enumerate(value)
                for pair in _flat(f"{name}.{part.get('id', at) if isinstance(part, Mapping) else at}", part)
            ]
        return [(name, ", ".join(str(part) for part in value) or "none")]
    return [(name, "none" if value == {} else "not set" if value is None else str(value))]
