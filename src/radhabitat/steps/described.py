"""Find one patient's habitats and describe them: once, and from other drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from radhabitat.features import extract, gray_levels, remarks
from radhabitat.files.layout import sidecar
from radhabitat.files.store import (
    Json,
    code_version,
    library_versions,
    remember,
    write_bytes,
    write_json,
)
from radhabitat.files.volumes import write_labels
from radhabitat.habitats import find_habitats
from radhabitat.preprocessing.perturb import move_contour
from radhabitat.report import habitat_picture
from radhabitat.steps.aligned import read_aligned
from radhabitat.steps.task import HabitatTask
from radhabitat.types import AlignedSubject, HabitatMap, Mask


@dataclass(frozen=True)
class Described:
    """One row of the feature table, and the habitats behind it.

    Attributes:
        patient: Identifier.
        key: Hash of all that the row depends on.
        row: Column -> value; NaN where not computable.
        volumes_mm3: Volumes of habitats 1..k.
        picture: PNG of the sequences with the habitats.
        notes: What is missing from the row and why, and unusual gray levels.
    """

    patient: str
    key: str
    row: Mapping[str, float]
    volumes_mm3: tuple[float, ...]
    picture: bytes
    notes: tuple[str, ...]


def describe_patient(task: HabitatTask) -> Described:
    """Find one patient's habitats, picture them, and compute the feature row.

    Raises:
        RadHabitatError: The tumor is too small, or a stage failed.
    """
    paths = task.patient.layout
    provenance = _provenance(task, "features")
    record = remember(
        paths.record("features"), provenance, lambda: _describe(task, provenance)
    )
    return Described(
        patient=task.patient.files.patient,
        key=record.key,
        row=_numbers(record.result["row"]),
        volumes_mm3=tuple(cast("list[float]", record.result["volumes_mm3"])),
        picture=paths.picture().read_bytes(),
        notes=tuple(cast("list[str]", record.result["notes"])),
    )


def repeat_patient(task: HabitatTask) -> dict[str, dict[str, float]]:
    """Extract one patient's features again, from other drawings of the tumor.

    Returns:
        "repeat1".. (the contour moved at random, K-means started anew) and, where a
        second reader drew the tumor, "reader2"; each a feature row.

    Raises:
        RadHabitatError: A stage failed on one of the drawings.
    """
    settings = task.patient.settings.reliability
    provenance = {
        **_provenance(task, "repeats"),
        "repeats": settings.repeats,
        "shift_mm": settings.shift_mm,
    }
    record = remember(
        task.patient.layout.record("repeats"), provenance, lambda: _repeat(task)
    )
    rows = cast("dict[str, object]", record.result["rows"])
    return {name: _numbers(row) for name, row in rows.items()}


def _describe(task: HabitatTask, provenance: Json) -> tuple[list[Path], Json]:
    patient, paths = task.patient, task.patient.layout
    subject = read_aligned(patient)
    habitats = _divide(subject, task, seed=patient.seed("habitats"))
    one_mm3 = habitats.grid.voxel_volume_mm3
    volumes = [habitats.voxels(h) * one_mm3 for h in range(1, task.count + 1)]
    write_labels(paths.habitats(), habitats.array, habitats.grid)
    about = sidecar(paths.habitats())
    write_json(
        about,
        {
            **provenance,
            "sequences": habitats.sequences,
            "centers": habitats.centers.tolist(),
            "volumes_mm3": volumes,
        },
    )
    write_bytes(paths.picture(), habitat_picture(subject, habitats))
    settings = patient.settings.features
    row = extract(subject, habitats, settings)
    levels = gray_levels(subject, habitats, settings)
    files = [paths.habitats(), about, paths.picture()]
    return files, {
        "row": row,
        "volumes_mm3": volumes,
        "gray_levels": levels,
        "notes": remarks(row, levels),
    }


def _repeat(task: HabitatTask) -> tuple[list[Path], Json]:
    patient = task.patient
    settings = patient.settings.reliability
    subject = read_aligned(patient)
    drawings: dict[str, Mask] = {}
    for repeat in range(1, settings.repeats + 1):
        name = f"repeat{repeat}"
        drawings[name] = move_contour(
            subject.tumor, largest_mm=settings.shift_mm, seed=patient.seed(name)
        )
    if subject.second_reader is not None:
        drawings["reader2"] = subject.second_reader
    rows = {}
    for name, mask in drawings.items():
        drawn = replace(subject, tumor=mask, second_reader=None)
        habitats = _divide(drawn, task, seed=patient.seed(name))
        rows[name] = extract(drawn, habitats, patient.settings.features)
    return [], {"rows": rows}


def _divide(subject: AlignedSubject, task: HabitatTask, *, seed: int) -> HabitatMap:
    settings = task.patient.settings.habitats
    return find_habitats(subject, settings, count=task.count, seed=seed)


def _provenance(task: HabitatTask, step: str) -> dict[str, object]:
    settings = task.patient.settings
    return {
        "step": step,
        "aligned": task.aligned_key,
        "habitats": settings.habitats.model_dump(mode="json"),
        "features": settings.features.model_dump(mode="json"),
        "k": task.count,
        "seed": settings.seed,
        "code": code_version("habitats", "features", "report"),
        "versions": library_versions(),
    }


def _numbers(row: object) -> dict[str, float]:
    stored = cast("dict[str, float | None]", row)
    return {n: float("nan") if v is None else v for n, v in stored.items()}
