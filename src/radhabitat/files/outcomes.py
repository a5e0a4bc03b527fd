"""The outcome column: two values, one of which is the event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pandas as pd

from radhabitat.errors import SettingsError, TableError

# values that say by themselves which one is the event
_YES = frozenset({"1", "yes", "true", "是", "有"})
_NO = frozenset({"0", "no", "false", "否", "无"})


def read_outcome(
    cells: Mapping[str, str], column: str, positive: str | None
) -> tuple[pd.Series[int], str]:
    """Return 0 / 1 per patient and what 1 means, in words.

    Args:
        cells: Patient -> text of the outcome, known ones only.
        column: Name of the outcome's column.
        positive: The value that is the event; None: 1, yes or true.

    Raises:
        TableError: The outcome has other than two values.
        SettingsError: Which of the two is the event is not said, or it is none of
            them.
    """
    written: dict[str, str] = {}
    for cell in cells.values():
        written.setdefault(plain_value(cell), cell.strip())
    values = {patient: written[plain_value(cell)] for patient, cell in cells.items()}
    counts = Counter(values.values())
    if len(counts) != 2:
        raise TableError(
            f"The outcome {column!r} has {len(counts)} different values instead of "
            f"two: {_listed(counts)}",
            "give a column with two values"
            + (", e.g. join the responses to OR and nOR" if len(counts) > 2 else ""),
        )
    event = find_event(counts, column, positive)
    outcome = pd.Series(
        [int(value == event) for value in values.values()],
        index=pd.Index(list(values), name="patient", dtype=object),
        name=column,
        dtype="int8",
    )
    return outcome, f"{column} = {event}"


def find_event(counts: Counter[str], column: str, positive: str | None) -> str:
    """Return which of the two values, as written in the table, is the event.

    Raises:
        SettingsError: It is not said, or said to be another value.
    """
    by_plain = {plain_value(value): value for value in counts}
    if positive is not None:
        if plain_value(positive) in by_plain:
            return by_plain[plain_value(positive)]
        raise SettingsError(
            f"data.positive is {positive!r}, but the outcome {column!r} holds "
            f"{_listed(counts)}",
            "write one of these values",
        )
    events = [value for plain, value in by_plain.items() if plain in _YES]
    if len(events) == 1 and by_plain.keys() <= _YES | _NO:
        return events[0]
    raise SettingsError(
        f"Which value of the outcome {column!r} is the event is not said; found: "
        f"{_listed(counts)}",
        f'write positive = "{sorted(counts)[0]}" (or the other one) into [data] of '
        "study.toml",
    )


def plain_value(cell: str) -> str:
    """Return a value as it is compared: lower case, 1.0 as 1.

    Example:
        >>> plain_value(" OR "), plain_value("1.0")
        ('or', '1')
    """
    text = cell.strip().lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else text


def _listed(counts: Counter[str]) -> str:
    shown = [f"{value} ({n} patients)" for value, n in sorted(counts.items())[:10]]
    return ", ".join(shown) or "no value at all"
