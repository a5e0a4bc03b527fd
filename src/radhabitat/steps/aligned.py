"""Align one patient's images, and divide its tumor in every way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from radhabitat.files.layout import PatientLayout, sidecar
from radhabitat.files.masks import read_mask
from radhabitat.files.store import (
    Json,
    code_version,
    library_versions,
    remember,
    sha256_of,
    sha256_of_file,
    write_bytes,
    write_json,
)
from radhabitat.files.subjects import SubjectFiles, read_subject, source_paths
from radhabitat.files.volumes import (
    read_volume,
    split_cell,
    write_mask,
    write_vectors,
    write_volume,
)
from radhabitat.habitats import Survey, survey_tumor
from radhabitat.preprocessing import (
    Landmarks,
    align,
    at_scanner_position,
    measure_landmarks,
)
from radhabitat.report import checkerboard_picture
from radhabitat.steps.task import PatientTask
from radhabitat.types import AlignedSubject, Transform

LOOK = "look at this sequence"

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
        checkerboard: PNG of each sequence against the reference; empty for one alone.
    """

    patient: str
    key: str
    quality: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...]
    survey: Survey
    checkerboard: bytes = b""

    @property
    def doubtful(self) -> bool:
        """Tell whether a note asks somebody to look at a sequence."""
        return any(LOOK in note for note in self.notes)


def align_patient(task: PatientTask) -> Aligned:
    """Align one patient's images and divide its tumor in every way.

    Raises:
        RadHabitatError: An image or mask cannot be used, or a stage failed.
    """
    provenance = _provenance(task)
    record = remember(
        task.layout.record("align"), provenance, lambda: _align(task, provenance)
    )
    picture = task.layout.checkerboard()
    return Aligned(
        patient=task.files.patient,
        key=record.key,
        quality=cast("dict[str, dict[str, float]]", record.result["quality"]),
        notes=tuple(cast("list[str]", record.result["notes"])),
        survey=_survey(task, record.key),
        checkerboard=picture.read_bytes() if picture.exists() else b"",
    )


def landmarks_of_patient(task: PatientTask) -> dict[str, Landmarks]:
    """Return what a patient adds to the common landmarks of normalization nyul.

    Raises:
        RadHabitatError: An image or mask cannot be used.
    """
    preprocessing = task.settings.preprocessing
    provenance: Json = {
        "step": "landmarks",
        "sources": _source_hashes(task.files),
        "settings": preprocessing.model_dump(mode="json"),
        "code": code_version("preprocessing", "dicom", "files"),
    }

    def compute() -> tuple[list[Path], Json]:
        subject = read_subject(task.files, task.settings.data)
        return [], {"landmarks": measure_landmarks(subject, preprocessing)}

    record = remember(task.layout.record("landmarks"), provenance, compute)
    marks = cast("dict[str, list[float]]", record.result["landmarks"])
    return {s: tuple(values) for s, values in marks.items()}


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
        body=read_mask(paths.body())[0] if paths.body().exists() else None,
    )


def _provenance(task: PatientTask) -> Json:
    settings = task.settings
    return {
        "step": "align",
        "sources": _source_hashes(task.files),
        "settings": settings.preprocessing.model_dump(mode="json"),
        "mask_labels": settings.data.mask_labels,
        "lesions": settings.data.lesions,
        "reference": settings.data.reference,
        "standard": task.standard,
        "seed": task.seed("align"),
        "code": code_version("preprocessing", "dicom", "files", "report"),
        "versions": library_versions(),
    }


def _align(task: PatientTask, provenance: Json) -> tuple[list[Path], Json]:
    subject = read_subject(task.files, task.settings.data)
    aligned = align(
        subject,
        task.settings.preprocessing,
        seed=task.seed("align"),
        standard=task.standard,
    )
    paths = task.layout
    written: list[Path] = []
    for sequence in aligned.images:
        written += _write_sequence(paths, aligned, sequence, provenance)
    masks = {
        paths.mask(): aligned.tumor,
        paths.mask(reader=2): aligned.second_reader,
        paths.body(): aligned.body,
    }
    for path, mask in masks.items():
        path.unlink(missing_ok=True)
        if mask is not None:
            write_mask(path, mask)
            write_json(sidecar(path), {**provenance, "volume_mm3": mask.volume_mm3})
            written += [path, sidecar(path)]
    paths.checkerboard().unlink(missing_ok=True)
    if len(aligned.images) > 1:
        before = {
            s: at_scanner_position(image, aligned.grid)
            for s, image in subject.images.items()
        }
        write_bytes(paths.checkerboard(), checkerboard_picture(aligned, before))
        written.append(paths.checkerboard())
    return written, {"quality": aligned.quality, "notes": aligned.notes}


def _write_sequence(
    paths: PatientLayout, aligned: AlignedSubject, sequence: str, provenance: Json
) -> list[Path]:
    image, matrix = paths.aligned(sequence), paths.transform(sequence)
    write_volume(image, aligned.images[sequence])
    quality = aligned.quality.get(sequence, {})
    scale = aligned.scales.get(sequence)
    normalized = {} if scale is None else asdict(scale)
    measured = {"quality": quality, "normalized": normalized}
    write_json(sidecar(image), {**provenance, **measured})
    transform = aligned.transforms.get(sequence, Transform())
    about: dict[str, object] = {
        "affine_ras_mm": transform.matrix.tolist(),
        "maps": f"reference -> {sequence}: affine @ (point + displacement)",
    }
    warp = paths.displacement(sequence)
    warp.unlink(missing_ok=True)
    written = [image, sidecar(image), matrix]
    if transform.displacement is not None and transform.grid is not None:
        write_vectors(warp, transform.displacement, transform.grid)
        about["displacement_ras_mm"] = warp.name
        written.append(warp)
    write_json(matrix, about)
    return written


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
    nothing = replace(files, images={}, mask="", mask2="", organs={})
    parts = {s: replace(nothing, images={s: cell}) for s, cell in files.images.items()}
    parts["mask"] = replace(nothing, mask=files.mask)
    parts["mask2"] = replace(nothing, mask2=files.mask2)
    parts |= {o: replace(nothing, organs={o: c}) for o, c in files.organs.items()}
    masks = {"mask": files.mask, "mask2": files.mask2, **files.organs}
    cells = {**files.images, **masks}
    return {
        name: sha256_of(
            {
                "files": [_hash(path) for path in source_paths(part)],
                "volume": split_cell(cells[name])[1],
            }
        )
        for name, part in parts.items()
    }


def _hash(path: Path) -> str:
    return sha256_of_file(path) if path.is_file() else "missing"
