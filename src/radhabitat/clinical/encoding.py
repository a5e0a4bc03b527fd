"""Clinical cells as they were typed -> columns of numbers, with a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import TableError

MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "nat", "<na>", "?", ".", "unknown", "missing"}
    | {"not available", "缺失", "不详", "未知"}
)
MISSING_AMONG_NUMBERS = MISSING | {"none", "-", "--"}
POSITIVE = frozenset(
    {"yes", "y", "positive", "pos", "present", "true", "male", "m", "+", "有", "是"}
    | {"阳性", "男"}
)
MOST_LEVELS = 12


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


@dataclass(frozen=True, eq=False)
class _Column:
    """One encoded column."""

    name: str
    values: NDArray[np.float64]
    meaning: str


def encode(table: pd.DataFrame, variables: Sequence[str] | None = None) -> Encoded:
    """Turn clinical cells into columns of numbers.

    Numbers stay. Two levels become one column of 0 and 1, named `variable=level` by
    the level that is 1 (yes, positive, male ... where there is one, else the rarer).
    More levels become one such column for each level but the most frequent one, the
    reference. Writing in capitals or not makes no difference.

    Args:
        table: Raw text or numbers, one row per patient, the index.
        variables: Columns to encode, in this order; None: all.

    Raises:
        TableError: There is no such column, or a column of numbers holds cells that
            are neither numbers nor a mark for "missing".
    """
    names = [str(c) for c in table.columns] if variables is None else list(variables)
    columns: list[_Column] = []
    origin: dict[str, str] = {}
    legend: list[tuple[str, str]] = []
    for name in names:
        if name not in table.columns:
            raise TableError(
                f"The clinical table has no column {name!r}",
                f"name one of: {', '.join(str(c) for c in table.columns)}",
            )
        made = _encode_column(name, table[name])
        if isinstance(made, str):
            legend.append((name, f"not used: {made}"))
            continue
        columns += made
        legend += [(column.name, column.meaning) for column in made]
        origin |= {column.name: name for column in made}
    encoded = pd.DataFrame({c.name: c.values for c in columns}, index=table.index)
    return Encoded(encoded.astype(np.float64), origin, tuple(legend))


def _encode_column(name: str, column: pd.Series) -> list[_Column] | str:
    """Return the columns of one variable, or why there are none."""
    if pd.api.types.is_numeric_dtype(column):
        return _numeric(name, column.to_numpy(dtype=np.float64, na_value=np.nan))
    cells = ["" if pd.isna(v) else str(v).strip() for v in column]
    known = [cell for cell in cells if cell.lower() not in MISSING_AMONG_NUMBERS]
    numbers = {cell: number for cell in set(known)
               if (number := _number(cell)) is not None}  # fmt: skip
    odd = [cell for cell in known if cell not in numbers]
    if not odd:
        values = np.array([numbers.get(cell, np.nan) for cell in cells])
        return _numeric(name, values)
    if 2 * len(odd) < len(known):
        raise _not_a_number(name, column, numbers)
    return _levels(name, cells)


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _numeric(name: str, values: NDArray[np.float64]) -> list[_Column] | str:
    different = np.unique(values[~np.isnan(values)])
    if len(different) < 2:
        return "the same for every patient" if len(different) else "empty"
    coded = set(different) == {0.0, 1.0}
    return [_Column(name, values, "0 or 1, as given" if coded else "number, as given")]


def _levels(name: str, cells: Sequence[str]) -> list[_Column] | str:
    folded = [_fold(cell, plus="+" in cells) for cell in cells]
    counts = Counter(cell for cell in folded if cell)
    spelled = {key: cell for key, cell in zip(folded[::-1], cells[::-1], strict=True)}
    levels = sorted(counts)
    if len(levels) < 2:
        return f"the same for every patient ({spelled[levels[0]]})"
    if len(levels) > MOST_LEVELS:
        return f"{len(levels)} different texts; group them into a few categories"
    reference = max(levels, key=lambda level: counts[level])
    if len(levels) == 2:
        positive = [level for level in levels if level in POSITIVE]
        if len(positive) == 1:
            reference = next(level for level in levels if level not in positive)
    known = np.array([bool(cell) for cell in folded])
    columns = []
    for level in levels:
        if level == reference:
            continue
        is_level = np.array([cell == level for cell in folded], dtype=np.float64)
        is_level[~known] = np.nan
        meaning = f"1 = {spelled[level]}; reference: {spelled[reference]}"
        columns.append(_Column(f"{name}={spelled[level]}", is_level, meaning))
    return columns


def _fold(cell: str, *, plus: bool) -> str:
    """Return a cell as a level without capitals; "" when it says nothing."""
    folded = cell.casefold()
    if folded in MISSING:
        return ""
    return folded if plus or folded.strip("-") else ""


def _not_a_number(
    name: str, column: pd.Series, numbers: Mapping[str, float]
) -> TableError:
    bad = [
        f"{patient}: {cell!r}"
        for patient, cell in ((p, str(v).strip()) for p, v in column.items())
        if cell not in numbers and cell.lower() not in MISSING_AMONG_NUMBERS
    ]
    shown = ", ".join(bad[:5]) + (" ..." if len(bad) > 5 else "")
    return TableError(
        f"The column {name!r} holds numbers, but not for {len(bad)} "
        f"patient{'s' if len(bad) > 1 else ''} ({shown})",
        "correct these cells, or leave them empty where the value is unknown",
    )
