"""The rule catalogue as a reader sees it: each rule, on or off, with its parameters and the number unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from etl.associate.settings import rules, settings
from expectations.result import CheckResult
from schemas.study.catalogue import CatalogueRule, catalogue_rules

Flow = Sequence[Mapping[str, object]]
OTHERS = "Rules of the protocol from other sources"


@dataclass(frozen=True)
class Means:
    """One thing that answers a rule of the catalogue; unknown: of how many subjects it knows nothing."""

    kind: str  # eligibility, setting, check, query, always
    name: str
    state: str  # on, off, a setting's value, what the last validation said
    says: str
    unknown: int | str = ""


@dataclass(frozen=True)
class CatalogueEntry:
    """One rule of the catalogue and everything that answers it."""

    id: str
    sentence: str
    means: tuple[Means, ...]


def catalogue(
    study: Mapping[str, object], flow: Flow, checks: Mapping[str, str]
) -> tuple[CatalogueEntry, ...]:
    """Arrange the protocol, the flow and the last validation by the rules C01 to C21; then the protocol's others."""
    entries = [
        CatalogueEntry(rule.id, rule.sentence, tuple(_means(rule, study, flow, checks)))
        for rule in catalogue_rules()
    ]
    known = [rule.id for rule in catalogue_rules()]
    others = tuple(_eligibility(study, flow, lambda source: not any(rule_id in source for rule_id in known)))
    return (*entries, *([CatalogueEntry("other", OTHERS, others)] if others else []))


def summarise_checks(results: Sequence[CheckResult]) -> dict[str, str]:
    """Say of each check how its scopes ended; no rows are counted."""
    by_check: dict[str, Counter[str]] = {}
    for result in results:
        by_check.setdefault(result.check_id, Counter())[result.status] += 1
    return {name: ", ".join(_said(*item) for item in sorted(c.items())) for name, c in by_check.items()}


def _said(status: str, scopes: int) -> str:
    return f"{status.replace('_', ' ')}{f' in {scopes}' if scopes > 1 else ''}"


def _means(
    rule: CatalogueRule, study: Mapping[str, object], flow: Flow, checks: Mapping[str, str]
) -> Iterator[Means]:
    yield from _eligibility(study, flow, lambda source: rule.id in source)
    for name, value in settings(study):
        if any(name == wanted or name.startswith(f"{wanted}.") for wanted in rule.settings):
            yield Means("setting", name, value, "")
    for check in rule.checks:
        yield Means("check", check, checks.get(check, "never run"), "")
    for query in rule.queries:
        yield Means("query", query, "", f"etl query {query}")
    if rule.always:
        yield Means("always", "", "on", rule.always)


def _eligibility(
    study: Mapping[str, object], flow: Flow, is_wanted: Callable[[str], bool]
) -> Iterator[Means]:
    """Yield the protocol's rules of some sources with their parameters and what they do not know."""
    unknown = {step.get("rule"): step.get("n_unknown") for step in flow}
    for each in rules(study):
        if is_wanted(each["source"]):
            parts = (each["sentence"], each["parameters"], f"not known: {each['unknown']}")
            count = _counted(unknown.get(each["id"], "")) if each["state"] == "on" else ""
            yield Means("eligibility", each["id"], each["state"], "; ".join(filter(None, parts)), count)


def _counted(count: object) -> int | str:
    return "hidden" if count is None else count if isinstance(count, int | str) else ""
