"""The page on paper: the only module that imports WeasyPrint, which the extra `pdf` brings."""

from __future__ import annotations

from typing import Any

from etl.report import html
from etl.report.model import Report
from schemas.errors import EngineUnavailable


def render(report: Report, language: str = "en") -> bytes:
    """Return the page as a PDF. Raises EngineUnavailable where WeasyPrint or its system libraries are missing."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        raise EngineUnavailable(
            "A PDF cannot be written here.",
            "It needs WeasyPrint and the system's Pango library, which are optional.",
            "pip install 'b12-rls-etl[pdf]', or print the HTML page from a browser",
        ) from None
    page = html.render(report, language).decode()
    content: bytes = HTML(string=page, url_fetcher=_nothing).write_pdf()
    return content


def _nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:  # noqa: ANN401 - the library's signature
    """Fetch nothing: the page needs nothing but itself."""
    raise ValueError(f"the report refers to {url.split(':', maxsplit=1)[0]}")
