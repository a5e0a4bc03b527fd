"""Finding a study in a folder, and writing its study file."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

from radhabitat.errors import SettingsError
from radhabitat.files.clinical_guess import ClinicalGuess, guess_clinical
from radhabitat.files.detect import Discovery, Labels, discover
from radhabitat.files.phase_labels import FILE, labels_json
from radhabitat.files.store import write_json, write_text

__all__ = ["Discovery", "InitResult", "discover", "init_study"]

SUBJECTS = "subjects.csv"
STUDY = "study.toml"


@dataclass(frozen=True)
class InitResult:
    """The study file that `init_study` wrote, and its guesses in words."""

    file: Path
    guesses: tuple[str, ...]


def init_study(
    folder: Path, *, clinical: Path | None = None, out: Path | None = None
) -> InitResult:
    """Write a study file and a subjects table for a folder of patients.

    Args:
        folder: Holds the patients' images and masks.
        clinical: The clinical table; searched beside the patients when left out.
        out: Folder (or .toml file) to write; the patients' folder when left out.

    Raises:
        SettingsError: There is a study file already.
        InputError: The folder holds no image, or the table none of the patients.
        StorageError: The files cannot be written.
    """
    target = folder if out is None else out
    study = target if target.suffix == ".toml" else target / STUDY
    for path in (study, study.with_name(SUBJECTS), study.with_name(FILE)):
        if path.exists():
            raise SettingsError(
                f"{path.name} exists already in {path.parent.name or 'this folder'}",
                "rename or remove it, or write elsewhere with --out FOLDER",
            )
    found = discover(folder)
    patients = [p.patient for p in found.patients]
    about = guess_clinical(folder, patients, named=clinical)
    root = study.parent.resolve()
    write_text(study.with_name(SUBJECTS), _subjects_text(found, root))
    if found.labels:
        write_json(study.with_name(FILE), labels_json(_relative_labels(found, root)))
    write_text(study, _study_text(folder.resolve().name, found, about, root))
    return InitResult(study, (*found.guesses, *about.guesses))


def _subjects_text(found: Discovery, root: Path) -> str:
    """Return the table: sequences of the study, then others, then the masks."""
    columns = (*found.sequences, *found.others)
    masks = ["mask", "mask2"] if any(p.mask2 for p in found.patients) else ["mask"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient", *columns, *masks])
    for patient in found.patients:
        cells = [patient.images.get(column, "") for column in columns]
        cells += [patient.mask, patient.mask2][: len(masks)]
        writer.writerow([patient.patient, *(_relative(c, root) for c in cells)])
    return text.getvalue()


def _relative_labels(found: Discovery, root: Path) -> dict[str, Labels]:
    return {
        patient: {p: (_relative(cell, root), why) for p, (cell, why) in labels.items()}
        for patient, labels in found.labels.items()
    }


def _relative(cell: str, root: Path) -> str:
    """Return a path as seen from study.toml when it lies below, else absolute."""
    if not cell:
        return ""
    path = os.path.abspath(cell)  # noqa: PTH100 (keeps links)
    for candidate in (Path(path), Path(cell).resolve()):
        if candidate.is_relative_to(root):
            return candidate.relative_to(root).as_posix()
    return path


def _study_text(name: str, found: Discovery, about: ClinicalGuess, root: Path) -> str:
    lines = [
        "# A RadHabitat study. Settings that are not written here have their defaults.",
        "# Look at it, correct what was guessed wrongly, then: radhabitat check",
        f"name = {_toml(name)}",
        "",
        "[data]",
        f"subjects = {_toml(SUBJECTS)}  # one row per patient, one column per image",
        f"sequences = {_toml(list(found.sequences))}",
        f"reference = {_toml(found.reference)}  # the tumor was drawn on it",
        *_clinical_lines(about, root),
        "",
        "# What was guessed:",
        *(f"# - {_printable(guess)}" for guess in (*found.guesses, *about.guesses)),
    ]
    return "\n".join(lines) + "\n"


def _clinical_lines(about: ClinicalGuess, root: Path) -> list[str]:
    if about.path is None:
        return [
            "# no clinical table was found; features can be computed without one",
            'clinical = ""',
            'outcome = ""',
        ]
    hint = "" if about.outcome else "  # name the column with the outcome"
    lines = [
        f"clinical = {_toml(_relative(str(about.path), root))}",
        f"id_column = {_toml(about.id_column)}",
        f"outcome = {_toml(about.outcome)}{hint}",
    ]
    if about.positive:
        lines.append(f"positive = {_toml(about.positive)}  # the event")
    if about.variables is not None:
        lines.append(f"variables = {_toml(list(about.variables))}")
    if about.survival:
        lines.append(f"survival_time = {_toml(about.survival[0])}")
        lines.append(f"survival_event = {_toml(about.survival[1])}")
    return lines


def _toml(value: str | list[str]) -> str:
    """Return TOML; JSON's strings and their escapes are a subset of it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
