"""From an ODM document to the records of its tables: one for an event, a form or a group of items of a subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from etl.readers.base import Source
from etl.readers.odm_study import MAIN, TEXTS, Study
from etl.readers.xml_stream import Element, XmlStream
from schemas.errors import FormatUnknown, SourceUnreadable

SUBJECT, EVENT, SITE, REPEAT = "SubjectKey", "StudyEventOID", "LocationOID", "RepeatKey"
# REDCap's names of the same.
REDCAP_EVENT, REDCAP_REPEAT = "redcap_event_name", "redcap_repeat_instance"
UNIT = "MeasurementUnitRef"
NULL, FIRST = "Yes", "1"
CHANGES = frozenset({"Update", "Upsert", "Remove"})
MOST_CELLS = 1_000_000  # of a subject's event
GROUP = "ItemGroup/"
Key = tuple[str, str, str]


@dataclass
class Record:
    """A record: its table, and its cells by column."""

    table: str
    cells: dict[str, str]


@dataclass
class OdmWalk:
    """One way through a document, from the top to the end."""

    source: Source
    declared: str | None = None
    study: Study = field(init=False)
    level: str = ""
    attachments: int = 0
    titles: dict[str, str] = field(default_factory=dict)
    _above: list[Element] = field(default_factory=list)
    _open: dict[Key, Record] = field(default_factory=dict)
    _done: list[Record] = field(default_factory=list)
    _item: dict[str, str] = field(default_factory=dict)
    _cells: int = 0
    _key: Key = ("", "", "")  # of the group at hand
    _columns: dict[Key, str] = field(default_factory=dict)  # by group, item and unit

    def __post_init__(self) -> None:
        """Start with an empty study."""
        self.study = Study(self.source.name)
        self.stream = XmlStream(self.source, self.declared, TEXTS | {"ItemData", "Value", *TYPED})

    def definitions(self) -> Study:
        """Read as far as the data begin, and return what is defined."""
        for element in self.stream.elements():
            if element.name == "ClinicalData":
                break
            self.study.take(element)
        return self.study

    def records(self) -> Iterator[Record]:
        """Yield the records of all tables, in their order. Raises SourceUnreadable."""
        is_clinical = is_any = False
        for element in self.stream.elements():
            if element.name == "ClinicalData":
                is_clinical, is_any = not element.is_end, True
                self.level = self.level or self.study.level()
            elif is_clinical:
                self._take(element)
                yield from self._done
                self._done.clear()
            else:
                self.study.take(element)
        if not is_any:
            why = "It describes a study in ODM and holds no ClinicalData."
            raise FormatUnknown(f"{self.source.name} holds no data.", why, "export the data with it")

    def _take(self, element: Element) -> None:
        name = element.name
        if name.startswith("ItemData"):
            self._take_item(element)
        elif self._item and name == "Value":
            if element.is_end:
                self._item.setdefault("Value", element.text.strip())
        elif self._item and name == UNIT:
            self._item.update(element.attributes)
        elif not element.is_end:
            self._refuse_changes(element)
            if name == "SiteRef" and self._above:
                self._above[-1].attributes[SITE] = element.attributes.get(SITE, "")
            self._above.append(element)
            if name == "ItemGroupData":
                self._key = self._key_of_group()
        elif self._above:
            self._close(self._above[-1].name)
            self._above.pop()

    def _close(self, name: str) -> None:
        """Let the records go that no later element adds to."""
        if name == "ItemGroupData":
            if self._key[0].startswith(GROUP) and self._key in self._open:
                self._done.append(self._open.pop(self._key))
        elif name in {"StudyEventData", "SubjectData"}:
            self._done.extend(self._open.values())
            self._open.clear()
            self._cells = 0

    def _refuse_changes(self, element: Element) -> None:
        if element.attributes.get("TransactionType") in CHANGES:
            why = "It tells how data changed (TransactionType), not what they are."
            raise SourceUnreadable(f"{self.source.name} is no snapshot.", why, "export a snapshot")

    def _take_item(self, element: Element) -> None:
        if not element.is_end:
            self._refuse_changes(element)
            self._item = dict(element.attributes)
            return
        item, self._item = self._item, {}
        if element.name in BINARY:
            self.attachments += 1
            return
        text = item.get("Value") or element.text.strip()
        oid = item.get("ItemOID", "")
        if oid and item.get("IsNull") != NULL and text:
            place = (self._key[0], oid, item.get("MeasurementUnitOID", ""))
            if place not in self._columns:
                self._columns[place] = self._column(oid, place[2])
            self._put(self._columns[place], text)

    def _column(self, oid: str, unit: str) -> str:
        """Name an item's column: its name where the table has no other of that name, and its unit."""
        known = self.study.items.get(oid)
        name = known.name if known and self._is_own(oid, known.name) else oid
        unit = unit or (known.unit if known else "")
        return f"{name} ({self.study.units.get(unit) or unit})" if unit else name

    def _is_own(self, oid: str, name: str) -> bool:
        return self.level != "group" or name not in self._twice(self._id_of("ItemGroupData"), oid)

    def _twice(self, group: str, oid: str) -> set[str]:
        part = self.study.parts["ItemGroup"].get(group)
        others = [each for each in part.holds if each != oid and each in self.study.items] if part else []
        return {self.study.items[each].name for each in others}

    def _put(self, column: str, text: str) -> None:
        """Put a cell where it belongs; a column that is filled already starts another record."""
        key = self._key
        record = self._open.get(key)
        if record is not None and column in record.cells and record.cells[column] != text:
            self._done.append(self._open.pop(key))
            record = None
        if record is None:
            record = self._open[key] = Record(key[0], self._keys(key))
        record.cells[column] = text
        self._cells += 1
        if self._cells > MOST_CELLS:
            why = "One subject's event holds more cells than any form has."
            raise SourceUnreadable(f"{self.source.name} is refused.", why, "export it as CSV")

    def _key_of_group(self) -> Key:
        """Return the table of the group at hand, and which repetition of form and group it is."""
        form, group = self._id_of("FormData"), self._id_of("ItemGroupData")
        form_repeat, group_repeat = self._repeat_of("FormData"), self._repeat_of("ItemGroupData")
        part = self.study.parts["ItemGroup"].get(group)
        if self.level == "group" or (part is not None and part.is_repeating):
            table = f"{GROUP}{group}"
            self.titles.setdefault(table, self.study.title_of("ItemGroup", group))
            return table, form_repeat, f"{form}/{group_repeat}"
        if self.level == "event" and not self.study.is_repeating(form):
            self.titles.setdefault(MAIN, "ClinicalData")
            return MAIN, form_repeat, group_repeat
        table = f"Form/{form}"
        self.titles.setdefault(table, self.study.title_of("Form", form))
        return table, form_repeat, group_repeat

    def _keys(self, key: Key) -> dict[str, str]:
        """Return the cells that say whose a record is: subject, event, place, and which repetition."""
        cells = {}
        for element in self._above:
            about = element.attributes
            if element.name == "SubjectData":
                cells[about.get("RecordIdField") or SUBJECT] = about.get("SubjectKey", "")
                if about.get(SITE):
                    cells[SITE] = about[SITE]
            elif element.name == "StudyEventData":
                oid = about.get("StudyEventOID", "")
                unique = about.get("UniqueEventName")
                cells[REDCAP_EVENT if unique else EVENT] = unique or self.study.title_of("StudyEvent", oid)
        repeats = self._repeats(key)
        if repeats:
            cells[REDCAP_REPEAT if REDCAP_EVENT in cells or SUBJECT not in cells else REPEAT] = repeats
        return cells

    def _repeats(self, key: Key) -> str:
        """Return which time it is that an event or a form is repeated; empty for what is done once."""
        event = self.study.parts["StudyEvent"].get(self._id_of("StudyEventData"))
        counted = [
            (self._repeat_of("StudyEventData"), event is not None and event.is_repeating),
            (key[1], key[0] != MAIN and self.study.is_repeating(self._id_of("FormData"))),
        ]
        return "/".join(number for number, is_repeating in counted if is_repeating or number != FIRST)

    def _id_of(self, name: str) -> str:
        found = next((each for each in reversed(self._above) if each.name == name), None)
        return found.attributes.get(f"{name.removesuffix('Data')}OID", "") if found else ""

    def _repeat_of(self, name: str) -> str:
        found = next((each for each in reversed(self._above) if each.name == name), None)
        return found.attributes.get(f"{name.removesuffix('Data')}RepeatKey") or FIRST if found else FIRST


# ItemData with a type in its name has its value as text.
TYPED = frozenset(
    f"ItemData{each}"
    for each in (
        "Any", "Boolean", "Date", "Datetime", "DateTime", "Double", "DurationDatetime", "Float", "Integer", "IncompleteDatetime",
        "IncompleteDate", "IncompleteTime", "IntervalDatetime", "PartialDate", "PartialTime", "PartialDatetime", "String",
        "Time", "URI",
    )
)  # fmt: skip
BINARY = frozenset({"ItemDataHexBinary", "ItemDataBase64Binary", "ItemDataBase64Float", "ItemDataHexFloat"})
