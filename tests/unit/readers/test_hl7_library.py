"""HL7 v2 beside python-hl7: what that library reads of public messages, and what it writes at random, we read alike."""

from __future__ import annotations

from pathlib import Path

import hl7
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from etl.readers.base import Hints, Source
from etl.readers.hl7 import Hl7Reader

READER = Hl7Reader()
MESSAGE = "MSH|^~\\&|LAB|HOSP|ETL|STUDY|20210305||ORU^R01|1|P|2.5\rPID|1||{subject}\rOBR|1||F1|P\rOBX|1|{kind}|1^x^L||{value}|{unit}|{limits}||||F\r"
# Wrapped lines are none of the standard's, and the library does not know them.
WHOLE = ("fhir-converter/LAB-ORU-1.hl7", "fhir-converter/ORU-R01-01.hl7", "linuxforhealth/sample_unix.hl7")
# What may stand in a field once it is escaped. Beyond ASCII the library writes code points where the standard has bytes.
TEXT = st.text(st.sampled_from("aB7 .<>-/%|^~&\\"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and text != '""'
)


def ours(path: Path) -> list[dict[str, str | None]]:
    source = Source(path)
    (table,) = READER.inspect(source, Hints())
    columns = ("subject", "value", "unit", "ref_text", "status")
    batches = [batch for part in table.ranges for batch in READER.read(source, table, part, columns)]
    return [row for batch in batches for row in batch.frame.select(columns).to_dicts()]


def theirs(text: str) -> list[dict[str, str | None]]:
    """Return the results of messages as the library tells their fields; an empty field is none."""
    rows = []
    text = text.replace("\r\n", "\r").replace("\n", "\r")
    for each in ("MSH|" + part for part in text.split("MSH|") if part):
        message = hl7.parse(each)
        for segment in message.segments("OBX"):
            fields = [str(part) for part in segment] + [""] * 12
            first = [message.unescape(field.split("^")[0]) or None for field in fields]
            is_plain = fields[2] in {"NM", "ST"} and "^" not in fields[5]
            subject = str(message.segment("PID")[3]).split("^")[0]
            said = {"value": first[5] if is_plain else None, "unit": first[6], "ref_text": fields[7] or None}
            rows.append({"subject": subject, **said, "status": first[11]})
    return rows


@pytest.mark.parametrize("name", WHOLE)
def test_public_messages_say_what_the_library_reads(shared: Path, name: str) -> None:
    path = shared / "hl7v2" / name
    expected, found = theirs(path.read_text("utf-8-sig")), ours(path)
    assert len(found) == len(expected) > 0
    for mine, other in zip(found, expected, strict=True):
        compared = {key: mine[key] for key in mine if key != "value" or other["value"] is not None}
        assert compared == {key: other[key] for key in compared}


@settings(
    max_examples=60,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=TEXT, unit=TEXT, limits=TEXT, kind=st.sampled_from(["ST", "TX", "FT"]))
def test_what_the_library_escapes_is_read_back(
    value: str, unit: str, limits: str, kind: str, tmp_path: Path
) -> None:
    escape = hl7.parse(MESSAGE).escape
    written = MESSAGE.format(
        subject="P1", kind=kind, value=escape(value), unit=escape(unit), limits=escape(limits)
    )
    path = tmp_path / "m.hl7"
    path.write_bytes(written.encode())
    assert ours(path) == [{"subject": "P1", "value": value, "unit": unit, "ref_text": limits, "status": "F"}]
