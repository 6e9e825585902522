"""What a site declares about its exports: the models of sites/<site>.yaml.

A site declares only what content cannot tell. Text must be text: `sex: {1: male}` is refused, `sex: {"1": male}` is
right, so that a leading zero or a minus sign is never lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from etl.sites.header_rows import HeaderRow, lines_of

Kind = Literal["data", "crosswalk", "manifest"]
Delivery = Literal["increment", "snapshot"]
DateOrder = Literal["iso", "dmy", "mdy", "excel_1900", "excel_1904"]
DecimalMark = Literal[".", ","]
Box = Literal["condition", "medication", "ignore"]
Lines = Mapping[tuple[str, ...], int]  # of each key, by the keys above it

# The key under which one order for all columns of a feed is kept, and the columns that it is for.
EVERY: Final = "*"
DATED: Final = (
    "collected_at",
    "collected_date",
    "resulted_at",
    "administered_at",
    "birth_date",
)


def _one_word(value: object) -> object:
    return value if isinstance(value, dict) else {EVERY: value}


def _one_unit(value: object) -> object:
    return value if isinstance(value, dict | BaseModel) else {"unit": value}


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


def _ascending(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] < limits[1]:
        return limits
    message = "the lower limit comes first, and is below the upper one"
    raise ValueError(message)


def _known_unit(spelling: str) -> str:
    from etl.harmonize.spelling import parse_unit, suggest_unit

    unit = parse_unit(spelling)
    if unit is None:
        message = (
            f"{spelling!r} is no unit; write one that is known, such as {suggest_unit(spelling) or 'pg/mL'}"
        )
        raise ValueError(message)
    return unit


def _known_zone(name: str) -> str:
    try:
        return name if name == "unknown" else ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        message = f"{name!r} is no time zone; write it as Europe/Berlin, or unknown"
        raise ValueError(message) from error


Headers = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
DateOrders = Annotated[
    dict[str, DateOrder],
    BeforeValidator(_one_word, json_schema_input_type=DateOrder | dict[str, DateOrder]),
]
TimeZone = Annotated[str, AfterValidator(_known_zone)]
Limits = Annotated[tuple[float, float], AfterValidator(_ascending)]
UnitOf = Annotated[str, AfterValidator(_known_unit)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class UnitDeclaration(_Strict):
    """The unit of results that state none; with override, also of those that state another."""

    unit: str
    override: StrictBool = False


class MeasureMapping(_Strict):
    """What a column of a wide file measures: an analyte, or an item of an instrument."""

    analyte: str | None = None
    unit: str | None = None
    unit_column: str | None = None  # the header of the column that states the unit of each result
    specimen: str | None = None
    instrument: str | None = None
    item: str | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.analyte is None) == (self.instrument is None):
            message = "a measure is either an analyte or an item of an instrument"
            raise ValueError(message)
        if (self.instrument is None) != (self.item is None):
            message = "an item needs both instrument and item"
            raise ValueError(message)
        if self.unit_column is not None and (self.analyte is None or self.unit is not None):
            message = "the unit of an analyte is either one for all, or that of a column"
            raise ValueError(message)
        return self


class InstrumentMapping(_Strict):
    """The version of an instrument that the site uses."""

    version: str


class LinkSide(_Strict):
    """A column of a crosswalk and the number space of its identifiers."""

    column: str
    issuer: str
    id_type: str = "local"


class Links(_Strict):
    """The two sides of a crosswalk."""

    from_: LinkSide = Field(alias="from")
    to: LinkSide


Unit = Annotated[UnitDeclaration, BeforeValidator(_one_unit, json_schema_input_type=str | UnitDeclaration)]


class FeedMapping(_Strict):
    """One kind of file of a site; what is None is found by content, by name or by default.

    feed and site are filled from the keys above; the site's dates, decimal, missing and timezone are its defaults.
    """

    feed: SkipJsonSchema[str] = ""
    site: SkipJsonSchema[str] = ""
    files: Headers = Field(min_length=1)
    kind: Kind = "data"
    delivery: Delivery = "increment"
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header_row: HeaderRow | None = None  # a line, or the first and the last line of a header of several
    unit_row: StrictBool | None = None  # the line below the header has the units of the columns
    fill_down: tuple[str, ...] = ()  # columns in which a blank cell stands for the one above it
    sheet: str | None = None
    columns: dict[str, Headers] = {}
    issuer: str | None = None
    id_type: str = "local"
    constants: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    analytes: dict[str, str] = {}
    measures: dict[str, MeasureMapping] = {}
    checkboxes: dict[str, Box] = {}  # what ticking a box of a field of REDCap states
    instruments: dict[str, InstrumentMapping] = {}
    dates: DateOrders = {}
    decimal: DecimalMark | None = None
    units: dict[str, Unit] = {}
    spellings: dict[str, UnitOf] = {}
    bounds: dict[str, Limits] = {}
    missing: tuple[str, ...] = ()
    timezone: TimeZone | None = None
    complete: StrictBool = False
    links: Links | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_named_by_its_key(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(given, dict) and {"feed", "site"} & given.keys():
            message = "a feed has the name of its key, and the site of its file"
            raise ValueError(message)
        return given

    @model_validator(mode="after")
    def _has_its_links(self) -> Self:
        if (self.kind == "crosswalk") != (self.links is not None):
            message = "a feed has `links:` exactly when its kind is crosswalk"
            raise ValueError(message)
        return self

    @property
    def header_lines(self) -> int | None:
        """How many lines the header has; None: as they show."""
        return lines_of(self.header_row)

    def declared_dates(self) -> dict[str, str]:
        """Return the declared order of each column of dates, by role or attribute."""
        declared: dict[str, str] = dict.fromkeys(DATED, self.dates[EVERY]) if EVERY in self.dates else {}
        declared |= {name: order for name, order in self.dates.items() if name != EVERY}
        if "collected_date" in self.dates:  # a date that stands alone is read as collected_at
            declared["collected_at"] = self.dates.get("collected_at", self.dates["collected_date"])
        return declared

    def claims(self, name: str) -> bool:
        """Tell whether a file's or an archive member's name is one of this feed's, whatever its case."""
        names = {name.casefold(), PurePosixPath(name.replace("\\", "/")).name.casefold()}
        is_listed = any(fnmatchcase(each, pattern.casefold()) for each in names for pattern in self.files)
        return is_listed or self.claims_correction(name)

    def claims_correction(self, name: str) -> bool:
        """Tell whether a name is that of a corrected copy of this feed: labs.corrected.xlsx, labs.corrected-2.csv."""
        return (
            PurePosixPath(name.replace("\\", "/"))
            .name.casefold()
            .startswith(f"{self.feed}.corrected".casefold())
        )


