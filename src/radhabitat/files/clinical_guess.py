"""Guessing the clinical table: its file, and what its columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from radhabitat.errors import TableError
from radhabitat.files.clinical_table import plain_value
from radhabitat.files.naming import words
from radhabitat.files.tables import (
    TABLE_SUFFIXES,
    is_missing,
    normalize_id,
    read_table,
    to_number,
)

_LARGEST_BYTES = 20_000_000
_FEWEST_MATCHES = 0.5
_MOST_CATEGORIES = 20
_OUTCOME = words(
    "response responder outcome label or orr target recurrence event mvi y mrecist "
    "recist"
)
_OUTCOME_PARTS = words("response outcome recist 疗效 有效 缓解 结局 应答")
_EVENTS = words(
    "or cr responder response r 1 yes 有效 positive 阳性 应答 缓解 是 true recurrence "
    "event"
)
_TIME = words("os survival pfs rfs dfs ttp followup")
_TIME_PARTS = words("生存 随访")
_DEATH = words("death died dead deceased")
_DEATH_PARTS = words("死亡")
_STATUS = words("status event censored")
_VITAL = words("os survival vital pfs rfs dfs ttp")


@dataclass(frozen=True)
class ClinicalGuess:
    """What the clinical table seems to be; empty is what was not found."""

    path: Path | None = None
    id_column: str = ""
    outcome: str = ""
    positive: str = ""  # the event; empty when it is 1, too
    variables: tuple[str, ...] | None = None  # when they are not all other columns
    survival: tuple[str, ...] = ()  # columns with follow-up time and death
    guesses: tuple[str, ...] = ()  # in words


def guess_clinical(
    folder: Path, patients: Sequence[str], *, named: Path | None = None
) -> ClinicalGuess:
    """Return what the clinical table seems to be.

    Args:
        folder: Searched with the folder above it, without sub-folders.
        patients: Identifiers of the patients.
        named: The table, when the user names it; then problems are raised.

    Raises:
        TableError: The named table cannot be read or holds none of the patients.
    """
    best: tuple[tuple[bool, float], Path, str, pd.DataFrame] | None = None
    for path in [named] if named else _tables(folder):
        try:
            table = read_table(path)
        except TableError:
            if named:
                raise
            continue
        share, column = _id_column(table, patients)
        rank = (any(_is_outcome(str(name)) for name in table.columns), share)
        # a table above the folder counts only when it has an outcome
        fits = share >= _FEWEST_MATCHES and (rank[0] or path.parent != folder.parent)
        if (fits or (named and share)) and (best is None or rank > best[0]):
            best = (rank, path, column, table)
    if best is not None:
        return _columns(best[1], best[2], best[3], share=best[0][1])
    if named:
        raise TableError(
            f"No column of {named.name} holds the patients' ids "
            f"(wanted e.g. {patients[0]})",
            "add a column with the ids that name the patients' folders",
        )
    return ClinicalGuess(guesses=("clinical table: none was found",))


def _tables(folder: Path) -> list[Path]:
    return [
        path
        for place in (folder, folder.parent)
        for path in sorted(place.iterdir())
        if path.suffix.lower() in TABLE_SUFFIXES
        and path.name != "subjects.csv"
        and path.is_file()
        and path.stat().st_size < _LARGEST_BYTES
    ]


def _id_column(table: pd.DataFrame, patients: Sequence[str]) -> tuple[float, str]:
    """Return the share of the patients in the column that holds most, and its name."""
    known = set(patients)
    held = {
        str(name): len(known & {normalize_id(str(cell)) for cell in table[name]})
        for name in table.columns
    }
    column = max(held, key=lambda name: held[name])
    return held[column] / len(known), column


def _columns(
    path: Path, id_column: str, table: pd.DataFrame, *, share: float
) -> ClinicalGuess:
    where = f"{path.name}; its column {id_column!r}"
    guesses = [f"clinical table: {where} holds {share:.0%} of the patients"]
    values = {
        str(name): {str(cell) for cell in table[name] if not is_missing(str(cell))}
        for name in table.columns
        if name != id_column
    }
    time = [c for c in values if _is_time(c)]
    death = [c for c in values if _is_death(c)]
    survival = (time[0], death[0]) if time and death else ()
    outcomes = [c for c in values if _is_outcome(c)]
    binary = [c for c in outcomes if len(values[c]) == 2 and c not in survival]
    binary.sort(key=lambda c: not any(p in c.lower() for p in _OUTCOME_PARTS))
    outcome = binary[0] if binary else ""
    positive = _positive(values[outcome]) if outcome else ""
    guesses.append(_about_outcome(outcome, positive, values.get(outcome, set())))
    if survival:
        guesses.append(f"survival: time {survival[0]!r}, death {survival[1]!r}")
    rest = [c for c in values if c != outcome and c not in survival]
    # what is known only afterwards would give the outcome away
    later = {*outcomes, *time, *death}
    left_out = [c for c in rest if c in later or _is_text(values[c])]
    variables = None
    if left_out:
        guesses.append(f"columns left out as candidates: {', '.join(left_out)}")
        variables = tuple(c for c in rest if c not in left_out)
    return ClinicalGuess(
        path, id_column, outcome, positive, variables, survival, tuple(guesses)
    )


def _about_outcome(outcome: str, positive: str, values: set[str]) -> str:
    if not outcome:
        return "outcome: none was found (write data.outcome into study.toml)"
    about = f"outcome: {outcome!r} ({' / '.join(sorted(values))});"
    if positive or {plain_value(v) for v in values} == {"0", "1"}:
        return f"{about} the event is {positive or '1'}"
    return (
        f"{about} write data.positive into study.toml to say which value is the event"
    )


def _positive(values: set[str]) -> str:
    """Return the value that names a response; nothing for 0 / 1."""
    plain = {plain_value(value): value for value in values}
    if set(plain) == {"0", "1"}:
        return ""
    return next((plain[event] for event in _EVENTS if event in plain), "")


def _is_outcome(column: str) -> bool:
    return _names(column.lower(), _OUTCOME, _OUTCOME_PARTS)


def _is_death(column: str) -> bool:
    status = _names(column, _STATUS) and _names(column, _VITAL)
    return status or _names(column, _DEATH, _DEATH_PARTS)


def _is_time(column: str) -> bool:
    return _names(column, _TIME, _TIME_PARTS) and not _is_death(column)


def _names(column: str, whole: Sequence[str], parts: Sequence[str] = ()) -> bool:
    """Tell whether a column's name holds one of the words, or of their parts."""
    found = words(column)
    return any(w in found for w in whole) or any(part in column for part in parts)


def _is_text(values: set[str]) -> bool:
    """Tell whether these are names, dates or remarks instead of categories."""
    numbers = sum(to_number(value) is not None for value in values)
    return len(values) > _MOST_CATEGORIES and 2 * numbers < len(values)
