from __future__ import annotations

import csv
import io
import json
import re
from xml.etree import ElementTree

import polars as pl
import pytest

from etl.associate.analyse import analyse
from etl.associate.disclosure import HIDDEN, disclose
from etl.associate.model import AnalysisFrames, AssociationReport
from etl.associate.plots import Points, take_points
from etl.associate.render import Rendered, draw, render
from etl.associate.svg import ticks

WATERMARK = "Draft: the validation report is not clean"


def show_all(counts):
    return counts


def hide_small(counts):
    """Hide 1 to 4; no complementary cells, so that each effect can be seen alone."""
    return tuple(tuple(None if c is not None and 0 < c < 5 else c for c in row) for row in counts)


@pytest.fixture(scope="module")
def frames(cohort) -> AnalysisFrames:
    # Two cases and one control come from a third site; a site's name is somebody's text.
    third = pl.col("subject_id").is_in(["S000", "S001", "S100"])
    flow = pl.DataFrame(
        {"step": ["all", "with B12"], "n_case": [83, 80], "n_control": [80, 80], "n_unknown": [0, 3]}
    )
    subjects = cohort.with_columns(site=pl.when(third).then(pl.lit("<b>east</b>")).otherwise("site"))
    return AnalysisFrames(subjects, flow)


@pytest.fixture(scope="module")
def report(frames) -> AssociationReport:
    return analyse(frames)


@pytest.fixture(scope="module")
def rendered(report) -> Rendered:
    return render(report, hide_small, WATERMARK)


def test_the_three_forms_say_the_same(report, rendered):
    document = json.loads(rendered.json)
    rows = list(csv.DictReader(io.StringIO(rendered.csv)))
    assert (
        [r["id"] for r in rows]
        == [e["id"] for e in document["estimates"]]
        == [e.id for e in report.estimates]
    )
    for row, e in zip(rows, document["estimates"], strict=True):
        for key in ("value", "low", "high", "p", "n"):
            if isinstance(e[key], int | float):
                assert float(row[key]) == e[key]
            else:
                assert row[key] == ("" if e[key] is None else e[key].replace("Infinity", "inf"))
    shown = re.findall(
        r'<td class="n">(\d+|hidden)</td><td class="n">[^<]*</td><td class="n">[^<]*</td>', rendered.html
    )
    assert len(shown) > len(rows) / 2


def test_the_page_needs_nothing_from_outside(rendered):
    assert not re.search(r"https?://|<script|<link|@import|url\(", rendered.html)
    assert "default-src 'none'" in rendered.html


def test_the_watermark_is_in_every_form(rendered):
    assert WATERMARK in rendered.html
    assert json.loads(rendered.json)["watermark"] == WATERMARK
    assert {r["watermark"] for r in csv.DictReader(io.StringIO(rendered.csv))} == {WATERMARK}


def test_text_from_the_data_is_escaped(rendered):
    assert "<b>east" not in rendered.html
    assert "&lt;b&gt;east" in rendered.html


def test_no_subject_shows_unless_points_are_handed_over(frames, report, rendered):
    assert 'class="point"' not in rendered.html
    assert not re.search(r"\bS\d{3}\b", rendered.html + rendered.json + rendered.csv)
    # A quartile of an odd group is one of its values, as in any publication; nothing else may be one.
    document = json.loads(rendered.json) | {"summaries": []}
    values = {f"{v:.6f}" for v in frames.subjects["b12"]}
    assert not values & {f"{float(n):.6f}" for n in re.findall(r"\d+\.\d{4,}", json.dumps(document))}
    page = render(report, show_all, points=take_points(frames, "b12", ["irls", "hamd"])).html
    assert page.count('class="point"') == 160 + 2 * 80
    assert "Do not share it" in page


def test_small_cells_and_what_gives_them_back_are_hidden(report):
    shown = disclose(report, hide_small)
    site = next(t for t in shown.tables if t.id == "group/site")
    assert None in site.counts[0]
    assert None in site.counts[1]
    tests = [e for e in shown.estimates if e.table == "group/site"]
    assert tests
    assert all((e.value, e.p, e.n, e.note) == (None, None, None, HIDDEN) for e in tests)


