"""REDCap exports with their data dictionary: codes or labels, checkboxes, repeats, events, branching, form status.

The layout is that of REDCap's own exports ("raw", "labels", and the interface for programs). Expected values are read
off the tables here.
"""

from __future__ import annotations

import zipfile

import pytest

HEADER = (
    '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels",'
    '"Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",Identifier?,'
    '"Branching Logic (Show field only if...)","Required Field?","Custom Alignment","Question Number (surveys only)",'
    '"Matrix Group Name","Matrix Ranking?","Field Annotation"'
)
LIKERT = "0, Not at all | 1, Several days | 2, More than half the days | 3, Nearly every day"
FIELDS = (
    ("record_id", "enrolment", "text", "Record ID", "", ""),
    ("sex", "enrolment", "radio", "Gender", "0, Female | 1, Male", ""),
    ("pregnant", "enrolment", "yesno", "Pregnant", "", "[sex] = '0'"),
    ("supplement", "enrolment", "checkbox", "Which supplements?", "1, Vitamin B12 | 2, Iron", ""),
    ("draw", "labs", "text", "Date of collection", "", ""),
    ("lab_1", "labs", "text", "Vitamin B12 (pg/mL)", "", ""),
    ("lab_2", "labs", "calc", "<b>Ferritin</b> (ng/mL)", "", ""),
    ("lab_3", "labs", "radio", "Vitamin B12", "0, normal | 1, low", ""),
    ("gad7_1", "gad7", "radio", "Feeling nervous", LIKERT, ""),
    ("gad7_2", "gad7", "radio", "Not being able to stop worrying", LIKERT, "[gad7_1] > 0"),
)


def dictionary(fields=FIELDS) -> str:
    lines = [
        f'{name},{form},,{kind},"{label}","{choices}",,,,,,"{shown_if}",,,,,,'
        for name, form, kind, label, choices, shown_if in fields
    ]
    return "\n".join([HEADER, *lines, ""])


RAW = """
record_id,sex,pregnant,supplement___1,supplement___2,enrolment_complete,draw,lab_1,lab_2,lab_3,labs_complete,gad7_1,gad7_2,gad7_complete
1,0,1,1,0,2,2021-03-05,310,45.5,0,2,2,3,2
2,1,,0,0,2,2021-03-06,150,,1,0,0,,2
"""
LABELLED = """
record_id,sex,pregnant,supplement___1,supplement___2,enrolment_complete,draw,lab_1,lab_2,lab_3,labs_complete,gad7_1,gad7_2,gad7_complete
1,Female,Yes,Checked,Unchecked,Complete,2021-03-05,310,45.5,normal,Complete,More than half the days,Nearly every day,Complete
2,Male,,Unchecked,Unchecked,Complete,2021-03-06,150,,low,Incomplete,Not at all,,Complete
"""
# Labels as headers too; REDCap calls every form's status Complete?
HEADED = """
"Record ID",Gender,Pregnant,"Which supplements? (choice=Vitamin B12)","Which supplements? (choice=Iron)",Complete?,"Date of collection","Vitamin B12 (pg/mL)","Ferritin (ng/mL)","Vitamin B12",Complete?,"Feeling nervous","Not being able to stop worrying",Complete?
1,Female,Yes,Checked,Unchecked,Complete,2021-03-05,310,45.5,normal,Complete,More than half the days,Nearly every day,Complete
2,Male,,Unchecked,Unchecked,Complete,2021-03-06,150,,low,Incomplete,Not at all,,Complete
"""
RESULTS = [
    ("ferritin", 45.5, "ng/mL", "2021-03-05"),
    ("vitamin_b12", 150.0, "pg/mL", "2021-03-06"),
    ("vitamin_b12", 310.0, "pg/mL", "2021-03-05"),
]
ANSWERS = [("1", 0.0, "2021-03-06"), ("1", 2.0, "2021-03-05"), ("2", 3.0, "2021-03-05")]
ATTRIBUTES = [("pregnant", "yes"), ("sex", "female"), ("sex", "male")]


def statuses(report) -> dict[str, str]:
    return {each.path.replace("!", "/").rsplit("/", 1)[1]: each.status for each in report.files}


