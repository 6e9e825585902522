"""OMOP tables with the vocabulary beside them: the ids of concepts say what the source values do not.

The rows of CONCEPT are written by hand from what OHDSI publishes (athena.ohdsi.org): 3000593 is LOINC 2132-9, 8845 is pg/mL,
8507 and 8532 are male and female; 8729 is pmol/L (LAB2CLEAN). Ids from 2,000,000,000, which OMOP leaves to sites, are ours.
Expected values are read off the tables here.
"""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path

import polars as pl
import pytest

HEADER = (
    "concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code,"
    "valid_start_date,valid_end_date,invalid_reason"
)
NAME = "Cobalamin (Vitamin B12) [Mass/volume] in Serum or Plasma"
CONCEPTS = (
    (3000593, NAME, "Measurement", "LOINC", "2132-9"),
    (2000000001, "Folate [Mass/volume] in Serum or Plasma", "Measurement", "LOINC", "2284-8"),
    (2000000002, "Sodium [Moles/volume] in Serum or Plasma", "Measurement", "LOINC", "2951-2"),
    (2000000003, "Ferritin", "Measurement", "Hospital", "H-77"),
    (2000000004, "Vitamin B12 (send-out, old)", "Measurement", "Hospital", "H-78"),
    (2000000005, "Body mass index 30+ - obesity", "Observation", "SNOMED", "162864005"),
    (2000000006, "Creatinine [Mass/volume] in Urine", "Measurement", "LOINC", "2161-8"),
    (2000000007, "Creatinine [Mass/volume] in Blood", "Measurement", "LOINC", "38483-4"),
    (8845, "picogram per milliliter", "Unit", "UCUM", "pg/mL"),
    (8729, "picomole per liter", "Unit", "UCUM", "pmol/L"),
    (8842, "nanogram per milliliter", "Unit", "UCUM", "ng/mL"),
    (2000000010, "Borderline", "Meas Value", "Hospital", "BL"),
    (2000000011, "nanogram per liter", "Unit", "UCUM", "ng/L"),
    (8507, "MALE", "Gender", "Gender", "M"),
    (8532, "FEMALE", "Gender", "Gender", "F"),
    (2000000020, "Restless legs", "Condition", "SNOMED", "32914008"),
    (2000000021, "Restless legs syndrome", "Condition", "ICD10CM", "G25.81"),
    (2000000022, "Diabetic neuropathy", "Condition", "SNOMED", "230572002"),
    (2000000030, "pramipexole; oral", "Drug", "ATC", "N04BC05"),
)
MEASUREMENT = (
    "measurement_id,person_id,measurement_concept_id,measurement_date,value_as_number,value_as_concept_id,unit_concept_id,"
    "measurement_source_value,unit_source_value"
)
RESULT = "analyte, analyte_source, code_source, code_system, value, unit, unit_source"


def vocabulary(*, mark: str = ",", is_upper: bool = False, concepts=CONCEPTS) -> str:
    """Return CONCEPT; Athena writes tabs and no quotes, so that names with commas are whole."""
    rows = [
        [str(key), name, domain, system, "Clinical Observation", "S", code, "1970-01-01", "2099-12-31", ""]
        for key, name, domain, system, code in concepts
    ]
    header = HEADER.upper() if is_upper else HEADER
    quoted = [[f'"{cell}"' if mark in cell else cell for cell in row] for row in rows]
    return "\n".join(mark.join(row) for row in [header.split(","), *quoted]) + "\n"


def measured(*rows: str) -> str:
    return "\n".join([MEASUREMENT, *rows]) + "\n"


def held(place) -> list[tuple]:
    return place.rows("select row_number, reasons from quarantine.record order by 1")


def statuses(report) -> dict[str, str]:
    return {each.path.replace("!", "/").rsplit("/", 1)[1].lower(): each.status for each in report.files}


IDS = measured("1,7,3000593,2021-03-05,310,0,8845,,", "2,7,2000000002,2021-03-05,140,0,0,,")
B12 = ("vitamin_b12", NAME, "2132-9", "loinc", 310.0, "pg/mL", "pg/mL")


def comma(folder: Path) -> Path:
    (folder / "CONCEPT.csv").write_text(vocabulary())
    (folder / "MEASUREMENT.csv").write_text(IDS)
    return folder


