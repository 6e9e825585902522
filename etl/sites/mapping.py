"""Read the mappings of sites; each error names file and line, and the word that was probably meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from etl.sites.model import FeedMapping, Lines, SiteMapping
from etl.sites.names import unknown_names
from etl.sites.problems import Keys, definition_error, from_validation
from schemas.errors import DefinitionError

__all__ = ["FeedMapping", "SiteMapping", "load_mapping", "load_sites", "mapping_json_schema"]

_YAML_HELP = "indent with spaces, put text with : or # in quotes, and write each key once"


def load_sites(folder: Path) -> dict[str, SiteMapping]:
    """Read every mapping of a folder, by site; a missing folder has none. Raises DefinitionError."""
    sites: dict[str, SiteMapping] = {}
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        mapping = load_mapping(path)
        if mapping.site in sites:
            raise DefinitionError(
                f"{mapping.where('site')}: the site '{mapping.site}' has two mappings.",
                f"The other one is {sites[mapping.site].where('site')}.",
                "write all feeds of a site in one file",
            )
        sites[mapping.site] = mapping
    return sites


def load_mapping(
    path: Path, analytes: Collection[str] | None = None, instruments: Collection[str] | None = None
) -> SiteMapping:
    """Read one mapping. The known analytes and instruments are those of the registry unless given.

    Raises DefinitionError.
    """
    given, lines = _read(path)
    try:
        mapping = SiteMapping.model_validate(given).read_from(str(path), lines)
    except ValidationError as error:
        problems = [from_validation(detail) for detail in error.errors(include_url=False)]
    else:
        problems = list(unknown_names(mapping, analytes, instruments))
        if not problems:
            return mapping
    raise definition_error(path, lines, problems)


def mapping_json_schema() -> dict[str, Any]:
    """Return the JSON schema by which editors check and complete a mapping."""
    return SiteMapping.model_json_schema(by_alias=True)


def _read(path: Path) -> tuple[dict[str, Any], Lines]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        document = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8-sig"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        what = (error.problem or "it cannot be read").splitlines()[0].strip()
        raise DefinitionError(
            f"{path}, line {line}: {what}.", "The file is not valid YAML.", _YAML_HELP
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError(
            f"{path} is not valid YAML in UTF-8.", str(error).splitlines()[0], _YAML_HELP
        ) from None
    if not isinstance(document, dict):
        raise DefinitionError(
            f"{path}, line 1: this is no mapping.", "It needs at least `site:` and `feeds:`.", "etl init"
        )
    return document, dict(_lines(document, ()))


def _lines(node: object, above: Keys) -> Iterator[tuple[Keys, int]]:
    """Walk a document and name the line of each key and list entry, counted from 1."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    position = getattr(node, "lc", None)
    places = (position.data or {}) if position is not None else {}
    for key, child in children:
        keys = (*above, str(key))
        if key in places:
            yield keys, places[key][0] + 1
        yield from _lines(child, keys)
