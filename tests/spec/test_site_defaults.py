"""What a site declares for all its files holds for those too that none of its feeds claims."""

from __future__ import annotations

from datetime import datetime

EXPORT = """
    patient_id,test,result,unit,collected
    P1,Vitamin B12,310,pg/mL,03/04/2021
    P2,Vitamin B12,-9,pg/mL,05/04/2021
    """
MAPPING = """
    site: north
    {declared}
    feeds: {{scales: {{files: ["scales_*.csv"]}}}}
    """


def test_dates_and_missing_codes_of_the_site_hold_without_a_feed(place) -> None:
    place.map(MAPPING.format(declared='dates: dmy\n    missing: ["-9"]\n    timezone: Asia/Tokyo'))
    report = place.ingest(place.write("labs.csv", EXPORT))
    assert report.exit_code() == 0, report.document()
    assert place.rows(
        "select value, absent_reason, collected_at, tz_source from core.lab_result order by row_number"
    ) == [
        (310.0, None, datetime(2021, 4, 3), "Asia/Tokyo"),
        (None, "declared_missing", datetime(2021, 4, 5), "Asia/Tokyo"),
    ]


def test_a_changed_default_makes_the_file_stale(place) -> None:
    export = place.write("labs.csv", EXPORT)
    place.map(MAPPING.format(declared="dates: dmy"))
    place.ingest(export)
    place.map(MAPPING.format(declared="dates: mdy"))
    (outcome,) = place.ingest(export).files
    assert outcome.status == "refreshed"
    assert place.rows("select min(collected_at) from core.lab_result") == [(datetime(2021, 3, 4),)]
