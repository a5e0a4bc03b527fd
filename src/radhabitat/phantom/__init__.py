"""A synthetic cohort of liver tumors with known answers.

`plan_cohort` draws every parameter, `write_patient` makes one patient from a plan,
`write_tables` adds what concerns all of them; `write_phantom` does the three.
Tissues, signal, motion and the response law: docs/explanation/phantom.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from radhabitat.phantom.files import (
    FileFormat,
    PatientTruth,
    write_patient,
    write_tables,
)
from radhabitat.phantom.plan import MotionFamily, PatientPlan, plan_cohort

__all__ = [
    "PatientPlan",
    "plan_cohort",
    "write_patient",
    "write_phantom",
    "write_tables",
]

Mapper = Callable[
    [Callable[[PatientPlan], PatientTruth], Sequence[PatientPlan]],
    Iterable[PatientTruth],
]
"""Like the built-in `map`: applies a function to each plan, keeping the order."""


def write_phantom(  # noqa: PLR0913 (the choices of `radhabitat phantom`)
    folder: Path,
    *,
    patients: int,
    seed: int,
    effect: float,
    file_format: FileFormat = "nifti",
    small: bool = False,
    motion: MotionFamily = "smooth",
    run: Mapper | None = None,
) -> Path:
    """Write a phantom study that can be run at once; return its study.toml.

    Args:
        folder: Made if missing; files of the same names are replaced.
        patients: How many.
        seed: Same seed, same bytes.
        effect: Strength of the response law: 0 = pure noise, 1 = the true linear
            predictor has an AUC of about 0.80.
        file_format: Of the images.
        small: Tumors of 3-7 cm and coarser voxels, for demos and tests.
        motion: Nearly affine in the tumor, or organs that slide, squeeze and bend.
        run: Applies the work to the patients, for example in other processes.

    Raises:
        SettingsError: Less than one patient, or a negative effect or seed.
        StorageError: The disk is full, or the folder cannot be written.
    """
    plans = plan_cohort(patients, seed=seed, effect=effect, small=small, motion=motion)
    work = partial(write_patient, folder=folder, file_format=file_format)
    truths = list((run or map)(work, plans))
    return write_tables(
        truths, folder, seed=seed, effect=effect, file_format=file_format
    )
