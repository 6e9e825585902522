"""Readers: one module a format. The first reader that recognises a source by its content reads it."""

from __future__ import annotations

from etl.readers.base import Reader, Source
from etl.readers.columnar import ColumnarReader
from etl.readers.delimited import DelimitedReader
from etl.readers.excel import ExcelReader
from etl.readers.fhir import FhirReader
from etl.readers.hl7 import Hl7Reader
from etl.readers.json_table import JsonTableReader
from etl.readers.odm import OdmReader
from etl.readers.statistical import StatisticalReader

HEAD = 64 << 10  # bytes that a reader may judge by

# Signatures first, then marked text: FHIR before other JSON. Delimited text comes last: it takes what is left.
READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        ColumnarReader(),
        StatisticalReader(),
        OdmReader(),
        ExcelReader(),
        Hl7Reader(),
        FhirReader(),
        JsonTableReader(),
        DelimitedReader(),
    )
}


def detect(source: Source) -> Reader | None:
    """Return the reader for a source, judged by its name and first bytes; None if no reader knows it."""
    with source.open() as file:
        head = file.read(HEAD)
    return next((reader for reader in READERS.values() if reader.recognises(source.name, head)), None)
