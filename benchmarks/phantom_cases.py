"""Phantom patients as a clinical scanner sees them, and failures made on purpose."""

from dataclasses import dataclass, replace

import numpy as np

from radhabitat.phantom.imaging import Scene, build_scene, expose
from radhabitat.phantom.motion import Motion
from radhabitat.phantom.plan import PatientPlan
from radhabitat.phantom.tissues import TUMOR
from radhabitat.types import AlignedSubject, Grid, Mask, Subject, Volume

CLINICAL_SHAPE = (320, 260, 72)
CLINICAL_SPACING_MM = (1.2, 1.2, 3.0)


@dataclass(frozen=True, eq=False)
class Case:
    """A patient in memory, and what is true of it."""

    scene: Scene
    subject: Subject
    motions: dict[str, Motion]

    def displacement_mm(self, sequence: str, points_mm: np.ndarray) -> np.ndarray:
        """From points of the reference, (n, 3), to the same tissue in a sequence."""
        return self.motions[sequence].at(points_mm.T).T


def make_clinical(plan: PatientPlan) -> PatientPlan:
    """Return the same patient in the matrix that liver protocols use."""
    acquisitions = tuple(
        replace(a, shape=CLINICAL_SHAPE, spacing_mm=CLINICAL_SPACING_MM)
        for a in plan.acquisitions
    )
    return replace(plan, acquisitions=acquisitions)


def make_case(plan: PatientPlan) -> Case:
    scene = build_scene(plan)
    exposures = {a.sequence: expose(scene, a.sequence) for a in plan.acquisitions}
    reference = exposures["PVP"]
    subject = Subject(
        plan.patient,
        {s: Volume(e.intensities, e.grid) for s, e in exposures.items()},
        "PVP",
        Mask(np.isin(reference.labels, TUMOR), reference.grid),
    )
    return Case(scene, subject, {s: e.motion for s, e in exposures.items()})


def to_sequence(aligned: AlignedSubject, sequence: str):
    """Return the map that registration found, (n, 3) -> (n, 3), RAS+ mm."""
    return aligned.transforms[sequence].to_sequence


def shift(subject: Subject, sequence: str, by_mm=(0.0, 0.0, 60.0)) -> Subject:
    """Say that a sequence was acquired elsewhere: its header is wrong by `by_mm`."""
    image = subject.images[sequence]
    affine = image.grid.affine.copy()
    affine[:3, 3] += by_mm
    return _with(subject, sequence, Volume(image.array, Grid(image.grid.shape, affine)))


def flip(subject: Subject, sequence: str, axis: int) -> Subject:
    """Turn a sequence's voxels round along i, j or k; its header knows nothing."""
    image = subject.images[sequence]
    turned = np.ascontiguousarray(np.flip(image.array, axis))
    return _with(subject, sequence, Volume(turned, image.grid))


def borrow(subject: Subject, sequence: str, other: Subject) -> Subject:
    """Give a patient another one's sequence."""
    return _with(subject, sequence, other.images[sequence])


def swap(subject: Subject, first: str, second: str) -> Subject:
    """Exchange the names of two sequences."""
    images = subject.images
    return _with(_with(subject, first, images[second]), second, images[first])


def _with(subject: Subject, sequence: str, image: Volume) -> Subject:
    return replace(subject, images={**subject.images, sequence: image})


FAILURES = {
    "LAP 60 mm toward the head": lambda own, _: shift(own, "LAP", (0.0, 0.0, 60.0)),
    "LAP 60 mm to the side": lambda own, _: shift(own, "LAP", (60.0, 0.0, 0.0)),
    "LAP of another patient": lambda own, other: borrow(own, "LAP", other),
    "LAP flipped along i": lambda own, _: flip(own, "LAP", 0),
    "LAP flipped along j": lambda own, _: flip(own, "LAP", 1),
    "LAP flipped along k": lambda own, _: flip(own, "LAP", 2),
    "LAP and DP swapped": lambda own, _: swap(own, "LAP", "DP"),
    "PRE and LAP swapped": lambda own, _: swap(own, "PRE", "LAP"),
}
"""Name -> what spoils a subject, given the subject and another patient."""
