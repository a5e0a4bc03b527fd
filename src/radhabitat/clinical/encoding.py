"""Clinical variables: cells as they were typed -> columns of numbers with a legend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import TableError

__all__ = ["Encoded", "encode"]

POSITIVE = frozenset(
    {"yes", "y", "positive", "pos", "present", "true", "male", "m", "+", "1"}
    | {"有", "是", "阳性", "男"}
)
"""Levels that become 1 where there are two."""

UNKNOWN = frozenset(
    {"", "na", "n/a", "nan", "null", "nat", "<na>", "?", "unknown", "not available"}
    | {".", "缺失", "不详", "未知"}
)
"""What stands for "nothing known" among texts; "none" is a level there (ascites)."""

MISSING = UNKNOWN | {"none", "-", "--"}
"""What stands for "nothing known" among numbers."""

MOST_LEVELS = 12

_Columns = list[tuple[str, str, NDArray[np.float64] | None]]
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


class _Level(NamedTuple):
    """One category of a column: in small letters, and as written most often."""

    folded: str
    spelling: str
    patients: int


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


def _encode_column(variable: str, column: pd.Series) -> _Columns:
    numbers = np.array(pd.to_numeric(column, errors="coerce"), dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    unread = np.isnan(numbers)
    cells = column.astype(object)
    texts = cells.where(cells.notna(), "").astype(str).str.strip()
    odd = texts[unread & ~texts.str.lower().isin(MISSING).to_numpy()]
    if not len(odd):
        return [(variable, *_numeric(numbers))]
    if len(odd) < np.count_nonzero(~unread):
        raise _not_a_number(variable, odd)
    levels = _levels_of(texts)
    if 2 <= len(levels) <= MOST_LEVELS:
        return _dummies(variable, texts.str.casefold(), levels)
    why = f"{len(levels)} different texts; group them into a few categories"
    if len(levels) == 1:
        why = f"the same for every patient ({levels[0].spelling})"
    elif not levels:
        why = "no value is known"
    return [(variable, f"not used: {why}", None)]


def _numeric(values: NDArray[np.float64]) -> tuple[str, NDArray[np.float64] | None]:
    """Return what a column of numbers means, and its numbers if it says anything."""
    known = values[~np.isnan(values)]
    if not len(known):
        return "not used: no value is known", None
    if known.min() == known.max():
        return f"not used: the same for every patient ({known[0]:g})", None
    coded = bool(np.isin(known, (0.0, 1.0)).all())
    return "0 or 1, as given" if coded else "number, as given", values


def _levels_of(texts: pd.Series) -> list[_Level]:
    """Return the categories of a column in alphabetical order."""
    written: dict[str, Counter[str]] = {}
    for text in texts:
        written.setdefault(text.casefold(), Counter())[text] += 1
    return [
        _Level(folded, min(ways, key=lambda text: (-ways[text], text)), ways.total())
        for folded, ways in sorted(written.items())
        if folded not in UNKNOWN and ("+" in written or folded.strip("-"))
    ]


def _dummies(variable: str, folded: pd.Series, levels: list[_Level]) -> _Columns:
    """Return one column of 0 and 1 for each level but the reference."""
    reference = max(levels, key=lambda level: level.patients)
    if len(levels) == 2:
        positive = [level.folded in POSITIVE for level in levels]
        reference = levels[1] if positive == [True, False] else levels[0]
    known = folded.isin([level.folded for level in levels])
    return [
        (
            f"{variable}={level.spelling}",
            f"1 = {level.spelling}; reference: {reference.spelling}",
            np.where(known, folded == level.folded, np.nan),
        )
        for level in levels
        if level is not reference
    ]


def _not_a_number(variable: str, odd: pd.Series) -> TableError:
    bad = [f"{patient}: {cell!r}" for patient, cell in odd.items()]
    shown = ", ".join(bad[:5]) + (" ..." if len(bad) > 5 else "")
    kinds = odd.nunique()
    return TableError(
        f"The column {variable!r} holds numbers, but not for {len(bad)} "
        f"patient{'s' if len(bad) > 1 else ''}, {kinds} different "
        f"cell{'s' if kinds > 1 else ''} ({shown})",
        "correct these cells, or leave them empty where the value is unknown",
    )
