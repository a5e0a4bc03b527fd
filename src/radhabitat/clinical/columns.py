"""One clinical column as it was typed -> numbers, or categories with a reference."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import SettingsError, TableError

Floats = NDArray[np.float64]

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
MOST_CODES = 3
"""So many different whole numbers are codes of categories where `coded` is asked."""


class Column(NamedTuple):
    """A clinical variable.

    Attributes:
        name: As in the table.
        values: The number, or the place of the level, of each patient; NaN: unknown.
        levels: Categories in alphabetical (numbers: rising) order; none: numbers.
        reference: Place of the level that the others are compared with.
        unused: Why it says nothing; empty when it does.
    """

    name: str
    values: Floats
    levels: tuple[str, ...] = ()
    reference: int = 0
    unused: str = ""


def read_column(
    name: str, cells: pd.Series, *, reference: str | None = None, coded: bool = False
) -> Column:
    """Read a column; capitals make no difference.

    Args:
        name: Of the variable.
        cells: Raw text or numbers.
        reference: A level; it makes categories of numbers, too. Without one it is
            the level that does not say yes, positive, male ..., else the first of
            two, and of more levels the most frequent one.
        coded: Take up to three different whole numbers (grades, stages, 0 and 1) as
            categories.

    Raises:
        TableError: Numbers with words among them, or the reference is no level.
    """
    numbers = np.array(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)
    numbers[np.isinf(numbers)] = np.nan
    unread = np.isnan(numbers)
    known = numbers[~unread]
    objects = cells.astype(object)
    texts = objects.where(objects.notna(), "").astype(str).str.strip()
    odd = texts[unread & ~texts.str.lower().isin(MISSING).to_numpy()]
    if not len(odd) and reference is None and not (coded and _are_codes(known)):
        return Column(name, numbers, unused=_constant(known))
    if reference is None and 0 < len(odd) < len(known):
        raise not_a_number(name, odd)
    written = list(texts)
    if not len(odd):
        written = ["" if np.isnan(x) else f"{x:.15g}" for x in numbers]
    folded = [text.casefold() for text in written]
    levels = _levels_of(written, words=bool(len(odd)))
    if not len(odd):
        levels = dict(sorted(levels.items(), key=lambda level: float(level[0])))
    if not levels:
        return Column(name, numbers, unused="no value is known")
    place = {level: float(n) for n, level in enumerate(levels)}
    values = np.array([place.get(text, np.nan) for text in folded])
    counts = Counter(folded)
    return Column(
        name,
        values,
        tuple(levels.values()),
        _reference(name, levels, counts, reference),
        _unusable(list(levels.values())),
    )


def parse_references(texts: Sequence[str]) -> dict[str, str]:
    """Return variable -> level from texts like "Ascites=Yes", split at the first =.

    Raises:
        SettingsError: A text without =, or a variable twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, sign, level = (part.strip() for part in text.partition("="))
        if not (name and sign and level):
            raise SettingsError(
                f"The reference level {text!r} does not name a variable and a level",
                'write it like "Ascites=Yes"',
            )
        if name in found:
            raise SettingsError(
                f"The reference level of {name!r} is given twice: {found[name]!r} and "
                f"{level!r}",
                "keep one of them",
            )
        found[name] = level
    return found


def check_references(references: Mapping[str, str], names: Iterable[object]) -> None:
    """Refuse a reference level of a variable that is not there.

    Raises:
        TableError: With the names that are there, and the nearest.
    """
    there = [str(name) for name in names]
    for name, level in references.items():
        if name not in there:
            raise TableError(
                f"The reference level '{name}={level}' names no clinical variable; "
                f"found: {listed(there)}",
                near(name, there) + "correct the name, or leave it out",
            )


def near(word: str, words: Sequence[str]) -> str:
    """Return "did you mean ...? " with the nearest of some words, or nothing."""
    by_folded = {w.casefold(): w for w in words}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f"did you mean {by_folded[near[0]]!r}? " if near else ""


def listed(names: Sequence[str]) -> str:
    """Return the first twelve names in words."""
    more = f" ... ({len(names)} in all)" if len(names) > MOST_LEVELS else ""
    return ", ".join(names[:MOST_LEVELS]) + more


def _are_codes(known: Floats) -> bool:
    whole = bool((known == np.round(known)).all())
    return whole and 0 < len(np.unique(known)) <= MOST_CODES


def _constant(known: Floats) -> str:
    if not len(known):
        return "no value is known"
    if known.min() == known.max():
        return f"the same for every patient ({known[0]:g})"
    return ""


def _unusable(levels: Sequence[str]) -> str:
    if len(levels) == 1:
        return f"the same for every patient ({levels[0]})"
    if len(levels) > MOST_LEVELS:
        return f"{len(levels)} different texts; group them into a few categories"
    return ""


def _levels_of(texts: Iterable[str], *, words: bool) -> dict[str, str]:
    """Return the categories in alphabetical order: small letters -> as most write."""
    written: dict[str, Counter[str]] = {}
    for text in texts:
        written.setdefault(text.casefold(), Counter())[text] += 1
    unknown = UNKNOWN if words else MISSING
    return {
        folded: min(ways, key=lambda text: (-ways[text], text))
        for folded, ways in sorted(written.items())
        if folded not in unknown and ("+" in written or folded.strip("-"))
    }


def _reference(
    name: str, levels: Mapping[str, str], counts: Counter[str], wanted: str | None
) -> int:
    """Return the place of the reference level."""
    folded = list(levels)
    if wanted is None:
        if len(folded) != 2:
            return max(range(len(folded)), key=lambda n: counts[folded[n]])
        return int([level in POSITIVE for level in folded] == [True, False])
    plain = {_plain(level): n for n, level in enumerate(folded)}
    if _plain(wanted) not in plain:
        found = listed([f"{levels[x]} ({counts[x]} patients)" for x in folded])
        raise TableError(
            f"The variable {name!r} has no level {wanted!r}; found: {found}",
            near(wanted, list(levels.values())) + "name one of these as reference",
        )
    return plain[_plain(wanted)]


def _plain(level: str) -> str:
    """Return a level as it is compared: 1.0 is 1."""
    try:
        return f"{float(level):.15g}"
    except ValueError:
        return level.strip().casefold()


def not_a_number(variable: str, odd: pd.Series) -> TableError:
    """Return the error about cells that are no numbers; `odd` by patient."""
    bad = [f"{patient}: {cell!r}" for patient, cell in odd.items()]
    shown = ", ".join(bad[:5]) + (" ..." if len(bad) > 5 else "")
    kinds = odd.nunique()
    return TableError(
        f"The column {variable!r} holds numbers, but not for {len(bad)} "
        f"patient{'s' if len(bad) > 1 else ''}, {kinds} different "
        f"cell{'s' if kinds > 1 else ''} ({shown})",
        "correct these cells, or leave them empty where the value is unknown",
    )
