"""How the cells of a table are named: one form a column instead of one text a row."""

from __future__ import annotations

import polars as pl

from etl.plan import ResolvedPlan
from etl.readers.base import ROW, Reader

NUMBER = "{}"  # stands for the row's number


def result_cells(plan: ResolvedPlan, reader: Reader) -> dict[str, str] | None:
    """Return the form of the cells that hold a table's results, by the header that names the analyte, "" for a long one.

    A form is a locator such as `L{}/C5`. None: rows have to bring locators of their own, because the format names them
    one by one or because the number's place would not be plain.
    """
    resolution = plan.resolution
    wide = [measure.column for measure in resolution.measures if measure.kind == "lab"]
    columns = {column.strip(): column for column in wide}
    if not wide:
        columns = {"": resolution.roles.get("value", plan.table.columns[0])}
    named = {header: reader.locate(plan.table, column) for header, column in columns.items()}
    if len(columns) < len(wide) or any(each.meta.root_names() != [ROW] for each in named.values()):
        return None
    found = pl.DataFrame({ROW: [NUMBER]}).select(each.alias(header) for header, each in named.items())
    forms = found.row(0, named=True)
    return forms if all(form.count(NUMBER) == 1 for form in forms.values()) else None


def placed(form: pl.Expr) -> pl.Expr:
    """Return the locator of each row in a column of forms."""
    return form.str.replace(NUMBER, pl.col(ROW).cast(pl.String), literal=True)
