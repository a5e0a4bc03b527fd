"""Align one patient's images, and divide its tumor in every way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from radhabitat.files.layout import PatientLayout, sidecar
from radhabitat.files.store import (
    Json,
    code_version,
    library_versions,
    remember,
    sha256_of,
    sha256_of_file,
    write_json,
)
from radhabitat.files.subjects import SubjectFiles, read_subject, source_paths
from radhabitat.files.volumes import (
    read_mask,
    read_volume,
    split_number,
    write_mask,
    write_volume,
)
from radhabitat.habitats import Survey, survey_tumor
from radhabitat.preprocessing import align
from radhabitat.steps.task import PatientTask
from radhabitat.types import AlignedSubject

AFTER_SURVEY = {"order_by", "families", "rings_mm", "ring_habitats"}
"""Settings of habitats that a survey does not depend on."""


@dataclass(frozen=True)
class Aligned:
    """What alignment leaves for the cohort.

    Attributes:
        patient: Identifier.
        key: Hash of all that the aligned images depend on.
        quality: Sequence -> measure -> value.
        notes: Decisions, in words.
        survey: What the tumor says about its habitats.
    """

    patient: str
    key: str
    quality: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]
    survey: Survey


def align_patient(task: PatientTask) -> Aligned:
    """Align one patient's images and divide its tumor in every way.

    Raises:
        RadHabitatError: An image or mask cannot be used, or a stage failed.
    """
    provenance = _provenance(task)
    record = remember(
        task.layout.record("align"), provenance, lambda: _align(task, provenance)
    )
    return Aligned(
        patient=task.files.patient,
        key=record.key,
        quality=cast("dict[str, dict[str, float]]", record.result["quality"]),
        notes=tuple(cast("list[str]", record.result["notes"])),
        survey=_survey(task, record.key),
    )


def read_aligned(task: PatientTask) -> AlignedSubject:
    """Read a patient's aligned images back, as every later step does.

    Raises:
        ImageError: A result cannot be read.
    """
    paths, data = task.layout, task.settings.data
    second = paths.mask(reader=2)
    return AlignedSubject(
        patient=task.files.patient,
        images={s: read_volume(paths.aligned(s)) for s in data.sequences},
        reference=data.reference,
        tumor=read_mask(paths.mask())[0],
        second_reader=read_mask(second)[0] if second.exists() else None,
    )


def _provenance(task: PatientTask) -> Json:
    settings = task.settings
    return {
        "step": "align",
        "sources": _source_hashes(task.files),
        "settings": settings.preprocessing.model_dump(mode="json"),
        "mask_labels": settings.data.mask_labels,
        "reference": settings.data.reference,
        "seed": task.seed("align"),
        "code": code_version("preprocessing", "dicom", "files"),
        "versions": library_versions(),
    }


def _align(task: PatientTask, provenance: Json) -> tuple[list[Path], Json]:
    subject = read_subject(task.files, task.settings.data)
    aligned = align(subject, task.settings.preprocessing, seed=task.seed("align"))
    paths = task.layout
    written: list[Path] = []
    for sequence in aligned.images:
        written += _write_sequence(paths, aligned, sequence, provenance)
    paths.mask(reader=2).unlink(missing_ok=True)
    for reader, mask in enumerate((aligned.tumor, aligned.second_reader), start=1):
        if mask is not None:
            path = paths.mask(reader=reader)
            write_mask(path, mask)
            write_json(sidecar(path), {**provenance, "volume_mm3": mask.volume_mm3})
            written += [path, sidecar(path)]
    return written, {"quality": aligned.quality, "notes": aligned.notes}


def _write_sequence(
    paths: PatientLayout, aligned: AlignedSubject, sequence: str, provenance: Json
) -> list[Path]:
    image, matrix = paths.aligned(sequence), paths.transform(sequence)
    write_volume(image, aligned.images[sequence])
    quality = aligned.quality.get(sequence, {})
    write_json(sidecar(image), {**provenance, "quality": quality})
    affine = aligned.transforms.get(sequence, np.eye(4))
    write_json(
        matrix,
        {"affine_ras_mm": affine.tolist(), "maps": f"reference -> {sequence}"},
    )
    return [image, sidecar(image), matrix]


def _survey(task: PatientTask, aligned_key: str) -> Survey:
    settings, seed = task.settings.habitats, task.seed("survey")

    def compute() -> tuple[list[Path], Json]:
        return [], survey_tumor(read_aligned(task), settings, seed=seed).to_json()

    provenance: Json = {
        "step": "survey",
        "aligned": aligned_key,
        "habitats": settings.model_dump(mode="json", exclude=AFTER_SURVEY),
        "seed": seed,
        "code": code_version("habitats"),
        "versions": library_versions(),
    }
    record = remember(task.layout.record("survey"), provenance, compute)
    return Survey.from_json(record.result)


def _source_hashes(files: SubjectFiles) -> dict[str, str]:
    """Hash what each sequence and mask is read from; names of files stay out."""
    nothing = replace(files, images={}, mask="", mask2="")
    parts = {s: replace(nothing, images={s: cell}) for s, cell in files.images.items()}
    parts["mask"] = replace(nothing, mask=files.mask)
    parts["mask2"] = replace(nothing, mask2=files.mask2)
    cells = {**files.images, "mask": files.mask, "mask2": files.mask2}
    return {
        name: sha256_of(
            {
                "files": [_hash(path) for path in source_paths(part)],
                "volume": split_number(cells[name])[1],
            }
        )
        for name, part in parts.items()
    }


def _hash(path: Path) -> str:
    return sha256_of_file(path) if path.is_file() else "missing"
