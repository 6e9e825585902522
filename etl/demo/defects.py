"""Plant defects: each is a copy of an intact record, changed as defects.toml says, on the line after it."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from etl.demo.export import Dialect, Export, Record, in_order
from etl.demo.truth import Defect


@dataclass(frozen=True)
class Plant:
    """One defect to plant after the nth record (from 0) whose cells are as in `where`; {name} in a change is a cell."""

    id: str
    kind: str
    file: str
    bucket: str
    note: str
    where: Mapping[str, str] = field(default_factory=dict)
    nth: int = 0
    change: Mapping[str, str] = field(default_factory=dict)
    damage: str = ""
    reason: str | None = None
    absent_reason: str | None = None
    finding: str | None = None


@dataclass(frozen=True)
class Planted:
    """A defect ready to be written: an odd but well-formed record, or the bytes of a damaged line."""

    plant: Plant
    record: Record
    line: bytes | None

    def defect(self, line: int) -> Defect:
        """Return what the answer key says about the line."""
        plant = self.plant
        return Defect(
            id=plant.id,
            kind=plant.kind,
            file=plant.file,
            line=line,
            bucket=plant.bucket,
            reason=plant.reason,
            absent_reason=plant.absent_reason,
            finding=plant.finding,
            note=plant.note,
        )


def load_plants() -> list[Plant]:
    """Read the catalogue of defects that ships with the package."""
    tables = tomllib.loads((files("etl.demo") / "defects.toml").read_text(encoding="utf-8"))
    return [Plant(id=name, **table) for name, table in tables.items()]


def plant_in(export: Export, plants: Sequence[Plant]) -> dict[int, list[Planted]]:
    """Return what to write after which record of the export. Raises LookupError if a plant finds no ground."""
    due: dict[int, list[Planted]] = defaultdict(list)
    for one in plants:
        if one.file == export.path:
            place = _find(one, export)
            due[place].append(_grow(one, export, export.records[place]))
    return due


def _find(plant: Plant, export: Export) -> int:
    wanted = {export.header.index(name): text for name, text in plant.where.items()}
    left = plant.nth
    for place, record in enumerate(export.records):
        if all(record[column] == text for column, text in wanted.items()):
            if left == 0:
                return place
            left -= 1
    raise LookupError(f"{plant.id}: {export.path} has no such record to plant after")


def _grow(plant: Plant, export: Export, model: Record) -> Planted:
    cells = dict(zip(export.header, model, strict=True))
    record = in_order(
        export.header, cells | {name: text.format_map(cells) for name, text in plant.change.items()}
    )
    line = DAMAGES[plant.damage](export.dialect, record) if plant.damage else None
    return Planted(plant, record, line)


def _cut_short(dialect: Dialect, record: Record) -> bytes:
    """End the line three fields early."""
    return dialect.render(record[:-3])


def _add_delimiter(dialect: Dialect, record: Record) -> bytes:
    """Put one delimiter too many before the last column, which is empty: parsed naively, nothing looks wrong."""
    return dialect.render([*record[:-1], "", record[-1]])


def _leave_quote_open(dialect: Dialect, record: Record) -> bytes:
    """Forget the last quotation mark."""
    return dialect.render(record).removesuffix(dialect.quote.encode("ascii"))


def _spoil_byte(dialect: Dialect, record: Record) -> bytes:
    """Put 0xFF, which begins no GB18030 character, at the end of the second field."""
    delimiter = dialect.delimiter.encode("ascii")
    fields = dialect.render(record).split(delimiter)
    fields[1] += b"\xff"
    return delimiter.join(fields)


DAMAGES: Mapping[str, Callable[[Dialect, Record], bytes]] = {
    "cut_short": _cut_short,
    "add_delimiter": _add_delimiter,
    "leave_quote_open": _leave_quote_open,
    "spoil_byte": _spoil_byte,
}
