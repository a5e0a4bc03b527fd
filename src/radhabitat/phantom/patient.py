"""One patient on disk: images, masks, and the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.phantom.clinical import ClinicalProfile
from radhabitat.phantom.imaging import Exposure, Scene, build_scene, expose, grid_points
from radhabitat.phantom.motion import on_grid
from radhabitat.phantom.nifti import write_nifti
from radhabitat.phantom.outcome import Outcome, draw_outcome
from radhabitat.phantom.plan import REFERENCE, SEQUENCES, PatientPlan
from radhabitat.phantom.series import write_series
from radhabitat.phantom.storage import saving
from radhabitat.phantom.tissues import TUMOR
from radhabitat.phantom.tumor import second_reader, widest_axial_mm

FileFormat = Literal["nifti", "dicom"]

DISPLACEMENT_STEP_MM: Final = 0.01
BIAS_STEP: Final = 1e-3


@dataclass(frozen=True)
class PatientTruth:
    """What is known of one patient of the phantom cohort.

    Attributes:
        patient: Pseudonym.
        files: Column of subjects.csv -> POSIX path below the study's folder.
        clinical: The clinical variables that are drawn.
        diameter_cm: Largest axial diameter of the tumor, measured on the mask.
        volume_ml: Volume of the tumor, measured on the mask.
        fractions: Measured shares of viable, infiltrative and necrotic tissue.
        motion_mm: Sequence -> mean displacement of the tumor's voxels.
        time_s: Sequence -> seconds after the injection.
        effect: Strength of the response law.
        outcome: Response and survival, and the law's own prediction.
    """

    patient: str
    files: dict[str, str]
    clinical: ClinicalProfile
    diameter_cm: float
    volume_ml: float
    fractions: tuple[float, float, float]
    motion_mm: dict[str, float]
    time_s: dict[str, float]
    effect: float
    outcome: Outcome


def write_patient(
    plan: PatientPlan, folder: Path, *, file_format: FileFormat
) -> PatientTruth:
    """Write one patient's images, masks and truth; the same plan, the same bytes.

    images/P0001/{PRE,LAP,PVP,DP}.nii.gz (or a folder of DICOM files each),
    mask.nii.gz (the union of the true tissues) and mask2.nii.gz (second reader);
    truth/P0001_tissues.nii.gz on the reference grid (1 viable, 2 infiltrative,
    3 necrotic); for each sequence truth/P0001_DP_displacement.nii.gz on the
    reference grid (RAS+ mm along the fourth axis: reference point -> where that
    tissue is in the sequence) and truth/P0001_DP_bias.nii.gz on the sequence's own.

    Args:
        plan: What to make.
        folder: The study's folder.
        file_format: Of the images; masks and truth are always NIfTI.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    with saving(f"Phantom patient {plan.patient}", folder):
        return _write(build_scene(plan), folder, file_format=file_format)


def _write(scene: Scene, folder: Path, *, file_format: FileFormat) -> PatientTruth:
    plan = scene.plan
    reference = plan.acquisition(REFERENCE).grid
    tissues = np.zeros(reference.shape, np.uint8)
    motion_mm: dict[str, float] = {}
    for sequence in (REFERENCE, *(s for s in SEQUENCES if s != REFERENCE)):
        exposure = expose(scene, sequence)
        if sequence == REFERENCE:
            tissues = np.where(np.isin(exposure.labels, TUMOR), exposure.labels, 0)
        _write_image(plan, folder, sequence, exposure, file_format=file_format)
        field = on_grid(exposure.motion, reference, inverse=False)
        inside = field[:, tissues > 0]
        motion_mm[sequence] = float(np.linalg.norm(inside, axis=0).mean())
        _write_fields(plan, folder, sequence, exposure, field)
    _write_tumor(scene, folder, tissues)
    return _tell(plan, tissues, motion_mm, file_format=file_format)


def _write_image(
    plan: PatientPlan,
    folder: Path,
    sequence: str,
    exposure: Exposure,
    *,
    file_format: FileFormat,
) -> None:
    target = folder / "images" / plan.patient / sequence
    if file_format == "dicom":
        write_series(target, plan, sequence, exposure.intensities)
    else:
        name = target.with_name(f"{sequence}.nii.gz")
        write_nifti(name, exposure.intensities, exposure.grid)


def _write_fields(
    plan: PatientPlan,
    folder: Path,
    sequence: str,
    exposure: Exposure,
    field: NDArray[np.float32],
) -> None:
    stem = f"{plan.patient}_{sequence}"
    write_nifti(
        folder / "truth" / f"{stem}_displacement.nii.gz",
        np.moveaxis(field, 0, -1),
        plan.acquisition(REFERENCE).grid,
        step=DISPLACEMENT_STEP_MM,
    )
    write_nifti(
        folder / "truth" / f"{stem}_bias.nii.gz",
        exposure.bias,
        exposure.grid,
        step=BIAS_STEP,
    )


def _write_tumor(scene: Scene, folder: Path, tissues: NDArray[np.uint8]) -> None:
    plan = scene.plan
    grid = plan.acquisition(REFERENCE).grid
    points = grid_points(grid).reshape(3, -1)
    near = scene.tumor.near(points)
    other = np.zeros(points.shape[1], np.uint8)
    other[near] = second_reader(scene.tumor, points[:, near], plan.rng(6))
    images = folder / "images" / plan.patient
    write_nifti(images / "mask.nii.gz", (tissues > 0).astype(np.uint8), grid)
    write_nifti(images / "mask2.nii.gz", other.reshape(grid.shape), grid)
    write_nifti(folder / "truth" / f"{plan.patient}_tissues.nii.gz", tissues, grid)


def _tell(
    plan: PatientPlan,
    tissues: NDArray[np.uint8],
    motion_mm: dict[str, float],
    *,
    file_format: FileFormat,
) -> PatientTruth:
    grid = plan.acquisition(REFERENCE).grid
    voxels = np.bincount(tissues.reshape(-1), minlength=4)[1:4]
    shares = voxels / voxels.sum()
    fractions = (float(shares[0]), float(shares[1]), float(shares[2]))
    in_slices = np.argwhere(tissues > 0) * grid.spacing_mm
    diameter_cm = round(widest_axial_mm(in_slices) / 10.0, 1)
    return PatientTruth(
        patient=plan.patient,
        files=_files(plan.patient, file_format),
        clinical=plan.clinical,
        diameter_cm=diameter_cm,
        volume_ml=float(voxels.sum() * grid.voxel_volume_mm3 / 1000.0),
        fractions=fractions,
        motion_mm={s: motion_mm[s] for s in SEQUENCES},
        time_s={a.sequence: a.time_s for a in plan.acquisitions},
        effect=plan.effect,
        outcome=draw_outcome(plan, fractions, diameter_cm),
    )


def _files(patient: str, file_format: FileFormat) -> dict[str, str]:
    ending = "" if file_format == "dicom" else ".nii.gz"
    images = {s: f"images/{patient}/{s}{ending}" for s in SEQUENCES}
    masks = {m: f"images/{patient}/{m}.nii.gz" for m in ("mask", "mask2")}
    return images | masks
