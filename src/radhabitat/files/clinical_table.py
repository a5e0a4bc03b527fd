"""The clinical table: candidates, outcomes, and whom it cannot be used for."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from radhabitat.errors import SettingsError, TableError
from radhabitat.files.tables import (
    is_missing,
    read_patients,
    require_column,
    shorten,
    to_number,
)
from radhabitat.settings import DataSettings

_MOSTLY = 0.5
# values that say by themselves which one is the event
_YES = frozenset({"1", "yes", "true", "是", "有"})
_NO = frozenset({"0", "no", "false", "否", "无"})
_RESPONSES = frozenset({"cr", "pr", "sd", "pd"})
_RESPONDED = frozenset({"cr", "pr"})


@dataclass(frozen=True, eq=False)
class ClinicalTable:
    """The clinical candidates and outcomes of the patients.

    Attributes:
        candidates: Raw text, one row per patient (the index), one column per
            candidate, in the table's order; an empty cell is "".
        outcome: 1 = the event, 0 = not; only patients whose outcome is known; None
            when the study has no outcome.
        event: What 1 means, in words ("response = OR").
        survival: Columns time and event (NaN where unknown), or None.
        sites: Hospital or scanner of each patient; None when the study names none.
        unusable: Patient -> (problem, fix): several rows, no outcome, or a word where
            the column holds numbers. They are not in `candidates` and `outcome`.
    """

    candidates: pd.DataFrame
    outcome: pd.Series[int] | None
    event: str
    survival: pd.DataFrame | None = None
    sites: pd.Series[str] | None = None
    unusable: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_clinical(path: Path, settings: DataSettings) -> ClinicalTable:
    """Return the clinical table that the settings describe.

    Raises:
        TableError: A column is missing, or the outcome has other than two values.
        SettingsError: Which value of the outcome is the event is not said.
    """
    table, repeated = read_patients(path, settings.id_column)
    return read_clinical_frame(table, settings, path.name, repeated=repeated)


def read_clinical_frame(
    table: pd.DataFrame,
    settings: DataSettings,
    source: str,
    *,
    repeated: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> ClinicalTable:
    """Return the clinical table that the settings describe.

    Args:
        table: Text cells, one row per patient, the index.
        settings: Names of the columns.
        source: Name of the table, for messages.
        repeated: Patient -> (problem, fix), for those left out of the table.

    Raises:
        TableError: A column is missing, or the outcome has other than two values.
        SettingsError: Which value of the outcome is the event is not said.
    """
    survival = _survival(table, settings, source)
    sites = _sites(table, settings, source)
    special = {settings.outcome, settings.survival_time, settings.survival_event}
    special |= {settings.site}
    names = settings.variables
    if names is None:
        names = tuple(str(name) for name in table.columns if name not in special)
    for name in names:
        require_column(table, name, source, "data.variables in study.toml")
    candidates = table[list(names)]
    categories = {text.partition("=")[0].strip() for text in settings.reference_levels}
    numbers = candidates.drop(columns=list(categories), errors="ignore")
    unusable = {**repeated, **_words_among_numbers(numbers, source)}
    outcome, event = None, ""
    if settings.outcome:
        require_column(table, settings.outcome, source, "data.outcome in study.toml")
        cells = {str(p): str(v) for p, v in table[settings.outcome].items()}
        known = {p: v for p, v in cells.items() if not is_missing(v)}
        outcome, event = _read_outcome(known, settings.outcome, settings.positive)
        for patient in (p for p in cells if p not in known):
            problem = f"Patient {patient} has no {settings.outcome} in {source}"
            fix = "write the outcome there, or remove the patient"
            unusable[patient] = (problem, fix)
        outcome = outcome[~outcome.index.isin(list(unusable))]
    usable = candidates[~candidates.index.isin(list(unusable))]
    return ClinicalTable(usable, outcome, event, survival, sites, unusable)


def plain_value(cell: str) -> str:
    """Return a value as it is compared: lower case, 1.0 as 1.

    Example:
        >>> plain_value(" OR "), plain_value("1.0")
        ('or', '1')
    """
    text = cell.strip().lower()
    number = to_number(text)
    return str(int(number)) if number is not None and number == int(number) else text


def _read_outcome(
    cells: Mapping[str, str], column: str, positive: str | None
) -> tuple[pd.Series[int], str]:
    """Return 0 / 1 per patient and what 1 means, from the known cells."""
    written: dict[str, str] = {}
    for cell in cells.values():
        written.setdefault(plain_value(cell), cell.strip())
    values = {patient: written[plain_value(cell)] for patient, cell in cells.items()}
    counts = Counter(values.values())
    events = _find_events(counts, column, positive)
    if not 0 < len(events) < len(counts):
        raise TableError(
            f"The outcome {column!r} has {len(counts)} different values instead of "
            f"two: {_listed(counts)}",
            "give a column with two values"
            + (
                ', or say which of them are the event: positive = "CR, PR"'
                if len(counts) > 2
                else ""
            ),
        )
    outcome = pd.Series(
        [int(value in events) for value in values.values()],
        index=pd.Index(list(values), name="patient", dtype=object),
        name=column,
        dtype="int8",
    )
    return outcome, f"{column} = {' or '.join(sorted(events))}"


def _find_events(
    counts: Counter[str], column: str, positive: str | None
) -> frozenset[str]:
    """Return which values, as written in the table, are the event.

    Responses by RECIST need no word: complete and partial ones are the event. Nothing
    where more than two values leave it open.
    """
    by_plain = {plain_value(value): value for value in counts}
    if positive is not None:
        whole = plain_value(positive)
        parts = [whole] if whole in by_plain else _parts(positive)
        if set(parts) <= by_plain.keys():
            return frozenset(by_plain[part] for part in parts)
        raise SettingsError(
            f"data.positive is {positive!r}, but the outcome {column!r} holds "
            f"{_listed(counts)}",
            "write one of these values, or several with commas between them",
        )
    events = [value for plain, value in by_plain.items() if plain in _YES]
    if len(events) == 1 and by_plain.keys() <= _YES | _NO:
        return frozenset(events)
    if by_plain.keys() <= _RESPONSES and by_plain.keys() & _RESPONDED:
        return frozenset(by_plain[p] for p in by_plain if p in _RESPONDED)
    if len(counts) != 2:
        return frozenset()
    raise SettingsError(
        f"Which value of the outcome {column!r} is the event is not said; found: "
        f"{_listed(counts)}",
        f'write positive = "{sorted(counts)[0]}" (or the other one) into [data] of '
        "study.toml, or give --positive",
    )


def _parts(positive: str) -> list[str]:
    return [plain_value(part) for part in re.split("[,;+/]", positive) if part.strip()]


def _listed(counts: Counter[str]) -> str:
    shown = [f"{value} ({n} patients)" for value, n in sorted(counts.items())[:10]]
    return ", ".join(shown) or "no value at all"


def _words_among_numbers(
    candidates: pd.DataFrame, source: str
) -> dict[str, tuple[str, str]]:
    """Return the patients with a word in a column that mostly holds numbers."""
    odd: dict[str, list[str]] = defaultdict(list)
    for name in candidates.columns:
        cells = candidates[name]
        unread = cells[pd.to_numeric(cells, errors="coerce").isna()]
        words = {str(p): str(c) for p, c in unread.items() if not is_missing(str(c))}
        numbers = len(cells) - len(unread)
        if len(words) < _MOSTLY * (numbers + len(words)):
            for patient, word in words.items():
                odd[patient].append(f"{name} is {word!r}")
    return {
        patient: (
            f"Patient {patient}: {shorten(cells, most=5)} in {source}, where the "
            "other patients have numbers",
            "correct the cell, or leave it empty where the value is unknown",
        )
        for patient, cells in odd.items()
    }


def _sites(
    table: pd.DataFrame, settings: DataSettings, source: str
) -> pd.Series[str] | None:
    if not settings.site:
        return None
    require_column(table, settings.site, source, "data.site in study.toml")
    cells = table[settings.site].astype(str).str.strip()
    unknown = [str(p) for p, cell in cells.items() if is_missing(str(cell))]
    if unknown:
        raise TableError(
            f"{source}: {settings.site!r} is empty for {shorten(unknown)}",
            "write the site of each patient, or leave data.site empty",
        )
    return cells


def _survival(
    table: pd.DataFrame, settings: DataSettings, source: str
) -> pd.DataFrame | None:
    time, event = settings.survival_time, settings.survival_event
    if not time or not event:
        return None
    columns = {}
    for name, column in (("time", time), ("event", event)):
        require_column(table, column, source, f"data.survival_{name} in study.toml")
        columns[name] = [to_number(str(cell)) for cell in table[column]]
    frame = pd.DataFrame(columns, index=table.index, dtype="float64")
    bad = frame["time"].lt(0) | (frame["event"].notna() & ~frame["event"].isin([0, 1]))
    if bad.any():
        raise TableError(
            f"{source}: {time!r} must not be negative and {event!r} must be 0 or 1; "
            f"not so for {shorten([str(p) for p in frame.index[bad]])}",
            "correct these cells, or leave them empty",
        )
    return frame
