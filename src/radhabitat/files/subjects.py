"""The subjects table: which files belong to which patient."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radhabitat.errors import ImageError, MaskError
from radhabitat.files.masks import (
    Segments,
    largest_lesion,
    read_mask,
    read_segments,
)
from radhabitat.files.naming import is_tumor_name
from radhabitat.files.tables import read_patients, require_column
from radhabitat.files.volumes import (
    read_volume_and_notes,
    split_cell,
    told,
    whose,
)
from radhabitat.settings import DataSettings
from radhabitat.types import Mask, Subject, Volume

ID_COLUMN = "patient"
ORGANS = ("liver", "muscle")
MOST_MILLIONS = 250
"""Voxels of a patient's sequences together."""
_COMPANIONS = {".hdr": ".img", ".img": ".hdr"}


@dataclass(frozen=True)
class SubjectFiles:
    """The files of one patient.

    Attributes:
        patient: Identifier of the patient.
        images: Sequence -> file, DICOM folder, or "folder#n"; absolute. A sequence
            whose cell is empty is left out.
        mask: The tumor's mask, absolute; empty when the cell is.
        mask2: The second reader's mask; empty when there is none.
        organs: "liver" or "muscle" -> its mask, where the table names one.
    """

    patient: str
    images: Mapping[str, str]
    mask: str
    mask2: str = ""
    organs: Mapping[str, str] = field(default_factory=dict)


def list_subjects(study_folder: Path, data: DataSettings) -> tuple[SubjectFiles, ...]:
    """Return the files of every patient of the subjects table, in its order.

    Patients with several rows are left out; `repeated_subjects` names them.

    Args:
        study_folder: The folder of study.toml; paths in the table start there.
        data: The section [data] of the study.

    Raises:
        TableError: The table is missing, or lacks a column.
    """
    source = study_folder / data.subjects
    table, _ = read_patients(source, ID_COLUMN)
    for sequence in data.sequences:
        require_column(table, sequence, source.name, "data.sequences in study.toml")
    require_column(table, "mask", source.name, "data.subjects in study.toml")
    subjects = []
    for patient, row in table.iterrows():
        wanted = (*data.sequences, "mask", "mask2", *ORGANS)
        cells = {c: absolute_cell(study_folder, str(row.get(c, ""))) for c in wanted}
        images = {s: cells[s] for s in data.sequences if cells[s]}
        masks = (cells["mask"], cells["mask2"])
        organs = {organ: cells[organ] for organ in ORGANS if cells[organ]}
        subjects.append(SubjectFiles(str(patient), images, *masks, organs))
    return tuple(subjects)


def repeated_subjects(
    study_folder: Path, data: DataSettings
) -> dict[str, tuple[str, str]]:
    """Return the patients with several rows: patient -> (problem, fix)."""
    return read_patients(study_folder / data.subjects, ID_COLUMN)[1]


def read_subject(files: SubjectFiles, data: DataSettings) -> Subject:
    """Return a patient's images and masks, with notes on what was decided.

    Raises:
        ImageError: An image is missing, damaged, not 3D, or without content.
        MaskError: The mask is missing, damaged, empty or outside the image.
    """
    images: dict[str, Volume] = {}
    notes: list[str] = []
    for sequence in data.sequences:
        images[sequence], assumed = read_sequence(files, sequence)
        _check_total(files.patient, images)
        notes += [f"{sequence}: {note}" for note in assumed]
    patient, second = files.patient, None
    on = images[data.reference]
    tumor, about = read_tumor(files.mask, data, patient=patient, on=on)
    notes += about
    if files.mask2:
        second, about = read_tumor(files.mask2, data, patient=patient, on=on, reader=2)
        notes += about
    organs = {
        organ: read_mask(path, on=on, patient=patient)[0]
        for organ, path in files.organs.items()
    }
    return Subject(patient, images, data.reference, tumor, second, organs, tuple(notes))


def _check_total(patient: str, images: Mapping[str, Volume]) -> None:
    millions = sum(image.array.size for image in images.values()) / 1e6
    if millions > MOST_MILLIONS:
        raise ImageError(
            f"The sequences of patient {patient} have {millions:.0f} million voxels "
            f"together; up to {MOST_MILLIONS} million fit into 4 GB of memory",
            "cut them to the region around the tumor, or resample them to 1-mm voxels",
        )