def content(place):
    """Return results, answers and attributes as the warehouse has them."""
    return (
        place.rows(
            "select analyte, value, unit, strftime(collected_at, '%Y-%m-%d') from core.lab_result order by 1, 2"
        ),
        place.rows(
            """
            select item, value, strftime(administered_at, '%Y-%m-%d')
            from core.response join core.administration using (administration_id) order by 1, 2
            """
        ),
        place.rows("select attribute, value from core.subject_attribute order by 1, 2"),
    )


@pytest.mark.parametrize("export", [RAW, LABELLED, HEADED], ids=["codes", "labels", "labels in the header"])
def test_codes_and_labels_mean_what_the_dictionary_says(place, export: str) -> None:
    place.write("data/Study_DATA.csv", export)
    place.write("data/Study_DataDictionary_2024-01-01.csv", dictionary())
    report = place.ingest(place.folder / "data")
    assert statuses(report) == {
        "Study_DATA.csv": "loaded",
        "Study_DataDictionary_2024-01-01.csv": "companion",
    }
    assert content(place) == (RESULTS, ANSWERS, ATTRIBUTES)
    assert place.problems() == []


def test_an_export_of_labels_repeats_one_of_codes(place) -> None:
    place.write("data/dictionary.csv", dictionary())
    place.ingest(place.write("data/raw.csv", RAW))
    report = place.ingest(place.write("data/labelled.csv", LABELLED))
    (outcome,) = report.files
    assert (outcome.counts.read, outcome.counts.duplicate) == (
        10,
        10,
    )  # three results, three answers, four boxes
    assert outcome.counts.attributes == 3


def test_without_a_dictionary_codes_are_held_and_unknown_names_are_not_read(place) -> None:
    report = place.ingest(place.write("data.csv", RAW))
    (outcome,) = report.files
    assert (outcome.counts.attributes_held, dict(outcome.detail.reasons)) == (3, {"bad_code": 3})
    assert {"lab_1", "lab_2"} <= set(outcome.detail.unmapped)


def test_the_dictionary_of_the_interface_for_programs_is_one_too(place) -> None:
    names = (
        "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,"
        "text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,"
        "required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation"
    )
    place.write("data/metadata.csv", dictionary().replace(HEADER, names))
    place.write("data/labs.csv", RAW)
    report = place.ingest(place.folder / "data")
    assert statuses(report) == {"labs.csv": "loaded", "metadata.csv": "companion"}
    assert content(place) == (RESULTS, ANSWERS, ATTRIBUTES)


def test_a_dictionary_within_an_archive_is_found(place) -> None:
    with zipfile.ZipFile(place.folder / "export.zip", "w") as archive:
        archive.writestr("study/data.csv", RAW.lstrip())
        archive.writestr("study/data_dictionary.csv", dictionary())
    report = place.ingest(place.folder / "export.zip")
    assert statuses(report) == {"data.csv": "loaded", "data_dictionary.csv": "companion"}
    assert content(place) == (RESULTS, ANSWERS, ATTRIBUTES)


def test_a_dictionary_of_another_study_is_not_used(place) -> None:
    other = tuple((f"other_{name}", *rest) for name, *rest in FIELDS)
    place.write("data/dictionary.csv", dictionary(other))
    (outcome,) = place.ingest(place.write("data/data.csv", RAW)).files
    assert outcome.detail.reasons["bad_code"] == 3


def test_a_new_dictionary_reads_the_file_anew(place) -> None:
    place.write("data/dictionary.csv", dictionary())
    data = place.write("data/data.csv", RAW)
    place.ingest(data)
    (same,) = place.ingest(data).files
    turned = [(*each[:4], "0, Male | 1, Female", each[5]) if each[0] == "sex" else each for each in FIELDS]
    place.write("data/dictionary.csv", dictionary(turned))
    (anew,) = place.ingest(data).files
    assert (same.status, anew.status) == ("unchanged", "refreshed")
    sexes = place.rows("select value from core.subject_attribute where attribute = 'sex' order by row_number")
    assert sexes == [("male",), ("female",)]
    assert place.problems() == []


