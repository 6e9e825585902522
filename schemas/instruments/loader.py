"""Read the definitions: one TOML an instrument, a form that its versions share, and what each version changes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from schemas.errors import DefinitionError
from schemas.instruments.model import Bands, Check, Instrument, Item, ItemKind, Part, Scale, Version
from schemas.instruments.soundness import doubled, registry_problems

FOLDER = Path(__file__).parent
GRAMMAR_FILE = FOLDER / "grammar.toml"
_SPAN = re.compile(r"(\d+)([a-z]?)-(\d+)([a-z]?)")
_MERGED = ("ranges", "labels", "words", "item_names", "kinds", "absent_codes", "roles", "answers")


class Form(Part):
    """The raw text of a version, after its parents' were laid under it."""

    title: str = ""
    names: tuple[str, ...] = ()
    extends: str = ""
    variant: bool = False
    needs_declaration: bool = False
    items: tuple[str, ...] = ()  # "1-10" and "5a-5j" stand for what lies between
    range: tuple[float, float] | None = None
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    step: float = 1
    kinds: dict[str, ItemKind] = Field(default_factory=dict)
    reversed: tuple[str, ...] = ()
    reversal: Literal["scoring", "words"] = "scoring"
    unscored: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    item_names: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    absent_codes: dict[str, dict[str, str]] = Field(default_factory=dict)
    answers: dict[str, float] = Field(default_factory=dict)
    printed_descending: tuple[str, ...] = ()
    roles: dict[str, str] = Field(default_factory=dict)  # role: item
    scales: tuple[Scale, ...] = ()
    bands: tuple[Bands, ...] = ()
    checks: tuple[Check, ...] = ()


def load_instrument(path: Path) -> Instrument:
    """Read one definition. Raises DefinitionError that names the file and all that is wrong in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        form, versions = raw.pop("form", {}), raw.pop("versions")
        forms = {name: Form.model_validate(_resolve(name, form, versions)) for name in versions}
        _refuse_unknown(forms)
        _refuse_doubled(forms)
        raw["versions"] = {name: _version(name, raw["id"], text) for name, text in forms.items()}
        return Instrument.model_validate(raw)
    except (tomllib.TOMLDecodeError, ValidationError, KeyError, ValueError) as problem:
        raise DefinitionError(
            f"the instrument definition {path.name} is wrong", _plain(problem), f"correct {path.name}"
        ) from problem


def load_instruments(folder: Path = FOLDER) -> dict[str, Instrument]:
    """Read every definition of a folder, by id. Raises DefinitionError, also when two claim the same id, name or code."""
    found = [
        load_instrument(path) for path in sorted(folder.glob("*.toml")) if path.name != GRAMMAR_FILE.name
    ]
    if problems := list(registry_problems(found)):
        raise DefinitionError(
            "two instrument definitions claim the same",
            "; ".join(problems),
            f"correct the files in {folder.name}",
        )
    return {instrument.id: instrument for instrument in found}


def load_grammar() -> dict[str, Any]:
    """Read the words that headers and answers share across instruments."""
    return tomllib.loads(GRAMMAR_FILE.read_text(encoding="utf-8"))


def _plain(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in problem.errors())
    if isinstance(problem, KeyError):
        return f"the key {problem} is missing or unknown"
    return str(problem)


def _resolve(name: str, form: Mapping[str, Any], versions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    own = versions[name]
    under = _resolve(own["extends"], form, versions) if "extends" in own else dict(form)
    merged = {**under, **{key: value for key, value in own.items() if key != "extends"}}
    for key in _MERGED:
        if key in under and key in own:
            merged[key] = {**under[key], **own[key]}
    if "scales" in own:
        replaced = {scale["id"] for scale in own["scales"]}
        merged["scales"] = [s for s in under.get("scales", []) if s["id"] not in replaced] + own["scales"]
    if "names" not in own:
        merged["names"] = []  # the parent's names tell the parent
    merged["needs_declaration"] = own.get("needs_declaration", False)
    return merged


def _version(name: str, instrument: str, form: Form) -> Version:
    return Version(
        id=name,
        instrument=instrument,
        title=form.title,
        names=form.names,
        is_variant=form.variant,
        needs_declaration=form.needs_declaration,
        reversal=form.reversal,
        printed_descending=form.printed_descending,
        answers=form.answers,
        items={item.id: item for item in _items(form)},
        scales={scale.id: _with_roles(scale, form.roles) for scale in form.scales},
        bands=form.bands,
        checks=form.checks,
    )


def _refuse_unknown(forms: Mapping[str, Form]) -> None:
    """Raise when a table names an item that no version has: most likely it is misspelt."""
    items = {name for form in forms.values() for name in _expand(form.items)}
    named = {name for form in forms.values() for name in _named(form)}
    if strangers := sorted(named - items):
        msg = f"no such items: {', '.join(strangers)}"
        raise ValueError(msg)


def _refuse_doubled(forms: Mapping[str, Form]) -> None:
    """Raise when an item, scale, check or band profile stands twice; as tables by id the second would win unseen."""
    problems = [
        f"version '{name}': {problem}"
        for name, form in forms.items()
        for what, names in (
            ("item", _expand(form.items)),
            ("reversed item", form.reversed),
            ("scale", [scale.id for scale in form.scales]),
            ("check", [check.id for check in form.checks]),
            ("band profile", [f"{bands.profile}/{bands.scale}" for bands in form.bands]),
        )
        for problem in doubled(what, names)
    ]
    if problems:
        raise ValueError("; ".join(problems))


def _named(form: Form) -> set[str]:
    tables = (form.ranges, form.labels, form.words, form.kinds, form.item_names, form.absent_codes)
    return {*form.reversed, *form.unscored, *form.letters, *(name for table in tables for name in table)}


def _with_roles(scale: Scale, roles: Mapping[str, str]) -> Scale:
    return scale.model_copy(update={"terms": tuple(roles.get(t, t) for t in _expand(scale.terms))})


def _items(form: Form) -> Iterator[Item]:
    for name in _expand(form.items):
        ends = form.ranges.get(name, form.range)
        yield Item(
            id=name,
            kind=form.kinds.get(name, "answer"),
            low=ends[0] if ends else None,
            high=ends[1] if ends else None,
            step=form.step,
            is_reversed=name in form.reversed,
            is_scored=name not in form.unscored,
            label=form.labels.get(name, ""),
            words=form.words.get(name, ()),
            names=form.item_names.get(name, ()),
            has_letters=name in form.letters,
            absent_codes=form.absent_codes.get(name, {}),
        )


def _expand(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for name in names for one in _span(name))


def _span(name: str) -> Iterator[str]:
    """Yield the ids between the two ends of "1-10" or "5a-5j"; any other text stands for itself."""
    match = _SPAN.fullmatch(name)
    if not match:
        yield name
    elif match[2]:
        yield from (f"{match[1]}{chr(code)}" for code in range(ord(match[2]), ord(match[4]) + 1))
    else:
        yield from (str(number) for number in range(int(match[1]), int(match[3]) + 1))
