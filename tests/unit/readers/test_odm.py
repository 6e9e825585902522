"""Clinical data in ODM. Expected cells are read off the documents here, those of public files off REDCap's own CSV."""

from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from etl.readers import detect
from etl.readers.base import Hints, Source
from etl.readers.odm import OdmReader
from schemas.errors import FormatUnknown, SourceUnreadable

READER = OdmReader(rows=2)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = 'xmlns="http://www.cdisc.org/ns/odm/v1.3"'
DEFINED = """
<Study OID="S"><BasicDefinitions><MeasurementUnit OID="U.PM" Name="pmol/L"/><MeasurementUnit OID="U.PG" Name="pg">
<Symbol><TranslatedText>pg/mL</TranslatedText></Symbol></MeasurementUnit></BasicDefinitions><MetaDataVersion OID="M">
<StudyEventDef OID="SE.1" Name="Baseline" Repeating="No"><FormRef FormOID="F.VIS"/><FormRef FormOID="F.LAB"/></StudyEventDef>
<StudyEventDef OID="SE.2" Name="Week 4" Repeating="Yes"><FormRef FormOID="F.LAB"/></StudyEventDef>
<FormDef OID="F.VIS" Name="Visit" Repeating="No"><ItemGroupRef ItemGroupOID="G.VIS"/></FormDef>
<FormDef OID="F.LAB" Name="Laboratory" Repeating="No"><ItemGroupRef ItemGroupOID="G.LAB"/><ItemGroupRef ItemGroupOID="G.CM"/></FormDef>
<ItemGroupDef OID="G.VIS" Name="Visit" Repeating="No"><ItemRef ItemOID="I.DAT"/></ItemGroupDef>
<ItemGroupDef OID="G.LAB" Name="Blood" Repeating="No"><ItemRef ItemOID="I.B12"/><ItemRef ItemOID="I.FER"/></ItemGroupDef>
<ItemGroupDef OID="G.CM" Name="Drugs" Repeating="Yes"><ItemRef ItemOID="I.CM"/></ItemGroupDef>
<ItemDef OID="I.DAT" Name="visit date" DataType="date"/>
<ItemDef OID="I.B12" Name="Vitamin B12" DataType="float"><MeasurementUnitRef MeasurementUnitOID="U.PG"/></ItemDef>
<ItemDef OID="I.FER" Name="Ferritin" DataType="float"/>
<ItemDef OID="I.CM" Name="CMTRT" DataType="text"/>
</MetaDataVersion></Study>
"""
DATA = """
<ClinicalData StudyOID="S" MetaDataVersionOID="M"><SubjectData SubjectKey="007"><SiteRef LocationOID="L1"/>
<StudyEventData StudyEventOID="SE.1"><FormData FormOID="F.VIS"><ItemGroupData ItemGroupOID="G.VIS">
<ItemData ItemOID="I.DAT" Value="2021-03-05"/></ItemGroupData></FormData>
<FormData FormOID="F.LAB"><ItemGroupData ItemGroupOID="G.LAB"><ItemData ItemOID="I.B12" Value="310.0"/>
<ItemDataFloat ItemOID="I.FER">45</ItemDataFloat></ItemGroupData>
<ItemGroupData ItemGroupOID="G.CM" ItemGroupRepeatKey="1"><ItemData ItemOID="I.CM" Value="Pramipexole"/></ItemGroupData>
<ItemGroupData ItemGroupOID="G.CM" ItemGroupRepeatKey="2"><ItemData ItemOID="I.CM" Value="Metformin"/></ItemGroupData>
</FormData></StudyEventData>
<StudyEventData StudyEventOID="SE.2" StudyEventRepeatKey="2"><FormData FormOID="F.LAB"><ItemGroupData ItemGroupOID="G.LAB">
<ItemData ItemOID="I.B12" Value="229"><MeasurementUnitRef MeasurementUnitOID="U.PM"/></ItemData>
<ItemData ItemOID="I.FER" IsNull="Yes"/></ItemGroupData></FormData></StudyEventData>
</SubjectData></ClinicalData>
"""


def document(*parts: str, attributes: str = "") -> str:
    return (
        f'{HEAD}<ODM {NAMESPACE} ODMVersion="1.3.2" FileType="Snapshot" {attributes}>{"".join(parts)}</ODM>'
    )


def written(tmp_path: Path, text: str | bytes, name: str = "study.xml") -> Source:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source(path)


