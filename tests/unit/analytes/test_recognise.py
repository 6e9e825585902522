"""Recognition of analytes. The tables are labelled by hand, from the names' meanings."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from etl.harmonize.analytes import CONTEXT, RECOGNISED, HeaderMeasure, match_headers, recognise, resembles
from etl.harmonize.concepts import Concept
from schemas.analytes import others, registry

TABLE = Path(__file__).with_name("names.csv")
JUDGED = ["analyte", "measured_as", "specimen", "bucket", "reason"]


def _labelled() -> pl.DataFrame:
    return pl.read_csv(TABLE, infer_schema=False)


def _context(**cells: str) -> pl.DataFrame:
    return pl.DataFrame(
        [{name: cells.get(name) for name in CONTEXT}], schema=dict.fromkeys(CONTEXT, pl.String)
    )


def test_every_labelled_name():
    labelled = _labelled()
    assert labelled.height > 900
    found = recognise(labelled.select(CONTEXT), {})
    assert_frame_equal(found.select(*CONTEXT, *JUDGED), labelled.select(*CONTEXT, *JUDGED))


def test_schema_and_row_order_are_kept():
    found = recognise(_context(analyte_source="B12"), {})
    assert found.columns == [*CONTEXT, *RECOGNISED]
    empty = recognise(_context().clear(), {})
    assert empty.schema == {**dict.fromkeys(CONTEXT, pl.String), **RECOGNISED}


@pytest.mark.parametrize(
    ("cells", "basis"),
    [
        ({"analyte_source": "Ferritin", "specimen_source": "Serum"}, "stated"),
        ({"analyte_source": "血清铁蛋白(SF)"}, "name"),
        ({"analyte_source": "S-Vitamin B12"}, "name"),
        ({"code_source": "38483-4", "code_system": "loinc"}, "code"),
        ({"analyte_source": "Vitamin B12", "category": "尿生化"}, "category"),
        ({"analyte_source": "Vitamin B12"}, "default"),
        ({"analyte_source": "BMI"}, None),
    ],
)
def test_specimen_basis(cells, basis):
    assert recognise(_context(**cells), {})["specimen_basis"].item() == basis


def test_the_mapping_wins():
    extra = {
        "VB12-X": "vitamin_b12",
        "BUN2": "urea:urea_nitrogen",
        "4711": "ferritin",
        "Ferritin Test": "other",
    }
    rows = [("VB12-X", None), ("bun2", None), ("whatever", "4711"), ("FERRITIN TEST", None)]
    context = pl.concat(_context(analyte_source=n, **({"code_source": c} if c else {})) for n, c in rows)
    found = recognise(context, extra)
    assert found["analyte"].to_list() == ["vitamin_b12", "urea", "ferritin", None]
    assert found["measured_as"].to_list() == [None, "urea_nitrogen", None, None]
    assert found["bucket"].to_list() == [None, None, None, "out_of_scope"]


def test_a_declared_header_keeps_what_it_measures():
    """In mg/dL urea nitrogen and urea differ by 2.14; naming the analyte must not lose which one it is."""
    context = pl.concat(
        _context(analyte_source=name) for name in ("BUN mg/dL", "BUN", "Urea mg/dL", "Labor 17")
    )
    found = recognise(context, dict.fromkeys(context["analyte_source"], "urea"))
    assert found["measured_as"].to_list() == ["urea_nitrogen", "urea_nitrogen", "urea", "urea"]


@pytest.mark.parametrize(
    ("name", "analyte"),
    [
        ("Serum B12 level baseline", "vitamin_b12"),
        ("Feritin", "ferritin"),
        ("同型半光氨酸", "homocysteine"),  # one character off
        ("Magnesium", None),
        ("VLDL-C", None),
        ("Vitamin B6", None),
        ("维生素B6", None),
        ("Zimmernummer", None),
        ("IRLS total", None),
    ],
)
def test_resemblance(name, analyte):
    assert resembles(name) == analyte


def _longer_names() -> list[str]:
    studied = [each for each in registry().values() if each.is_studied and each.specimens]
    names = {name for each in studied for name in each.names}
    return sorted(name for name in names if len(name) >= 4 and "(" not in name)


@pytest.mark.parametrize("more", ["{} (Sonderlabor)", "{} neu", "Labor Nord {}", "{}(快检)"])
def test_a_listed_name_inside_another_is_held_and_never_left_out(more):
    contexts = pl.concat(_context(analyte_source=more.format(name)) for name in _longer_names())
    assert contexts.height > 400
    found = recognise(contexts, {})
    assert found["analyte"].null_count() == found.height
    assert set(found["reason"]) == {"unrecognised_analyte"}


def test_the_longest_listed_name_inside_another_counts():
    assert resembles("Hemoglobin A2 neu") is None
    assert resembles("Hemoglobin neu") == "haemoglobin"


CLAIMED = {
    "B12 (pg/mL)": HeaderMeasure("vitamin_b12", "pg/mL"),
    "血清维生素B12(pmol/L)": HeaderMeasure("vitamin_b12", "pmol/L", "serum"),
    "LBXB12": HeaderMeasure("vitamin_b12", "pg/mL"),  # NHANES 2005-2006 codebook
    "LBDB12SI": HeaderMeasure("vitamin_b12", "pmol/L"),  # NHANES 2005-2006 codebook
    "LBDFERSI": HeaderMeasure("ferritin", "ug/L"),
    "Ferritin_ug_L": HeaderMeasure("ferritin", "ug/L"),
    "Hb g/dl": HeaderMeasure("haemoglobin", "g/dL", None, "monomer"),
    "creatinine": HeaderMeasure("creatinine"),
    "SF (ng/mL)": HeaderMeasure("ferritin", "ng/mL"),
    "TG_mmol_L": HeaderMeasure("triglycerides", "mmol/L"),
    "HbA1c (mmol/mol)": HeaderMeasure("hba1c", "mmol/mol"),
    "25(OH)D (ng/mL)": HeaderMeasure("vitamin_d_25oh", "ng/mL"),
    "总胆固醇(TC,mmol/L)": HeaderMeasure("total_cholesterol", "mmol/L"),
    "体重(kg)": HeaderMeasure("weight", "kg"),
    "BUN mg/dL": HeaderMeasure("urea", "mg/dL", None, "urea_nitrogen"),
    "Fe, umol/L": HeaderMeasure("iron", "umol/L"),
    "serum_ferritin_ng_ml": HeaderMeasure("ferritin", "ng/mL", "serum"),
}
NOT_CLAIMED = """SF-36|SF|TG|TG group|FA score|FA|UA|SI|T|Cr|age|sex|group|subject_id|IRLS total|PSQI|B12 date|B12_unit|ferritin_flag
|尿肌酐(mmol/L)|Creatinine, urine (mg/dL)|WBC (10^9/L)|B12 (mmol/mol)|B12 baseline|kg|pg|TG (ng/mL)|weight loss|LBXRBF|SEQN""".replace(
    "\n", ""
).split("|")


def test_headers_that_are_measures():
    assert match_headers(list(CLAIMED)) == CLAIMED


def test_headers_that_are_not():
    assert match_headers(NOT_CLAIMED) == {}


def test_a_concept_of_loinc_says_what_its_code_says():
    """Whatever it is called, and whether or not the row has the code as well."""
    codes = sorted(
        {code for each in registry().values() for code in each.loinc} | {c for o in others() for c in o.loinc}
    )
    assert len(codes) > 150
    concepts = {str(at): Concept(code, "LOINC", "Ferritin in Blood") for at, code in enumerate(codes, 1)}
    ids = pl.Series("concept", list(concepts))
    coded = pl.concat(_context(code_source=code) for code in codes)
    silent = coded.with_columns(pl.lit(None, pl.String).alias("code_source"))
    judged = [*JUDGED, "specimen_basis"]
    alone = recognise(coded, {}).select(judged)
    assert alone["analyte"].n_unique() > 25
    for contexts in (coded, silent):
        found = recognise(contexts.with_columns(ids), {}, concepts)
        assert_frame_equal(found.select(judged), alone)
        assert found["code_read"].to_list() == codes
