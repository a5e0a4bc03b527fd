"""The clinical table: candidates, outcomes, and whom it cannot be used for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from radhabitat.errors import TableError
from radhabitat.files.outcomes import read_outcome
from radhabitat.files.tables import (
    drop_repeated,
    index_by_patient,
    is_missing,
    read_table,
    require_column,
    shorten,
    to_number,
)
from radhabitat.settings import DataSettings

_MOSTLY = 0.5


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
        unusable: Patient -> (problem, fix): several rows, no outcome, or a word where
            the column holds numbers. They are not in `candidates` and `outcome`.
    """

    candidates: pd.DataFrame
    outcome: pd.Series[int] | None
    event: str
    survival: pd.DataFrame | None = None
    unusable: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_clinical(path: Path, settings: DataSettings) -> ClinicalTable:
    """Return the clinical table that the settings describe.

    Raises:
        TableError: A column is missing, or the outcome has other than two values.
        SettingsError: Which value of the outcome is the event is not said.
    """
    once, twice = drop_repeated(read_table(path), settings.id_column, path.name)
    table = index_by_patient(once, settings.id_column, path.name)
    return read_clinical_frame(table, settings, path.name, repeated=twice)


def read_clinical_frame(
    table: pd.DataFrame,
    settings: DataSettings,
    source: str,
    *,
    repeated: tuple[str, ...] = (),
) -> ClinicalTable:
    """Return the clinical table that the settings describe.

    Args:
        table: Text cells, one row per patient, the index.
        settings: Names of the columns.
        source: Name of the table, for messages.
        repeated: Patients that were left out because they have several rows.

    Raises:
        TableError: A column is missing, or the outcome has other than two values.
        SettingsError: Which value of the outcome is the event is not said.
    """
    survival = _survival(table, settings, source)
    special = {settings.outcome, settings.survival_time, settings.survival_event}
    names = settings.variables
    if names is None:
        names = tuple(str(name) for name in table.columns if name not in special)
    for name in names:
        require_column(table, name, source, "data.variables in study.toml")
    candidates = table[list(names)]
    unusable = {
        patient: (
            f"Patient {patient} has more than one row in {source}",
            "keep one row per patient",
        )
        for patient in repeated
    }
    unusable |= _words_among_numbers(candidates, source)
    outcome, event = None, ""
    if settings.outcome:
        require_column(table, settings.outcome, source, "data.outcome in study.toml")
        cells = {str(p): str(v) for p, v in table[settings.outcome].items()}
        known = {p: v for p, v in cells.items() if not is_missing(v)}
        outcome, event = read_outcome(known, settings.outcome, settings.positive)
        for patient in cells.keys() - known.keys():
            problem = f"Patient {patient} has no {settings.outcome} in {source}"
            fix = "write the outcome there, or remove the patient"
            unusable[patient] = (problem, fix)
        outcome = outcome[[p not in unusable for p in outcome.index]]
    usable = candidates[[p not in unusable for p in candidates.index]]
    return ClinicalTable(usable, outcome, event, survival, unusable)


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
