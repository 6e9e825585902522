"""Read a study protocol; every error names the file and the line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from schemas.errors import DefinitionError
from schemas.study.model import Study


def load_study(path: Path | None = None) -> Study:
    """Return the protocol of a YAML file, or the default one.

    Raises DefinitionError with the line of the first mistake.
    """
    name = path.name if path else "study.yaml"
    try:
        text = path.read_text("utf-8") if path else files("schemas.study").joinpath(name).read_text("utf-8")
        document = YAML(typ="rt").load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(
            f"The study file {name} cannot be read.", type(error).__name__, "check its path and encoding"
        ) from None
    except YAMLError as error:
        raise DefinitionError(
            f"{name} is not valid YAML{_mark(error)}.",
            getattr(error, "problem", None) or "It breaks off.",
            "mend that line",
        ) from None
    try:
        return Study.model_validate(document)
    except ValidationError as error:
        raise _definition_error(name, document, _first(error)) from None


def _mark(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark else ""


def _first(error: ValidationError) -> ErrorDetails:
    """Return the mistake to name: a mistyped field before the field that is therefore missing."""
    return min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")


def _definition_error(name: str, document: object, detail: ErrorDetails) -> DefinitionError:
    where = ".".join(str(part) for part in detail["loc"])
    line = _line(document, detail["loc"])
    what = f"{name}{f', line {line}' if line else ''}: {where or 'the document'} is not as it should be."
    why = detail["msg"].removeprefix("Value error, ")
    return DefinitionError(
        what, why, _suggestion(detail["loc"]) if detail["type"] == "extra_forbidden" else ""
    )


def _line(document: object, location: Sequence[int | str]) -> int | None:
    """Return the line of the innermost part of a document that a location still reaches."""
    line: int | None = None
    for part in location:
        if isinstance(document, CommentedMap) and part in document:
            line = document.lc.key(part)[0] + 1
        elif isinstance(document, CommentedSeq):
            line = document.lc.item(part)[0] + 1
        else:
            break
        document = document[part]
    return line


def _suggestion(location: Sequence[int | str]) -> str:
    """Return the field that a mistyped one resembles."""
    model: type[BaseModel] | None = Study
    for part in location[:-1]:
        if model is not None and part in model.model_fields:
            model = _inner_model(model.model_fields[str(part)].annotation)
    near = get_close_matches(str(location[-1]), list(model.model_fields), n=1) if model else []
    return f"{near[0]} instead of {location[-1]}" if near else ""


def _inner_model(annotation: object) -> type[BaseModel] | None:
    """Return the model inside `Model`, `tuple[Model, ...]` or `dict[str, Model]`."""
    candidates = (annotation, *getattr(annotation, "__args__", ()))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
