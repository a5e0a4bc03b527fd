"""The cohort on disk: each patient's images and masks, the tables, and the truth."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import nibabel
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import StorageError
from radhabitat.phantom.clinical import ClinicalProfile
from radhabitat.phantom.imaging import Scene, build_scene, expose
from radhabitat.phantom.motion import grid_points, on_grid
from radhabitat.phantom.outcome import Outcome, draw_outcome
from radhabitat.phantom.plan import REFERENCE, SEQUENCES, PatientPlan
from radhabitat.phantom.series import write_series
from radhabitat.phantom.tissues import TUMOR
from radhabitat.phantom.tumor import second_reader, widest_axial_mm
from radhabitat.types import Grid

FileFormat = Literal["nifti", "dicom"]

DISPLACEMENT_STEP_MM: Final = 0.01
BIAS_STEP: Final = 1e-3

CANDIDATES: Final = (
    *("age", "sex", "hbv", "child_pugh", "ascites", "pt_s", "bclc", "albi_grade"),
    *("nlr", "vascular_invasion", "metastasis", "tumor_number", "d_tumor_cm"),
    *("crafity", "afp_ng_ml", "pivka_mau_ml", "crp_mg_l", "bmi"),
)
"""Known before treatment; ecog is 0 in every patient, as published."""

_STUDY: Final = """\
# A phantom study: synthetic patients with known answers.
# Effect of the response law: {effect:g} (0 = pure noise).

name = "Phantom cohort, {patients} patients, effect {effect:g}"
seed = {seed}

[data]
subjects = "subjects.csv"            # where each patient's {kind} lie
sequences = ["PRE", "LAP", "PVP", "DP"]
reference = "PVP"                    # the tumor was drawn on this one
clinical = "clinical.csv"
id_column = "patient"
outcome = "response"                 # OR = objective response, nOR = none
positive = "OR"
survival_time = "overall_survival_months"
survival_event = "died"              # 1 = died, 0 = alive at the last visit

# Candidates of the clinical model: what was known before treatment.
# Coded as numbers: sex 1 = male; child_pugh 1 = A, 2 = B; bclc 1 = A, 2 = B, 3 = C;
# tumor_number 1 = single, 2 = multiple; the others 1 = yes, 0 = no, or as measured.
# Not listed: ecog (0 in everyone), haic_sessions (known only after treatment).
variables = [
{variables}
]

[habitats]
k = 3        # as the published study; "elbow" leaves it to the tumors' vote
"""


@dataclass(frozen=True)
class PatientTruth:
    """What is known of one patient of the phantom cohort; the tumor as measured."""

    patient: str
    files: dict[str, str]  # column of subjects.csv -> POSIX path in the study's folder
    clinical: ClinicalProfile
    diameter_cm: float  # largest axial diameter of the mask
    volume_ml: float
    fractions: tuple[float, float, float]  # viable, infiltrative, necrotic
    motion_mm: dict[str, float]  # sequence -> mean displacement of the tumor's voxels
    time_s: dict[str, float]  # sequence -> seconds after the injection
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
        file_format: Of the images; the rest is NIfTI.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    with _saving(f"Phantom patient {plan.patient}", folder):
        scene = build_scene(plan)
        tissues = np.zeros(0, np.uint8)
        motion_mm = {}
        for sequence in (REFERENCE, *(s for s in SEQUENCES if s != REFERENCE)):
            labels, field = _write_sequence(scene, folder, sequence, file_format)
            if sequence == REFERENCE:
                tissues = np.where(np.isin(labels, TUMOR), labels, 0)
            moved = np.linalg.norm(field[:, tissues > 0], axis=0)
            motion_mm[sequence] = float(moved.mean())
        _write_tumor(scene, folder, tissues)
    ending = "" if file_format == "dicom" else ".nii.gz"
    files = {s: f"images/{plan.patient}/{s}{ending}" for s in SEQUENCES}
    files |= {m: f"images/{plan.patient}/{m}.nii.gz" for m in ("mask", "mask2")}
    return _measure(plan, tissues, motion_mm, files)


def write_tables(
    truths: Sequence[PatientTruth],
    folder: Path,
    *,
    seed: int,
    effect: float,
    file_format: FileFormat,
) -> Path:
    """Write what concerns the whole cohort, and return the path of study.toml.

    Args:
        truths: What `write_patient` gave, in the order of the patients.
        folder: The study's folder.
        seed: The cohort's, and the study's.
        effect: The cohort's; part of the study's name.
        file_format: Of the images.

    Raises:
        StorageError: No patient, the disk is full, or the folder cannot be written.
    """
    if not truths:
        problem = "No phantom patient was written"
        raise StorageError(problem, "ask for at least one patient")
    text = _STUDY.format(
        effect=effect,
        patients=len(truths),
        seed=seed,
        kind="DICOM folders" if file_format == "dicom" else "image files",
        variables="\n".join(f'    "{name}",' for name in CANDIDATES),
    )
    subjects = [{"patient": t.patient} | t.files for t in truths]
    with _saving("The phantom's tables", folder):
        (folder / "truth").mkdir(parents=True, exist_ok=True)
        _write_csv(folder / "subjects.csv", subjects)
        _write_csv(folder / "clinical.csv", [_clinical(t) for t in truths])
        _write_csv(folder / "truth" / "cohort.csv", [_truth(t) for t in truths])
        (folder / "study.toml").write_bytes(text.encode("utf-8"))
    return folder / "study.toml"


@contextmanager
def _saving(what: str, folder: Path) -> Iterator[None]:
    """Turn the disk's refusal into a message that says what to do."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written to {folder}: {error.strerror or error}",
            "choose a folder that can be written and has space (about 22 MB per "
            "patient, 7 MB in the small cohort)",
        ) from error


