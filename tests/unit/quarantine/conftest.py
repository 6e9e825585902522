from __future__ import annotations

import pytest

HEADER = "subject_id,test,result,unit,reference range,collected,accession"
# One sound row, one result without a unit, one damaged line, one text that is no number and looks like a formula.
ROWS = [
    "P001,Vitamin B12,300,pg/mL,,2021-03-05 08:12,A1",
    "P002,Vitamin B12,301,,,2021-03-06 08:12,A2",
    "P003,Vitamin B12,302",
    "P004,Ferritin,=1+cmd,ng/mL,,2021-03-07 08:12,A4",
]


@pytest.fixture
def held(place):
    """A place with one sound row and three held ones."""
    place.map("site: north\nfeeds:\n  labs:\n    files: 'lab_*.csv'\n")
    place.ingest(place.write("lab_1.csv", "\n".join([HEADER, *ROWS]) + "\n"))
    return place


@pytest.fixture
def ids(held) -> dict[str, str]:
    """The record ids by reason."""
    return dict(held.rows("select reasons[1], record_id::varchar from quarantine.record"))
