"""Find one patient's habitats and describe them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from radhabitat.features import gray_levels, remarks
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
from radhabitat.report import habitat_picture, habitat_surface
from radhabitat.steps.aligned import read_aligned
from radhabitat.steps.row import measure
from radhabitat.steps.task import HabitatTask


@dataclass(frozen=True)
class Described:
    """One row of the feature table, and the habitats behind it.

    Attributes:
        patient: Identifier.
        key: Hash of all that the row depends on.
        row: Column -> value; NaN where not computable.
        volumes_mm3: Volumes of habitats 1..k.
        picture: PNG of the sequences with the habitats.
        surface: PNG of the habitats in three dimensions.
        notes: What is missing from the row and why, and unusual gray levels.
    """

    patient: str
    key: str
    row: Mapping[str, float]
    volumes_mm3: tuple[float, ...]
    picture: bytes
    surface: bytes
    notes: tuple[str, ...]


def describe_patient(task: HabitatTask) -> Described:
    """Find one patient's habitats, picture them, and compute the feature row.

    Raises:
        RadHabitatError: The tumor is too small, or a stage failed.
    """
    paths = task.patient.layout
    provenance = provenance_of(task, "features")
    record = remember(
        paths.record("features"), provenance, lambda: _describe(task, provenance)
    )
    return Described(
        patient=task.patient.files.patient,
        key=record.key,
        row=numbers(record.result["row"]),
        volumes_mm3=tuple(cast("list[float]", record.result["volumes_mm3"])),
        picture=paths.picture().read_bytes(),
        surface=paths.surface().read_bytes(),
        notes=tuple(cast("list[str]", record.result["notes"])),
    )


def _describe(task: HabitatTask, provenance: Json) -> tuple[list[Path], Json]:
    patient, paths = task.patient, task.patient.layout
    subject = read_aligned(patient)
    habitats, row = measure(subject, task.partition, patient.settings)
    one_mm3 = habitats.grid.voxel_volume_mm3
    volumes = [habitats.voxels(h) * one_mm3 for h in range(1, habitats.count + 1)]
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
    write_bytes(paths.surface(), habitat_surface(habitats))
    levels = gray_levels(subject, habitats, patient.settings.features)
    files = [paths.habitats(), about, paths.picture(), paths.surface()]
    return files, {
        "row": row,
        "volumes_mm3": volumes,
        "gray_levels": levels,
        "notes": remarks(row, levels),
    }


def provenance_of(task: HabitatTask, step: str) -> dict[str, object]:
    """Return everything that a description depends on."""
    settings = task.patient.settings
    return {
        "step": step,
        "aligned": task.aligned_key,
        "habitats": settings.habitats.model_dump(mode="json"),
        "features": settings.features.model_dump(mode="json"),
        "partition": task.partition.to_json(),
        "seed": settings.seed,
        "code": code_version("habitats", "features", "report/figures", "steps"),
        "versions": library_versions(),
    }


def numbers(row: object) -> dict[str, float]:
    """Read a stored row back; null is NaN."""
    stored = cast("dict[str, float | None]", row)
    return {n: float("nan") if v is None else v for n, v in stored.items()}