def test_a_corrupt_dictionary_stops_nothing(place) -> None:
    place.write("data/dictionary.csv", b"\x00\xff" * 500)
    (outcome,) = place.ingest(place.write("data/data.csv", RAW)).files
    assert outcome.status == "loaded"


def test_the_plan_names_its_dictionary(place) -> None:
    place.write("data/dictionary.csv", dictionary())
    place.ingest(place.write("data/data.csv", RAW))
    ((basis, evidence),) = place.rows(
        "select basis, evidence from meta.column_decision where about = 'dictionary'"
    )
    assert basis == "companion"
    assert '"fields": 10' in evidence


def test_a_form_s_status_is_no_measure(place) -> None:
    place.write("data/dictionary.csv", dictionary())
    (outcome,) = place.ingest(place.write("data/data.csv", RAW)).files
    assert set(outcome.detail.unmapped) == {"enrolment_complete", "labs_complete", "gad7_complete", "lab_3"}


BOXES = """
    select strftime(started_at, '%d'), concept, text_source, status from core.medication order by 1, 3 desc
"""
# The draw's date is the only one in the file; the second subject ticked nothing.
TICKED = [
    ("05", "b12_supplement", "Vitamin B12", "present"),
    ("05", "iron_supplement", "Iron", "unknown"),
    ("06", "b12_supplement", "Vitamin B12", "unknown"),
    ("06", "iron_supplement", "Iron", "unknown"),
]


@pytest.mark.parametrize("export", [RAW, LABELLED, HEADED], ids=["codes", "labels", "labels in the header"])
def test_a_ticked_box_states_its_option_and_an_empty_one_says_nothing(place, export: str) -> None:
    place.write("data/dictionary.csv", dictionary())
    place.ingest(place.write("data/data.csv", export))
    assert place.rows(BOXES) == TICKED
    assert place.problems() == []


def test_an_empty_box_denies_its_option_where_the_feed_is_complete(place) -> None:
    place.write("data/dictionary.csv", dictionary())
    place.map("site: north\nfeeds:\n  crf: {files: ['*data.csv'], complete: true}\n")
    place.ingest(place.write("data/data.csv", RAW))
    assert [row[3] for row in place.rows(BOXES)] == ["present", "absent", "absent", "absent"]


def boxed(label: str, choices: str, name: str = "box") -> str:
    return dictionary((FIELDS[0], FIELDS[1], (name, "f", "checkbox", label, choices, "")))


@pytest.mark.parametrize(
    ("label", "table"),
    [
        ("Comorbidities (tick all that apply)", "condition"),
        ("Which of these <b>diseases</b> do you have?", "condition"),
        ("合并症", "condition"),
        ("Aktuelle Medikamente", "medication"),
        ("Family history: diseases of your parents", None),
        ("Allergies to medication", None),
        ("Medications for which diseases?", None),
        ("Reasons for this visit", None),
        ("Race", None),
    ],
)
def test_only_a_question_about_the_subject_s_own_history_is_read(
    place, label: str, table: str | None
) -> None:
    """A parent's diabetes or an allergy to iron is no diabetes and no iron of the subject."""
    place.write("data/dictionary.csv", boxed(label, "1, Depression | -1, Iron | 3, No depression"))
    rows = "record_id,sex,box___1,box____1,box___3\n1,0,1,0,1\n"
    (outcome,) = place.ingest(place.write("data/data.csv", rows)).files
    read = [place.rows(f"select count(*) from core.{each}")[0][0] for each in ("condition", "medication")]
    assert read == [2 * (table == "condition"), 2 * (table == "medication")]
    assert "box___3" in outcome.detail.unmapped  # an option that denies is no statement
    assert ("box___1" in outcome.detail.unmapped) == (table is None)


@pytest.mark.parametrize(("said", "count"), [("condition", 2), ("ignore", 0)])
def test_the_mapping_says_what_boxes_state(place, said: str, count: int) -> None:
    place.write("data/dictionary.csv", boxed("Comorbidities", "1, Depression | 2, Hay fever"))
    place.map(f"site: north\nfeeds:\n  crf: {{files: ['*data.csv'], checkboxes: {{box: {said}}}}}\n")
    place.ingest(place.write("data/data.csv", "record_id,sex,box___1,box___2\n1,0,1,1\n"))
    assert place.rows("select count(*) from core.condition where status = 'present'") == [(count,)]


