"""What a mapping changes in the meaning of a file. Expected roles are read by hand from mapping and headers."""

from __future__ import annotations

from collections.abc import Callable

from etl.sites.model import FeedMapping, SiteMapping
from etl.sites.resolve import Resolution, choose_feed


def test_the_mapping_wins(found: Callable[..., Resolution], feed: Callable[..., FeedMapping]) -> None:
    declared = feed(
        columns={"subject": "PatNr neu", "value": ["Wert A", "Wert"], "sex": "Geschlecht"},
        constants={"specimen": "serum"},
    )
    resolution = found("Patientennummer|PATNR NEU|Analyt|Ergebnis|Wert|Geschlecht", declared)
    assert resolution.roles == {"subject": "PATNR NEU", "value": "Wert", "analyte": "Analyt"}
    assert resolution.attributes == {"sex": "Geschlecht"}
    assert resolution.constants == {"specimen": "serum"}
    assert resolution.unmapped == ("Patientennummer", "Ergebnis")
    assert resolution.basis["Wert"] == "mapping"


def test_a_mapped_column_that_is_not_there_names_the_nearest(
    found: Callable[..., Resolution], feed: Callable[..., FeedMapping]
) -> None:
    resolution = found("Patienten_Nr|Analyt|Ergebnis", feed(columns={"subject": "PatientenNummer"}))
    assert resolution.shape == "unmapped"
    [finding] = resolution.findings
    assert "'PatientenNummer'" in finding.what
    assert "'Patienten_Nr'" in finding.why
    assert "feeds: labs:" in finding.fix
    assert finding.what in resolution.explanation


def test_a_constant_may_stand_for_a_column(
    found: Callable[..., Resolution], feed: Callable[..., FeedMapping]
) -> None:
    resolution = found("MRN|Result|Date", feed(constants={"analyte": "Vitamin B12"}))
    assert (resolution.shape, resolution.roles["value"]) == ("lab_long", "Result")


def test_declared_measures_make_a_file_wide(
    found: Callable[..., Resolution], feed: Callable[..., FeedMapping]
) -> None:
    measures = {"F1": {"instrument": "irls", "item": "1"}, "X": {"analyte": "vitamin_b12", "unit": "pmol/L"}}
    resolution = found("MRN|F1|X|Ferritin|Result|Test Name", feed(measures=measures))
    assert resolution.shape == "wide"
    assert [(each.column, each.analyte or each.item) for each in resolution.measures] == [
        ("F1", "1"), ("X", "vitamin_b12"), ("Ferritin", "ferritin"),
    ]  # fmt: skip
    assert (resolution.basis["X"], resolution.basis["Ferritin"]) == ("mapping", "name")
    assert found("MRN|F1", feed(measures=measures)).shape == "unmapped"


def test_a_declared_crosswalk(found: Callable[..., Resolution], feed: Callable[..., FeedMapping]) -> None:
    links = {"from": {"column": "alt", "issuer": "north"}, "to": {"column": "neu", "issuer": "south"}}
    resolution = found("alt|neu|Bemerkung", feed(kind="crosswalk", links=links))
    assert (resolution.shape, resolution.roles) == ("crosswalk", {"link_from": "alt", "link_to": "neu"})


def test_the_system_of_a_code_follows_from_its_column(
    found: Callable[..., Resolution], feed: Callable[..., FeedMapping]
) -> None:
    assert found("MRN|Result|LOINC").constants == {"code_system": "loinc"}
    assert found("MRN|Result|LBTESTCD|LBLOINC").roles["code"] == "LBLOINC"
    assert found("MRN|Result|Code|Code System").constants == {}
    assert found("MRN|Result|xmbh").constants == {}
    assert found(
        "MRN|Result|K", feed(columns={"code": "K"}, constants={"code_system": "local"})
    ).constants == {"code_system": "local"}


def test_a_study_number_needs_no_site(
    found: Callable[..., Resolution], feed: Callable[..., FeedMapping]
) -> None:
    assert "source_site" not in found("USUBJID|SUBJID|SITEID|SEX").roles
    assert found("SUBJID|SITEID|SEX").roles == {"subject": "SUBJID", "source_site": "SITEID"}
    declared = feed(columns={"source_site": "SITEID"})
    assert found("USUBJID|SITEID|SEX", declared).roles["source_site"] == "SITEID"


def test_feeds_are_chosen_by_name_then_by_columns() -> None:
    feeds = {
        "old": {"files": ["lab*.csv"], "columns": {"value": "Wert"}},
        "new": {"files": ["lab*.csv"], "columns": {"value": "Ergebnis"}},
        "ids": {"files": ["ids.csv"]},
    }
    mapping = SiteMapping.model_validate({"site": "north", "feeds": feeds})

    def chosen(name: str, *columns: str) -> str | None:
        declared = choose_feed(name, columns, mapping)
        return declared.feed if declared else None

    assert chosen("LAB_1.csv", "Ergebnis") == "new"
    assert chosen("LAB_1.csv", "Wert") == "old"
    assert chosen("LAB_1.csv", "Resultat") == "old"
    assert chosen("LAB_1.csv") == "old"
    assert chosen("x/ids.csv") == "ids"
    assert chosen("other.csv") is None
    assert choose_feed("LAB_1.csv", (), None) is None