def _write_sequence(
    scene: Scene, folder: Path, sequence: str, file_format: FileFormat
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Write image, displacement and bias; return labels and displacement."""
    plan = scene.plan
    exposure = expose(scene, sequence)
    images = folder / "images" / plan.patient
    if file_format == "dicom":
        write_series(images / sequence, plan, sequence, exposure.intensities)
    else:
        name = images / f"{sequence}.nii.gz"
        _write_nifti(name, exposure.intensities, exposure.grid)
    reference = plan.acquisition(REFERENCE).grid
    field = on_grid(exposure.motion, reference, inverse=False)
    stem = f"{plan.patient}_{sequence}"
    name = folder / "truth" / f"{stem}_displacement.nii.gz"
    vectors = np.moveaxis(field, 0, -1)
    _write_nifti(name, vectors, reference, step=DISPLACEMENT_STEP_MM)
    name = folder / "truth" / f"{stem}_bias.nii.gz"
    _write_nifti(name, exposure.bias, exposure.grid, step=BIAS_STEP)
    return exposure.labels, field


def _write_tumor(scene: Scene, folder: Path, tissues: NDArray[np.uint8]) -> None:
    plan = scene.plan
    grid = plan.acquisition(REFERENCE).grid
    points = grid_points(grid).reshape(3, -1)
    near = scene.tumor.near(points)
    other = np.zeros(points.shape[1], np.uint8)
    other[near] = second_reader(scene.tumor, points[:, near], plan.rng(6))
    images = folder / "images" / plan.patient
    _write_nifti(images / "mask.nii.gz", (tissues > 0).astype(np.uint8), grid)
    _write_nifti(images / "mask2.nii.gz", other.reshape(grid.shape), grid)
    _write_nifti(folder / "truth" / f"{plan.patient}_tissues.nii.gz", tissues, grid)


def _measure(
    plan: PatientPlan,
    tissues: NDArray[np.uint8],
    motion_mm: dict[str, float],
    files: dict[str, str],
) -> PatientTruth:
    grid = plan.acquisition(REFERENCE).grid
    voxels = np.bincount(tissues.reshape(-1), minlength=4)[1:4]
    viable, infiltrative, necrotic = (voxels / voxels.sum()).tolist()
    fractions = (viable, infiltrative, necrotic)
    widest_mm = widest_axial_mm(np.argwhere(tissues > 0) * grid.spacing_mm)
    diameter_cm = round(widest_mm / 10.0, 1)
    return PatientTruth(
        patient=plan.patient,
        files=files,
        clinical=plan.clinical,
        diameter_cm=diameter_cm,
        volume_ml=float(voxels.sum() * grid.voxel_volume_mm3 / 1000.0),
        fractions=fractions,
        motion_mm=motion_mm,
        time_s={a.sequence: a.time_s for a in plan.acquisitions},
        effect=plan.effect,
        outcome=draw_outcome(plan, fractions, diameter_cm),
    )


def _write_nifti(
    path: Path,
    array: NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32],
    grid: Grid,
    *,
    step: float | None = None,
) -> None:
    """Write (i, j, k) or (i, j, k, components); the same content, the same bytes.

    With `step` stored as int16 in multiples of it (scl_slope), for smooth fields.
    """
    data = array if step is None else np.rint(array / step).astype(np.int16)
    image = nibabel.Nifti1Image(data, grid.affine)
    # Only the sform: quaternions in single precision would be 0.05 mm off.
    image.set_qform(grid.affine, code=0)
    image.set_sform(grid.affine, code=1)
    header = image.header
    header.set_xyzt_units("mm", "sec")
    if step is not None:
        header.set_slope_inter(step, 0.0)
    # Not by nibabel's own writer, which would scale and look at the data.
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    content = bytes(header.binaryblock) + b"\0" * 4 + data.tobytes(order="F")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, compresslevel=4, mtime=0))


def _clinical(truth: PatientTruth) -> dict[str, object]:
    known = asdict(truth.clinical) | {"d_tumor_cm": truth.diameter_cm}
    return {
        "patient": truth.patient,
        **{name: known[name] for name in (*CANDIDATES, "ecog", "haic_sessions")},
        "response": "OR" if truth.outcome.responded else "nOR",
        "overall_survival_months": truth.outcome.months,
        "died": int(truth.outcome.died),
    }


def _truth(truth: PatientTruth) -> dict[str, object]:
    viable, infiltrative, necrotic = (round(f, 5) for f in truth.fractions)
    return {
        "patient": truth.patient,
        "linear_predictor": round(truth.outcome.linear_predictor, 5),
        "probability": round(truth.outcome.probability, 5),
        "response": "OR" if truth.outcome.responded else "nOR",
        "effect": truth.effect,
        "viable_fraction": viable,
        "infiltrative_fraction": infiltrative,
        "necrotic_fraction": necrotic,
        "tumor_volume_ml": round(truth.volume_ml, 2),
        "d_tumor_cm": truth.diameter_cm,
        "vascular_invasion": truth.clinical.vascular_invasion,
        **{f"{s}_motion_mm": round(truth.motion_mm[s], 3) for s in SEQUENCES},
        **{f"{s}_time_s": round(truth.time_s[s], 2) for s in SEQUENCES},
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """UTF-8, commas, Unix line ends: the same bytes everywhere."""
    text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    path.write_bytes(text.encode("utf-8"))
