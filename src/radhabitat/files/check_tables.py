"""Looking at the tables: ids, outcome, cells, and files used twice."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from radhabitat.errors import InputError, RadHabitatError
from radhabitat.files.clinical_table import ClinicalTable, read_clinical
from radhabitat.files.findings import Finding, from_error
from radhabitat.files.layout import check_labels
from radhabitat.files.store import sha256_of_file
from radhabitat.files.subjects import SubjectFiles
from radhabitat.files.tables import is_missing, near_ids, shorten
from radhabitat.settings import StudySettings

ENOUGH_EVENTS = 10
_MANY_MISSING = 0.2


def check_clinical(
    root: Path, settings: StudySettings, subjects: Sequence[SubjectFiles]
) -> list[Finding]:
    """Return what should be mended in the clinical table and the patients' ids."""
    findings: list[Finding] = []
    try:
        check_labels(files.patient for files in subjects)
    except InputError as error:
        findings.append(from_error(error, "cannot run"))
    if not subjects:
        fix = "write one row per patient"
        what = f"{settings.data.subjects} has no patient"
        findings.append(Finding("cannot run", None, what, fix))
    if not settings.data.clinical:
        what = "No clinical table: features are computed, models are not"
        findings.append(Finding("look", None, what, "set data.clinical in study.toml"))
        return findings
    try:
        table = read_clinical(root / settings.data.clinical, settings.data)
    except RadHabitatError as error:
        return [*findings, from_error(error, "cannot run")]
    patients = [files.patient for files in subjects]
    findings += _check_ids(patients, table, settings)
    findings += _check_cells(table.candidates)
    if table.outcome is not None:
        findings += _check_events(table.outcome, patients, table, settings)
    return findings


def check_shared_files(subjects: Sequence[SubjectFiles]) -> list[Finding]:
    """Return masks and images that two patients share, by name or by content."""
    findings = []
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    cells = [
        (files.patient, name, cell)
        for files in subjects
        for name, cell in (*files.images.items(), ("mask", files.mask))
        if cell
    ]
    sizes = Counter(_size(cell) for _, _, cell in cells)
    for patient, name, cell in cells:
        # only files of one size can be equal; the others need not be read
        same = sizes[_size(cell)] > 1 and _size(cell) >= 0
        users[sha256_of_file(Path(cell)) if same else cell].append((patient, name))
    for shared in users.values():
        whose = sorted({patient for patient, _ in shared})
        if len(whose) > 1:
            names = sorted({name for _, name in shared})
            findings.append(
                Finding(
                    "look",
                    whose[0],
                    f"The {' / '.join(names)} of patients {', '.join(whose)} is one "
                    "and the same file: it is the wrong patient's for all but one",
                    "correct the paths in the subjects table",
                )
            )
        findings += _shared_within(shared)
    return findings


def _size(cell: str) -> int:
    """Return the size of a readable file, else -1."""
    path = Path(cell)
    readable = path.is_file() and os.access(path, os.R_OK)
    return path.stat().st_size if readable else -1


def _shared_within(shared: Sequence[tuple[str, str]]) -> list[Finding]:
    names: dict[str, list[str]] = defaultdict(list)
    for patient, name in shared:
        names[patient].append(name)
    return [
        Finding(
            "look",
            patient,
            f"{' and '.join(twice)} are the same picture",
            "correct the paths in the subjects table",
        )
        for patient, twice in names.items()
        if len(twice) > 1
    ]


def _check_ids(
    patients: Sequence[str], table: ClinicalTable, settings: StudySettings
) -> list[Finding]:
    source, column = Path(settings.data.clinical or "").name, settings.data.id_column
    clinical = [*map(str, table.candidates.index), *table.unusable]
    only_images = [p for p in patients if p not in set(clinical)]
    only_table = [p for p in clinical if p not in set(patients)]
    near = near_ids(only_images, only_table)
    findings = [
        Finding(
            "loses a patient",
            patient,
            f"Patient {patient} is not in {source}"
            + (f"; it has {near[patient]!r}" if patient in near else ""),
            f"write {column} = {patient} there, or remove the patient",
        )
        for patient in only_images
    ]
    if patients and len(only_images) == len(patients):
        what = f"No patient of {settings.data.subjects} is in {source}"
        fix = f"check data.id_column (now {column!r}) in study.toml"
        findings.append(Finding("cannot run", None, what, fix))
    findings += [
        Finding("loses a patient", patient, *table.unusable[patient])
        for patient in patients
        if patient in table.unusable
    ]
    unlisted = [p for p in only_table if p not in set(near.values())]
    if unlisted:
        what = (
            f"{len(unlisted)} patients are in {source} and have no row in "
            f"{settings.data.subjects}: {shorten(unlisted)}"
        )
        fix = "add their images, or leave it"
        findings.append(Finding("look", None, what, fix))
    return findings


def _check_cells(candidates: pd.DataFrame) -> list[Finding]:
    problems: dict[str, list[str]] = defaultdict(list)
    for name in candidates.columns:
        cells = {str(p): str(c) for p, c in candidates[name].items()}
        known = {p: c for p, c in cells.items() if not is_missing(c)}
        if not known:
            problems["without any value"].append(str(name))
        elif len(set(known.values())) == 1:
            problems["the same for everybody"].append(str(name))
        elif len(known) < (1 - _MANY_MISSING) * len(cells):
            share = f"known for {len(known)} of {len(cells)} patients only"
            problems[share].append(str(name))
    fix = "correct the cells, or leave the columns out of data.variables"
    return [
        Finding("look", None, f"Clinical columns {problem}: {shorten(names)}", fix)
        for problem, names in problems.items()
    ]


def _check_events(
    outcome: pd.Series[int],
    patients: Sequence[str],
    table: ClinicalTable,
    settings: StudySettings,
) -> list[Finding]:
    """Count events of the patients with images against the candidates.

    Reference: Riley et al., BMJ 2020;368:m441, on why ten events per candidate
    parameter is a rule of thumb at best.
    """
    used = outcome[[p for p in outcome.index if p in set(patients)]]
    events = int(min(used.sum(), len(used) - used.sum()))
    if events == 0:
        what = (
            f"All {len(used)} patients with images have the same "
            f"{settings.data.outcome}: nothing can be learned"
        )
        fix = "add patients of the other class, or correct data.outcome"
        return [Finding("cannot run", None, what, fix)] if patients else []
    candidates = len(table.candidates.columns)
    per_candidate = events / max(candidates, 1)
    if per_candidate >= ENOUGH_EVENTS:
        return []
    what = (
        f"{events} patients in the smaller class ({table.event}) for {candidates} "
        f"clinical candidates: {per_candidate:.1f} events per candidate variable, "
        f"before any image feature; {ENOUGH_EVENTS} is the usual least"
    )
    fix = "name fewer data.variables in study.toml, or add patients"
    return [Finding("look", None, what, fix)]
