"""Whatever a source holds: no traceback, counts that balance, and the same result for every size of block and range."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etl.readers.base import Hints, Source
from etl.readers.fhir import FhirReader
from etl.readers.hl7 import Hl7Reader
from schemas.errors import SourceUnreadable

SEGMENTS = (
    b"MSH|^~\\&|LAB|H|||20210306||ORU^R01|1|P|2.5", b"MSH$*@!%$LAB", b"MSH|", b"FHS|^~\\&", b"PID|1||7^^^H||D^J||1960|F",
    b"PID|1||", b"PI|1||8^^^H||", b"OBR|1|P|F|x^Panel|||20210305|||||||||||||||||||F", b"OBR|1", b"NTE|1||note \\T\\ note",
    b"OBX|1|NM|2132-9^B12^LN||145|pg/mL|180-914||||F", b"OBX|2|SN|x||<^83|u|||||F|||20210305", b"OBX|3|CE|a^b^L||c^d^L",
    b"OBX|4|TX|t||first", b"second|||||F", b"OBX|5", b"OB|6|NM|x||1", b"SPM|1|||SER", b"", b"text", b"\x0b\x1c",
    b"OBX|7|NM|x||3\x000|u", "OBX|8|ST|x||ä|µg/l".encode("cp1252"), "OBX|9|ST|x||维生素|u".encode(), b"ZZZ|1|\\X41\\\\X4",
    b"OBX|1|NM|x||30MSH|^~\\&|LAB", b"MSH text", b"\xef\xbb\xbf",
)  # fmt: skip
ENDS = (b"\r", b"\n", b"\r\n", b"\n\r")
QUIET = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def outcome(reader: Hl7Reader | FhirReader, raw: bytes) -> list[tuple] | None:
    """Read bytes; what is compared: each table's counts, records and damage. None: refused with an explanation."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.ndjson"
        path.write_bytes(raw)
        source = Source(path)
        try:
            tables = reader.inspect(source, Hints())
        except SourceUnreadable:
            return None
        found = []
        for table in tables:
            batches = [b for part in table.ranges for b in reader.read(source, table, part, table.columns)]
            frames = [batch.frame for batch in batches] or [pl.DataFrame()]
            damaged = [batch.damaged for batch in batches] or [pl.DataFrame()]
            frame, damage = pl.concat(frames), pl.concat(damaged)
            assert table.records == frame.height + damage.height
            assert table.damaged == damage.height
            if table.lines is not None:
                assert table.lines == table.records + table.continuation + sum(table.structural.values())
            found.append(
                (table.title, table.lines, table.records, table.structural, frame.rows(), damage.rows())
            )
        return found


# A message begins in a line that continues a segment, and the block ends there.
GLUED = [(SEGMENTS[at], b"\n") for at in (10, 25, 19, 0, 10)]


@QUIET
@example(GLUED, 0)
@given(st.lists(st.tuples(st.sampled_from(SEGMENTS), st.sampled_from(ENDS)), max_size=30), st.integers(0, 3))
def test_any_series_of_segments(segments: list[tuple[bytes, bytes]], cut: int) -> None:
    raw = b"".join(segment + end for segment, end in segments)
    raw = raw[: len(raw) - cut]
    assert outcome(Hl7Reader(), raw) == outcome(Hl7Reader(block=64, range=128), raw)


@QUIET
@given(st.binary(max_size=300))
def test_any_bytes_as_messages(raw: bytes) -> None:
    outcome(Hl7Reader(), raw)
    outcome(Hl7Reader(), SEGMENTS[0] + b"\rPID|1||7\r" + raw)


@QUIET
@given(st.binary(max_size=300))
def test_any_bytes_as_resources(raw: bytes) -> None:
    outcome(FhirReader(), raw)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
# The reader's own names, so that the shapes it looks for are met, with anything behind them.
NAMES = st.sampled_from(
    [
        "code",
        "coding",
        "system",
        "text",
        "display",
        "value",
        "unit",
        "comparator",
        "low",
        "high",
        "subject",
        "reference",
        "identifier",
        "id",
        "type",
        "component",
        "valueQuantity",
        "valueString",
        "valueRange",
        "valueCodeableConcept",
        "dataAbsentReason",
        "referenceRange",
        "interpretation",
        "category",
        "effectiveDateTime",
        "effectivePeriod",
        "start",
        "note",
        "performer",
        "specimen",
        "contained",
        "item",
        "answer",
        "linkId",
        "questionnaire",
        "extension",
        "url",
        "clinicalStatus",
        "medicationCodeableConcept",
        "medicationReference",
        "entry",
        "resource",
        "fullUrl",
        "hasMember",
        "gender",
    ]
)
TYPES = st.sampled_from(
    [
        "Observation",
        "Patient",
        "Condition",
        "MedicationRequest",
        "QuestionnaireResponse",
        "Bundle",
        "X",
        "Claim",
        "",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
RESOURCES = st.builds(
    lambda kind, said: {**said, "resourceType": kind}, TYPES, st.dictionaries(NAMES, VALUES, max_size=6)
)
BUNDLES = st.builds(
    lambda inside: {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:a", "resource": each} for each in inside],
    },
    st.lists(RESOURCES, max_size=3),
)


@QUIET
@given(st.lists(RESOURCES | BUNDLES | VALUES, min_size=1, max_size=8))
def test_any_shape_of_resource(resources: list[object]) -> None:
    raw = b"\n".join(json.dumps(each).encode() for each in resources)
    assert outcome(FhirReader(), raw) == outcome(FhirReader(block=64, range=128), raw)
