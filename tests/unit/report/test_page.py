"""The page in a real browser without a network, where Chromium is installed; else these tests are skipped."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from etl.report import html

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="Chromium is not installed at /usr/bin/chromium"
)
OFFLINE = ("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND")


def browse(page: Path, *options: str) -> tuple[str, str]:
    """Open a page without a network; return what the browser printed, and what the page complained of."""
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *OFFLINE,
         f"--user-data-dir={page.parent / 'profile'}", "--enable-logging=stderr", *options, page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line or "Refused to" in line]
    return done.stdout, "\n".join(complaints)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_runs_without_an_error(report, tmp_path, language) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(html.render(report, language))
    shown, complaints = browse(page, "--dump-dom")
    assert complaints == ""
    # The script ran to its end: every heading of a sortable table is a button, and the filter counted the rules.
    assert shown.count("<th") > 50
    assert shown.count('<button type="button">') > 50
    assert re.search(rf"{len(report.checks)} / {len(report.checks)} ", shown)


def test_an_error_would_be_seen(report, tmp_path) -> None:
    page = tmp_path / "broken.html"
    broken = html.render(report).replace(b'"use strict";', b'"use strict"; fetch("https://example.org/");')
    page.write_bytes(broken)
    assert "example.org" in browse(page, "--dump-dom")[1]


def test_the_page_prints(report, tmp_path) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(html.render(report))
    printed = tmp_path / "report.pdf"
    browse(page, f"--print-to-pdf={printed}")
    assert printed.read_bytes().startswith(b"%PDF")