def athena(folder: Path) -> Path:
    marked = [(2000000099, 'Needle 5" x, "long', "Device", "SNOMED", "1"), *CONCEPTS]
    (folder / "CONCEPT.csv").write_text(vocabulary(mark="\t", is_upper=True, concepts=marked))
    (folder / "measurement.csv").write_text(IDS)
    return folder


def parquet(folder: Path) -> Path:
    pl.read_csv(vocabulary().encode()).write_parquet(folder / "concept.parquet")
    pl.read_csv(IDS.encode()).write_parquet(folder / "measurement.parquet")
    return folder


def with_fractions(folder: Path) -> Path:
    """Whole numbers become fractions in a column of pandas that has empty cells."""
    comma(folder)
    (folder / "MEASUREMENT.csv").write_text(IDS.replace("3000593", "3000593.0").replace("8845", "8845.0"))
    return folder


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "cdm.zip", "w") as packed:
        packed.writestr("cdm/measurement.csv", IDS)
        packed.writestr("vocabulary/CONCEPT.csv", vocabulary(mark="\t"))
    return folder / "cdm.zip"


def tarred(folder: Path) -> Path:
    made = folder / "made"
    made.mkdir()
    comma(made)
    with tarfile.open(folder / "cdm.tar.gz", "w:gz") as packed:
        for path in sorted(made.iterdir()):
            packed.add(path, f"cdm/{path.name}")
    return folder / "cdm.tar.gz"


@pytest.mark.parametrize(
    "write", [comma, athena, parquet, with_fractions, zipped, tarred], ids=lambda each: each.__name__
)
def test_ids_alone_name_analyte_and_unit_in_every_container(place, write) -> None:
    (place.folder / "cdm").mkdir()
    report = place.ingest(write(place.folder / "cdm"))
    assert sorted(each.status for each in report.files) == ["companion", "loaded"]
    assert place.rows(f"select {RESULT} from core.lab_result") == [B12]
    assert (report.totals()["out_of_scope"], held(place), place.problems()) == (1, [], [])


def test_a_table_without_the_columns_of_source_values_is_one_too(place) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    table = "person_id,measurement_concept_id,measurement_date,value_as_number,unit_concept_id\n7,3000593,2021-03-05,310,8845\n"
    place.write("cdm/measurement.csv", table)
    place.write(
        "cdm/person.csv",
        "person_id,gender_concept_id,birth_datetime\n7,8532,1960-01-02\n8,0,1960-01-03\n9,8521,\n",
    )
    report = place.ingest(place.folder / "cdm")
    assert statuses(report) == {
        "concept.csv": "companion",
        "measurement.csv": "loaded",
        "person.csv": "loaded",
    }
    assert place.rows(f"select {RESULT} from core.lab_result") == [B12]
    assert place.rows("select value from core.subject_attribute where attribute = 'sex'") == [("female",)]
    assert place.rows("select measure, reasons from quarantine.record") == [
        ("sex", ["bad_code"])
    ]  # 8521 has no row


def test_a_mapping_is_checked_with_the_vocabulary(place) -> None:
    from etl.mapping_check import check

    place.map("{site: north, feeds: {labs: {files: ['measurement*'], columns: {value: value_as_number}}}}")
    table = "person_id,measurement_concept_id,measurement_date,value_as_number\n7,3000593,2021-03-05,310\n"
    place.write("cdm/measurement.csv", table)
    mapping, data = [place.folder / "sites/north.yaml"], [str(place.folder / "cdm/measurement.csv")]
    assert "is still not mapped" in check(mapping, data)[0].error
    place.write("cdm/CONCEPT.csv", vocabulary())
    assert check(mapping, data)[0].error is None


