"""Public files of answers through ingest; the totals are those that their authors printed."""

from __future__ import annotations

import csv
from pathlib import Path

from etl.quarantine import rare_names

VERSIONS = "select distinct version, version_basis from core.administration"


def with_subjects(path: Path) -> str:
    """Number the rows of a table without subjects."""
    lines = path.read_text("utf-8").splitlines()
    return "\n".join(
        ["participant_id\t" + lines[0], *(f"P{at}\t{line}" for at, line in enumerate(lines[1:], 1)), ""]
    )


def test_sdtm_answers_reproduce_the_printed_gad_7_totals(shared, place) -> None:
    path = shared / "scales/admiral/example_qs.csv"
    place.ingest(path, site="trial")
    # A scale that is not ours; one subject answered it, so its names are listed by a revealing command only.
    assert {each.name: each.rows for each in rare_names(place.warehouse)} == {
        f"SLEEPING PROBLEMS SP010{item}": 3 for item in (1, 2, 3)
    }
    with path.open(encoding="utf-8") as file:
        printed = [float(row["QSSTRESN"]) for row in csv.DictReader(file) if row["QSTESTCD"] == "GAD0208"]
    rows = place.rows("select value, value_reported, score_status from core.score where instrument = 'gad7'")
    assert sorted(rows) == sorted((total, total, "complete") for total in printed)
    assert place.rows("select count(*) from core.response where instrument = 'gad7' and item = 'total'") == [
        (len(printed),)
    ]
    assert place.rows("select count(*) from core.score_finding") == [(0,)]


def test_gds_30_totals_are_reproduced_and_planted_wrong_ones_are_found(shared, place) -> None:
    lines = with_subjects(shared / "scales/lcbc/data/gds.tsv").splitlines()
    header = lines[0].split("\t")
    total = header.index("gds")
    printed = [float(line.split("\t")[total]) for line in lines[1:]]
    for at in (2, 7):
        cells = lines[at].split("\t")
        cells[total] = f"{printed[at - 1] - 3:g}"
        lines[at] = "\t".join(cells)
    place.ingest(place.write("gds.tsv", "\n".join([*lines, ""])))
    rows = place.rows("""
        select score.value, response.row_number, score.version from core.score
        join core.response on response.administration_id = score.administration_id and response.item = 'total'
        order by response.row_number
    """)
    assert rows == [(value, line, "gds_30") for line, value in enumerate(printed, 2)]
    found = place.rows(
        "select check_id, value - value_reported, split_part(origin[1], ':', 2) from core.score_finding order by 3"
    )
    assert found == [
        ("reported_score_disagrees", 3, f"L{line}/C{total + 1}") for line in (3, 8)
    ]  # the lines of the two changed rows


def test_the_bdi_file_is_bdi_ia_by_its_items(shared, place) -> None:
    place.ingest(place.write("bdi.tsv", with_subjects(shared / "scales/lcbc/data/bdi.tsv")))
    assert place.rows(VERSIONS) == [("bdi_ia", "items")]
    # Lines without a missing answer, added up by hand from the file: half points stay halves.
    complete = "select value from core.score where score_status = 'complete' order by value"
    assert [value for (value,) in place.rows(complete)] == [3, 4.5, 5, 7.5, 11, 16.5]


def test_the_bdi_file_declared_as_bdi_ii_is_refused_with_the_reason(shared, place) -> None:
    from etl.validation import run_validation

    place.map(
        "site: north\nfeeds:\n  scales:\n    files: bdi.tsv\n    instruments: {bdi: {version: bdi_ii}}\n"
    )
    (outcome,) = place.ingest(
        place.write("bdi.tsv", with_subjects(shared / "scales/lcbc/data/bdi.tsv"))
    ).files
    assert outcome.counts.held > 0
    assert set(outcome.detail.reasons) == {"version_unresolved"}
    assert place.rows("select count(*) from core.score where value is not null") == [(0,)]
    said = place.rows("select sentence from core.score_finding where check_id = 'version_refused' order by 1")
    assert [sentence.partition(": ")[2] for (sentence,) in said] == [
        "9 answers are not whole numbers, and BDI-II (1996) has only whole numbers.",
        "BDI-II (1996) has no item 19b.",
    ]
    failed = {each.check_id for each in run_validation(place.warehouse).results if each.is_finding}
    assert "scale_files_sound" in failed
