"""Give each field its column where one claim stands out; where two are alike, leave it to a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from etl.sites.resolution import Shape
from etl.suggest.claims import CELLS_ALONE, FAIR, HINT, KNOWN, SURE, TELLING, Claimed, View, fields_in
from etl.suggest.fits import Fit
from etl.suggest.model import Choice, Level, Open
from etl.suggest.relations import same
from schemas.columns import COLUMNS, LANGUAGE_TIER, header_key

# The groups of fields that mean something in each shape; the first shape whose fields are there wins.
GROUPS: Mapping[Shape, tuple[str, ...]] = {
    "lab_long": ("any", "lab", "lab_long"),
    "item_long": ("any", "item", "item_long"),
    "condition": ("any", "condition"),
    "medication": ("any", "medication"),
    "wide": ("any", "lab", "item"),
}
_HISTORIES: Mapping[Shape, tuple[str, str]] = {
    "condition": ("condition_code", "condition_text"),
    "medication": ("medication_code", "medication_text"),
}
_OF_A_HISTORY = {"started_at", "ended_at", "recorded_at"}
_RANKS = 1000  # ranks of known headers: tier x 1000 + position


@dataclass
class Chosen:
    """What was chosen, and what was left open."""

    choices: list[Choice] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)

    def column(self, name: str) -> str | None:
        """Return the column of a field."""
        return next((choice.column for choice in self.choices if choice.field == name), None)


def level_of(claimed: Claimed) -> Level | None:
    """Grade a claim by its header and its cells; None: too little to suggest anything."""
    if claimed.fit is Fit.NO:
        return None
    if claimed.strength == KNOWN or (claimed.strength == SURE and claimed.fit is not Fit.UNSEEN):
        return "high"
    if claimed.strength == SURE:
        return "medium"
    if claimed.strength == FAIR and claimed.fit in (Fit.YES, Fit.PASS):
        return "high" if claimed.fit is Fit.YES else "medium"
    return "medium" if claimed.fit is Fit.YES else None


def shape_of(names: Collection[str], *, has_measures: bool) -> Shape:
    """Return what kind of table has these fields."""
    found = set(names)
    is_lab = bool(found & {"analyte", "code"})
    if "value" in found and "item" in found and ("instrument" in found or not is_lab):
        return "item_long"
    # Without a value, its results are still to be found.
    if is_lab and ("value" in found or ("analyte" in found and found & {"unit", "ref_text", "ref_low"})):
        return "lab_long"
    histories = (
        shape
        for shape, (code, text) in _HISTORIES.items()
        if code in found or (text in found and found & _OF_A_HISTORY)
    )
    return "wide" if has_measures else next(histories, "wide")


def graded(view: View) -> dict[str, list[Claimed]]:
    """Return the claims that are good enough to be suggested, by field."""
    claims = fields_in([column for column in view.columns if not _is_private(view, column)], view)
    kept = {name: [each for each in of if level_of(each)] for name, of in claims.items()}
    return {name: of for name, of in kept.items() if of}


def _is_private(view: View, column: str) -> bool:
    is_birth = any(claimed.field == "birth_date" for claimed in view.claims(column))
    return view.is_identifying(column) and not is_birth


def choose(view: View, shape: Shape, taken: Collection[str]) -> Chosen:
    """Choose the columns of the fields that mean something in a shape; taken columns are measures already."""
    groups = set(GROUPS.get(shape, ("any",)))
    found = {name: claims for name, claims in graded(view).items() if groups & set(COLUMNS.field(name).group)}
    chosen = Chosen()
    free = [column for column in view.columns if column not in taken]
    order = sorted(found, key=lambda name: (-_best(found[name]).strength, _place(name)))
    for name in order:
        _settle(view, name, [each for each in found[name] if each.column in free], chosen, free, found)
    _times(chosen, view)
    _sites(chosen)
    chosen.open += _misfits(view, chosen, groups)
    return chosen


def _place(name: str) -> int:
    return [*COLUMNS.roles, *COLUMNS.attributes].index(name)


def _best(claims: Sequence[Claimed]) -> Claimed:
    return max(claims, key=_merit)


def _merit(claimed: Claimed) -> tuple[bool, int, bool, int]:
    """Rank claims on one field: where cells tell by themselves, those of a worse header go before other cells."""
    is_such = claimed.fit is Fit.YES
    is_told = is_such and claimed.field in TELLING and claimed.strength < KNOWN
    return (is_told or claimed.strength == KNOWN, claimed.strength, is_such, -claimed.rank)


def _settle(
    view: View,
    name: str,
    claims: list[Claimed],
    chosen: Chosen,
    free: list[str],
    found: Mapping[str, list[Claimed]],
) -> None:
    if not claims:
        return
    best = _best(claims)
    rivals = [each for each in claims if each is not best and _is_rival(each, best)]
    if rivals and name == "value" and same(view.frame, [each.column for each in (best, *rivals)]):
        # One result as printed and as a number: the printed one has signs that the number lost.
        best = min(best, *rivals, key=lambda each: view.contents[each.column].share("number"))
        rivals = []
    elsewhere = _other_fields(best, found)
    if rivals:
        columns = (best.column, *(each.column for each in rivals))
        why = "each of these headers says it equally well"
        chosen.open.append(Open(name, columns, why, f"{name}: {_quoted(best.column)}"))
    elif elsewhere:
        why = f"its header may mean {name} or {', '.join(elsewhere)}"
        if all(each.columns != (best.column,) for each in chosen.open):
            chosen.open.append(Open(name, (best.column,), why, f"{name}: {_quoted(best.column)}"))
    else:
        chosen.choices.append(Choice(name, best.column, level_of(best) or "medium", _reason(best)))
        free.remove(best.column)


def _other_fields(best: Claimed, found: Mapping[str, list[Claimed]]) -> list[str]:
    """Return the fields that claim the same column as strongly."""
    return [
        other
        for other, claims in found.items()
        if other != best.field
        for each in claims
        if each.column == best.column
        and each.strength == best.strength < KNOWN
        and (each.fit is Fit.YES) == (best.fit is Fit.YES)
        and (CELLS_ALONE not in each.why or CELLS_ALONE in best.why)
    ]


def _is_rival(other: Claimed, best: Claimed) -> bool:
    if (other.strength, other.fit is Fit.YES) != (best.strength, best.fit is Fit.YES):
        return other.strength == best.strength < KNOWN and best.strength <= HINT
    if best.strength < KNOWN or other.rank == best.rank:
        return other.rank == best.rank  # a header says more than a label
    tiers = {other.rank // _RANKS, best.rank // _RANKS}
    return tiers == {LANGUAGE_TIER} and other.why != best.why


def _reason(claimed: Claimed) -> str:
    seen = {Fit.YES: "the cells are such", Fit.PASS: "the cells fit", Fit.UNSEEN: "no cell is filled"}
    return claimed.why if CELLS_ALONE in claimed.why else f"{claimed.why}; {seen[claimed.fit]}"


def _quoted(column: str) -> str:
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _times(chosen: Chosen, view: View) -> None:
    """Take a clock time that carries its date for the moment of collection."""
    for at, choice in enumerate(chosen.choices):
        is_moment = choice.field == "collected_time" and view.contents[choice.column].share("date") > 0.7
        if is_moment and chosen.column("collected_at") is None:
            why = f"{choice.why}, and they carry the date"
            chosen.choices[at] = replace(choice, field="collected_at", why=why)
            chosen.choices = [each for each in chosen.choices if each.field != "collected_date"]
            return


def _sites(chosen: Chosen) -> None:
    """Leave out the site where the subject's number is unique across sites already."""
    unique = {header_key(header) for header in COLUMNS.roles["subject"].unique_across_sites}
    if header_key(chosen.column("subject") or "") in unique:
        chosen.choices = [each for each in chosen.choices if each.field != "source_site"]


def _misfits(view: View, chosen: Chosen, groups: set[str]) -> list[Open]:
    """Report headers that say what their cells do not bear out."""
    used = {choice.column for choice in chosen.choices}
    filled = {choice.field for choice in chosen.choices}
    return [
        Open(claimed.field, (column,), f"{claimed.why}, but the cells do not look like it",
             f"{claimed.field}: {_quoted(column)}")
        for column in view.columns
        if column not in used and not _is_private(view, column)
        for claimed in view.claims(column)[:1]
        if claimed.fit is Fit.NO and claimed.strength >= SURE and claimed.field not in filled
        and groups & set(COLUMNS.field(claimed.field).group)
    ]  # fmt: skip
