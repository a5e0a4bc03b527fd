"""Clinical variables: cells as they were typed -> columns of numbers with a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radhabitat.clinical.columns import (
    Column,
    Floats,
    check_references,
    parse_references,
    read_column,
)
from radhabitat.errors import TableError

_Columns = list[tuple[str, str, Floats | None]]
"""Name, meaning, numbers; None if set aside."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Clinical variables as numbers.

    Attributes:
        table: float64, one row per patient, NaN where nothing is known.
        origin: Name of an encoded column -> the column it was made from.
        legend: (name, what it means) of every encoded column, and of every column
            that was set aside, with the reason.
    """

    table: pd.DataFrame
    origin: Mapping[str, str]
    legend: tuple[tuple[str, str], ...]


def encode(table: pd.DataFrame, references: Sequence[str] = ()) -> Encoded:
    """Turn clinical cells into columns of numbers.

    Numbers stay. Two levels become one column of 0 and 1, named `variable=level` by
    the level that is 1: yes, positive, male ... where there is one, else the second
    in alphabetical order. More levels become one such column for each level but the
    most frequent one, the reference. Capitals make no difference.

    Args:
        table: Raw text or numbers, one row per patient, the index.
        references: Reference levels other than these, like "Ascites=Yes"; a variable
            of numbers that has one is taken as categories.

    Raises:
        TableError: A column occurs twice, or a column of numbers holds cells that
            are neither numbers nor a mark for "nothing known", or a reference names
            a variable or level that is not there.
        SettingsError: A reference without =.

    Example:
        >>> cells = {"age": ["61", "", "48"], "ascites": ["no", "yes", "no"]}
        >>> encode(pd.DataFrame(cells, index=["1", "2", "3"])).table
            age  ascites=yes
        1  61.0          0.0
        2   NaN          1.0
        3  48.0          0.0
    """
    wanted = parse_references(references)
    check_references(wanted, table.columns)
    made: dict[str, Floats] = {}
    origin: dict[str, str] = {}
    legend: list[tuple[str, str]] = []
    for place, header in enumerate(table.columns):
        variable = str(header)
        cells = table.iloc[:, place]
        column = read_column(variable, cells, reference=wanted.get(variable))
        for name, meaning, values in _columns(column):
            legend.append((name, meaning))
            if values is None:
                continue
            if name in made:
                raise TableError(
                    f"The clinical table gives the column {name!r} twice",
                    "rename or remove one of the columns",
                )
            made[name] = values
            origin[name] = variable
    encoded = pd.DataFrame(made, index=table.index, dtype=np.float64)
    return Encoded(encoded, origin, tuple(legend))


def _columns(column: Column) -> _Columns:
    """Return one column of numbers, or of 0 and 1 for each level but the reference."""
    if column.unused:
        return [(column.name, f"not used: {column.unused}", None)]
    if not column.levels:
        coded = bool(np.isin(column.values[~np.isnan(column.values)], (0, 1)).all())
        meaning = "0 or 1, as given" if coded else "number, as given"
        return [(column.name, meaning, column.values)]
    known = ~np.isnan(column.values)
    other = column.levels[column.reference]
    return [
        (
            f"{column.name}={level}",
            f"1 = {level}; reference: {other}",
            np.where(known, column.values == place, np.nan),
        )
        for place, level in enumerate(column.levels)
        if place != column.reference
    ]
