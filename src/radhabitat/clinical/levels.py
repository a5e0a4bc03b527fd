"""The categories that a column of text holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Level:
    """One category of a column.

    Attributes:
        spelling: How it is written most often.
        texts: All the ways it is written.
        count: Number of patients.
        positive: Whether it says that something is there.
    """

    spelling: str
    texts: frozenset[str]
    count: int
    positive: bool


def levels_of(texts: Sequence[str]) -> list[Level]:
    """Return the categories of a column in alphabetical order.

    Args:
        texts: One cell per patient, without spaces around it.

    Example:
        >>> [(level.spelling, level.count) for level in levels_of(["No", "yes", "no"])]
        [('No', 2), ('yes', 1)]
    """
    written: dict[str, Counter[str]] = {}
    for text, count in Counter(texts).items():
        written.setdefault(text.casefold(), Counter())[text] = count
    has_plus = "+" in written
    return [
        Level(
            spelling=min(spellings, key=lambda text: (-spellings[text], text)),
            texts=frozenset(spellings),
            count=spellings.total(),
            positive=folded in POSITIVE,
        )
        for folded, spellings in sorted(written.items())
        if folded not in UNKNOWN and (has_plus or folded.strip("-"))
    ]
