"""The report as a PDF: an optional extra, which is named where it is missing."""

from __future__ import annotations

import sys

import pytest

from etl.report import write_report
from schemas.errors import EngineUnavailable


def test_what_is_missing_is_named(report, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(EngineUnavailable, match="PDF") as caught:
        write_report(report, tmp_path / "r.pdf")
    assert caught.value.exit_code == 6
    assert "[pdf]" in caught.value.fix


def test_the_page_becomes_a_pdf(report, tmp_path) -> None:
    pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed", exc_type=ImportError)
    write_report(report, tmp_path / "r.pdf", "zh")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")
