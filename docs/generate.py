"""Write the generated parts of the documentation: `python -m docs.generate`, or `--check` to compare only.

What a program can say of itself is never typed: commands from `--help`, tables from the data files, the transcript
from a run of the demo. A test runs the check.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ETL = Path(sys.executable).with_name("etl")
_BLOCK = "<!-- generated: {name} -->\n{text}\n<!-- end -->"


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    names = list(header)
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += [
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
        for row in rows
    ]
    return "\n".join(lines)


def commands() -> str:
    """Return every command's help, as the terminal prints it, groups with their commands."""
    return "\n\n".join(_help())


def _help(*names: str) -> Iterator[str]:
    text = _run(*names, "--help")
    yield f"## {' '.join(('etl', *names))}\n\n```text\n{text}```"
    listed = text.partition("Commands:")[2]
    for name in re.findall(r"^  ([a-z]\w*)  ", listed, flags=re.MULTILINE):
        yield from _help(*names, name)


def transcript() -> str:
    """Return what the demo prints, in a folder called demo; times, run ids and digests are masked."""
    with tempfile.TemporaryDirectory() as folder:
        text = _run("demo", "--out", "demo", folder=Path(folder))
    text = re.sub(r"\d{8}T\d{6}-[0-9a-f]{6}", "RUN", text)
    text = re.sub(r"RUN, [\d.]+ s", "RUN, a few seconds", text)
    text = re.sub(
        r"content digest [0-9a-f]{64}", "content digest DIGEST", text
    )  # subject ids depend on a new key
    return f"```text\n$ make demo\n{text.rstrip()}\n```"


def analytes() -> str:
    """Return the study's analytes."""
    from schemas.analytes import registry

    rows = [
        (f"`{name}`", each.title, f"`{each.unit}`", ", ".join(f"`{unit}`" for unit in each.units if unit != each.unit),
         f"{each.hard[0]:g} to {each.hard[1]:g}")
        for name, each in registry().items()
        if each.is_studied
    ]  # fmt: skip
    return table(("id", "analyte", "canonical unit", "also accepted", "possible values"), rows)


def registered() -> str:
    """Return all that the registry knows of each analyte."""
    from docs.analyte_page import analyte_page

    return analyte_page(table)


def suspicion_rates() -> str:
    """Return how often suspicion is right, wrong and silent in the simulation."""
    from benchmarks.bench_suspicion import COLUMNS
    from benchmarks.bench_suspicion import table as simulated

    rows = [(*row[:5], *(f"{share:.0%}" for share in row[5:])) for row in simulated()]
    return table(COLUMNS, rows)


def instruments() -> str:
    """Return the clinical scales with their versions."""
    from schemas.instruments import INSTRUMENTS

    rows = [
        (f"`{name}`", each.title, ", ".join(f"`{version}`" for version in each.versions), each.direction)
        for name, each in INSTRUMENTS.items()
    ]
    return table(("id", "instrument", "versions", "direction"), rows)


def scales() -> str:
    """Return every instrument: its versions, items, scores and how each is made."""
    from docs.scales import scales as filled

    return filled(table)


def scale_findings() -> str:
    """Return what can be found about files and administrations of scales."""
    from docs.scales import findings

    return findings(table)


def formats() -> str:
    """Return the formats that have a reader."""
    from etl.readers import READERS

    pages = {name: (ROOT / "docs" / "formats" / f"{name}.md").read_text("utf-8") for name in READERS}
    rows = [
        (f"[{page.splitlines()[0].removeprefix('# ')}](docs/formats/{name}.md)", _opening(page))
        for name, page in pages.items()
    ]
    return table(("format", "what it reads"), rows)


def _opening(page: str) -> str:
    """Return the first sentence of a format's page, which says what is read."""
    text = " ".join(page.splitlines()[2:6]).removeprefix("Read: ")
    return re.split(r"(?<=[a-z0-9`)])\. (?=[A-Z])", text, maxsplit=1)[0]


def reasons() -> str:
    """Return why a candidate can be held."""
    from schemas.reasons import REASONS

    rows = [(f"`{name}`", each.stage, each.sentence, each.advice) for name, each in REASONS.items()]
    return table(("reason", "stage", "what it says", "what settles it"), rows)


def checks() -> str:
    """Return the expectations of every suite."""
    from expectations.suite import load_suites

    rows = [
        (f"`{check.id}`", check.category, check.severity, check.text("sentence", "en"))
        for suite in load_suites()
        for check in suite.checks
    ]
    return table(("check", "category", "severity", "what it says"), rows)


def views() -> str:
    """Return every view with its grain."""
    from warehouse.catalogue import views as installed

    return table(
        ("view", "what it is", "grain"),
        [(f"`{each.qualified}`", each.title, each.grain) for each in installed()],
    )


def queries() -> str:
    """Return every named query."""
    from warehouse.catalogue import queries as known

    return table(
        ("query", "what it answers", "grain", "parameters"),
        [
            (
                f"`{each.name}`",
                each.title,
                each.grain,
                "; ".join(f"`{p.name}`: {p.sentence}" for p in each.parameters),
            )
            for each in known().values()
        ],
    )


# file -> block -> what fills it
PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {
        "transcript": transcript,
        "formats": formats,
        "analytes": analytes,
        "instruments": instruments,
    },
    "docs/commands.md": {"commands": commands},
    "docs/reasons.md": {"reasons": reasons},
    "docs/checks.md": {"checks": checks},
    "docs/analytes.md": {"registry": registered},
    "docs/suspicion.md": {"rates": suspicion_rates},
    "docs/instruments.md": {"scales": scales, "findings": scale_findings},
    "docs/views.md": {"views": views, "queries": queries},
}


def generated(page: str) -> str:
    """Return a page with its blocks filled anew."""
    text = (ROOT / page).read_text("utf-8")
    for name, fill in PAGES[page].items():
        pattern = re.escape(f"<!-- generated: {name} -->") + r".*?<!-- end -->"
        if not re.search(pattern, text, flags=re.DOTALL):
            raise SystemExit(f"{page} has no block '{name}'")
        block = _BLOCK.format(name=name, text=fill())
        text = re.sub(pattern, lambda _, block=block: block, text, flags=re.DOTALL)
    return text


def _run(*arguments: str, folder: Path | None = None) -> str:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [str(ETL), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"etl {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Write every page, or name those that are not what they should be."""
    is_check = "--check" in sys.argv
    stale = [page for page in PAGES if generated(page) != (ROOT / page).read_text("utf-8")]
    if is_check and stale:
        raise SystemExit(f"stale: {', '.join(stale)}; run `make docs`")
    for page in stale:
        (ROOT / page).write_text(generated(page), encoding="utf-8")


if __name__ == "__main__":
    main()