def cells(
    source: Source, reader: OdmReader = READER, hints: Hints | None = None
) -> dict[str, list[dict[str, str]]]:
    """Return the filled cells of every record, by table, as both passes tell them."""
    found = {}
    for table in reader.inspect(source, hints or Hints()):
        batches = list(reader.read(source, table, table.ranges[0], table.columns))
        frame = pl.concat(batch.frame for batch in batches)
        assert frame["row_number"].to_list() == list(range(1, table.records + 1))
        rows = frame.drop("row_number").to_dicts()
        found[table.title] = [{name: cell for name, cell in row.items() if cell is not None} for row in rows]
    return found


def test_a_visit_is_a_record_and_what_repeats_within_it_has_its_own(tmp_path: Path) -> None:
    found = cells(written(tmp_path, document(DEFINED, DATA)))
    whose = {"SubjectKey": "007", "LocationOID": "L1", "StudyEventOID": "Baseline"}
    assert found == {
        "ClinicalData": [
            {**whose, "visit date": "2021-03-05", "Vitamin B12 (pg/mL)": "310.0", "Ferritin": "45"},
            {**whose, "StudyEventOID": "Week 4", "RepeatKey": "2", "Vitamin B12 (pmol/L)": "229"},
        ],
        "Drugs": [{**whose, "CMTRT": "Pramipexole"}, {**whose, "CMTRT": "Metformin"}],
    }


def test_an_item_in_two_forms_of_a_visit_makes_each_form_a_record(tmp_path: Path) -> None:
    twice = DEFINED.replace(
        '<ItemRef ItemOID="I.FER"/>', '<ItemRef ItemOID="I.FER"/><ItemRef ItemOID="I.DAT"/>'
    )
    data = DATA.replace(
        '<ItemDataFloat ItemOID="I.FER">45</ItemDataFloat>', '<ItemData ItemOID="I.DAT" Value="2021-03-06"/>'
    )
    found = cells(written(tmp_path, document(twice, data)))
    assert [row.get("visit date") for row in found["Visit"]] == ["2021-03-05"]
    assert [row.get("visit date") for row in found["Laboratory"]] == ["2021-03-06", None]


def test_an_item_in_two_groups_of_a_form_makes_each_group_a_record(tmp_path: Path) -> None:
    twice = DEFINED.replace(
        '<ItemGroupRef ItemGroupOID="G.LAB"/>',
        '<ItemGroupRef ItemGroupOID="G.LAB"/><ItemGroupRef ItemGroupOID="G.2"/>',
    ).replace(
        '<ItemGroupDef OID="G.CM"',
        '<ItemGroupDef OID="G.2" Name="Again" Repeating="No"><ItemRef ItemOID="I.FER"/></ItemGroupDef><ItemGroupDef OID="G.CM"',
    )
    assert set(cells(written(tmp_path, document(twice, DATA)))) == {"Visit", "Blood", "Drugs"}


def test_data_without_definitions_keep_their_ids(tmp_path: Path) -> None:
    found = cells(written(tmp_path, document(DATA)))
    assert {title: len(rows) for title, rows in found.items()} == {"G.VIS": 1, "G.LAB": 2, "G.CM": 2}
    assert found["G.LAB"][1]["I.B12 (U.PM)"] == "229"


def test_a_value_that_contradicts_another_is_a_record_more(tmp_path: Path) -> None:
    item = '<ItemData ItemOID="I.B12" Value="310.0"/>'
    data = DATA.replace(item, f'{item}<ItemData ItemOID="I.B12" Value="99"/>')
    rows = cells(written(tmp_path, document(DEFINED, data)))["ClinicalData"]
    assert [row.get("Vitamin B12 (pg/mL)") for row in rows] == ["310.0", "99", None]


def test_odm_2_nests_its_groups_and_has_no_forms(tmp_path: Path) -> None:
    data = """<ClinicalData><SubjectData SubjectKey="1"><StudyEventData StudyEventOID="V1"><ItemGroupData ItemGroupOID="LAB">
    <ItemGroupData ItemGroupOID="BLOOD"><ItemData ItemOID="B12"><Value SeqNum="1">310</Value></ItemData></ItemGroupData>
    </ItemGroupData></StudyEventData></SubjectData></ClinicalData>"""
    text = f'{HEAD}<ODM xmlns="http://www.cdisc.org/ns/odm/v2.0" ODMVersion="2.0">{data}</ODM>'
    assert cells(written(tmp_path, text)) == {
        "BLOOD": [{"SubjectKey": "1", "StudyEventOID": "V1", "B12": "310"}],
    }