def test_a_box_that_is_neither_ticked_nor_empty_is_held(place) -> None:
    place.write("data/dictionary.csv", boxed("Comorbidities", "1, Depression"))
    (outcome,) = place.ingest(place.write("data/data.csv", "record_id,sex,box___1\n1,0,maybe\n")).files
    assert dict(outcome.detail.reasons) == {"bad_code": 1}


DATED = (
    FIELDS[0],
    ("visit_date", "labs", "text", "Date of visit", "", ""),
    ("lab_1", "labs", "text", "Vitamin B12 (pg/mL)", "", ""),
    ("gad7_date", "gad7", "text", "Today's date", "", ""),
    ("next_visit", "gad7", "text", "Next appointment", "", ""),
    ("gad7_1", "gad7", "radio", "Feeling nervous", LIKERT, ""),
    ("phq9_1", "phq9", "radio", "Little interest", LIKERT, ""),
    ("ess_1", "ess", "radio", "Sitting and reading", LIKERT, ""),
    ("last_seen", "history", "text", "Date of the last surgery", "", ""),
    ("ill", "history", "checkbox", "Diagnoses", "1, Depression", ""),
)
DATES = {"visit_date", "gad7_date", "next_visit", "last_seen"}


def dated_dictionary() -> str:
    lines = dictionary(DATED).splitlines()
    return "\n".join(
        line.replace('","",,,,', '","",,date_ymd,,,', 1) if line.split(",")[0] in DATES else line
        for line in lines
    )


def test_a_form_s_own_date_dates_its_answers(place) -> None:
    """A survey has the moment of its completion; a form without a date, or with that of something else, the visit's."""
    place.write("data/dictionary.csv", dated_dictionary())
    place.ingest(
        place.write(
            "data/data.csv",
            """
            record_id,visit_date,lab_1,gad7_date,next_visit,gad7_1,phq9_timestamp,phq9_1,ess_1,last_seen,ill___1
            1,2021-03-05,310,2021-03-07,2021-09-01,2,2021-03-09 10:30:00,1,3,1999-01-01,1
            2,2021-04-05,320,,2021-09-01,1,[not completed],2,,,0
            """,
        )
    )
    assert place.rows(
        """
        select instrument, strftime(administered_at, '%m-%d') from core.administration
        order by 1, 2 nulls last
        """
    ) == [("ess", "03-05"), ("gad7", "03-07"), ("gad7", None), ("phq9", "03-09"), ("phq9", None)]
    dates = "select strftime({}, '%m-%d') from core.{} order by 1"
    assert place.rows(dates.format("collected_at", "lab_result")) == [("03-05",), ("04-05",)]
    assert place.rows(dates.format("started_at", "condition")) == [("03-05",), ("04-05",)]
    assert place.problems() == []


def test_a_form_s_status_is_never_its_total(place) -> None:
    (outcome,) = place.ingest(
        place.write("d.csv", "record_id,gad7_1,gad7_complete,phq9_complete\n1,2,2,2\n")
    ).files
    assert outcome.counts.read == 1
    assert place.rows("select item, value from core.response") == [("1", 2.0)]


def test_events_and_repeats_tell_administrations_apart(place) -> None:
    """Two events, the second with the form twice; a row of another form has no answers."""
    place.write("data/dictionary.csv", dictionary())
    place.ingest(
        place.write(
            "data/data.csv",
            """
            record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,lab_1,gad7_1,gad7_2,gad7_complete
            1,baseline_arm_1,,,310,0,0,2
            1,week_4_arm_1,gad7,1,,1,1,2
            1,week_4_arm_1,gad7,2,,2,2,2
            1,week_4_arm_1,,,290,,,
            """,
        )
    )
    assert place.rows(
        """
        select administration.visit, list(value order by item) from core.response
        join core.administration using (administration_id) group by all order by 1
        """
    ) == [("baseline_arm_1", [0, 0]), ("week_4_arm_1 #1", [1, 1]), ("week_4_arm_1 #2", [2, 2])]
    assert place.rows("select value, row_state from core.lab_result order by 1") == [
        (290.0, "current"),
        (310.0, "current"),
    ]


