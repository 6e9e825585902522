"""Diagnoses and drugs: each record a candidate, with the concept of the study that it stands for.

A record whose code or text no concept has keeps its text and a null concept. So does one that stands for several
concepts: the staging views give it a row for each. Exports often lack the day of onset; the day of the record then
stands for it, because the disease or drug was there by then.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import polars as pl

from etl.harmonize.concepts import Concept, concept_id
from etl.plan import ResolvedPlan
from etl.process.candidates import Processed, held_rows
from etl.process.corrections import CORRECTS, note_corrections
from etl.process.identity import content, with_hmac
from etl.process.memo import Memo
from etl.process.moments import moments
from etl.process.roles import cleaned, long_frame, text
from etl.process.subjects import SubjectIds
from etl.readers.base import LOCATOR, ROW, Reader
from schemas.codes import code_key
from schemas.concepts import HIERARCHIC, code_system_spellings, concept_codes, concepts
from warehouse.keys import Keys

DATES = ("started_at", "ended_at", "recorded_at")
NAMED = ("code", "text", "term")  # roles with the domain before them
BOX_ROLES = ("subject", "source_site", "visit")  # what stands beside a box of a form
BOXES = {"1": "Y", "checked": "Y", "0": "N", "unchecked": "N"}  # codes and labels of an export -> CDISC's NY
CODED = ("concept", "source_concept")  # ids of an OMOP vocabulary, with the domain before them
SHARED = ("subject", "source_site", "code_system", *DATES, "source_id", "status", "verification_status")
OUTPUT = (
    "record_id", "subject_id", "concept", "code", "code_system", "text_source", "status", "started_at", "ended_at",
    "row_state", ROW, LOCATOR,
)  # fmt: skip
CODING = ("code_system", "code", "text_source", "term")
SAID = [text(name) for name in ("code", "code_system", "text", "term", *CODED)]


class HistoryHarmonizer:
    """Turn the records of a table of diagnoses or drugs, or boxes of a form, into core.condition or core.medication."""

    def __init__(
        self, plan: ResolvedPlan, reader: Reader, keys: Keys, subjects: SubjectIds, domain: str
    ) -> None:
        self._plan = plan
        self._reader = reader
        self._key = keys.record
        self._subjects = subjects
        self._domain = domain
        self._concepts = Memo("coding", self._find_concepts)

    def harmonize(self, records: pl.DataFrame) -> Processed:
        """Return the candidates of a batch, one a record."""
        return self._harmonize(self._role_frame(records))

    def answers(self, frame: pl.DataFrame) -> Processed:
        """Return the candidates of a role frame of boxes: a ticked one says that its option is present.

        One that is not ticked says nothing by itself, because REDCap writes 0 for a form that nobody opened as well;
        in a feed that is declared complete it says that the option is absent.
        """
        is_complete = self._plan.decided(f"complete:{self._domain}") == "true"
        meanings = (
            BOXES if is_complete else {each: "U" if said == "N" else said for each, said in BOXES.items()}
        )
        said = pl.col(text("value")).str.to_lowercase()
        stated = [name for name in (text("source_id"), text("visit")) if name in frame.columns]
        boxes = frame.with_columns(
            said.replace_strict(meanings, default=pl.col(text("value"))).alias(text("status")),
            pl.when(~said.is_in(list(BOXES))).then(pl.lit("bad_code")).alias("reason_box"),
            pl.concat_str(stated, separator=" ", ignore_nulls=True).alias(text("source_id")),
        )
        return self._harmonize(boxes)

    def _harmonize(self, frame: pl.DataFrame) -> Processed:
        done = Processed(read=frame.height)
        frame = self._subjects.attach(_complete(frame))
        is_erased = pl.col("subject_id").is_in(list(self._subjects.erased)).fill_null(value=False)
        kept = frame.filter(~is_erased)
        done.withdrawn = frame.height - kept.height
        if kept.height:
            self._sort_out(self._with_ids(self._with_concept(self._with_dates(_with_status(kept)))), done)
        return done

    def _role_frame(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return the texts of every role, located at the record's code or text, empty where the file has none."""
        roles = self._plan.resolution.roles
        own = [f"{self._domain}_{name}" for name in (*NAMED, *CODED)]
        cell = next((roles[role] for role in own if role in roles), None)
        return cleaned(
            long_frame(records, self._plan, self._reader, (*own, *SHARED, CORRECTS), cell).rename(
                {text(f"{self._domain}_{name}"): text(name) for name in (*NAMED, *CODED)}, strict=False
            )
        )

    def _with_dates(self, frame: pl.DataFrame) -> pl.DataFrame:
        for role in DATES:
            parsed = moments(frame[text(role)], self._plan, role)
            frame = frame.with_columns(parsed["at"].alias(role), parsed["reason"].alias(f"reason_{role}"))
        return frame.with_columns(pl.coalesce("started_at", "recorded_at").alias("started_at"))

    def _with_concept(self, frame: pl.DataFrame) -> pl.DataFrame:
        keyed = frame.with_columns(content(SAID).alias("coding"))
        found = self._concepts.attach(keyed, SAID).drop("coding")
        return found.with_columns(pl.coalesce("said_code", text("code")).alias(text("code"))).drop(
            "said_code"
        )

    def _find_concepts(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return what each distinct coding stands for, and said_code: the code, where it is that of the row's concept."""
        found = [self._coded(*row) for row in rows.select(SAID).iter_rows()]
        schema = dict.fromkeys((*CODING, "concept", "said_code"), pl.String)
        return rows.select("coding").hstack(pl.DataFrame(found, schema=schema, orient="row"))

    def _coded(
        self, code: str | None, system: str | None, words: str | None, term: str | None, *ids: str | None
    ) -> tuple[str | None, ...]:
        """Return CODING of a row, its concept of the study, and the code if it is that of its OMOP concept."""
        beside = [each for key in ids if (each := self._plan.concepts.get(concept_id(key) or ""))]
        chosen = self._chosen(code, system, beside)
        local = None
        if chosen is not None:
            is_same = code is not None and _plain(code) == _plain(chosen.code)
            local = None if is_same else code
            code, system = code if is_same else chosen.code, chosen.vocabulary
        told = words or term or local or next((each.name for each in beside), None)
        coding = (system if code is not None else None, code, told, term)
        found = find_concept(self._domain, *coding)
        return (*coding, found, None if chosen is None else code)

    def _chosen(self, code: str | None, system: str | None, beside: list[Concept]) -> Concept | None:
        """Return the concept that speaks for a row; None where its own code is one of a known system, or has none.

        The concept whose code the row has tells its system. Of others the standard one, which comes first, speaks, unless
        only the source's own is one that the study knows.
        """
        if code is not None and (system or "").strip().lower() in _systems():
            return None
        same = [each for each in beside if code is not None and _plain(code) == _plain(each.code)]
        known = [each for each in beside if find_concept(self._domain, each.vocabulary, each.code)]
        return next(iter((*same, *known, *beside)), None)

    def _with_ids(self, frame: pl.DataFrame) -> pl.DataFrame:
        mapped = [text(role) for role in (*NAMED, *SHARED)]
        said = content(mapped, self._plan.site, self._plan.feed, self._domain)
        return with_hmac(frame, "record_id", said, self._key)

    def _sort_out(self, frame: pl.DataFrame, done: Processed) -> None:
        note_corrections(frame, "record_id", done)
        dates = pl.concat_list(f"reason_{role}" for role in DATES)
        reasons = (
            pl.concat_list("reason_subject", "reason_box", dates)
            .list.drop_nulls()
            .list.unique(maintain_order=True)
        )
        frame = frame.with_columns(
            reasons.alias("reasons"),
            pl.when(pl.col("status") == "entered_in_error")
            .then(pl.lit("withdrawn"))
            .otherwise(pl.lit("current"))
            .alias("row_state"),
            pl.col("status").replace("entered_in_error", "unknown"),
        )
        is_accepted = pl.col("reasons").list.len() == 0
        done.rows[f"core.{self._domain}"] = frame.filter(is_accepted).select(OUTPUT)
        held = frame.filter(~is_accepted)
        if held.height:
            measured = held.with_columns(pl.lit(self._domain).alias("measure"))
            done.held.append(held_rows(measured, [text(role) for role in (*NAMED, *SHARED)]))


def _complete(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the frame every column, empty where the file has none."""
    names = [*map(text, (*NAMED, *CODED, *SHARED)), "reason_box"]
    return frame.with_columns(
        pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns
    )


def _with_status(frame: pl.DataFrame) -> pl.DataFrame:
    """Add status: what is doubted or ruled out is not present, whatever its course; a plain record is."""
    certainty = _said(frame, "verification_status")
    doubted = pl.when(certainty != "present").then(certainty)
    return frame.with_columns(pl.coalesce(doubted, _said(frame, "status"), pl.lit("present")).alias("status"))


def _said(frame: pl.DataFrame, role: str) -> pl.Expr:
    """Return what the words of a role stand for; an unknown word leaves it unknown."""
    words = _status_words()
    texts = frame[text(role)].drop_nulls().unique()
    known = {said: words.get((role, code_key(said)), "unknown") for said in texts}
    return pl.col(text(role)).replace_strict(known, default=None, return_dtype=pl.String)


@cache
def _status_words() -> dict[tuple[str, str], str]:
    """Return the status that each word of a role stands for, from schemas/columns/history_status.csv."""
    table = (files("schemas.columns") / "history_status.csv").read_text("utf-8")
    rows = csv.DictReader(table.splitlines())
    return {(row["role"], code_key(row["text"])): row["status"] for row in rows}


def find_concept(domain: str, code_system: str | None, code: str | None, *texts: str | None) -> str | None:
    """Return the one concept of a domain that a code stands for, or a text where no known system has the code.

    None: no concept has it, or several have.
    """
    system = _systems().get((code_system or "").strip().lower())
    if code is not None and system is not None:
        found = _by_code(domain, system, code)
    else:
        found = {name for each in texts if each and (name := _names(domain).get(each.strip().lower()))}
    return found.pop() if len(found) == 1 else None


def _by_code(domain: str, system: str, code: str) -> set[str]:
    plain = _plain(code)
    is_hierarchic = system in HIERARCHIC
    beginnings = (plain[:length] for length in range(len(plain), 0, -1)) if is_hierarchic else (plain,)
    known = _codes()
    return {name for each in beginnings for name in known.get((domain, system, each), ())}


def _plain(code: str) -> str:
    return code.strip().replace(".", "").upper()


@cache
def _systems() -> dict[str, str]:
    return {each.spelling.lower(): each.code_system for each in code_system_spellings()}


@cache
def _codes() -> dict[tuple[str, str, str], tuple[str, ...]]:
    known = concepts()
    found: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for each in concept_codes():
        if each.code:
            key = (known[each.concept].domain, each.code_system, _plain(each.code))
            found[key] = (*found.get(key, ()), each.concept)
    return found


@cache
def _names(domain: str) -> dict[str, str]:
    known: Iterable[tuple[str, str]] = (
        (name.lower(), each.concept)
        for each in concepts().values()
        if each.domain == domain
        for name in each.names
    )
    return dict(known)