REDCAP = """<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:redcap="https://projectredcap.org" SourceSystem="REDCap">
<Study OID="P"><GlobalVariables><redcap:RepeatingInstrumentsAndEvents><redcap:RepeatingInstruments>
<redcap:RepeatingInstrument redcap:UniqueEventName="base_arm_1" redcap:RepeatInstrument="isi"/>
</redcap:RepeatingInstruments></redcap:RepeatingInstrumentsAndEvents></GlobalVariables><MetaDataVersion OID="M">
<FormDef OID="Form.labs" Name="Labs" Repeating="No"><ItemGroupRef ItemGroupOID="labs.x"/><ItemGroupRef ItemGroupOID="labs.y"/></FormDef>
<FormDef OID="Form.isi" Name="ISI" Repeating="No"><ItemGroupRef ItemGroupOID="isi.x"/></FormDef>
<ItemGroupDef OID="labs.x" Name="Labs" Repeating="No"><ItemRef ItemOID="record_id"/><ItemRef ItemOID="b12"/></ItemGroupDef>
<ItemGroupDef OID="labs.y" Name="Labs" Repeating="No"><ItemRef ItemOID="b12"/></ItemGroupDef>
<ItemGroupDef OID="isi.x" Name="ISI" Repeating="No"><ItemRef ItemOID="isi_1"/></ItemGroupDef>
<ItemDef OID="record_id" Name="record_id"/><ItemDef OID="b12" Name="b12"/><ItemDef OID="isi_1" Name="isi_1"/>
</MetaDataVersion></Study><ClinicalData><SubjectData SubjectKey="9" redcap:RecordIdField="record_id">
<StudyEventData StudyEventOID="Event.base_arm_1" StudyEventRepeatKey="1" redcap:UniqueEventName="base_arm_1">
<FormData FormOID="Form.labs" FormRepeatKey="1"><ItemGroupData ItemGroupOID="labs.x" ItemGroupRepeatKey="1">
<ItemData ItemOID="record_id" Value="9"/><ItemData ItemOID="b12" Value="310"/></ItemGroupData></FormData>
<FormData FormOID="Form.isi" FormRepeatKey="1"><ItemGroupData ItemGroupOID="isi.x"><ItemData ItemOID="isi_1" Value="2"/></ItemGroupData></FormData>
<FormData FormOID="Form.isi" FormRepeatKey="2"><ItemGroupData ItemGroupOID="isi.x"><ItemData ItemOID="isi_1" Value="3"/>
<ItemDataBase64Binary ItemOID="scan">AAAA</ItemDataBase64Binary></ItemGroupData></FormData>
</StudyEventData></SubjectData></ClinicalData></ODM>"""


def test_redcap_names_a_field_once_and_lists_what_repeats(tmp_path: Path) -> None:
    source = written(tmp_path, REDCAP)
    whose = {"record_id": "9", "redcap_event_name": "base_arm_1"}
    assert cells(source) == {
        "ClinicalData": [{**whose, "b12": "310"}],
        "ISI": [
            {**whose, "redcap_repeat_instance": "1", "isi_1": "2"},
            {**whose, "redcap_repeat_instance": "2", "isi_1": "3"},
        ],
    }
    (first, _) = READER.inspect(source, Hints())
    assert first.decisions[0].evidence["attached_files_not_read"] == 1


@pytest.mark.parametrize(
    ("wrap", "name"), [(gzip.compress, "study.xml.gz"), (str.encode, "study.txt")], ids=["gzip", "other name"]
)
def test_the_content_decides(tmp_path: Path, wrap, name: str) -> None:
    text = document(DEFINED, DATA)
    source = written(tmp_path, wrap(text.encode() if wrap is gzip.compress else text), name)
    assert isinstance(detect(source), OdmReader)
    assert cells(source) == cells(written(tmp_path, text))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "gb18030", "cp1252", "latin-1"])
def test_every_stated_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    word = "铁蛋白" if encoding == "gb18030" else "Löwe"
    stated = "UTF-8" if encoding == "utf-8-sig" else encoding
    text = document(DEFINED, DATA.replace("Pramipexole", word)).replace('"UTF-8"', f'"{stated}"', 1)
    source = written(tmp_path, text.encode(encoding))
    assert isinstance(detect(source), OdmReader)
    assert cells(source)["Drugs"][0]["CMTRT"] == word


def test_a_prefix_before_every_name_changes_nothing(tmp_path: Path) -> None:
    text = document(DEFINED, DATA).replace("xmlns=", "xmlns:odm=")
    prefixed = (
        text.replace("</", "</odm:")
        .replace("<", "<odm:")
        .replace("<odm:/odm:", "</odm:")
        .replace("<odm:?", "<?")
    )
    assert cells(written(tmp_path, prefixed)) == cells(
        written(tmp_path, text.replace("xmlns:odm=", "xmlns="), "b.xml")
    )


