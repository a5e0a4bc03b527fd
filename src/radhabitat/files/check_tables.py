"""Looking at the tables: ids, outcome, cells, and files used twice."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from radhabitat.errors import InputError, RadHabitatError
from radhabitat.files.clinical_table import ClinicalTable, read_clinical
from radhabitat.files.layout import check_labels
from radhabitat.files.store import sha256_of_file
from radhabitat.files.subjects import SubjectFiles
from radhabitat.files.tables import is_missing, near_ids, shorten
from radhabitat.settings import DataSettings, StudySettings

Level = Literal["cannot run", "loses a patient", "look"]
_ENOUGH_EVENTS = 10
_MANY_MISSING = 0.2


@dataclass(frozen=True)
class Finding:
    """One line of the check's table.

    Attributes:
        level: What happens if it stays.
        patient: Whom it is about; None for the whole study.
        what: The problem.
        fix: What to do about it.
    """

    level: Level
    patient: str | None
    what: str
    fix: str


def from_error(
    error: RadHabitatError, level: Level, patient: str | None = None
) -> Finding:
    """Return an error as a finding."""
    return Finding(level, patient, error.problem, error.fix)


def check_clinical(
    root: Path, settings: StudySettings, subjects: Sequence[SubjectFiles]
) -> list[Finding]:
    """Return what should be mended in the clinical table and the patients' ids."""
    data, findings = settings.data, []
    patients = [files.patient for files in subjects]
    try:
        check_labels(patients)
    except InputError as error:
        findings.append(from_error(error, "cannot run"))
    if not subjects:
        what = f"{data.subjects} has no patient"
        findings.append(Finding("cannot run", None, what, "write one row per patient"))
    if not data.clinical:
        what = "No clinical table: features are computed, models are not"
        findings.append(Finding("look", None, what, "set data.clinical in study.toml"))
        return findings
    try:
        table = read_clinical(root / data.clinical, data)
    except RadHabitatError as error:
        return [*findings, from_error(error, "cannot run")]
    findings += _check_ids(patients, table, data)
    findings += _check_cells(table.candidates)
    if table.outcome is not None and patients:
        used = table.outcome[table.outcome.index.isin(patients)]
        findings += _check_events(used, table, str(data.outcome))
    return findings


def check_shared_files(subjects: Sequence[SubjectFiles]) -> list[Finding]:
    """Return masks and images that two patients share, by name or by content."""
    cells = [
        (files.patient, name, cell)
        for files in subjects
        for name, cell in (*files.images.items(), ("mask", files.mask))
        if cell
    ]
    sizes = Counter(_size(cell) for _, _, cell in cells)
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for patient, name, cell in cells:
        # only files of one size can be equal; the others need not be read
        same = _size(cell) >= 0 and sizes[_size(cell)] > 1
        users[sha256_of_file(Path(cell)) if same else cell].append((patient, name))
    findings = []
    fix = "correct the paths in the subjects table"
    for shared in users.values():
        whose = sorted({patient for patient, _ in shared})
        if len(whose) > 1:
            what = (
                f"The {' / '.join(sorted({name for _, name in shared}))} of patients "
                f"{', '.join(whose)} is one and the same file: it is the wrong "
                "patient's for all but one"
            )
            findings.append(Finding("look", whose[0], what, fix))
        for patient in whose:
            twice = [name for user, name in shared if user == patient]
            if len(twice) > 1:
                what = f"{' and '.join(twice)} are the same picture"
                findings.append(Finding("look", patient, what, fix))
    return findings


def _size(cell: str) -> int:
    """Return the size of a readable file, else -1."""
    path = Path(cell)
    readable = path.is_file() and os.access(path, os.R_OK)
    return path.stat().st_size if readable else -1


def _check_ids(
    patients: Sequence[str], table: ClinicalTable, data: DataSettings
) -> list[Finding]:
    source = Path(data.clinical or "").name
    clinical = [*map(str, table.candidates.index), *table.unusable]
    only_images = [p for p in patients if p not in set(clinical)]
    only_table = [p for p in clinical if p not in set(patients)]
    near = near_ids(only_images, only_table)
    findings = []
    for patient in only_images:
        what = f"Patient {patient} is not in {source}"
        what += f"; it has {near[patient]!r}" if patient in near else ""
        fix = f"write {data.id_column} = {patient} there, or remove the patient"
        findings.append(Finding("loses a patient", patient, what, fix))
    if patients and len(only_images) == len(patients):
        what = f"No patient of {data.subjects} is in {source}"
        fix = f"check data.id_column (now {data.id_column!r}) in study.toml"
        findings.append(Finding("cannot run", None, what, fix))
    findings += [
        Finding("loses a patient", patient, *table.unusable[patient])
        for patient in patients
        if patient in table.unusable
    ]
    unlisted = [p for p in only_table if p not in near.values()]
    if unlisted:
        what = (
            f"{len(unlisted)} patients are in {source} and have no row in "
            f"{data.subjects}: {shorten(unlisted)}"
        )
        findings.append(Finding("look", None, what, "add their images, or leave it"))
    return findings


def _check_cells(candidates: pd.DataFrame) -> list[Finding]:
    problems: dict[str, list[str]] = defaultdict(list)
    total = len(candidates)
    for name in map(str, candidates.columns):
        known = [cell for cell in map(str, candidates[name]) if not is_missing(cell)]
        if not known:
            problems["without any value"].append(name)
        elif len(set(known)) == 1:
            problems["the same for everybody"].append(name)
        elif len(known) < (1 - _MANY_MISSING) * total:
            share = f"known for {len(known)} of {total} patients only"
            problems[share].append(name)
    fix = "correct the cells, or leave the columns out of data.variables"
    return [
        Finding("look", None, f"Clinical columns {problem}: {shorten(names)}", fix)
        for problem, names in problems.items()
    ]


def _check_events(
    outcome: pd.Series[int], table: ClinicalTable, column: str
) -> list[Finding]:
    """Count events of the patients with images against the candidates.

    Reference: Riley et al., BMJ 2020;368:m441, on why ten events per candidate
    parameter is a rule of thumb at best.
    """
    events = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    if events == 0:
        what = (
            f"All {len(outcome)} patients with images have the same {column}: nothing "
            "can be learned"
        )
        fix = "add patients of the other class, or correct data.outcome"
        return [Finding("cannot run", None, what, fix)]
    candidates = len(table.candidates.columns)
    per_candidate = events / max(candidates, 1)
    if per_candidate >= _ENOUGH_EVENTS:
        return []
    what = (
        f"{events} patients in the smaller class ({table.event}) for {candidates} "
        f"clinical candidates: {per_candidate:.1f} events per candidate variable, "
        f"before any image feature; {_ENOUGH_EVENTS} is the usual least"
    )
    fix = "name fewer data.variables in study.toml, or add patients"
    return [Finding("look", None, what, fix)]
