"""Clinical cells as they were typed -> columns of numbers, with a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.clinical.levels import Level, levels_of
from radhabitat.errors import TableError

MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "nat", "<na>", "?", "unknown", "not available"}
    | {"none", "-", "--", ".", "缺失", "不详", "未知"}
)
"""What stands for "nothing known" among numbers, in small letters."""

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


def encode(table: pd.DataFrame) -> Encoded:
    """Turn clinical cells into columns of numbers.

    Numbers stay. Two levels become one column of 0 and 1, named `variable=level` by
    the level that is 1: yes, positive, male ... where there is one, else the second
    in alphabetical order. More levels become one such column for each level but the
    most frequent one, the reference. Capitals make no difference.

    Args:
        table: Raw text or numbers, one row per patient, the index.

    Raises:
        TableError: A column occurs twice, or a column of numbers holds cells that
            are neither numbers nor a mark for "nothing known".

    Example:
        >>> cells = {"age": ["61", "", "48"], "ascites": ["no", "yes", "no"]}
        >>> encode(pd.DataFrame(cells, index=["1", "2", "3"])).table
            age  ascites=yes
        1  61.0          0.0
        2   NaN          1.0
        3  48.0          0.0
    """
    made: dict[str, NDArray[np.float64]] = {}
    origin: dict[str, str] = {}
    legend: list[tuple[str, str]] = []
    for place, column in enumerate(table.columns):
        variable = str(column)
        for name, meaning, values in _encode_column(variable, table.iloc[:, place]):
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


def _encode_column(
    variable: str, column: pd.Series
) -> list[tuple[str, str, NDArray[np.float64] | None]]:
    """Return (name, meaning, numbers or None if set aside) of what is made of it."""
    values = np.array(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    values[np.isinf(values)] = np.nan
    unread = np.flatnonzero(np.isnan(values))
    cells = _texts(column.iloc[unread])
    known = cells[~cells.str.lower().isin(MISSING)]
    if not len(known):
        return [(variable, *_numeric(values))]
    if 2 * len(known) < np.count_nonzero(~np.isnan(values)) + len(known):
        raise _not_a_number(variable, known)
    texts = _texts(column).tolist()
    levels = levels_of(texts)
    if len(levels) > MOST_LEVELS:
        words = f"{len(levels)} different texts; group them into a few categories"
        return [(variable, f"not used: {words}", None)]
    if len(levels) == 1:
        words = f"the same for every patient ({levels[0].spelling})"
        return [(variable, f"not used: {words}", None)]
    if not levels:
        return [(variable, "not used: no value is known", None)]
    return _dummies(variable, texts, levels)


def _texts(column: pd.Series) -> pd.Series:
    """Return the cells without spaces around them; "" where there is none."""
    cells = column.astype(object)
    return cells.where(cells.notna(), "").astype(str).str.strip()


def _numeric(values: NDArray[np.float64]) -> tuple[str, NDArray[np.float64] | None]:
    """Return what a column of numbers means, and its numbers if it says anything."""
    known = values[~np.isnan(values)]
    if not len(known):
        return "not used: no value is known", None
    if known.min() == known.max():
        return f"not used: the same for every patient ({known[0]:g})", None
    coded = bool(np.isin(known, (0.0, 1.0)).all())
    return "0 or 1, as given" if coded else "number, as given", values


def _dummies(
    variable: str, texts: list[str], levels: list[Level]
) -> list[tuple[str, str, NDArray[np.float64] | None]]:
    """Return one column of 0 and 1 for each level but the reference."""
    reference = max(levels, key=lambda level: level.count)
    if len(levels) == 2:
        positive = [level for level in levels if level.positive]
        one = positive[0] if len(positive) == 1 else levels[1]
        reference = levels[0] if one is levels[1] else levels[1]
    where = {text: k for k, level in enumerate(levels) for text in level.texts}
    codes = np.array([where.get(text, -1) for text in texts])
    columns: list[tuple[str, str, NDArray[np.float64] | None]] = []
    for k, level in enumerate(levels):
        if level is not reference:
            values = np.where(codes < 0, np.nan, (codes == k).astype(np.float64))
            meaning = f"1 = {level.spelling}; reference: {reference.spelling}"
            columns.append((f"{variable}={level.spelling}", meaning, values))
    return columns


def _not_a_number(variable: str, odd: pd.Series) -> TableError:
    bad = [f"{patient}: {cell!r}" for patient, cell in odd.items()]
    shown = ", ".join(bad[:5]) + (" ..." if len(bad) > 5 else "")
    kinds = len(Counter(odd))
    return TableError(
        f"The column {variable!r} holds numbers, but not for {len(bad)} "
        f"patient{'s' if len(bad) > 1 else ''}, {kinds} different "
        f"cell{'s' if kinds > 1 else ''} ({shown})",
        "correct these cells, or leave them empty where the value is unknown",
    )
