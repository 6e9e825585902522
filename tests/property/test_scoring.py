"""What holds for every set of answers: order, layout and missing items."""

from __future__ import annotations

import random

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etl.instrument_file import score_file
from etl.scoring.answers import parse_responses
from etl.scoring.score import score
from schemas.instruments import INSTRUMENTS

VERSIONS = {v.id: v for i in INSTRUMENTS.values() for v in i.versions.values()}
ANSWERED = (
    "irls_10",
    "hama_14",
    "hamd_17",
    "hamd_24",
    "hads_14",
    "phq_9",
    "gad_7",
    "ess_8",
    "sds_20",
    "sas_20",
    "order_a",
)
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _answer(item):
    if item.kind == "clock":
        return st.integers(0, 95).map(lambda quarter: quarter / 4)
    if item.kind == "minutes":
        return st.integers(0, 180).map(float)
    if item.kind == "hours":
        return st.integers(4, 40).map(lambda quarter: quarter / 4)
    return st.integers(int(item.low), int(item.high)).map(float)


@st.composite
def filled_forms(draw, names=ANSWERED):
    version = VERSIONS[draw(st.sampled_from(names))]
    answers = {name: draw(_answer(version.items[name])) for name in version.scored_items}
    return version, answers


def _responses(version, *forms) -> pl.DataFrame:
    rows = [(str(n), name, value) for n, form in enumerate(forms) for name, value in form.items()]
    return pl.DataFrame(
        rows, schema={"administration_id": pl.String, "item": pl.String, "value": pl.Float64}, orient="row"
    ).with_columns(
        subject_id=pl.lit("s"),
        instrument=pl.lit(version.instrument),
        version=pl.lit(version.id),
        absent_reason=pl.lit(None, pl.String),
    )


def _scores(responses: pl.DataFrame) -> pl.DataFrame:
    return score(responses).sort("administration_id", "scale")


@QUIET
@given(filled_forms(), filled_forms(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(first, second, shuffle: random.Random):
    responses = pl.concat(
        [_responses(*first), _responses(*second).with_columns(administration_id=pl.lit("other"))]
    )
    order = list(range(responses.height))
    shuffle.shuffle(order)
    columns = list(responses.columns)
    shuffle.shuffle(columns)
    assert_frame_equal(_scores(responses), _scores(responses[order].select(columns)))


@QUIET
@given(filled_forms(), filled_forms())
def test_a_form_scores_the_same_alone_and_among_others(first, second):
    alone = _scores(_responses(*first))
    among = _scores(
        pl.concat([_responses(*first), _responses(*second).with_columns(administration_id=pl.lit("z"))])
    )
    assert_frame_equal(alone, among.filter(pl.col("administration_id") == "0"))


@QUIET
@given(filled_forms(), st.data())
def test_a_missing_item_never_raises_a_score(form, data):
    """Without prorating a score is gone, or lower (PSQI 5j). A prorated one stays within what the item could have been."""
    version, answers = form
    missing = data.draw(st.sampled_from(sorted(answers)))
    full = dict(_scores(_responses(version, answers)).select("scale", "value").rows())
    less = _scores(_responses(version, answers | {missing: None}))
    for scale, value, status in less.select("scale", "value", "score_status").rows():
        definition = version.scales[scale]
        if missing not in version.items_of(scale):
            assert value == full[scale]
        elif definition.rule == "mean_prorate":
            item = version.items[missing]
            rest = full[scale] - answers[missing]
            assert rest + item.low <= value <= rest + item.high
            assert status in {"prorated", "unverified"}
        else:
            assert value is None or (missing == "5j" and value <= full[scale])


@QUIET
@given(filled_forms())
def test_a_score_stays_within_its_scale(form):
    version, answers = form
    for scale, value, status in (
        _scores(_responses(version, answers)).select("scale", "value", "score_status").rows()
    ):
        definition = version.scales[scale]
        assert value is None or definition.low <= value <= definition.high
        assert value is not None or status == "invalid"  # more sleep than time in bed


@QUIET
@given(
    filled_forms(
        ("irls_10", "hama_14", "hamd_17", "hamd_24", "hads_14", "phq_9", "gad_7", "ess_8", "sds_20")
    ),
    st.randoms(use_true_random=False),
)
def test_wide_and_long_files_give_equal_scores(tmp_path_factory, form, shuffle: random.Random):
    version, answers = form
    texts = [(name, f"{value:g}") for name, value in answers.items()]
    shuffle.shuffle(texts)
    wide = pl.DataFrame({f"{version.instrument}_{name}": [text] for name, text in texts})
    long = pl.DataFrame(
        {
            "instrument": version.instrument,
            "item": [name for name, _ in texts],
            "value": [text for _, text in texts],
        }
    )
    columns = ["instrument", "scale", "value", "basis", "score_status"]
    path = tmp_path_factory.mktemp("scales") / "scales.csv"
    scores = []
    for table in (wide, long):
        table.write_csv(path)
        scores.append(score_file(path, {version.instrument: version.id}).select(columns).sort("scale"))
    assert_frame_equal(*scores)


@QUIET
@given(st.sampled_from(sorted(VERSIONS)), st.text(max_size=12), st.data())
def test_any_text_is_a_value_or_absent_or_held_and_never_two_of_them(name, text, data):
    version = VERSIONS[name]
    frame = pl.DataFrame(
        {"instrument": [version.instrument], "version": [name], "value_source": [text]}
    ).with_columns(item=pl.lit(data.draw(st.sampled_from(sorted(version.items)))))
    outcome = parse_responses(frame).select("value", "absent_reason", "reason").row(0)
    assert sum(part is not None for part in outcome) == 1
