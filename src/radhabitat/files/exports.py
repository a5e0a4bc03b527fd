"""Tables for other programs: CSV, Excel or Parquet, by the name of the file."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from radhabitat.clinical.tables import ClinicalTables
from radhabitat.errors import TableError
from radhabitat.files.store import write_bytes, write_json, write_text
from radhabitat.files.tables import is_missing

SUFFIXES = (".csv", ".xlsx", ".parquet")
_DAY = "2000-01-01T00:00:00Z"


def check_suffix(path: Path) -> None:
    """Refuse a name that says nothing about the format, or one that cannot be written.

    Raises:
        TableError: Another suffix than .csv, .xlsx and .parquet, or no pyarrow.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise TableError(
            f"{path.name} does not say how to write it",
            f"give a name that ends in {', '.join(SUFFIXES)}",
        )
    if path.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        raise TableError(
            "Parquet files need the library pyarrow, which is not installed",
            "pip install 'radhabitat[parquet]', or write .csv or .xlsx",
        )


def export_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, atomically; NaN becomes an empty cell.

    Raises:
        TableError: The suffix is unknown, or pyarrow is missing.
        StorageError: The disk is full, or the folder cannot be written.
    """
    check_suffix(path)
    if path.suffix.lower() == ".csv":
        write_text(path, table.to_csv(index=False, lineterminator="\n"))
    elif path.suffix.lower() == ".xlsx":
        write_bytes(path, _workbook({"Sheet1": table}))
    else:
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        write_bytes(path, buffer.getvalue())


def write_clinical_tables(folder: Path, tables: ClinicalTables, page: str) -> None:
    """Write Tables 1 to 3: tables.json, .html, .xlsx, and a CSV file of each.

    Args:
        folder: Of the results.
        tables: What they say.
        page: The text of the HTML file.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    sheets = tables.to_frames()
    for name, sheet in sheets.items():
        if name != "notes":
            export_table(folder / f"{name}.csv", sheet)
    write_bytes(folder / "tables.xlsx", _workbook(sheets))
    write_text(folder / "tables.html", page)
    write_json(folder / "tables.json", tables.to_json())


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text whose known cells are all numbers into numbers.

    A column with a cell like 007 is an identifier or a code and stays.
    """
    columns = {}
    for name, cells in table.items():
        texts = pd.Series([str(cell) for cell in cells], table.index, dtype=object)
        known = ~texts.map(is_missing).astype(bool)
        numbers = pd.to_numeric(texts.where(known), errors="coerce")
        coded = texts.str.fullmatch(r"[+-]?0\d.*").any()
        good = numbers.notna().equals(known) and bool(known.any()) and not coded
        columns[name] = numbers if good else cells
    return pd.DataFrame(columns, index=table.index)


def _workbook(sheets: Mapping[str, pd.DataFrame]) -> bytes:
    """Return an Excel workbook: the same sheets, the same bytes; text is no formula."""
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name, sheet in sheets.items():
            sheet.to_excel(writer, sheet_name=name, index=False)
            cells = writer.sheets[name]
            cells.freeze_panes = "A2"
            for cell in (cell for row in cells.iter_rows() for cell in row):
                if cell.data_type == "f":
                    cell.data_type = "s"
    made = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":  # holds the moment of writing
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", _DAY.encode(), data)
            entry = zipfile.ZipInfo(name)
            new.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return made.getvalue()
