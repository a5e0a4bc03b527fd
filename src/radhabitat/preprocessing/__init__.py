"""align: from images as acquired to normalized images on one grid.

    bias field -> registration to the reference -> one interpolation -> normalization

Every decision leaves a note, every step a measure of its quality.
"""

from __future__ import annotations

from collections.abc import Mapping

from threadpoolctl import threadpool_limits

from radhabitat.preprocessing.bias import correct_bias
from radhabitat.preprocessing.body import body_mask
from radhabitat.preprocessing.crop import prepare_target, region_to_register
from radhabitat.preprocessing.geometry import final_grid, turn_to_patient
from radhabitat.preprocessing.image_quality import assess
from radhabitat.preprocessing.normalize import (
    Landmarks,
    find_scale,
    finish,
    landmarks_of,
    learn_standard,
    take_sample,
    voxels_to_scale,
)
from radhabitat.preprocessing.register import register
from radhabitat.preprocessing.resample import (
    at_scanner_position,
    carry_mask,
    resample_mask,
)
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import AlignedSubject, Subject

__all__ = [
    "Landmarks",
    "align",
    "at_scanner_position",
    "learn_standard",
    "measure_landmarks",
]


def align(
    subject: Subject,
    settings: PreprocessingSettings,
    *,
    seed: int,
    standard: Mapping[str, Landmarks] | None = None,
) -> AlignedSubject:
    """Return a patient's images on one isotropic grid, normalized.

    The grid lies along the reference's axes. Neither threads nor how files store
    their axes change a byte.

    Args:
        subject: The patient as acquired.
        settings: The recipe.
        seed: Of the points that registration compares.
        standard: Sequence -> the training set's landmarks, for normalization nyul.

    Raises:
        ImageError: A sequence does not show the tumor.
        MaskError: No voxel of the grid is in the tumor, or an organ that the settings
            name has no mask.
    """
    patient, reference = subject.patient, subject.reference
    masks = [m for m in (subject.tumor, subject.second_reader) if m is not None]
    with threadpool_limits(limits=1):
        images = {s: turn_to_patient(image) for s, image in subject.images.items()}
        bodies = {s: body_mask(image) for s, image in images.items()}
        even = {s: correct_bias(v, settings, sequence=s) for s, v in images.items()}
        # the grid decides numbers: a second reader, absent in a new patient, must not
        covered = [subject.tumor]
        covered += [bodies[reference]] if settings.grid == "body" else []
        grid = final_grid(images[reference].grid, covered, settings)
        tumor, *second = [carry_mask(m, grid, patient=patient) for m in masks]
        around = region_to_register(subject, bodies[reference], settings)
        target = prepare_target(
            even[reference].image, subject.tumor, around, region_mm=settings.region_mm
        )
        found = register(
            {s: part.image for s, part in even.items()},
            reference,
            target,
            settings,
            patient=patient,
            seed=seed,
        )
        done = {}
        for s, part in even.items():
            name = f"{s} of patient {patient}"
            sample = take_sample(
                part, found[s], bodies[s], subject, settings, name=name
            )
            marks = (standard or {}).get(s, ())
            scale = find_scale(sample, settings.normalization, standard=marks)
            done[s] = finish(part, found[s], tumor, scale, settings, name=name)
        quality, doubts = assess(images, bodies, even, found, reference)
    notes = [f"{s}: {n}" for s in done for n in (*done[s].notes, *doubts[s])]
    return AlignedSubject(
        patient=patient,
        images={s: part.image for s, part in done.items()},
        reference=reference,
        tumor=tumor,
        second_reader=second[0] if second else None,
        body=resample_mask(bodies[reference], grid),
        transforms={s: one.transform for s, one in found.items()},
        scales={s: part.scale for s, part in done.items()},
        quality={s: {**quality[s], "tumor_in_view": done[s].share} for s in done},
        notes=(*subject.notes, *notes),
    )


def measure_landmarks(
    subject: Subject, settings: PreprocessingSettings
) -> dict[str, Landmarks]:
    """Return each sequence's percentiles, which `learn_standard` averages for nyul.

    Args:
        subject: A patient of the training set, as acquired.
        settings: The recipe.
    """
    marks = {}
    with threadpool_limits(limits=1):
        for sequence, image in subject.images.items():
            turned = turn_to_patient(image)
            even = correct_bias(turned, settings, sequence=sequence)
            marks[sequence] = landmarks_of(
                voxels_to_scale(even, body_mask(turned), settings)
            )
    return marks
