"""Looking at one patient: every image and mask, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radhabitat.errors import InputError
from radhabitat.files.findings import Finding, from_error
from radhabitat.files.subjects import SubjectFiles, read_sequence, read_tumor
from radhabitat.settings import StudySettings
from radhabitat.types import Grid, Mask, Subject, Volume

_FEWEST_HABITATS = 2
_THIN_SLICES = 3


@dataclass(frozen=True)
class PatientCheck:
    """A patient to be looked at; travels to a worker process.

    Attributes:
        files: The patient's row of the subjects table.
        settings: The study's settings.
    """

    files: SubjectFiles
    settings: StudySettings


def check_patient(check: PatientCheck) -> tuple[Finding, ...]:
    """Return everything about one patient that should be mended."""
    findings, grid = _check_images(check)
    files, data = check.files, check.settings.data
    for reader, path in ((1, files.mask), (2, files.mask2)):
        if reader == 2 and not path:
            continue
        try:
            mask, notes = read_tumor(path, data, patient=files.patient, reader=reader)
        except InputError as error:
            findings.append(from_error(error, "loses a patient", files.patient))
            continue
        findings += [_look(files.patient, note) for note in notes]
        findings += _check_mask(check, mask, grid, reader=reader)
    return tuple(findings)


def _check_images(check: PatientCheck) -> tuple[list[Finding], Grid | None]:
    """Return findings, and the grid of the reference if it could be read."""
    files, data = check.files, check.settings.data
    findings: list[Finding] = []
    reference: Grid | None = None
    for sequence in data.sequences:
        try:
            volume, notes = read_sequence(files, sequence)
            findings += [_look(files.patient, f"{sequence}: {note}") for note in notes]
            if sequence == data.reference:
                reference = volume.grid
            _refuse_without_content(files.patient, sequence, volume)
        except InputError as error:
            findings.append(from_error(error, "loses a patient", files.patient))
    return findings, reference


def _refuse_without_content(patient: str, sequence: str, volume: Volume) -> None:
    """Ask the type itself, so that check and run agree."""
    corner = np.zeros(volume.grid.shape, dtype=np.bool_)
    corner[:1, :1, :1] = True
    Subject(patient, {sequence: volume}, sequence, Mask(corner, volume.grid))


def _check_mask(
    check: PatientCheck, mask: Mask, grid: Grid | None, *, reader: int
) -> list[Finding]:
    patient = check.files.patient
    if grid is not None:
        picture = Volume(_two_values(grid), grid)
        try:
            Subject(patient, {"reference": picture}, "reference", mask)
        except InputError as error:
            return [from_error(error, "loses a patient", patient)]
    elif mask.voxels == 0:
        return []
    findings = []
    if grid is not None and not mask.grid.same_as(grid):
        findings.append(
            Finding(
                "look",
                patient,
                f"The mask{_of(reader)} lies on another grid than "
                f"{check.settings.data.reference} ({_size(mask.grid)} against "
                f"{_size(grid)}); it will be resampled in physical space",
                "nothing, if it was drawn on another image of the same examination",
            )
        )
    return findings + (_check_size(check, mask) if reader == 1 else [])


def _check_size(check: PatientCheck, mask: Mask) -> list[Finding]:
    """Compare the tumor on the final grid with what the habitats need."""
    settings, patient = check.settings, check.files.patient
    k = settings.habitats.k
    count = _FEWEST_HABITATS if k == "elbow" else k
    needed = count * settings.habitats.min_voxels
    voxels = mask.volume_mm3 / settings.preprocessing.spacing_mm**3
    findings = []
    if voxels < needed:
        findings.append(
            Finding(
                "loses a patient",
                patient,
                f"The tumor has about {voxels:.0f} voxels at "
                f"{settings.preprocessing.spacing_mm:g} mm; {count} habitats need at "
                f"least {count} x {settings.habitats.min_voxels}",
                "check the drawn region, or lower habitats.k or habitats.min_voxels "
                "in study.toml",
            )
        )
    extent = np.ptp(np.argwhere(mask.array), axis=0) + 1
    if int(extent.min()) < _THIN_SLICES:
        findings.append(
            _look(patient, f"the tumor spans only {int(extent.min())} voxels one way")
        )
    return findings


def _two_values(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return a picture with content, as cheap as can be, for the mask's rules."""
    values = np.zeros(grid.shape, dtype=np.float32)
    values[:1, :1, :1] = 1.0
    return values


def _look(patient: str, note: str) -> Finding:
    return Finding("look", patient, note, "nothing, if this is what you meant")


def _of(reader: int) -> str:
    return "" if reader == 1 else " of the second reader"


def _size(grid: Grid) -> str:
    shape = " x ".join(str(n) for n in grid.shape)
    spacing = " x ".join(f"{mm:.2f}" for mm in grid.spacing_mm)
    return f"{shape} voxels of {spacing} mm"
