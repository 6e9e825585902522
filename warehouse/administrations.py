"""Administrations, settled by query from what the files present say of them, so that arrival order never matters.

Works on the forms touched (a subject and an instrument), part by part. A file that states totals only joins the one administration
with items that it can belong to: same date, visit and rater where both files name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

# Bounds memory: forms are settled, and scored, in parts of about this many answers.
PART = 500_000

_TOUCHED = """
    create or replace temp table touched as
    with active as (select file_id, run_id from meta.load where status = 'active'),
    loaded as (select file_id, run_id from meta.load where load_id in (select unnest($loads)))
    select subject_id, instrument from core.administration_claim semi join loaded using (file_id, run_id)
    union
    select subject_id, instrument from core.administration_claim anti join active using (file_id, run_id)
"""

_PART = """
    create or replace temp table touched_form as
    select * from touched where hash(subject_id) % $parts = $part
"""

_FORGET = """
    delete from core.administration_claim
    where (subject_id, instrument) in (select (subject_id, instrument) from touched_form)
        and (
            (file_id, run_id) not in (select (file_id, run_id) from meta.load where status = 'active')
            or administration_id not in (
                select stated_administration_id from core.response semi join touched_form using (subject_id, instrument)
            )
        )
"""

_CLAIMS = """
    create or replace temp table form_claim as
    select * exclude (has_items, run_id), bool_or(has_items) as has_items
    from core.administration_claim semi join touched_form using (subject_id, instrument)
    group by all
"""

# Totals beside every administration with items that they can belong to: what both files tell of date, visit and rater
# agrees. A match of dates goes before one in which a file has none; only a single match on both sides joins.
_JOINS = """
    create or replace temp table form_join as
    with place as (
        select
            administration_id, subject_id, instrument, administered_at, visit, rater,
            min(administered_precision) as precision, bool_or(has_items) as has_items
        from form_claim
        group by administration_id, subject_id, instrument, administered_at, visit, rater
    ),
    pair as (
        select total.administration_id as stated_id, item.administration_id as settled_id,
            total.administered_at is not distinct from item.administered_at
            or total.administered_at is not null and item.administered_at is not null as is_dated
        from place as total
        inner join place as item on total.subject_id = item.subject_id and total.instrument = item.instrument
            and coalesce(total.administered_at::date = item.administered_at::date, true)
            and (
                coalesce(total.administered_at = item.administered_at, true)
                or total.precision = 'day' or item.precision = 'day'
            )
            and coalesce(total.visit = item.visit, true) and coalesce(total.rater = item.rater, true)
        where item.has_items and not total.has_items
    ),
    nearest as (
        select * from pair
        qualify is_dated or not (
            bool_or(is_dated) over (partition by stated_id) or bool_or(is_dated) over (partition by settled_id)
        )
    )
    select stated_id, settled_id,
        count(*) over (partition by stated_id) = 1 and count(*) over (partition by settled_id) = 1 as is_single
    from nearest
"""

_MOVE = """
    update core.response set administration_id = settled.administration_id
    from (
        select distinct
            claim.administration_id as stated_id, coalesce(form_join.settled_id, claim.administration_id) as administration_id
        from form_claim as claim
        left join form_join on form_join.stated_id = claim.administration_id and form_join.is_single
    ) as settled
    where core.response.stated_administration_id = settled.stated_id
        and core.response.administration_id <> settled.administration_id
"""

# The version is the one that every file with items names; a totals file counts only where there are no items.
_SETTLED = """
    create or replace temp table form_settled as
    with claim as (
        select form_claim.*, coalesce(form_join.settled_id, form_claim.administration_id) as settled_id
        from form_claim
        left join form_join on form_join.stated_id = form_claim.administration_id and form_join.is_single
    ),
    telling as (
        select *, administration_id = settled_id as is_own,
            has_items = bool_or(has_items) over (partition by settled_id) as is_telling
        from claim
    )
    select
        settled_id as administration_id, subject_id, min(site) filter (is_own) as site, min(feed) filter (is_own) as feed,
        instrument,
        count(distinct coalesce(version, '')) filter (is_telling) > 1 as has_version_conflict,
        case when count(distinct coalesce(version, '')) filter (is_telling) = 1 then min(version) filter (is_telling) end
            as version,
        case when count(distinct coalesce(version, '')) filter (is_telling) = 1 then min(version_basis) filter (is_telling) end
            as version_basis,
        coalesce(min(administered_at) filter (is_own), min(administered_at)) as administered_at,
        coalesce(min(administered_precision) filter (is_own), min(administered_precision)) as administered_precision,
        coalesce(min(visit) filter (is_own), min(visit)) as visit,
        coalesce(min(rater) filter (is_own), min(rater)) as rater,
        min(language) as language
    from telling
    group by settled_id, subject_id, instrument
"""

_CLASHES = """
    create or replace temp table form_clash as
    with answer as (
        select response.record_id, response.administration_id, response.item, response.value,
            if(response.item = 'total', claim.version, null) as version
        from core.response semi join touched_form using (subject_id, instrument)
        left join (select distinct administration_id, file_id, version from form_claim) as claim
            on claim.administration_id = response.stated_administration_id and claim.file_id = response.file_id
        where response.row_state in ('current', 'conflicting') and response.value is not null
    ),
    clash as (
        select administration_id, item, version from answer
        group by administration_id, item, version having min(value) <> max(value)
    )
    select distinct answer.record_id from answer
    inner join clash on clash.administration_id = answer.administration_id and clash.item = answer.item
        and clash.version is not distinct from answer.version
"""

_STATES = """
    update core.response set row_state = if(record_id in (select record_id from form_clash), 'conflicting', 'current')
    where (subject_id, instrument) in (select (subject_id, instrument) from touched_form)
        and row_state in ('current', 'conflicting')
        and (row_state = 'conflicting') <> (record_id in (select record_id from form_clash))
"""


def settle_administrations(connection: duckdb.DuckDBPyConnection, loads: Sequence[str]) -> Iterator[None]:
    """Settle the administrations that some loads, or files that left, touched; yield after each part of the subjects.

    Leaves the temporary tables touched_form, form_claim, form_join and form_settled of the part. Two different answers to
    one item of one administration are both conflicting; equal ones are not.
    """
    connection.execute(_TOUCHED, {"loads": list(loads)})
    forms, answers = connection.execute(
        """
        select
            (select count(*) from touched),
            (select count(*) from core.response semi join touched using (subject_id, instrument))
        """
    ).fetchall()[0]
    parts = 1 + answers // PART if forms else 0
    for part in range(parts):
        connection.execute(_PART, {"parts": parts, "part": part})
        for statement in (_FORGET, _CLAIMS, _JOINS, _MOVE, _SETTLED):
            connection.execute(statement)
        forget_touched(connection, "core.administration")
        connection.execute(
            "insert into core.administration by name select * exclude (has_version_conflict) from form_settled"
        )
        connection.execute(_CLASHES)
        connection.execute(_STATES)
        yield


def forget_touched(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Delete what a table holds of the forms touched."""
    connection.execute(
        f"delete from {table} where (subject_id, instrument) in (select (subject_id, instrument) from touched_form)"
    )