def test_without_a_vocabulary_ids_mean_nothing(place) -> None:
    place.write("cdm/concept_ancestor.csv", "ancestor_concept_id,descendant_concept_id\n1,2\n")
    place.ingest(place.write("cdm/measurement.csv", IDS))
    assert held(place) == [(2, ["unrecognised_analyte"]), (3, ["unrecognised_analyte"])]
    plan = "select json_extract_string(plan, '$.resolution.roles.analyte_concept') from meta.load"
    assert place.rows(plan) == [(None,)]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        # Code and concept agree, or the source's word is a name of the same analyte: it keeps its place.
        ("3000593,2021-03-05,310,0,8845,2132-9,pg/mL", ("vitamin_b12", 310.0)),
        ("3000593,2021-03-05,310,0,8845,Vitamin B12,pg/mL", ("vitamin_b12", 310.0)),
        # A local code says nothing; nor does a spreadsheet's date.
        ("3000593,2021-03-05,310,0,8845,50963,", ("vitamin_b12", 310.0)),
        ("3000593,2021-03-05,310,0,8845,2132-09-01,", ("vitamin_b12", 310.0)),
        # 0 is no evidence, and so is an id that the vocabulary lacks.
        ("0,2021-03-05,310,0,0,2132-9,pg/mL", ("vitamin_b12", 310.0)),
        ("999,2021-03-05,310,0,999,2132-9,pg/mL", ("vitamin_b12", 310.0)),
        ("0,2021-03-05,310,0,0,,pg/mL", "unrecognised_analyte"),
        # Another analyte, by a code, by a name, by a name for a code that is not ours.
        ("2000000001,2021-03-05,310,0,8845,2132-9,pg/mL", "ambiguous_analyte"),
        ("2000000001,2021-03-05,310,0,8845,Vitamin B12,pg/mL", "ambiguous_analyte"),
        ("2000000002,2021-03-05,310,0,8845,2132-9,pg/mL", "ambiguous_analyte"),
        ("3000593,2021-03-05,310,0,8845,2951-2,pg/mL", "ambiguous_analyte"),
        ("2000000003,2021-03-05,310,0,8845,2132-9,pg/mL", "ambiguous_analyte"),
        ("2000000003,2021-03-05,310,0,8845,B12,pg/mL", "ambiguous_analyte"),
        # A word leaves the specimen open, a code does not: urine is not studied, whole blood no serum.
        ("2000000006,2021-03-05,80,0,0,Creatinine,mg/dL", None),
        ("2000000006,2021-03-05,80,0,0,CREAT,mg/dL", None),
        ("2000000006,2021-03-05,80,0,0,2160-0,mg/dL", "ambiguous_analyte"),
        ("2000000007,2021-03-05,0.9,0,0,2160-0,mg/dL", "specimen_mismatch"),
        # A concept of another vocabulary is known by its name, and one that is only like an analyte's is held.
        ("2000000003,2021-03-05,45,0,8842,,", ("ferritin", 45.0)),
        ("2000000004,2021-03-05,310,0,8845,,", "unrecognised_analyte"),
        ("2000000004,2021-03-05,310,0,8845,2132-9,", ("vitamin_b12", 310.0)),
        ("2000000005,2021-03-05,,0,0,162864005,", None),
        # Units: equal ones, one that nobody knows, none, and another one. 310 ng/L are 310 pg/mL.
        ("3000593,2021-03-05,310,0,2000000011,2132-9,pg/mL", ("vitamin_b12", 310.0)),
        ("3000593,2021-03-05,310,0,8845,2132-9,pgs per tube", ("vitamin_b12", 310.0)),
        ("3000593,2021-03-05,310,0,8845,2132-9,-", ("vitamin_b12", 310.0)),
        ("3000593,2021-03-05,310,0,0,2132-9,", "unit_missing"),
        ("3000593,2021-03-05,310,0,8729,2132-9,pg/mL", "unit_contradiction"),
        # The concept's LOINC is of the mass, its unit of the amount: held as it is beside a column of LOINC.
        ("3000593,2021-03-05,310,0,8729,Vitamin B12,", "unit_loinc_conflict"),
        # A result that is no number is none, and not an empty one.
        ("3000593,2021-03-05,,2000000010,8845,2132-9,", "bad_number"),
    ],
)  # fmt: skip
def test_source_and_concept_are_weighed(place, row: str, found) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    (outcome,) = place.ingest(place.write("cdm/measurement.csv", measured(f"1,7,{row}"))).files
    accepted = place.rows("select analyte, value from core.lab_result")
    if isinstance(found, str):
        assert (accepted, held(place)) == ([], [(2, [found])])
    else:
        assert (accepted, held(place)) == ([found] if found else [], [])
        assert outcome.counts.out_of_scope == (found is None)


