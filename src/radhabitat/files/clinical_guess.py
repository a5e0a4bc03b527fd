"""Guessing the clinical table: its file, and what its columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from radhabitat.errors import TableError
from radhabitat.files.cells import TABLE_SUFFIXES, read_table
from radhabitat.files.naming import words
from radhabitat.files.outcomes import plain_value
from radhabitat.files.tables import is_missing, normalize_id, to_number

_LARGEST_BYTES = 20_000_000
_FEWEST_MATCHES = 0.5
_MOST_CATEGORIES = 20
_OUTCOME = frozenset(
    {"response", "responder", "outcome", "label", "or", "orr", "target"}
    | {"recurrence", "event", "mvi", "y", "mrecist", "recist"}
)
_OUTCOME_PARTS = (
    "response",
    "outcome",
    "recist",
    "疗效",
    "有效",
    "缓解",
    "结局",
    "应答",
)
_EVENTS = ("or", "cr", "responder", "response", "r", "1", "yes", "有效", "positive")
_EVENTS_MORE = ("阳性", "应答", "缓解", "是", "true", "recurrence", "event")
_TIME = frozenset({"os", "survival", "pfs", "rfs", "dfs", "ttp", "followup"})
_TIME_CHINESE = ("生存", "随访")
_DEATH = frozenset({"death", "died", "dead", "deceased"})
_STATUS = frozenset({"status", "event", "censored"})
_VITAL = frozenset({"os", "survival", "vital", "pfs", "rfs", "dfs", "ttp"})
_DEATH_CHINESE = ("死亡",)


@dataclass(frozen=True)
class ClinicalGuess:
    """What the clinical table seems to be.

    Attributes:
        path: The table; None when none was found.
        id_column: Column with the patients' ids.
        outcome: Column with the outcome; empty when none was found.
        positive: The outcome's value that is the event; empty when it is 1, or not
            known.
        variables: Candidates, when they are not all other columns.
        survival: Columns with follow-up time and death, or nothing.
        guesses: What was guessed, in words.
    """

    path: Path | None = None
    id_column: str = ""
    outcome: str = ""
    positive: str = ""
    variables: tuple[str, ...] | None = None
    survival: tuple[str, str] | None = None
    guesses: tuple[str, ...] = ()


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
    paths = [named] if named is not None else _tables(folder)
    best: tuple[tuple[bool, float], Path, str, pd.DataFrame] | None = None
    for path in paths:
        try:
            table = read_table(path)
        except TableError:
            if named is not None:
                raise
            continue
        share, column = _id_column(table, patients)
        rank = (any(_is_outcome(str(name)) for name in table.columns), share)
        # a table above the folder counts only when it has an outcome
        fits = share >= _FEWEST_MATCHES and (rank[0] or path.parent != folder.parent)
        if (fits or named is not None) and (best is None or rank > best[0]):
            best = (rank, path, column, table)
    if best is None or best[0][1] == 0:
        if named is not None:
            raise TableError(
                f"No column of {named.name} holds the patients' ids "
                f"(wanted e.g. {patients[0]})",
                "add a column with the ids that name the patients' folders",
            )
        return ClinicalGuess(guesses=("clinical table: none was found",))
    return _columns(best[1], best[2], best[3], share=best[0][1])


def _tables(folder: Path) -> list[Path]:
    paths = [
        path
        for place in (folder, folder.parent)
        for path in sorted(place.iterdir())
        if path.suffix.lower() in TABLE_SUFFIXES and path.name != "subjects.csv"
    ]
    return [p for p in paths if p.is_file() and p.stat().st_size < _LARGEST_BYTES]


def _id_column(table: pd.DataFrame, patients: Sequence[str]) -> tuple[float, str]:
    """Return the column that holds most of the patients, and their share."""
    known = set(patients)
    best = (0.0, "")
    for column in table.columns:
        ids = {normalize_id(str(cell)) for cell in table[column]}
        share = len(ids & known) / len(known)
        if share > best[0]:
            best = (share, str(column))
    return best


def _columns(
    path: Path, id_column: str, table: pd.DataFrame, *, share: float
) -> ClinicalGuess:
    guesses = [
        f"clinical table: {path.name}; its column {id_column!r} holds "
        f"{share:.0%} of the patients"
    ]
    rest = [str(c) for c in table.columns if c != id_column]
    outcomes = [c for c in rest if _is_outcome(c)]
    binary = [c for c in outcomes if len(_values(table, c)) == 2]
    binary.sort(key=lambda c: not any(p in c.lower() for p in _OUTCOME_PARTS))
    survival = _survival(rest)
    outcome = next((c for c in binary if not survival or c not in survival), "")
    positive = _positive(_values(table, outcome)) if outcome else ""
    guesses.append(_about_outcome(outcome, positive, table))
    if survival:
        guesses.append(f"survival: time {survival[0]!r}, death {survival[1]!r}")
    special = {outcome, *(survival or ())}
    # what is known only afterwards would give the outcome away
    later = {c for c in rest if c in outcomes or _is_time(c) or _is_death(c)}
    left_out = [
        c for c in rest if c not in special and (c in later or _is_text(table, c))
    ]
    variables = None
    if left_out:
        guesses.append(f"columns left out as candidates: {', '.join(left_out)}")
        variables = tuple(c for c in rest if c not in special and c not in left_out)
    return ClinicalGuess(
        path, id_column, outcome, positive, variables, survival, tuple(guesses)
    )


def _about_outcome(outcome: str, positive: str, table: pd.DataFrame) -> str:
    if not outcome:
        return "outcome: none was found (write data.outcome into study.toml)"
    values = " / ".join(sorted(_values(table, outcome)))
    if positive or {plain_value(v) for v in _values(table, outcome)} == {"0", "1"}:
        return f"outcome: {outcome!r} ({values}); the event is {positive or '1'}"
    return (
        f"outcome: {outcome!r} ({values}); write data.positive into study.toml to "
        "say which value is the event"
    )


def _is_outcome(column: str) -> bool:
    lower = column.lower()
    return bool(_OUTCOME & set(words(lower))) or any(p in lower for p in _OUTCOME_PARTS)


def _values(table: pd.DataFrame, column: str) -> set[str]:
    cells = [str(cell) for cell in table[column]]
    return {cell for cell in cells if not is_missing(cell)}


def _positive(values: set[str]) -> str:
    """Return the value that names a response; nothing for 0 / 1."""
    plain = {plain_value(value): value for value in values}
    if set(plain) == {"0", "1"}:
        return ""
    hits = [plain[event] for event in (*_EVENTS, *_EVENTS_MORE) if event in plain]
    return hits[0] if hits else ""


def _is_death(column: str) -> bool:
    found = set(words(column))
    status = bool(_STATUS & found) and bool(_VITAL & found)
    return status or bool(_DEATH & found) or any(p in column for p in _DEATH_CHINESE)


def _is_time(column: str) -> bool:
    telling = bool(_TIME & set(words(column))) or any(
        p in column for p in _TIME_CHINESE
    )
    return telling and not _is_death(column)


def _survival(columns: Sequence[str]) -> tuple[str, str] | None:
    time = next((column for column in columns if _is_time(column)), None)
    death = next((column for column in columns if _is_death(column)), None)
    return (time, death) if time and death else None


def _is_text(table: pd.DataFrame, column: str) -> bool:
    """Tell whether a column holds names, dates or remarks instead of categories."""
    values = _values(table, column)
    numbers = sum(1 for value in values if to_number(value) is not None)
    return len(values) > _MOST_CATEGORIES and 2 * numbers < len(values)