def test_a_question_that_branching_hides_is_not_an_answer(place) -> None:
    """The second question is shown only if the first is above 0: an empty cell there is no missing answer."""
    place.write("data/dictionary.csv", dictionary())
    (outcome,) = place.ingest(place.write("data/data.csv", RAW)).files
    assert outcome.counts.read == 3 + 3 + 4
    assert place.rows("select count(*) from core.response where absent_reason is not null") == [(0,)]


def coded(choices: str, label: str = "Feeling nervous", name: str = "gad7_1", form: str = "gad7"):
    return (FIELDS[0], (name, form, "radio", label, choices, ""))


@pytest.mark.parametrize(
    ("choices", "cells", "values"),
    [
        ("0, Never | 1, Some | 2, Often | 3, Daily", ("2", "Daily"), [2.0, 3.0]),
        ("1, 0 - Never | 2, 1 - Some | 3, 2 - Often | 4, 3 - Daily", ("4", "0 - Never"), [0.0, 3.0]),
        ("1, 0 - Never | 2, 1 - Some | 3, 2 - Often", ("1", "3"), None),
        ("10, 0 - Never | 11, 1 - Some | 12, 2 - Often | 13, 3 - Daily", ("13", "1 - Some"), [1.0, 3.0]),
        ("a, 0 - Never | b, 1 - Some | c, 2 - Often | d, 3 - Daily", ("c", "3 - Daily"), [2.0, 3.0]),
        ("a, Never | b, Some | c, Often | d, Daily", ("c", "b"), None),
        ("3, Never | 2, Some | 1, Often | 0, Daily", ("3", "Daily"), [0.0, 3.0]),
    ],
    ids=[
        "scores",
        "shifted by one",
        "either may be the score",
        "numbers in the labels",
        "letters",
        "no score told",
        "turned round",
    ],
)
def test_codes_of_answers_are_scores_or_the_labels_tell_them(place, choices, cells, values) -> None:
    place.write("data/dictionary.csv", dictionary(coded(choices)))
    lines = "".join(f"{row},{cell},2\n" for row, cell in enumerate(cells, 1))
    (outcome,) = place.ingest(place.write("data/data.csv", f"record_id,gad7_1,gad7_complete\n{lines}")).files
    if values is None:
        assert outcome.status == "unmapped"
    else:
        assert place.rows("select value from core.response order by 1") == [(each,) for each in values]


@pytest.mark.parametrize(
    ("name", "form", "label"),
    [
        ("gad7_1", "anything", "Feeling nervous"),
        ("q1", "gad7", "Feeling nervous"),
        ("x1", "anxiety", "GAD-7 item 1"),
    ],
    ids=["by its name", "by its form", "by its label"],
)
def test_scale_items_are_recognised(place, name: str, form: str, label: str) -> None:
    place.write("data/dictionary.csv", dictionary(coded(LIKERT, label, name, form)))
    place.ingest(place.write("data/data.csv", f"record_id,{name},{form}_complete\n1,2,2\n"))
    rows = place.rows(
        "select response.instrument, item, value from core.response join core.administration using (administration_id)"
    )
    assert rows == [("gad7", "1", 2.0)]


def test_a_height_in_metres_is_not_read_as_centimetres(place) -> None:
    fields = (
        FIELDS[0],
        ("height", "f", "text", "Height (m)", "", ""),
        ("weight", "f", "text", "Weight (kg)", "", ""),
    )
    place.write("data/dictionary.csv", dictionary(fields))
    place.ingest(place.write("data/data.csv", "record_id,height,weight,f_complete\n1,1.54,52,2\n"))
    assert place.rows("select attribute, value from core.subject_attribute") == [("weight", "52.0")]
    assert place.rows("select analyte, value, unit from core.lab_result") == [("height", 154.0, "cm")]