def test_an_export_keeps_its_ids_when_its_vocabulary_comes(place) -> None:
    known = measured(
        "1,7,3000593,2021-03-05,310,0,8845,2132-9,pg/mL", "2,7,3000593,2021-03-06,290,0,8845,B12,pg/mL"
    )
    place.ingest(place.write("first/measurement.csv", known))
    before = place.rows("select result_id from core.lab_result order by 1")
    place.write("second/CONCEPT.csv", vocabulary())
    more = known + "3,7,3000593,2021-03-07,280,0,8845,,\n"
    (outcome,) = place.ingest(place.write("second/measurement.csv", more)).files
    assert (outcome.counts.duplicate, outcome.counts.accepted) == (2, 1)
    assert set(before) < set(place.rows("select result_id from core.lab_result"))


def test_local_codes_of_one_word_are_told_apart_by_their_concepts(place) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    rows = ("3000593,2021-03-05,20,0,8845,LAB,", "2000000003,2021-03-05,20,0,8842,LAB,")
    place.ingest(place.write("cdm/measurement.csv", measured(*(f"1,7,{row}" for row in rows))))
    assert place.rows("select analyte from core.lab_result order by 1") == [("ferritin",), ("vitamin_b12",)]


def test_another_vocabulary_reads_the_table_anew(place) -> None:
    beside = place.write("cdm/CONCEPT.csv", vocabulary())
    table = place.write("cdm/measurement.csv", IDS)
    place.ingest(table)
    assert [each.status for each in place.ingest(table).files] == ["unchanged"]
    beside.write_text(
        vocabulary(concepts=[*CONCEPTS, (2000000098, "Height", "Measurement", "LOINC", "8302-2")])
    )
    assert [each.status for each in place.ingest(table).files] == ["unchanged"]  # no row has that id
    beside.write_text(
        vocabulary(
            concepts=[(3000593, "Ferritin [Mass/volume]", "Measurement", "LOINC", "2276-4"), *CONCEPTS[1:]]
        )
    )
    assert [each.status for each in place.ingest(table).files] == ["refreshed"]
    assert place.rows("select analyte from core.lab_result") == [("ferritin",)]
    beside.unlink()
    assert [each.status for each in place.ingest(table).files] == ["refreshed"]
    assert place.rows("select count(*) from core.lab_result") == [(0,)]


def test_a_table_is_not_read_with_half_of_its_vocabulary(place) -> None:
    packed = gzip.compress(vocabulary().encode())
    place.write("cdm/CONCEPT.csv.gz", packed[: len(packed) - 20])
    report = place.ingest(place.write("cdm/measurement.csv", IDS))
    (outcome,) = report.files
    assert (outcome.status, report.exit_code()) == ("unreadable", 3)
    assert outcome.error is not None
    assert "CONCEPT.csv.gz" in outcome.error.what


@pytest.mark.parametrize(
    ("stated", "concept", "sex"),
    [
        ("", 8532, "female"), ("F", 8532, "female"), ("F", 0, "female"), ("7", 8532, "female"), ("other", 8507, "male"),
        ("M", 8532, None), ("7", 0, None),
    ],
)  # fmt: skip
def test_the_sex_is_the_source_s_else_the_concept_s(
    place, stated: str, concept: int, sex: str | None
) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    person = (
        f"person_id,gender_concept_id,gender_source_value,birth_datetime\n7,{concept},{stated},1960-01-02\n"
    )
    place.ingest(place.write("cdm/person.csv", person))
    assert place.rows("select value from core.subject_attribute where attribute = 'sex'") == (
        [(sex,)] if sex else []
    )
    assert held(place) == ([] if sex else [(2, ["bad_code"])])


CONDITION = (
    "person_id,condition_start_date,condition_concept_id,condition_source_concept_id,condition_source_value\n"
)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        # The source's own code tells its system by the concept that has it; else the standard concept speaks.
        ("2000000020,0,32914008", ("restless_legs", "32914008", "SNOMED", "Restless legs")),
        ("2000000020,2000000021,G25.81", ("restless_legs", "G25.81", "ICD10CM", "Restless legs")),
        ("2000000020,2000000021,G2581", ("restless_legs", "G2581", "ICD10CM", "Restless legs")),
        ("2000000020,0,", ("restless_legs", "32914008", "SNOMED", "Restless legs")),
        ("2000000020,0,unruhige Beine", ("restless_legs", "32914008", "SNOMED", "unruhige Beine")),
        ("2000000022,2000000021,", ("restless_legs", "G25.81", "ICD10CM", "Diabetic neuropathy")),
        ("0,0,G25.81", (None, "G25.81", None, None)),
        ("999,0,", (None, None, None, None)),
    ],
)
def test_a_diagnosis_has_the_system_of_its_concept(place, row: str, found: tuple) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    place.ingest(place.write("cdm/condition_occurrence.csv", f"{CONDITION}7,2019-05-06,{row}\n"))
    assert place.rows("select concept, code, code_system, text_source from core.condition") == [found]


