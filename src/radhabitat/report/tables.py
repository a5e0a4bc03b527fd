"""Tables for other programs: cells that are numbers, dates or words by their type."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

import pandas as pd

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.blocks import Table
from radhabitat.types import Estimate

_NUMBER = r"[\N{MINUS SIGN}-]?[\d,]*\.?\d+(?:e[+-]?\d+)?"
_ONE = re.compile(rf"({_NUMBER})( %)?")
_THREE = re.compile(rf"({_NUMBER}) \(({_NUMBER}) to ({_NUMBER})\)")
PERCENT = "0 %"
LONGEST = 31
"""Characters in the name of a sheet."""


def typed(table: Table) -> pd.DataFrame:
    """Return a table of the report with numbers as numbers; intervals get columns.

    A percentage becomes a share; "< 0.001" and "not computable" stay words.
    """
    columns: dict[str, list[object]] = {}
    for place, header in enumerate(table.headers):
        cells = [row[place] for row in table.rows]
        found = [_THREE.fullmatch(cell) for cell in cells]
        name = header if header not in columns else f"{header} {place + 1}"
        if place >= table.text_columns and any(found):
            for part, ending in enumerate(("", ", low", ", high"), 1):
                columns[name + ending] = [
                    number(match[part]) if match else (cell if part == 1 else None)
                    for match, cell in zip(found, cells, strict=True)
                ]
        else:
            words = place < table.text_columns
            columns[name] = [cell if words else number(cell) for cell in cells]
    return pd.DataFrame(columns)


def number(cell: str) -> object:
    """Return a printed number as a number, other words as they are.

    Example:
        >>> number("1,568"), number("12 %"), number("< 0.001")
        (1568, 0.12, '< 0.001')
    """
    found = _ONE.fullmatch(cell)
    if not found:
        return cell or None
    plain = found[1].replace(",", "").replace("\N{MINUS SIGN}", "-")
    if found[2]:
        return round(float(plain) / 100, 12)
    return int(plain) if plain.lstrip("-").isdigit() else float(plain)


def exact_results(evaluation: Evaluation) -> pd.DataFrame:
    """Return every estimate of an evaluation, unrounded: one row each."""
    rows = list(_estimates(evaluation))
    return pd.DataFrame(
        [
            (who, what, auc.value, auc.low, auc.high, auc.method)
            for who, what, auc in rows
        ],
        columns=["model", "measure", "value", "low", "high", "method"],
    )


def _estimates(evaluation: Evaluation) -> Iterator[tuple[str, str, Estimate]]:
    for name, result in evaluation.results.items():
        found = result.validation
        yield name, "AUC, headline", found.headline
        yield name, "AUC, out-of-bag", found.out_of_bag
        yield name, "AUC, .632+", found.plus632
        yield name, "AUC, apparent", result.apparent
        if found.cross_validated is not None:
            yield name, "AUC, nested cross-validation", found.cross_validated
        if found.published is not None:
            yield name, "AUC, published protocol", found.published
        yield name, "calibration intercept", result.calibration.intercept
        yield name, "calibration slope", result.calibration.slope
        for d in result.decisions:
            yield name, f"sensitivity at {d.name}", d.sensitivity
            yield name, f"specificity at {d.name}", d.specificity
            yield name, f"PPV at {d.name}", d.positive_predictive_value
            yield name, f"NPV at {d.name}", d.negative_predictive_value
            yield name, f"accuracy at {d.name}", d.accuracy
    for row in evaluation.comparisons:
        who = f"{row.second} against {row.first}"
        yield who, "AUC difference", row.difference
        yield who, "NRI", row.nri
        yield who, "IDI", row.idi


def workbook(sheets: Mapping[str, pd.DataFrame]) -> bytes:
    """Return an XLSX file with a sheet per table; the same tables, the same bytes."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook(write_only=False)
    book.remove(book.worksheets[0])
    for place, (name, table) in enumerate(sheets.items(), 1):
        plain = re.sub(r"[^\w ]", " ", name)
        sheet = book.create_sheet(f"{place} {plain}"[:LONGEST])
        sheet.append([str(column) for column in table.columns])
        for row in (
            table.astype(object)
            .where(table.notna(), None)
            .itertuples(index=False, name=None)
        ):
            sheet.append(["'" + c if _formula(c) else c for c in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
    if not sheets:
        book.create_sheet("empty")
    return _dateless(book)


def _formula(cell: object) -> bool:
    """Tell whether a spreadsheet would compute a cell of words."""
    return isinstance(cell, str) and cell.startswith(("=", "+", "@"))


def _dateless(book: object) -> bytes:
    """Return the file of a workbook without the time of its making."""
    import zipfile

    raw, still = io.BytesIO(), io.BytesIO()
    book.save(raw)  # type: ignore[attr-defined]
    with (
        zipfile.ZipFile(raw) as old,
        zipfile.ZipFile(still, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in sorted(old.namelist()):
            data = old.read(name)
            if name == "docProps/core.xml":
                data = re.sub(
                    rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2000-01-01T00:00:00Z", data
                )
            new.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return still.getvalue()
