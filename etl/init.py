"""Init: a place to work in - a warehouse, its key, a folder for mappings and the schema that editors check them with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from etl.sites.mapping import mapping_json_schema
from warehouse.connection import open_warehouse
from warehouse.keys import key_path, load_keys

EXAMPLE = """\
# yaml-language-server: $schema=./mapping.schema.json
# One file a site. Headers that the built-in synonyms know need no line here; delete what you do not need.
site: example
timezone: Europe/Berlin
feeds:
  labs:
    files: ["LAB_*.csv"]            # which files these lines are about
    columns:
      subject: Patientennummer      # role: the header in the file
      value: Ergebnis
    dates: dmy                      # only if no date in the file shows the order
    decimal: ","                    # only if no number in the file shows it
    units: {vitamin_b12: pmol/L}    # only for rows without a unit, and only if the laboratory said so
    spellings: {"pikog/ml": pg/mL}  # how this laboratory writes a unit; see: etl units unknown
    missing: ["-9", "n.b."]         # words of this site for "no result"
"""


@dataclass(frozen=True)
class Initialised:
    """What init made; a path that existed before is kept as it was."""

    made: list[Path]
    kept: list[Path]


def init(warehouse: Path, sites: Path) -> Initialised:
    """Make the warehouse, its key and the folder of mappings; keep what is there already."""
    targets = [warehouse, key_path(warehouse), sites / "example.yaml.txt", sites / "mapping.schema.json"]
    before = {path for path in targets if path.exists()}
    with open_warehouse(warehouse) as connection:
        load_keys(warehouse, connection)
    sites.mkdir(parents=True, exist_ok=True)
    _write(targets[2], EXAMPLE, before)
    _write(targets[3], json.dumps(mapping_json_schema(), indent=2, ensure_ascii=False) + "\n", before)
    return Initialised([path for path in targets if path not in before], sorted(before))


def _write(path: Path, text: str, before: set[Path]) -> None:
    if path not in before:
        path.write_text(text, encoding="utf-8")
