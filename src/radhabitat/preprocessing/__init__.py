"""align: from images as acquired to normalized images on one grid.

    bias field -> registration to the reference -> one interpolation -> normalization

Every decision leaves a note, every step a measure of its quality.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from radhabitat.preprocessing.bias import correct_bias
from radhabitat.preprocessing.crop import prepare_target
from radhabitat.preprocessing.geometry import final_grid, turn_to_patient
from radhabitat.preprocessing.normalize import Finished, finish
from radhabitat.preprocessing.register import Registered, register
from radhabitat.preprocessing.resample import carry_mask
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import AlignedSubject, Subject

__all__ = ["align"]


def align(
    subject: Subject, settings: PreprocessingSettings, *, seed: int
) -> AlignedSubject:
    """Return a patient's images on one isotropic grid around the tumor.

    The grid lies along the reference's axes and covers what both readers drew, plus
    a margin. Neither threads nor how files store their axes change a byte.

    Args:
        subject: The patient as acquired.
        settings: The recipe.
        seed: Of the points that registration compares.

    Raises:
        ImageError: A sequence does not show the tumor.
        MaskError: No voxel of the grid is in the tumor.
    """
    masks = [m for m in (subject.tumor, subject.second_reader) if m is not None]
    images = {s: turn_to_patient(image) for s, image in subject.images.items()}
    native = images[subject.reference]
    grid = final_grid(native.grid, masks, settings)
    tumor, *second = [carry_mask(m, grid, patient=subject.patient) for m in masks]
    done: dict[str, Finished] = {}
    with threadpool_limits(limits=1):
        reference = correct_bias(native, settings, sequence=subject.reference)
        target = prepare_target(
            reference.image, subject.tumor, region_mm=settings.region_mm
        )
        for sequence, image in images.items():
            name = f"{sequence} of patient {subject.patient}"
            if sequence == subject.reference:
                even, found = reference, Registered(np.eye(4), {})
            else:
                even = correct_bias(image, settings, sequence=sequence)
                found = register(even.image, target, settings, name=name, seed=seed)
            done[sequence] = finish(even, found, tumor, settings, name=name)
    return AlignedSubject(
        patient=subject.patient,
        images={s: part.image for s, part in done.items()},
        reference=subject.reference,
        tumor=tumor,
        second_reader=second[0] if second else None,
        transforms={s: part.transform for s, part in done.items()},
        quality={s: part.quality for s, part in done.items()},
        notes=(*subject.notes, *(f"{s}: {n}" for s in done for n in done[s].notes)),
    )