def test_a_study_without_data_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown) as error:
        READER.inspect(written(tmp_path, document(DEFINED)), Hints())
    assert "holds no data" in error.value.what
    with pytest.raises(SourceUnreadable, match="holds no data"):
        READER.inspect(written(tmp_path, document(DEFINED, "<ClinicalData/>")), Hints())


def test_a_file_of_changes_is_no_snapshot(tmp_path: Path) -> None:
    data = DATA.replace('<ItemData ItemOID="I.B12"', '<ItemData TransactionType="Update" ItemOID="I.B12"', 1)
    with pytest.raises(SourceUnreadable, match="no snapshot"):
        READER.inspect(written(tmp_path, document(DEFINED, data)), Hints())


@pytest.mark.parametrize("cut", range(200, 2800, 400))
def test_a_cut_document_is_refused_without_its_content(tmp_path: Path, cut: int) -> None:
    text = document(DEFINED, DATA)
    with pytest.raises(SourceUnreadable) as error:
        READER.inspect(written(tmp_path, text[: len(text) - cut]), Hints())
    assert "is not whole" in error.value.what
    assert "Pramipexole" not in error.value.message()
    assert error.value.fix


ENTITY = '<!DOCTYPE ODM [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE ODM [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [ENTITY, OUTSIDE, '<!DOCTYPE ODM SYSTEM "http://localhost/odm.dtd">'])
def test_entities_and_document_types_are_refused(tmp_path: Path, doctype: str) -> None:
    text = document(DEFINED, DATA.replace("310.0", "&x;")).replace(HEAD, HEAD + doctype)
    with pytest.raises(SourceUnreadable, match="is refused"):
        READER.inspect(written(tmp_path, text), Hints())


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ('<ItemData ItemOID="I" Value="' + "x" * (5 << 20) + '"/>', "longer than 4 MiB"),
        ("<ItemDataString>" + "x" * (5 << 20) + "</ItemDataString>", "longer than 4 MiB"),
        ("<!--" + "x" * (5 << 20) + "-->", "longer than 4 MiB"),
        ("<a>" * 200 + "</a>" * 200, "within each other"),
        ("\0", "damaged"),
        ("\x01", "damaged"),
    ],
    ids=["attribute", "text", "comment", "depth", "NUL", "control"],
)
def test_what_no_export_holds_is_refused_within_bounds(tmp_path: Path, part: str, why: str) -> None:
    text = document(f"<ClinicalData><SubjectData>{part}</SubjectData></ClinicalData>")
    with pytest.raises(SourceUnreadable) as error:
        READER.inspect(written(tmp_path, text), Hints())
    assert why in error.value.why


def test_bytes_of_another_encoding_are_named_by_their_offset(tmp_path: Path) -> None:
    data = document(DEFINED, DATA).encode().replace(b"Pramipexole", b"L\xf6we")
    with pytest.raises(SourceUnreadable) as error:
        READER.inspect(written(tmp_path, data), Hints())
    assert f"{data.index(0xF6):,}" in error.value.why
    assert cells(written(tmp_path, data), hints=Hints(encoding="cp1252"))["Drugs"][0]["CMTRT"] == "Löwe"


FOLDERS = ("simple", "longitudinal", "survey", "checkboxes-1", "decimal-dot", "clinical-trial-1")
# Attached files, and what was written to the two exports at different times or by hand.
OTHER = {
    "sex",
    "mugshot",
    "patient_document",
    "prescreening_survey_timestamp",
    "participant_morale_questionnaire_timestamp",
}


def joined(row: dict[str, str], names: set[str]) -> dict[str, str]:
    """Return cells without their line breaks, which XML turns into spaces."""
    return {name: " ".join(row[name].split()) for name in names}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_redcap_project_says_what_its_csv_says(shared: Path, folder: str) -> None:
    place = shared / "redcap/REDCapR" / folder
    with (place / "data.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]
    tables = cells(Source(place / "project.xml"), OdmReader())
    assert [len(records) for records in tables.values()] == [len(rows)]
    for row, record in zip(rows, *tables.values(), strict=True):
        shown = {name for name in row.keys() & record.keys() if name not in OTHER}
        assert joined(record, shown) == joined(row, shown)
        missing = {name for name in row.keys() - record.keys() if row[name] != "0" and name not in OTHER}
        assert all("___" in name or "timestamp" in name or row[name] == "[document]" for name in missing), (
            missing
        )


def test_an_archive_s_document_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("study.xml", document(DEFINED, DATA))
    assert len(cells(Source(tmp_path / "a.zip", "study.xml"))) == 2


def test_the_size_of_a_batch_changes_nothing(tmp_path: Path) -> None:
    source = written(tmp_path, document(DEFINED, DATA))
    assert cells(source, OdmReader(rows=1)) == cells(source, OdmReader(rows=1000))
