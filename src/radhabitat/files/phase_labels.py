"""phases.json: why each DICOM volume was taken for its phase, and who decided else."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, RootModel, ValidationError

from radhabitat.dicom.phases import PhaseLabel
from radhabitat.errors import InputError, StorageError
from radhabitat.files.check_tables import Finding
from radhabitat.files.store import read_json, write_json, write_text
from radhabitat.files.subjects import ID_COLUMN, SubjectFiles, absolute_cell
from radhabitat.files.tables import read_patients
from radhabitat.settings import DataSettings

FILE = "phases.json"


class _Choice(BaseModel):
    by: str
    when: str
    before: str
    now: str


class _Label(BaseModel):
    cell: str
    certainty: Literal["high", "check", "choose"]
    evidence: tuple[str, ...]
    choices: tuple[_Choice, ...] = ()


class _Labels(RootModel[dict[str, dict[str, _Label]]]):
    """Patient -> sequence -> label."""


def labels_json(
    found: Mapping[str, Mapping[str, tuple[str, PhaseLabel]]],
) -> dict[str, object]:
    """Return what `init` writes: patient -> phase -> cell, certainty and evidence."""
    labels = {
        patient: {
            phase: _Label(cell=cell, certainty=why.certainty, evidence=why.evidence)
            for phase, (cell, why) in phases.items()
        }
        for patient, phases in found.items()
    }
    return dict(_Labels(labels).model_dump(mode="json"))


def check_labels(
    root: Path, sequences: Sequence[str], subjects: Sequence[SubjectFiles]
) -> list[Finding]:
    """Return phases that are not certain and that nobody has decided on."""
    if not (root / FILE).exists():
        return []
    try:
        labels = _read(root)
    except StorageError as error:
        return [Finding("look", None, error.problem, error.fix)]
    findings = []
    for files in subjects:
        for sequence, label in labels.get(files.patient, {}).items():
            if sequence in sequences:
                cell = files.images.get(sequence, "")
                findings += _doubts(root, files.patient, sequence, (label, cell))
    return findings


def _doubts(
    root: Path, patient: str, sequence: str, found: tuple[_Label, str]
) -> list[Finding]:
    label, cell = found
    decided = label.choices[-1].now if label.choices else label.cell
    fix = f"radhabitat phase study.toml {patient} {sequence} CELL --by NAME"
    if absolute_cell(root, decided) != cell:
        what = f"{sequence} is another volume than the recorded {Path(decided).name}"
        return [Finding("look", patient, what, f"say who chose it: {fix}")]
    if label.choices or label.certainty == "high":
        return []
    why = "; ".join(label.evidence) or "nothing tells the phases apart"
    what = f"{sequence} is {Path(cell).name}, certainty {label.certainty}: {why}"
    return [Finding("look", patient, what, f"look at it; then {fix}")]


def choose_phase(
    root: Path, data: DataSettings, choice: tuple[str, str, str], *, by: str
) -> str:
    """Write a decision on a phase into the subjects table and phases.json.

    Args:
        root: Folder of study.toml.
        data: The section [data] of the study.
        choice: Patient, sequence, and the cell of the subjects table: a file, a
            DICOM folder, or "folder#n"; empty keeps and confirms the present one.
        by: Who decided.

    Returns:
        The cell.

    Raises:
        InputError: There is no such patient or sequence, or nobody decided.
    """
    patient, sequence, cell = choice
    source = root / data.subjects
    if source.suffix.lower() != ".csv":
        raise InputError(
            f"{source.name} is not a CSV table", "save it as CSV, and name it in [data]"
        )
    table, _ = read_patients(source, ID_COLUMN)
    if patient not in table.index or sequence not in table.columns or not by.strip():
        raise InputError(
            f"{source.name} has no patient {patient} with a column {sequence}, or "
            "nobody is named who decided",
            f"patients: {', '.join(map(str, table.index[:5]))} ...; columns: "
            f"{', '.join(table.columns)}; --by NAME",
        )
    before = str(table.loc[patient, sequence])
    now = cell or before
    when = datetime.now(UTC).isoformat(timespec="seconds")
    labels = _read(root) if (root / FILE).exists() else {}
    old = labels.setdefault(patient, {}).get(sequence)
    old = old or _Label(cell=before, certainty="choose", evidence=())
    done = _Choice(by=by.strip(), when=when, before=before, now=now)
    labels[patient][sequence] = old.model_copy(update={"choices": (*old.choices, done)})
    write_json(root / FILE, _Labels(labels).model_dump(mode="json"))
    _replace_cell(source, (patient, sequence), now)
    return now


def _replace_cell(source: Path, where: tuple[str, str], cell: str) -> None:
    rows = list(csv.reader(io.StringIO(source.read_text(encoding="utf-8-sig"))))
    column, name = rows[0].index(where[1]), rows[0].index(ID_COLUMN)
    for row in rows[1:]:
        if row and row[name].strip() == where[0]:
            row[column] = cell
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(source, text.getvalue())


def _read(root: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(_Labels.model_validate(read_json(root / FILE)).root)
    except ValidationError as error:
        raise StorageError(
            f"{FILE} is not as it was written: {error.error_count()} entries",
            "restore it, or remove it; then phases count as given",
        ) from error