def test_an_odm_export_has_the_same_content(places) -> None:
    """The project as REDCap's ODM writes it: definitions, code lists, codes as stored."""
    csv_place, odm_place = places("csv"), places("odm")
    csv_place.write("data/dictionary.csv", dictionary())
    csv_place.ingest(csv_place.write("data/data.csv", RAW))
    odm_place.ingest(odm_place.write("project.xml", odm()))
    assert content(odm_place) == content(csv_place) == (RESULTS, ANSWERS, ATTRIBUTES)
    assert odm_place.rows(BOXES) == csv_place.rows(BOXES) == TICKED


def odm() -> str:
    from xml.sax.saxutils import quoteattr

    items, lists = [], []
    boxes = "1, Vitamin B12 | 2, Iron"
    for code in "12":
        name = f"supplement___{code}"
        items.append(
            f'<ItemDef OID="{name}" Name="{name}" DataType="boolean" redcap:Variable="supplement" redcap:FieldType="checkbox">'
            "<Question><TranslatedText>Which supplements?</TranslatedText></Question>"
            f'<CodeListRef CodeListOID="{name}.choices"/></ItemDef>'
        )
        lists.append(f'<CodeList OID="{name}.choices" Name="{name}" redcap:CheckboxChoices="{boxes}"/>')
    for name, _, kind, label, choices, _ in FIELDS:
        if kind == "checkbox":
            continue
        text = "0, No | 1, Yes" if kind == "yesno" else choices
        ref = f'<CodeListRef CodeListOID="{name}.choices"/>' if text and kind != "checkbox" else ""
        plain = label.replace("<b>", "").replace("</b>", "")
        items.append(
            f'<ItemDef OID="{name}" Name="{name}" redcap:FieldType="{kind}"><Question><TranslatedText>{plain}'
            f"</TranslatedText></Question>{ref}</ItemDef>"
        )
        codes = "".join(
            f"<CodeListItem CodedValue={quoteattr(code)}><Decode><TranslatedText>{meaning.strip()}</TranslatedText></Decode></CodeListItem>"
            for code, _, meaning in (part.strip().partition(",") for part in text.split("|") if ref)
        )
        lists.append(f'<CodeList OID="{name}.choices" Name="{name}">{codes}</CodeList>' if ref else "")
    names, *rows = (line.split(",") for line in RAW.strip().splitlines())
    refs = "".join(f'<ItemRef ItemOID="{name}"/>' for name in names)
    data = "".join(
        f'<SubjectData SubjectKey="{row[0]}" redcap:RecordIdField="record_id"><FormData FormOID="Form.f" FormRepeatKey="1">'
        f'<ItemGroupData ItemGroupOID="f.g" ItemGroupRepeatKey="1">'
        + "".join(
            f'<ItemData ItemOID="{name}" Value="{cell}"/>'
            for name, cell in zip(names, row, strict=True)
            if cell
        )
        + "</ItemGroupData></FormData></SubjectData>"
        for row in rows
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" ?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" '
        'xmlns:redcap="https://projectredcap.org" SourceSystem="REDCap"><Study OID="P"><MetaDataVersion OID="M">'
        '<FormDef OID="Form.f" Name="F" Repeating="No"><ItemGroupRef ItemGroupOID="f.g"/></FormDef>'
        f'<ItemGroupDef OID="f.g" Name="G" Repeating="No">{refs}</ItemGroupDef>{"".join(items)}{"".join(lists)}'
        f"</MetaDataVersion></Study><ClinicalData>{data}</ClinicalData></ODM>"
    )


def test_codes_of_missing_data_stand_for_the_whole_project(place) -> None:
    text = odm().replace(
        "<MetaDataVersion",
        "<GlobalVariables><redcap:MissingDataCodes>-99, Not done | NASK, Not asked</redcap:MissingDataCodes></GlobalVariables>"
        "<MetaDataVersion",
        1,
    )
    place.ingest(
        place.write("project.xml", text.replace('Value="310"', 'Value="NASK"').replace('"45.5"', '"-99"'))
    )
    rows = place.rows("select analyte, value, absent_reason from core.lab_result order by 1, 2")
    assert rows == [
        ("ferritin", None, "declared_missing"),
        ("vitamin_b12", 150.0, None),
        ("vitamin_b12", None, "declared_missing"),
    ]
