"""Tables with a row per patient."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from radhabitat.errors import TableError
from radhabitat.files.cells import read_table
from radhabitat.files.store import write_text

__all__ = [
    "drop_repeated",
    "index_by_patient",
    "is_missing",
    "near_ids",
    "normalize_id",
    "read_table",
    "require_column",
    "shorten",
    "to_number",
    "write_table",
]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?", "缺失", "不详"})


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
        index: Name of the first column, which holds the rows' names.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    if not isinstance(table, pd.DataFrame):
        table = pd.DataFrame([dict(row) for row in table.values()], index=list(table))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([index, *(str(column) for column in table.columns)])
    rows = table.to_numpy(dtype="float64").tolist()
    for name, row in zip(table.index, rows, strict=True):
        writer.writerow([str(name), *("" if v != v else repr(v) for v in row)])
    write_text(path, text.getvalue())


def index_by_patient(table: pd.DataFrame, column: str, source: str) -> pd.DataFrame:
    """Return the table with the patients' ids as index.

    Raises:
        TableError: There is no such column, an id is empty, or a patient occurs
            twice.
    """
    require_column(table, column, source, "data.id_column in study.toml")
    ids = [normalize_id(str(cell)) for cell in table[column]]
    if "" in ids:
        raise TableError(
            f"Row {ids.index('') + 2} of {source} has no patient in {column!r}",
            "write the patient's id there, or remove the row",
        )
    twice = [patient for patient, count in Counter(ids).items() if count > 1]
    if twice:
        raise TableError(
            f"{source} has more than one row for {shorten(twice)}",
            "keep one row per patient",
        )
    indexed = table.drop(columns=[column])
    indexed.index = pd.Index(ids, name="patient", dtype=object)
    return indexed


def drop_repeated(
    table: pd.DataFrame, column: str, source: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table without the patients that have several rows, and these.

    Which of the rows is right, nobody can tell; the others need not suffer for it.

    Raises:
        TableError: There is no such column.
    """
    require_column(table, column, source, "data.id_column in study.toml")
    ids = [normalize_id(str(cell)) for cell in table[column]]
    counts = Counter(i for i in ids if i)
    twice = tuple(patient for patient, count in counts.items() if count > 1)
    return table[[i not in twice for i in ids]], twice


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
