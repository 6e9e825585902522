"""What an ODM document says of its study before the data: events, forms, groups, items, code lists, missing codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from etl.readers.xml_stream import Element
from schemas.errors import SourceUnreadable

MOST = 200_000  # definitions of a study
TEXTS = frozenset({"TranslatedText", "MissingDataCodes", "Symbol"})
MAIN = ""  # the table of whole events


@dataclass
class Part:
    """An event, a form or a group of items: its name, whether it repeats, and the ids of what it holds."""

    name: str
    is_repeating: bool
    holds: list[str] = field(default_factory=list)


@dataclass
class Item:
    """An item: its name, its question, its type in REDCap, whether it is a date, its list of codes and its unit."""

    name: str
    kind: str = ""
    is_date: bool = False
    question: str = ""
    code_list: str = ""
    unit: str = ""


@dataclass
class Study:
    """The definitions as they come. parts: by kind and id."""

    source: str
    parts: dict[str, dict[str, Part]] = field(
        default_factory=lambda: {"StudyEvent": {}, "Form": {}, "ItemGroup": {}}
    )
    items: dict[str, Item] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    boxes: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # the choices of checkboxes, by list of codes
    units: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    is_redcap: bool = False
    repeating: set[str] = field(default_factory=set)  # forms that REDCap repeats
    _path: list[Element] = field(default_factory=list)

    def take(self, element: Element) -> None:
        """Take in an element of the definitions."""
        if not element.is_end:
            self._path.append(element)
            self._start(element)
            return
        if element.text:
            self._text(element.name, element.text.strip())
        if self._path:
            self._path.pop()

    def is_repeating(self, form: str) -> bool:
        """Tell whether a subject can have a form several times at one event."""
        part = self.parts["Form"].get(form)
        return form.removeprefix("Form.") in self.repeating or (part is not None and part.is_repeating)

    def level(self) -> str:
        """Return the largest part whose items all have names of their own: event, form or group.

        A record is one such part, so that a date and the results of one visit stand side by side where they can.
        """
        if self.is_redcap and self.parts["Form"]:  # where a field has its name once in a project
            return "event"
        if not self.parts["Form"]:
            return "group"
        forms = {name: self._names(part.holds) for name, part in self.parts["Form"].items()}
        once = {name: items for name, items in forms.items() if not self.is_repeating(name)}
        events = [part.holds for part in self.parts["StudyEvent"].values()] or [list(forms)]
        if not all(map(_is_distinct, forms.values())):
            return "group"
        is_whole = all(
            _is_distinct(name for form in event for name in once.get(form, ())) for event in events
        )
        return "event" if is_whole else "form"

    def title_of(self, kind: str, oid: str) -> str:
        """Return the name of a part, or its id where several have that name."""
        part = self.parts[kind].get(oid)
        alike = sum(each.name == part.name for each in self.parts[kind].values()) if part else 0
        return part.name if part and part.name and alike == 1 else oid

    def items_by_form(self) -> dict[str, list[str]]:
        """Return the ids of the items of every form, by the form's name."""
        groups = self.parts["ItemGroup"]
        return {
            form.name or oid: [
                item for group in form.holds if group in groups for item in groups[group].holds
            ]
            for oid, form in self.parts["Form"].items()
        }

    def choices_of(self, item: Item) -> dict[str, str]:
        """Return the labels of an item's codes."""
        return self.codes.get(item.code_list, {})

    def _names(self, groups: Iterable[str]) -> list[str]:
        """Return the names of the items of a form that are answered once."""
        found = [self.parts["ItemGroup"].get(each) for each in groups]
        once = [each for each in found if each is not None and not each.is_repeating]
        return [self.items[oid].name if oid in self.items else oid for each in once for oid in each.holds]

    def _start(self, element: Element) -> None:
        name, about = element.name, element.attributes
        oid = about.get("OID", "")
        if name in {"StudyEventDef", "FormDef", "ItemGroupDef"}:
            part = Part(
                about.get("Name", ""), about.get("Repeating") in {"Yes", "Simple", "Dynamic", "Static"}
            )
            self._keep(self.parts[name.removesuffix("Def")], oid, part)
        elif name in {"FormRef", "ItemGroupRef", "ItemRef"}:
            self._refer(name.removesuffix("Ref"), about)
        elif name == "ItemDef":
            is_date = about.get("DataType", "").startswith("date")
            self._keep(
                self.items, oid, Item(about.get("Name", "") or oid, about.get("FieldType", ""), is_date)
            )
        elif name == "CodeListRef":
            self._of_item("code_list", about.get("CodeListOID", ""))
        elif name == "MeasurementUnitRef":
            self._of_item("unit", about.get("MeasurementUnitOID", ""))
        elif name == "CodeList":
            self._keep(self.codes, oid, {})
            self._keep(self.boxes, oid, choices(about.get("CheckboxChoices", "")))
        elif name == "MeasurementUnit":
            self._keep(self.units, oid, about.get("Name", ""))
        elif name == "ODM":
            self.is_redcap = about.get("SourceSystem", "").casefold() == "redcap"
        elif name == "RepeatingInstrument":
            self.repeating.add(about.get("RepeatInstrument", ""))

    def _refer(self, kind: str, about: dict[str, str]) -> None:
        above = {"Form": "StudyEventDef", "ItemGroup": "FormDef", "Item": "ItemGroupDef"}[kind]
        owner = self._path[-2] if len(self._path) > 1 else None
        if owner is not None and owner.name == above:
            part = self.parts[above.removesuffix("Def")].get(owner.attributes.get("OID", ""))
            if part is not None and len(part.holds) < MOST:
                part.holds.append(about.get(f"{kind}OID", ""))

    def _of_item(self, field_of_item: str, oid: str) -> None:
        owner = self._path[-2] if len(self._path) > 1 else None
        item = self.items.get(owner.attributes.get("OID", "")) if owner and owner.name == "ItemDef" else None
        if item is not None and not getattr(item, field_of_item):
            setattr(item, field_of_item, oid)

    def _text(self, name: str, text: str) -> None:
        """Take a text to where it belongs: a question, a label of a code, a unit's symbol, the missing codes."""
        names = [each.name for each in self._path]
        if name == "MissingDataCodes":
            self.missing = tuple(choices(text))
        elif "Question" in names and "ItemDef" in names:
            item = self.items.get(self._path[names.index("ItemDef")].attributes.get("OID", ""))
            if item is not None:
                item.question = item.question or text
        elif "CodeListItem" in names and "CodeList" in names:
            codes = self.codes.get(self._path[names.index("CodeList")].attributes.get("OID", ""))
            code = self._path[names.index("CodeListItem")].attributes.get("CodedValue", "")
            if codes is not None and len(codes) < MOST:
                codes.setdefault(code, text)
        elif "Symbol" in names and "MeasurementUnit" in names:
            self.units[self._path[names.index("MeasurementUnit")].attributes.get("OID", "")] = text

    def _keep(self, kept: dict[str, Any], oid: str, value: Part | Item | dict[str, str] | str) -> None:
        if len(kept) >= MOST:
            why = f"It defines more than {MOST:,} parts."
            raise SourceUnreadable(f"{self.source} is refused.", why, "export one study to a file")
        kept.setdefault(oid, value)


def choices(text: str) -> dict[str, str]:
    """Read REDCap's list of choices, `0, No | 1, Yes`, by code."""
    found = {}
    for part in re.split(r"\s*\|\s*|\n", text):
        code, comma, label = part.partition(",")
        if comma and code.strip():
            found[code.strip()] = label.strip()
    return found


def _is_distinct(names: Iterable[str]) -> bool:
    counted = Counter(names)
    return not counted or max(counted.values()) == 1
