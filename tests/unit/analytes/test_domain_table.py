"""Every row of the study's table of analytes, written out: canonical unit, bounds, molar mass, LOINC codes, factors.

Factors are those printed in the table (five digits, recomputed there with ucum-lhc), bounds are its judgement.
"""

from __future__ import annotations

import pytest

from schemas.analytes import registry, study_analytes

# analyte: unit | hard | soft | molar masses | LOINC codes | other unit = factor, ... (@kind: of what is measured)
TABLE = """
vitamin_b12            | pg/mL            | 1-100000    | 50-2000   | 1355.37 | 2132-9 14685-2 | pmol/L=1.35537 ng/L=1 ng/dL=10 nmol/L=1355.37 ug/L=1000 ng/mL=1000 pg/dL=0.01 ug/dL=10000 pg/L=0.001 fmol/mL=1.35537
holotranscobalamin     | pmol/L           | 1-1000      | 5-150     | 1355.37 |                | pg/mL=0.7378
mma                    | nmol/L           | 10-200000   | 50-5000   | 118.09  | 2629-4 13964-2 | umol/L=1000 ng/mL=8.468 ug/L=8.468
homocysteine           | umol/L           | 1-500       | 3-100     | 135.18  | 2428-1 13965-9 | mg/L=7.3975 mg/dL=73.98 nmol/mL=1
folate                 | ng/mL            | 0.1-100     | 1-45      | 441.40  | 2284-8 14732-2 | ug/L=1 nmol/L=0.44140
ferritin               | ng/mL            | 0.3-200000  | 3-2000    | 445000  | 2276-4 20567-4 14723-1 | ug/L=1 pmol/L=0.445
iron                   | umol/L           | 0.3-250     | 2-60      | 55.845  | 2498-4 14798-3 | ug/dL=0.17907 mg/L=17.907
tibc                   | umol/L           | 5-200       | 25-110    | 55.845  | 2500-7 14800-7 | ug/dL=0.17907
transferrin            | g/L              | 0.2-10      | 1-6       | 79570   | 3034-6 22674-6 | mg/dL=0.01 umol/L=0.0796
transferrin_saturation | %                | 0-150       | 3-100     |         | 2502-3 14801-5 | 1=100
haemoglobin            | g/L              | 15-280      | 60-200    | 16114.5 64458 | 718-7 59260-0 | g/dL=10 mmol/L=16.114 mmol/L@tetramer=64.458
mcv                    | fL               | 30-170      | 60-130    |         | 787-2 30428-7  | um3=1
creatinine             | umol/L           | 5-4000      | 20-1000   | 113.12  | 2160-0 14682-9 59826-8 38483-4 | mg/dL=88.402 mmol/L=1000 mg/L=8.8402
egfr                   | mL/min/{1.73_m2} | 0-250       | 5-160     |         | 98979-8 62238-1 77147-7 33914-3 | mL/s/{1.73_m2}=60
urea                   | mmol/L           | 0.2-120     | 1-40      | 60.055 28.0134 | 3091-6 22664-7 3094-0 6299-2 14937-7 | mg/dL=0.16651 mg/dL@urea_nitrogen=0.35697 mmol/L@urea_nitrogen=1
uric_acid              | umol/L           | 20-2500     | 80-900    | 168.11  | 3084-1 14933-6 | mg/dL=59.485 mmol/L=1000
vitamin_d_25oh         | nmol/L           | 2-1000      | 8-375     | 400.64  | 62292-8 1989-3 68438-1 14635-7 | ng/mL=2.4960
glucose                | mmol/L           | 0.3-100     | 2-33      | 180.156 | 1558-6 14771-0 2345-7 14749-6 | mg/dL=0.055507
hba1c                  | %                | 2-25        | 3.5-18    |         | 4548-4 17856-6 59261-8 | mmol/mol=0.09148
tsh                    | m[IU]/L          | 0-2000      | 0.005-150 |         | 3016-3 11579-0 11580-8 | u[IU]/mL=1 mU/L=1 uU/mL=1
ft3                    | pmol/L           | 0.2-150     | 1-50      | 650.97  | 3051-0 14928-6 | pg/mL=1.53617 ng/dL=15.3617 ng/L=1.53617
ft4                    | pmol/L           | 0.3-200     | 3-100     | 776.87  | 3024-7 14920-3 | ng/dL=12.8722 pg/mL=1.28722
total_cholesterol      | mmol/L           | 0.3-60      | 1.5-15    | 386.65  | 2093-3 14647-2 | mg/dL=0.025863
ldl_cholesterol        | mmol/L           | 0.05-30     | 0.5-10    | 386.65  | 13457-7 18262-6 2089-1 22748-8 69419-0 39469-2 | mg/dL=0.025863
hdl_cholesterol        | mmol/L           | 0.03-10     | 0.3-4     | 386.65  | 2085-9 14646-4 | mg/dL=0.025863
triglycerides          | mmol/L           | 0.05-200    | 0.2-20    | 885.4   | 2571-8 14927-8 | mg/dL=0.011294
crp                    | mg/L             | 0-1000      | 0-500     | 105000  | 1988-5 30522-7 76485-2 76486-0 | mg/dL=10 ug/mL=1 nmol/L=0.105
alt                    | U/L              | 0-100000    | 3-2000    |         | 1742-6 1743-4  | ukat/L=60
ast                    | U/L              | 0-100000    | 3-2000    |         | 1920-8 30239-8 | ukat/L=60
height                 | cm               | 50-250      | 130-205   |         | 8302-2 3137-7  | m=100 [in_i]=2.54
weight                 | kg               | 2-400       | 30-200    |         | 29463-7 3141-9 | [lb_av]=0.45359 500.g=0.5
bmi                    | kg/m2            | 8-120       | 13-60     |         | 39156-5        |
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def test_every_analyte_of_the_table_is_in_the_registry_and_no_other():
    assert sorted(row[0] for row in ROWS) == sorted(study_analytes())


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_row(row):
    name, unit, hard, soft, masses, codes, factors = row
    analyte = registry()[name]
    assert analyte.unit == unit
    assert analyte.hard == tuple(map(float, hard.split("-")))
    assert analyte.soft == tuple(map(float, soft.split("-")))
    assert [float(mass.value) for mass in analyte.molar_masses.values()] == [*map(float, masses.split())]
    assert set(analyte.loinc) >= set(codes.split())
    for said in factors.split():
        stated, _, factor = said.rpartition("=")
        stated, _, kind = stated.partition("@")
        assert analyte.conversion(stated, kind or None).factor == pytest.approx(float(factor), rel=5e-4), said


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_every_number_says_where_it_comes_from_and_every_name_has_a_language(name):
    analyte = registry()[name]
    assert analyte.bounds_origin.source
    assert analyte.loinc_origin.source
    assert all(mass.source for mass in analyte.molar_masses.values())
    assert all(each.source for each in (*analyte.fingerprints, *analyte.assays))
    assert {each for names in analyte.languages.values() for each in names} == set(analyte.names)
    assert {"zh", "en"} <= set(analyte.languages)
