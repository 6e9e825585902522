"""Mappings: what is accepted, and that each mistake is answered with its line and the word that was meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl.sites.mapping import SiteMapping, load_mapping, load_sites, mapping_json_schema
from schemas.errors import DefinitionError

ANALYTES = ("vitamin_b12", "ferritin")
INSTRUMENTS = ("irls", "psqi", "hamd")

# Line numbers in the tests count from `site: north`, which is line 1.
WHOLE = """\
site: north
timezone: Europe/Berlin
dates: dmy
decimal: ","
missing: ["-9", "n.b."]
feeds:
  labs:
    files: ["LAB_*.csv"]
    kind: data
    delivery: increment
    encoding: cp1252
    delimiter: ";"
    quote: none
    columns:
      subject: Patientennummer
      value: [Ergebnis, Wert]
    issuer: north
    id_type: local
    constants: {specimen: serum}
    values: {sex: {"1": male, "2": female}}
    analytes: {"VB-12 neu": vitamin_b12, "Foo": other}
    measures:
      "B12 (pmol/L)": {analyte: vitamin_b12, unit: pmol/L, specimen: serum}
      "F1": {instrument: irls, item: "1"}
    instruments: {psqi: {version: order_a}, hamd: {version: hamd_24}}
    dates: {collected_at: iso, birth_date: mdy}
    units: {vitamin_b12: pmol/L, ferritin: {unit: ug/L, override: true}}
    complete: false
  ids:
    files: ids.csv
    kind: crosswalk
    decimal: "."
    missing: ["-1"]
    links: {from: {column: alt, issuer: north}, to: {column: neu, issuer: south}}