class SiteMapping(_Strict):
    """One site: its name, its defaults, its feeds."""

    site: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    timezone: TimeZone = "unknown"
    dates: DateOrders = {}
    decimal: DecimalMark | None = None
    missing: tuple[str, ...] = ()
    feeds: dict[str, FeedMapping] = Field(min_length=1)

    _path: str = PrivateAttr(default="")
    _lines: Lines = PrivateAttr(default_factory=dict)

    @field_validator("feeds", mode="after")
    @classmethod
    def _inherit(cls, feeds: dict[str, FeedMapping], info: ValidationInfo) -> dict[str, FeedMapping]:
        """Name each feed, and give it the site's defaults where it declares nothing."""
        site = info.data
        return {
            name: feed.model_copy(
                update={
                    "feed": name,
                    "site": site.get("site", ""),
                    "dates": site.get("dates", {}) | feed.dates,
                    "decimal": feed.decimal or site.get("decimal"),
                    "missing": feed.missing or site.get("missing", ()),
                    "timezone": feed.timezone or site.get("timezone"),
                }
            )
            for name, feed in feeds.items()
        }

    @property
    def defaults(self) -> FeedMapping:
        """What the site declares for every file, as a feed without a name: it holds where no feed claims a file."""
        said = {name: getattr(self, name) for name in ("site", "timezone", "dates", "decimal", "missing")}
        return FeedMapping(files=("*",)).model_copy(update=said)

    def claims(self, name: str) -> bool:
        """Tell whether a feed of the site claims a file of this name."""
        return any(feed.claims(name) for feed in self.feeds.values())

    def read_from(self, path: str, lines: Lines) -> Self:
        """Remember where each key stands."""
        self._path, self._lines = path, lines
        return self

    def where(self, *keys: str) -> str:
        """Name the file and the line of a key, or of the nearest key above it that the file has."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self._lines:
                return f"{self._path} (line {self._lines[keys[:length]]})"
        return self._path
