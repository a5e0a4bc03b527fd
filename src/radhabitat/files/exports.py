"""Tables for other programs: CSV, Excel or Parquet, by the name of the file."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from radhabitat.errors import TableError
from radhabitat.files.store import write_bytes

SUFFIXES = (".csv", ".xlsx", ".parquet")


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
    buffer = io.BytesIO()
    if path.suffix.lower() == ".csv":
        table.to_csv(buffer, index=False, lineterminator="\n")
    elif path.suffix.lower() == ".xlsx":
        table.to_excel(buffer, index=False)
    else:
        table.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())