"""


def load(tmp_path: Path, text: str) -> SiteMapping:
    path = tmp_path / "north.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path, ANALYTES, INSTRUMENTS)


def refusal(tmp_path: Path, text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path, text)
    return caught.value


def test_a_whole_mapping(tmp_path: Path) -> None:
    mapping = load(tmp_path, WHOLE)
    labs, ids = mapping.feeds["labs"], mapping.feeds["ids"]
    assert (labs.site, labs.feed, ids.feed) == ("north", "labs", "ids")
    assert labs.columns == {"subject": ("Patientennummer",), "value": ("Ergebnis", "Wert")}
    assert (labs.units["vitamin_b12"].unit, labs.units["vitamin_b12"].override) == ("pmol/L", False)
    assert (labs.units["ferritin"].unit, labs.units["ferritin"].override) == ("ug/L", True)
    assert labs.measures["F1"].item == "1"
    assert labs.instruments["hamd"].version == "hamd_24"
    assert ids.links is not None
    assert (ids.links.from_.column, ids.links.to.issuer, ids.links.to.id_type) == ("alt", "south", "local")
    assert ids.files == ("ids.csv",)


def test_a_feed_has_the_site_s_defaults_unless_it_says_otherwise(tmp_path: Path) -> None:
    feeds = load(tmp_path, WHOLE).feeds
    assert (feeds["labs"].decimal, feeds["ids"].decimal) == (",", ".")
    assert (feeds["labs"].missing, feeds["ids"].missing) == (("-9", "n.b."), ("-1",))
    assert feeds["labs"].timezone == "Europe/Berlin"
    declared = feeds["labs"].declared_dates()
    assert (declared["collected_at"], declared["birth_date"], declared["resulted_at"]) == (
        "iso",
        "mdy",
        "dmy",
    )
    assert feeds["ids"].declared_dates()["collected_at"] == "dmy"


def test_a_date_declared_by_its_role_holds_for_the_moment(tmp_path: Path) -> None:
    declared = (
        load(tmp_path, WHOLE.replace("collected_at: iso", "collected_date: mdy"))
        .feeds["labs"]
        .declared_dates()
    )
    assert declared["collected_at"] == "mdy"


def test_the_smallest_mapping(tmp_path: Path) -> None:
    mapping = load(tmp_path, "site: north\nfeeds: {labs: {files: ['*.csv']}}\n")
    labs = mapping.feeds["labs"]
    assert (mapping.timezone, labs.kind, labs.delivery, labs.decimal) == (
        "unknown",
        "data",
        "increment",
        None,
    )
    assert labs.declared_dates() == {}


@pytest.mark.parametrize(
    ("name", "is_claimed"),
    [
        ("LAB_2024.csv", True),
        ("lab_2024.CSV", True),
        ("export/LAB_1.csv", True),
        ("XLAB_1.csv", False),
        ("LAB_1.csv.gz", False),
    ],
)
def test_files_are_claimed_by_name_whatever_the_case(tmp_path: Path, name: str, is_claimed: bool) -> None:
    assert load(tmp_path, WHOLE).claims(name) is is_claimed


def test_a_key_is_found_again(tmp_path: Path) -> None:
    mapping = load(tmp_path, WHOLE)
    assert mapping.where("feeds", "labs", "encoding") == f"{tmp_path / 'north.yaml'} (line 11)"
    assert mapping.where("feeds", "labs", "sheet").endswith("(line 7)")
    assert mapping.where("nothing") == str(tmp_path / "north.yaml")


# What is changed in the whole mapping: the line of the mistake, a word of the answer, what to type.
MISTAKES = [
    ("columns:", "colums:", 14, "colums", "columns instead of colums"),
    ("subject: Pat", "subjct: Pat", 15, "subjct", "subject instead of subjct"),
    ("delivery: increment", "delivery: incremental", 10, "incremental", "increment instead of incremental"),
    ("files: [", "filez: [", 8, "filez", "files instead of filez"),
    ("psqi:", "psqy:", 25, "psqy", "psqi instead of psqy"),
    ('neu": vitamin_b12', 'neu": vitaminb12', 21, "vitaminb12", "vitamin_b12 instead of vitaminb12"),
    ("{vitamin_b12: pmol/L", "{b12_vitamin: pmol/L", 27, "b12_vitamin", "vitamin_b12"),
    ("{analyte: vitamin_b12", "{analyte: vitamin_b", 23, "vitamin_b", "vitamin_b12 instead of vitamin_b"),
    ("instrument: irls", "instrument: irl", 24, "irl", "irls instead of irl"),
    ('"2": female', '"2": femal', 20, "femal", "female instead of femal"),
    ("collected_at: iso", "collected_at: ymd", 26, "ymd", ""),
    ("collected_at: iso", "collectd_at: iso", 26, "collectd_at", "collected_at"),
    ("Europe/Berlin", "Europe/Berln", 2, "Europe/Berln", ""),
    ("complete: false", 'complete: "no"', 28, "true nor false", "true or false"),
    ("complete: false", "complete: no", 28, "true nor false", "true or false"),
    ("kind: crosswalk", "kind: data", 29, "links", ""),
    ('{instrument: irls, item: "1"}', "{instrument: irls}", 24, "item", ""),
    ('{instrument: irls, item: "1"}', "{unit: pmol/L}", 24, "analyte", ""),
    ("site: north", "site: North Hospital", 1, "site", ""),
    ("    encoding: cp1252", "    feed: other", 7, "name of its key", ""),
    ("column: alt", "colum: alt", 34, "colum", "column instead of colum"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "word", "fix"), MISTAKES)
def test_a_mistake_is_answered_with_line_and_hint(
    tmp_path: Path, old: str, new: str, line: int, word: str, fix: str
) -> None:
    assert old in WHOLE
    error = refusal(tmp_path, WHOLE.replace(old, new, 1))
    assert f"north.yaml, line {line}, " in error.what or f"north.yaml, line {line}:" in error.what
    assert word in error.what
    assert fix in error.fix
    assert error.message().count("\n") >= 1


# YAML reads these as numbers, dates or truth values; as text they must stand in quotes.
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"1": male', "1: male", 20),
        ('"1": male', "01: male", 20),
        ('"-9", "n.b."', "-9, n.b.", 5),
        ("version: order_a", "version: 08", 25),
        ("issuer: north\n", "issuer: 2021-03-05\n", 17),
        ("subject: Patientennummer", "subject: 3000", 15),
        ("specimen: serum}\n    values", "specimen: true}\n    values", 19),
        ('item: "1"', "item: 1", 24),
        ('"Foo": other', "7: other", 21),
        ("encoding: cp1252", "encoding: 1252", 11),
    ],
)
def test_text_must_be_written_as_text(tmp_path: Path, old: str, new: str, line: int) -> None:
    assert old in WHOLE
    error = refusal(tmp_path, WHOLE.replace(old, new, 1))
    assert f"line {line}, " in error.what
    assert "quotes" in error.fix


def test_no_and_yes_are_words(tmp_path: Path) -> None:
    text = WHOLE.replace('{"1": male, "2": female}', "{no: male, yes: female}")
    assert load(tmp_path, text).feeds["labs"].values == {"sex": {"no": "male", "yes": "female"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("site: north\nsite: south\nfeeds: {}\n", 2),
        ("site: north\nfeeds:\n\tlabs: {}\n", 3),
        ("site: [north\nfeeds: {}\n", 2),
        ("- a\n", 1),
        ("", 1),
    ],
)
def test_what_is_no_yaml_mapping(tmp_path: Path, text: str, line: int) -> None:
    assert f"north.yaml, line {line}" in refusal(tmp_path, text).what


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "north.yaml"
    path.write_bytes("site: münchen\n".encode("cp1252"))
    with pytest.raises(DefinitionError, match="UTF-8"):
        load_mapping(path, ANALYTES, INSTRUMENTS)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, WHOLE.replace("columns:", "colums:").replace("delivery: increment", "delivery: x")
    )
    assert "line 10" in error.what
    assert "Line 14, feeds.labs.colums" in error.why


def test_a_folder_of_mappings(tmp_path: Path) -> None:
    for site in ("north", "south"):
        (tmp_path / f"{site}.yaml").write_text(f"site: {site}\nfeeds: {{labs: {{files: [x.csv]}}}}\n")
    assert list(load_sites(tmp_path)) == ["north", "south"]
    assert load_sites(tmp_path / "nothing") == {}
    (tmp_path / "other.yml").write_text("site: north\nfeeds: {labs: {files: [y.csv]}}\n")
    with pytest.raises(DefinitionError, match="two mappings"):
        load_sites(tmp_path)


def test_the_schema_for_editors_knows_every_key() -> None:
    schema = mapping_json_schema()
    json.dumps(schema)
    feed = schema["$defs"]["FeedMapping"]
    assert feed["additionalProperties"] is False
    keys = {
        line.split(":")[0].strip()
        for line in WHOLE.splitlines()
        if line.startswith("    ") and line[4] != " "
    }
    assert keys <= set(feed["properties"])
    assert not {"feed", "site"} & set(feed["properties"])
    assert {"from", "to"} == set(schema["$defs"]["Links"]["properties"])