def test_a_diagnosis_is_known_by_its_id_alone_and_an_era_is_none(place) -> None:
    """OMOP computes eras from the other tables: their rows would be there twice."""
    place.write("cdm/CONCEPT.csv", vocabulary())
    header = "person_id,condition_concept_id,condition_start_date"
    place.write("cdm/condition_occurrence.csv", f"{header}\n7,2000000020,2019-05-06\n")
    place.write("cdm/condition_era.csv", f"{header.replace('start', 'era_start')}\n7,2000000020,2019-05-06\n")
    assert statuses(place.ingest(place.folder / "cdm")) == {
        "concept.csv": "companion",
        "condition_era.csv": "unmapped",
        "condition_occurrence.csv": "loaded",
    }
    found = place.rows("select concept, code, code_system, text_source from core.condition")
    assert found == [("restless_legs", "32914008", "SNOMED", "Restless legs")]


def test_a_declared_system_keeps_its_code(place) -> None:
    place.map("{site: north, feeds: {conditions: {files: ['cond*'], constants: {code_system: ICD-10}}}}")
    place.write("cdm/CONCEPT.csv", vocabulary())
    place.ingest(place.write("cdm/condition_occurrence.csv", f"{CONDITION}7,2019-05-06,2000000020,0,E11.9\n"))
    assert place.rows("select concept, code, code_system, text_source from core.condition") == [
        ("diabetes", "E11.9", "ICD-10", "Restless legs")
    ]


def test_a_drug_has_the_system_of_its_concept(place) -> None:
    place.write("cdm/CONCEPT.csv", vocabulary())
    header = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_source_value\n"
    place.ingest(place.write("cdm/drug_exposure.csv", f"{header}1,7,2000000030,2020-01-01,\n"))
    assert place.rows("select concept, code, code_system from core.medication") == [
        ("dopamine_agonist", "N04BC05", "ATC")
    ]


def test_a_corrected_copy_says_what_the_concept_said(place) -> None:
    """The held row goes out with its code in words, so that it comes back without the vocabulary."""
    from etl.correction_sheet import export
    from warehouse.quarantine import Chosen

    place.write("cdm/CONCEPT.csv", vocabulary())
    place.ingest(place.write("cdm/measurement.csv", measured("1,7,3000593,2021-13-05,310,0,8845,,")))
    assert held(place) == [(2, ["bad_date"])]
    export(place.warehouse, Chosen(), place.folder / "labs.corrected.csv")
    copy = place.folder / "labs.corrected.csv"
    copy.write_text(copy.read_text("utf-8-sig").replace("2021-13-05", "2021-03-05"))
    place.ingest(copy)
    assert place.rows("select analyte, value, unit from core.lab_result") == [("vitamin_b12", 310.0, "pg/mL")]


def test_real_tables_hold_the_same_by_their_ids_alone(shared: Path, place) -> None:
    """Every result of the Synthea tables with a unit's concept is found again when all source values are taken away."""
    packed = next((shared / "omop").rglob("*.zip"))
    folder = place.folder / "cdm"
    folder.mkdir()
    with zipfile.ZipFile(packed) as archive:
        (folder / "CONCEPT.csv").write_bytes(archive.read("CONCEPT.csv"))
        table = pl.read_csv(archive.read("MEASUREMENT.csv"), infer_schema=False)
    table.write_csv(place.folder / "MEASUREMENT.csv")
    place.ingest(place.folder / "MEASUREMENT.csv", site="whole")
    emptied = ("measurement_source_value", "unit_source_value")
    table.with_columns(pl.lit(None, pl.String).alias(name) for name in emptied).write_csv(
        folder / "MEASUREMENT.csv"
    )
    place.ingest(folder / "MEASUREMENT.csv", site="ids")
    place_of = "select row_number, analyte, value, unit from core.lab_result where site = '{}'"
    without = set(table.with_row_index("row", 2).filter(pl.col("unit_concept_id") == "0")["row"])
    whole = {row for row in place.rows(place_of.format("whole")) if row[0] not in without}
    assert len(whole) > 3000
    assert set(place.rows(place_of.format("ids"))) == whole
