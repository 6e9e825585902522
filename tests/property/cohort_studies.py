"""Writers of what electronic case report forms export: REDCap's CSV with its data dictionary, and CDISC ODM."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.property.cohort import Cohort, Writer, flat

DICTIONARY = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
SEX = {"F": "1", "M": "2"}
CHOICES = "1, Female | 2, Male"


def _items(made: Cohort) -> list[dict[str, str]]:
    """Return one form a result, every cell as the text that its field holds."""
    rows = []
    for row, each in zip(flat(made), made.results, strict=True):
        texts = {name: "" if cell is None else str(cell) for name, cell in row.items() if name != "subjid"}
        drawn = made.drawn(each).replace("T", " ")
        rows.append(texts | {"sex": SEX[each.subject.sex], "value": each.digits, "drawnat": drawn})
    return rows


def _redcap(made: Cohort, folder: Path) -> None:
    """As the export of raw codes: a repeating instrument, its state beside each form."""
    items = _items(made)
    with (folder / "Study_DATA.csv").open("w", encoding="utf-8", newline="") as file:
        own = ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance")
        writer = csv.writer(file)
        writer.writerow([*own, *items[0], "labs_complete"])
        for at, (row, each) in enumerate(zip(items, made.results, strict=True), 1):
            writer.writerow([each.subject.number, "labs", at, *row.values(), "2"])
    with (folder / "Study_DataDictionary.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, DICTIONARY, restval="")
        rows.writeheader()
        for name in ("record_id", *items[0]):
            chosen = (
                {"Field Type": "radio", DICTIONARY[5]: CHOICES} if name == "sex" else {"Field Type": "text"}
            )
            rows.writerow({DICTIONARY[0]: name, "Form Name": "labs", "Field Label": name, **chosen})


def _odm(made: Cohort, folder: Path) -> None:
    """ODM 1.3.2: one repeating group of items a result, sex as a list of codes."""
    items = _items(made)
    root = ET.Element(
        "ODM", xmlns="http://www.cdisc.org/ns/odm/v1.3", ODMVersion="1.3.2", FileType="Snapshot"
    )
    version = ET.SubElement(ET.SubElement(root, "Study", OID="S"), "MetaDataVersion", OID="M", Name="M")
    event = ET.SubElement(version, "StudyEventDef", OID="E", Name="Visit", Repeating="No", Type="Scheduled")
    ET.SubElement(event, "FormRef", FormOID="F", Mandatory="No")
    form = ET.SubElement(version, "FormDef", OID="F", Name="Laboratory", Repeating="No")
    ET.SubElement(form, "ItemGroupRef", ItemGroupOID="G", Mandatory="No")
    group = ET.SubElement(version, "ItemGroupDef", OID="G", Name="Result", Repeating="Yes")
    for name in items[0]:
        ET.SubElement(group, "ItemRef", ItemOID=f"I.{name}", Mandatory="No")
        item = ET.SubElement(version, "ItemDef", OID=f"I.{name}", Name=name, DataType="text")
        if name == "sex":
            ET.SubElement(item, "CodeListRef", CodeListOID="C")
    codes = ET.SubElement(version, "CodeList", OID="C", Name="sex", DataType="text")
    for code, label in (("1", "Female"), ("2", "Male")):
        decode = ET.SubElement(ET.SubElement(codes, "CodeListItem", CodedValue=code), "Decode")
        ET.SubElement(decode, "TranslatedText").text = label
    data = ET.SubElement(root, "ClinicalData", StudyOID="S", MetaDataVersionOID="M")
    for subject in made.subjects:
        about = ET.SubElement(data, "SubjectData", SubjectKey=subject.number)
        visit = ET.SubElement(about, "StudyEventData", StudyEventOID="E")
        filled = ET.SubElement(visit, "FormData", FormOID="F")
        own = [row for row, each in zip(items, made.results, strict=True) if each.subject == subject]
        for at, row in enumerate(own, 1):
            part = ET.SubElement(filled, "ItemGroupData", ItemGroupOID="G", ItemGroupRepeatKey=str(at))
            for name, cell in row.items():
                if cell:
                    ET.SubElement(part, "ItemData", ItemOID=f"I.{name}", Value=cell)
    ET.ElementTree(root).write(folder / "study.xml", "utf-8", xml_declaration=True)


STUDIES: dict[str, Writer] = {"REDCap": _redcap, "ODM": _odm}