def read_sequence(files: SubjectFiles, sequence: str) -> tuple[Volume, tuple[str, ...]]:
    """Return one image of a patient, and what was assumed.

    Raises:
        ImageError: It is missing, damaged, or not 3D.
    """
    if sequence not in files.images:
        raise ImageError(
            f"Patient {files.patient} has no {sequence}: its cell in the subjects "
            "table is empty",
            "write the image's path there, or leave the sequence out of "
            "data.sequences in study.toml",
        )
    return read_volume_and_notes(files.images[sequence], patient=files.patient)


def read_tumor(
    path: str,
    data: DataSettings,
    *,
    patient: str,
    on: Volume | None = None,
    reader: int = 1,
) -> tuple[Mask, tuple[str, ...]]:
    """Return a drawn tumor, and notes on its labels.

    Args:
        path: Cell of the subjects table.
        data: The section [data] of the study.
        patient: Whose it is.
        on: The image that it was drawn on, where it is known.
        reader: Who drew it.

    Raises:
        MaskError: It is missing, damaged, or lacks the wanted labels.
    """
    if not path:
        raise MaskError(
            f"Patient {patient} has no mask: its cell in the subjects table is empty",
            "write the mask's path there, or remove the patient",
        )
    segments, part = read_segments(path, on=on, patient=patient)
    name = "mask" if reader == 1 else f"mask of reader {reader}"
    with told(whose(patient), MaskError):
        chosen, notes = _tumor_segments(segments, part or data.mask_labels, name)
    mask = segments.union(chosen)
    if data.lesions == "largest":
        mask, count = largest_lesion(mask)
        if count > 1:
            notes += (f"{name} has {count} lesions: the largest is the tumor",)
    return mask, notes


def _tumor_segments(
    segments: Segments, labels: tuple[int | str, ...], name: str
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the segments that are tumor, and what was decided."""
    chosen = segments.choose(labels)
    known = {str(n).casefold() for n in (*segments.names, *segments.names.values())}
    absent = [str(x) for x in labels if str(x).casefold() not in known]
    if segments.names and absent:
        note = f"{name} has no label {', '.join(absent)}; found: {segments.found()}"
        return chosen, (note,)
    if len(chosen) < 2 or labels:
        return chosen, ()
    tumors = tuple(n for n in chosen if is_tumor_name(segments.names[n]))
    if tumors and len(tumors) < len(chosen):
        names = ", ".join(segments.names[n] for n in tumors)
        return tumors, (f"{name} has labels {segments.found()}: {names} is the tumor",)
    return chosen, (f"{name} has labels {segments.found()}: their union is the tumor",)


def source_paths(files: SubjectFiles) -> tuple[Path, ...]:
    """Return every file that a patient is read from, sorted; for hashing.

    A DICOM folder gives all files in it, whichever of its volumes is meant; a header
    gives its data file, too.
    """
    cells = [*files.images.values(), files.mask, files.mask2, *files.organs.values()]
    return tuple(sorted({path for cell in cells if cell for path in _files_of(cell)}))


def _files_of(cell: str) -> list[Path]:
    path = split_cell(cell)[0]
    if path.is_dir():
        return [p for p in path.rglob("*") if p.is_file()]
    suffix = path.suffix.lower()
    others: list[Path] = []
    if suffix in _COMPANIONS:
        others = [path.with_suffix(_COMPANIONS[suffix])]
    elif suffix in (".nhdr", ".mhd"):
        others = list(path.parent.glob(f"{path.stem}.*"))
    return [path, *(p for p in others if p.is_file())]


def absolute_cell(folder: Path, cell: str) -> str:
    """Return a cell as an absolute path; a backslash is a separator, too."""
    if not cell:
        return ""
    if os.sep == "/" and "\\" in cell and not (folder / cell).exists():
        cell = cell.replace("\\", "/")
    return os.path.abspath(folder / Path(cell).expanduser())  # noqa: PTH100 (keeps links)
