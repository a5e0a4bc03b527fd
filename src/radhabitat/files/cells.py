"""The cells of a table as text: CSV, TSV, semicolons, XLSX; several encodings."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from radhabitat.errors import TableError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")

# what openpyxl raises on damaged files
_DAMAGED_XLSX = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    SyntaxError,  # malformed XML
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def read_table(path: Path) -> pd.DataFrame:
    """Return the cells of a table as stripped text; empty rows are dropped.

    Args:
        path: CSV, TSV or semicolon-separated text in UTF-8, UTF-16 or GB18030,
            gzipped or not, or the first sheet of an XLSX workbook that has cells.

    Raises:
        TableError: Missing, damaged, without columns, or with a column twice.
    """
    if not path.is_file():
        raise TableError(
            f"The table {path.name} does not exist",
            "put it beside study.toml, or correct its name there",
        )
    workbook = path.suffix.lower() in (".xlsx", ".xlsm", ".xls")
    rows = _read_workbook(path) if workbook else _read_text(path)
    filled = [row for row in rows if any(row)]
    if not filled:
        raise TableError(f"The table {path.name} is empty", "give a table with columns")
    header = _name_columns(filled, path.name)
    width = len(header)
    long = [n for n, row in enumerate(filled, start=1) if any(row[width:])]
    if long:
        raise TableError(
            f"Row {long[0]} of {path.name} has more cells than the {width} columns",
            "put cells that hold the separator into double quotes",
        )
    cells = [(row + [""] * width)[:width] for row in filled[1:]]
    frame = pd.DataFrame(cells, columns=header, dtype=object)
    return frame.loc[:, [not name.startswith("\0") for name in header]]


def _read_text(path: Path) -> list[list[str]]:
    text = _decode(path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    separator = max(",;\t", key=bare.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise TableError(
            f"The table {path.name} cannot be read: {error}",
            "save it again as CSV (UTF-8) or XLSX",
        ) from error
    stripped = [[cell.strip() for cell in row] for row in rows]
    if separator != ";":
        return stripped
    return [[_with_decimal_point(cell) for cell in row] for row in stripped]


def _with_decimal_point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def _decode(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise TableError(
            f"The table {path.name} cannot be read: {error}",
            "check that the file is whole, and its permissions",
        ) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise TableError(
        f"The table {path.name} is not text in UTF-8, UTF-16 or GB18030",
        "save it again as CSV (UTF-8) or XLSX",
    )


def _read_workbook(path: Path) -> list[list[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # extensions of Excel that hold no cells
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                sheets = [
                    [[_cell_text(cell) for cell in row] for row in sheet.values]
                    for sheet in book.worksheets
                ]
            finally:
                book.close()
        except _DAMAGED_XLSX as error:
            raise TableError(
                f"The workbook {path.name} cannot be read: {str(error)[:120]}",
                "save it again as .xlsx or as CSV (UTF-8)",
            ) from error
    return next((rows for rows in sheets if any(map(any, rows))), [])


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat().removesuffix("T00:00:00")
    return str(value).strip()


def _name_columns(rows: Sequence[Sequence[str]], source: str) -> list[str]:
    """Return the header; columns without name and content start with NUL."""
    width = max(len(rows[0]), 1)
    names = []
    for number in range(width):
        name = rows[0][number] if number < len(rows[0]) else ""
        filled = any(number < len(row) and row[number] for row in rows[1:])
        names.append(name or (f"column_{number + 1}" if filled else f"\0{number}"))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(
            f"{source} has more than one column {twice[0]!r}",
            "rename or remove one of them",
        )
    return names