def test_a_hidden_row_count_hides_n_but_not_the_model(cohort):
    # Three subjects without creatinine: the extended model leaves three out, the others none.
    gaps = cohort.with_columns(creatinine=pl.when(pl.int_range(pl.len()) >= 3).then("creatinine"))
    shown = disclose(analyse(AnalysisFrames(gaps)), hide_small)
    extended, crude = (shown.estimate(f"model/{m}/b12/1 SD") for m in ("extended", "crude"))
    assert (extended.n, crude.n) == (None, 160)
    assert extended.value is not None
    diagnostics = {d.model: d for d in shown.diagnostics}
    assert diagnostics["extended"].left_out is None
    assert diagnostics["crude"].left_out == 0
    creatinine = {s.group: s for s in shown.summaries if s.variable == "creatinine"}
    assert (creatinine["case"].missing, creatinine["case"].n) == (None, 77)
    assert creatinine["case"].mean is not None


def test_a_band_of_few_subjects_shows_no_numbers(cohort):
    # Three cases at IRLS 35; all others at 15.
    few = pl.when(pl.int_range(pl.len()) < 3).then(35).otherwise(15)
    graded = cohort.with_columns(irls=pl.when(pl.col("cohort_group") == "case").then(few))
    shown = disclose(analyse(AnalysisFrames(graded)), hide_small)
    severe = next(s for s in shown.summaries if s.group == "IRLS very severe")
    assert (severe.n, severe.mean, severe.median) == (None, None, None)


def test_the_flow_passes_the_same_gate(report):
    assert [step["n_unknown"] for step in disclose(report, hide_small).flow] == [0, None]
    assert [step["step"] for step in disclose(report, hide_small).flow] == ["all", "with B12"]


def test_unbounded_limits_are_written_as_text(cohort):
    # Deficient cases only, no deficient control: the exact upper limit is infinite.
    forced = cohort.with_columns(deficient=(pl.col("cohort_group") == "case") & (pl.int_range(pl.len()) < 40))
    found = render(analyse(AnalysisFrames(forced)), show_all)
    exact = next(
        e for e in json.loads(found.json)["estimates"] if e["id"] == "table/deficiency/exact conditional"
    )
    assert exact["high"] == "Infinity"
    assert "not bounded" in found.html


def test_a_report_without_data_still_renders(cohort):
    found = render(analyse(AnalysisFrames(cohort.head(0))), show_all)
    assert "Coherence of published figures" in found.html
    assert json.loads(found.json)["estimates"]


def test_charts_are_there_and_named(rendered):
    for title in (
        "ROC curve of vitamin B12",
        "flow of subjects",
        "odds ratio per 1 SD by model",
        "IRLS (points) against vitamin B12 (pg/mL)",
    ):
        assert f'aria-label="{title}"' in rendered.html


def test_charts_are_well_formed_and_stay_inside_their_frame(report):
    charts = {name: svg for name, svg in draw(report, Points()).items() if svg}
    assert {"flow", "groups", "models", "sensitivity", "roc", "b12~irls"} <= set(charts)
    for svg in charts.values():
        root = ElementTree.fromstring(svg)
        width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
        for element in root.iter():
            across = [float(element.attrib[k]) for k in ("x", "x1", "x2", "cx") if k in element.attrib]
            down = [float(element.attrib[k]) for k in ("y", "y1", "y2", "cy") if k in element.attrib]
            assert all(0 <= v <= width for v in across)
            assert all(0 <= v <= height for v in down)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [((0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1.0]), ((95, 310), [100, 150, 200, 250, 300]), ((-3, 3), [-2, 0, 2])],
)
def test_ticks_are_round_numbers_inside_the_axis(bounds, expected):
    assert ticks(bounds) == pytest.approx(expected)
