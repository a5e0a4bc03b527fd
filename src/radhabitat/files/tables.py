"""Tables with a row per patient: CSV, TSV, semicolons, XLSX; several encodings."""

from __future__ import annotations

import csv
import datetime
import difflib
import gzip
import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from radhabitat.errors import TableError
from radhabitat.files.formats import DAMAGED
from radhabitat.files.store import write_text

ID_NAMES = (
    *("patient", "id", "subject", "case", "patient_id", "subject_id"),
    *("病人", "编号"),
)
"""Columns that are taken for the identifier, the first of them that is there."""

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
# with SyntaxError for malformed XML
_DAMAGED_XLSX = (*DAMAGED, SyntaxError, zipfile.BadZipFile, InvalidFileException)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?", "缺失", "不详"})


def read_table(path: Path) -> pd.DataFrame:
    """Return the cells of a table as stripped text; empty rows are dropped.

    Args:
        path: CSV, TSV or semicolon-separated text in UTF-8, UTF-16 or GB18030,
            gzipped or not, or the first sheet of an XLSX workbook that has cells.

    Raises:
        TableError: Missing, damaged, without columns, or with a column twice.
    """
    name = path.name
    if not path.is_file():
        raise TableError(
            f"The table {name} does not exist",
            "put it beside study.toml, or correct its name there",
        )
    workbook = path.suffix.lower() in (".xlsx", ".xlsm", ".xls")
    found = [r for r in (_read_workbook if workbook else _read_text)(path) if any(r)]
    if not found:
        raise TableError(f"The table {name} is empty", "give a table with columns")
    width = len(found[0])
    header, *rows = [(row + [""] * width)[:width] for row in found]
    # a column without a name counts when it has content
    used = [n for n in range(width) if header[n] or any(row[n] for row in rows)]
    names = [header[n] or f"column_{n + 1}" for n in used]
    twice = _repeated(names)
    if twice:
        raise TableError(
            f"{name} has more than one column {twice[0]!r}",
            "rename or remove one of them",
        )
    long = [n for n, row in enumerate(found, start=1) if any(row[width:])]
    if long:
        raise TableError(
            f"Row {long[0]} of {name} has more cells than the {width} columns",
            "put cells that hold the separator into double quotes",
        )
    cells = [[row[n] for n in used] for row in rows]
    return pd.DataFrame(cells, columns=names, dtype=object)


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
    rows = [[cell.strip() for cell in row] for row in rows]
    if separator != ";":
        return rows
    comma = _DECIMAL_COMMA.fullmatch
    return [[c.replace(",", ".") if comma(c) else c for c in row] for row in rows]


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
    if isinstance(value, bool) or (isinstance(value, float) and value.is_integer()):
        return str(int(value))
    if isinstance(value, datetime.date):  # a datetime is one, too
        return value.isoformat().removesuffix("T00:00:00")
    return str(value).strip()


def write_table(
    path: Path,
    table: pd.DataFrame | Mapping[str, Mapping[str, float]],
    *,
    index: str = "patient",
) -> None:
    """Write a table of numbers as CSV, atomically, with every digit that counts.

    Args:
        path: The file.
        table: One row per patient (the index), or row -> column -> value; NaN
            becomes an empty cell.
        index: Name of the first column, of the rows' names.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame([dict(row) for row in table.values()], index=list(table))
    numbers = table.astype("float64").rename_axis(index=index, columns=None)
    write_text(path, numbers.to_csv(lineterminator="\n"))


def index_by_patient(table: pd.DataFrame, column: str, source: str) -> pd.DataFrame:
    """Return the table with the patients' ids as index.

    Raises:
        TableError: No such column, an empty id, or a patient twice.
    """
    ids = _ids(table, column, source)
    if "" in ids:
        raise TableError(
            f"Row {ids.index('') + 2} of {source} has no patient in {column!r}",
            "write the patient's id there, or remove the row",
        )
    twice = _repeated(ids)
    if twice:
        raise TableError(
            f"{source} has more than one row for {shorten(twice)}",
            "keep one row per patient",
        )
    indexed = table.drop(columns=[column])
    indexed.index = pd.Index(ids, name="patient", dtype=object)
    return indexed


def with_ids(
    table: pd.DataFrame, column: str | None, source: str, outcome: str = ""
) -> pd.DataFrame:
    """Return the table with the patients' ids, or the rows' numbers, as index.

    Args:
        table: Cells of text.
        column: With the ids; None: a column of a usual name, if there is one.
        source: Name of the table, for messages.
        outcome: A column that is never taken for the ids.

    Raises:
        TableError: No such column, an empty id, or a patient twice.
    """
    names = {str(c).strip().lower().replace(" ", "_"): str(c) for c in table.columns}
    if column is None:
        column = next((names[n] for n in ID_NAMES if n in names), None)
    if column is not None and column != outcome:
        return index_by_patient(table, column, source)
    numbered = table.copy()
    numbered.index = pd.Index([f"row{i}" for i in range(1, len(table) + 1)])
    return numbered


def read_patients(
    path: Path, column: str
) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """Return the table of the patients with one row, and (problem, fix) of the others.

    Which of several rows is right, nobody can tell; the others need not suffer for it.

    Raises:
        TableError: The table cannot be read, lacks the column, or an id is empty.
    """
    table = read_table(path)
    ids = _ids(table, column, path.name)
    problems = {
        patient: (
            f"Patient {patient} has more than one row in {path.name}",
            "keep one row per patient",
        )
        for patient in _repeated(filter(None, ids))
    }
    once = table[[patient not in problems for patient in ids]]
    return index_by_patient(once, column, path.name), problems


def _ids(table: pd.DataFrame, column: str, source: str) -> list[str]:
    require_column(table, column, source, "data.id_column in study.toml")
    return [normalize_id(str(cell)) for cell in table[column]]


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def require_column(table: pd.DataFrame, column: str, source: str, setting: str) -> None:
    """Refuse a table without a column, naming near ones.

    Raises:
        TableError: The column is not there.
    """
    names = [str(name) for name in table.columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise TableError(
            f"{source} has no column {column!r}; found: {shorten(names)}",
            f"{hint}add the column, or change {setting}",
        )


def normalize_id(cell: str) -> str:
    """Return a patient's id as text; a spreadsheet's 17.0 is 17.

    Example:
        >>> normalize_id(" 17.0 "), normalize_id("P-01")
        ('17', 'P-01')
    """
    return re.sub(r"^(\d+)\.0+$", r"\1", cell.strip())


def near_ids(ids: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return ids that differ from one of the others only in writing.

    Case, separators, a leading "sub-" and leading zeros are ignored.
    """
    by_core = {_core(other): other for other in others}
    return {i: by_core[_core(i)] for i in ids if _core(i) in by_core}


def is_missing(cell: str) -> bool:
    """Tell whether a cell says that nothing is known."""
    return cell.strip().lower() in _MISSING


def to_number(cell: str) -> float | None:
    """Return a cell's finite number, or None."""
    try:
        number = float(cell.strip())
    except ValueError:
        return None
    return number if number - number == 0.0 else None


def _core(patient: str) -> str:
    letters = re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", patient.lower().removeprefix("sub"))
    return re.sub(r"(?<!\d)0+(?=\d)", "", letters)


def shorten(names: Sequence[str], *, most: int = 12) -> str:
    """Return names as a list in words, not longer than `most`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} ... ({len(names)} in all)"
