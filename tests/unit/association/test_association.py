"""From the warehouse to the estimates: figures, gate, override, data cut, suppression in the written files."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from scipy import stats

from etl.associate.analyse import analyse
from etl.associate.marts import describe_profile, read_frames, study_protocol
from etl.associate.protocol import load_protocol
from etl.association import AssociateOptions, associate, hide_small
from etl.freeze import freeze
from etl.gate import GateClosed
from schemas import study as study_package
from schemas.analytes import registry
from schemas.errors import UsageError
from schemas.study import load_study
from schemas.thresholds import profiles
from warehouse.catalogue import refresh, run_query
from warehouse.connection import open_warehouse
from warehouse.ledger import broken_links

REASON = "only to look at the planted defects"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def read(out: Path) -> tuple[dict, list[dict], str]:
    """Return the three forms that were written."""
    document = json.loads((out / "association.json").read_text("utf-8"))
    rows = list(csv.DictReader(io.StringIO((out / "association.csv").read_text("utf-8"))))
    return document, rows, (out / "association.html").read_text("utf-8")


def test_the_cohort_prints_beside_the_published_figures(shown):
    # Targets of the synthetic cohort: the r that fits the abstract's P at n = 80, its r with HAMD, its odds ratio.
    # The exports carry planted defects as additional rows: n stays 80 + 80.
    document, rows, page = read(shown / "out")
    beside = {b["figure"]: b for b in document["beside"]}
    assert beside["geng-b12-irls"]["published"] == "r = -0.025, P = 0.023"
    assert beside["geng-b12-irls"]["ours"] == "r = -0.254, P = 0.023"
    assert beside["geng-b12-hamd"]["ours"].startswith("r = -0.295, ")
    assert beside["geng-b12-or"]["ours"].startswith("OR 0.97 (0.96 to 0.98) per 1 pg/mL, ")
    assert [beside[f]["n"] for f in ("geng-b12-irls", "geng-b12-hamd", "geng-b12-or")] == [80, 80, 160]
    assert all(f">{b['ours'].replace('<', '&lt;')}</td>" in page for b in beside.values())
    by_id = {row["id"]: row for row in rows}
    assert round(float(by_id["model/crude/b12/1 pg/mL"]["value"]), 2) == 0.97
    assert document["watermark"] is None
    assert {row["watermark"] for row in rows} == {""}
    assert 'role="alert"' not in page


def test_sql_and_the_report_agree_on_deficiency_and_correlation(shown):
    # Two programs over the same rows: the named SQL queries, and scipy on what they rest on.
    document, rows, _ = read(shown / "out")
    table = next(t for t in document["tables"] if t["id"] == "deficiency")
    by_id = {row["id"]: float(row["value"] or "nan") for row in rows}
    with open_warehouse(shown / "w.duckdb", read_only=True) as connection:
        counted = run_query(connection, "deficiency_by_group").to_dicts()[0]
        sql = {row["measure"]: row for row in run_query(connection, "exposure_correlation").to_dicts()}
        pairs = connection.execute(
            "select b12, irls from mart.subject_baseline where cohort_group = 'case' and is_included"
        ).fetchall()
    names = ("case_deficient", "case_not_deficient", "control_deficient", "control_not_deficient")
    assert [count for row in table["counts"] for count in row] == [counted[name] for name in names]
    assert by_id["table/deficiency/Woolf"] == pytest.approx(counted["odds_ratio"], abs=1e-9)
    assert sql["irls"]["pearson_r"] == pytest.approx(by_id["correlation/pearson/case/b12~irls"], abs=1e-9)
    assert stats.pearsonr(*zip(*pairs, strict=True)).statistic == pytest.approx(sql["irls"]["pearson_r"])


def test_an_open_fatal_check_closes_the_gate(warehouse, out):
    with pytest.raises(GateClosed) as refused:
        associate(warehouse, out)
    message = refused.value.message()
    assert refused.value.exit_code == 1
    assert "no_irls_in_control" in message
    assert "etl validate" in message
    assert '--despite "REASON"' in message
    assert not out.exists()


def test_an_override_is_printed_on_everything_and_recorded(warehouse, opened, out):
    found = associate(warehouse, out, AssociateOptions(despite=REASON, who="A. Manager"))
    document, rows, page = read(out)
    assert "no_irls_in_control" in document["watermark"]
    assert f"by A. Manager: {REASON}" in document["watermark"]
    assert {row["watermark"] for row in rows} == {document["watermark"]} == {found.watermark}
    assert document["watermark"] in page
    with opened() as connection:
        decisions = connection.execute(
            "select kind, who, why, target ->> 'command' from meta.decision"
        ).fetchall()
        assert decisions == [("despite", "A. Manager", REASON, "associate")]
        assert broken_links(connection) == []
    lines = (warehouse.parent / "w.duckdb.ledger.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["entry"] for line in lines[-2:]] == ["decision", "run"]


def test_an_override_does_not_age_the_validation(warehouse, out):
    associate(warehouse, out, AssociateOptions(despite=REASON, who="A. Manager"))
    with pytest.raises(GateClosed) as refused:
        associate(warehouse, out)
    assert "older than the data" not in refused.value.message()


@pytest.mark.parametrize(("reason", "who"), [("  ", "A. Manager"), (REASON, "")])
def test_an_override_needs_a_reason_and_a_name(warehouse, out, reason, who):
    with pytest.raises(UsageError):
        associate(warehouse, out, AssociateOptions(despite=reason, who=who))


def test_an_override_of_nothing_leaves_no_mark(settled, opened, out):
    assert associate(settled, out, AssociateOptions(despite=REASON, who="A. Manager")).watermark == ""
    with opened() as connection:
        assert connection.execute("select count(*) from meta.decision").fetchall() == [(0,)]


def test_every_output_prints_the_data_cut_while_it_matches(settled, opened, out):
    cut = freeze(settled, "submission-1", "A. Manager")
    associate(settled, out)
    document, rows, page = read(out)
    assert document["provenance"]["content_digest"] == cut.digest
    assert {row["content_digest"] for row in rows} == {cut.digest}
    assert cut.digest in page
    for text in (document["provenance"]["data"], rows[0]["data"], page):
        assert "submission-1" in text
    with opened() as connection:
        connection.execute("delete from core.score where instrument = 'psqi'")
    associate(settled, out)
    document, rows, page = read(out)
    assert document["provenance"]["content_digest"] != cut.digest
    for text in (document["provenance"]["data"], rows[0]["data"], page):
        assert "submission-1" not in text
        assert "not frozen" in text


def test_single_subjects_are_drawn_on_request_only(settled, shown, out):
    assert 'class="point"' not in read(shown / "out")[2]
    assert "Do not share it" not in read(shown / "out")[2]
    associate(settled, out, AssociateOptions(has_points=True))
    page = read(out)[2]
    assert page.count('class="point"') == 160 + 4 * 80  # the strip, and four scales of 80 cases
    assert "Do not share it" in page


def test_no_subject_is_named_in_what_may_be_shared(shown):
    text = "".join(path.read_text("utf-8") for path in (shown / "out").iterdir())
    with open_warehouse(shown / "w.duckdb", read_only=True) as connection:
        subjects = connection.execute("select subject_id from mart.subject_baseline").fetchall()
    assert len(subjects) == 160
    assert not [subject for (subject,) in subjects if subject in text]


def test_the_report_shows_the_protocol_and_who_answers(shown):
    document, _, page = read(shown / "out")
    study = load_study()
    assert [step["step"] for step in document["flow"]][1:] == [r.sentence for r in study.rules if r.is_on]
    sets = next(t for t in document["tables"] if t["id"] == "analysis/sets")
    assert dict(zip(sets["rows"], sets["counts"], strict=True))[study.questions[3].sentence] == [80, 0, 0]
    assert document["study"]["deficiency_profile"] == study.deficiency_profile
    assert all(rule.id in page for rule in study.rules)
    assert all(f"<td>C{number:02}</td>" in page for number in range(1, 22))
    # 80 cases of whom no feed states the diagnostic criteria stand beside their rule.
    assert re.search(r"eligibility case_criteria</td><td>on</td><td>[^<]*</td><td class=\"n\">80</td>", page)


def test_a_match_set_that_lost_a_member_is_not_used(settled, opened):
    with opened() as connection:
        lost = connection.execute("select min(match_set_id) from core.match_set").fetchall()[0][0]
        connection.execute("delete from core.match_set where match_set_id = ? and role = 'control'", [lost])
        refresh(connection)
        subjects = read_frames(connection, study_protocol(load_study())).subjects
    assert subjects["match_set"].null_count() == 2
    assert len(subjects) == 160


def test_other_iron_lines_judge_those_whom_the_study_left_out(settled, opened):
    # Three controls below the study's own line of 50 ng/mL and one of them a child: two come back before the rule.
    with opened() as connection:
        controls = connection.execute(
            "select subject_id from mart.subject_baseline where cohort_group = 'control' order by 1 limit 3"
        ).fetchall()
        connection.execute(
            "update core.lab_row set value = 20 "
            "where subject_no in (select subject_no from core.lab_subject where subject_id in ?) and context_id in "
            "(select context_id from core.lab_context where analyte = 'ferritin')",
            [[subject for (subject,) in controls]],
        )
        connection.execute(
            "update core.subject_attribute set value = '2020-01-01' where subject_id = ? and attribute = 'birth_date'",
            controls[0],
        )
        refresh(connection)
        frames = read_frames(connection, study_protocol(load_study()))
    assert (len(frames.subjects), len(frames.before_iron)) == (157, 159)
    tables = {table.id: table for table in analyse(frames, study_protocol(load_study())).tables}
    rows = tables["sensitivity/rows"]
    counts = dict(zip(rows.rows, rows.counts, strict=True))
    assert counts["whatever the iron stores"] == (80, 79, 0)
    assert counts["without ferritin < 15 ug/L (WHO)"] == (80, 79, 0)
    assert counts["without ferritin < 30 ug/L"] == (80, 77, 2)
    assert counts["crude, all rows with the exposure"] == (80, 77, 2)


def test_a_study_of_ones_own_fixes_censoring_and_threshold(settled, opened, out, tmp_path):
    text = (Path(study_package.__file__).parent / "study.yaml").read_text("utf-8")
    own = tmp_path / "own.yaml"
    own.write_text(
        text.replace("deficiency_profile: classic_148_pmol", "deficiency_profile: classic_200_pg").replace(
            "censoring: limit ", "censoring: sqrt2 "
        ),
        "utf-8",
    )
    associate(settled, out, AssociateOptions(study_file=own))
    document, _, page = read(out)
    assert document["protocol"]["censoring"] == "root2"
    assert document["study"]["deficiency_profile"] == "classic_200_pg"
    assert "B12 below 200 pg/mL (classic_200_pg)" in page
    with opened() as connection:
        below = connection.execute(
            "select cohort_group, count(*) filter (where b12 < 200) from mart.subject_baseline group by 1 order by 1"
        ).fetchall()
    table = next(t for t in document["tables"] if t["id"] == "deficiency")
    assert [(row, cells[0]) for row, cells in zip(table["rows"], table["counts"], strict=True)] == below


def test_small_cells_are_hidden_with_what_gives_them_back():
    # By hand: 3 is small; its row partner, its column partner and their common partner would give it back.
    assert hide_small(((3, 20), (15, 30))) == ((None, None), (None, None))
    assert hide_small(((30, 20), (15, 30))) == ((30, 20), (15, 30))
    assert hide_small(((None, 20),))[0][0] is None
    assert hide_small(((4,),)) == ((None,),)


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ("classic_148_pmol", "below 148 pmol/L (classic_148_pmol)"),
        ("classic_200_pg", "below 200 pg/mL (classic_200_pg)"),
    ],
)
def test_a_profile_says_what_it_flags_in_its_own_unit(profile, sentence):
    assert describe_profile(profiles()[profile]) == sentence


def test_the_protocol_labels_variables_with_the_units_of_the_marts():
    # The marts hold canonical units of the registry; a label may be another spelling, never another size.
    spelled = {"mL/min/1.73 m2": "mL/min/{1.73_m2}", "mIU/L": "m[IU]/L"}
    names = {"b12": "vitamin_b12", "tsat": "transferrin_saturation"}
    measured = [v for v in load_protocol().variable if names.get(v.name, v.name) in registry()]
    assert len(measured) > 20
    for variable in measured:
        conversion = registry()[names.get(variable.name, variable.name)].conversion(
            spelled.get(variable.unit, variable.unit)
        )
        assert conversion is not None, variable.name
        assert (conversion.factor, conversion.offset) == (1, 0), variable.name
