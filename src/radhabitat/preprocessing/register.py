"""Find the tumor of the reference in another sequence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError, ImageError
from radhabitat.preprocessing.crop import (
    Crop,
    Frame,
    crop_image,
    region_around,
    tumor_in,
)
from radhabitat.preprocessing.engine_ants import register_linear
from radhabitat.preprocessing.geometry import map_along
from radhabitat.preprocessing.quality import agreement
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.preprocessing.search import REACH_MM, Found, search_translation
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Mask, Volume

CLEAR_PEAK = 2.5
FARTHEST_MM = 30.0
LARGEST_STRETCH = 1.25

_THINNEST_VOXELS = 4
_FEWEST_VOXELS = 100
_LEAST_KEPT_IN_VIEW = 0.8

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Target:
    """What every other sequence is registered to.

    Attributes:
        frame: Axes of the reference, from the middle of the tumor.
        crop: The reference around the tumor; None where it is too thin to register.
        region: Tumor and neighborhood, shape of `crop.array`.
        ring: The neighborhood without the tumor, same shape.
    """

    frame: Frame
    crop: Crop | None
    region: NDArray[np.bool_]
    ring: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Registered:
    """Where a sequence shows the tissue of the reference.

    Attributes:
        transform: (4, 4), RAS+ mm in the reference -> RAS+ mm in the sequence.
        quality: Name of a measure -> value.
        notes: What went otherwise than planned.
    """

    transform: Matrix
    quality: dict[str, float]
    notes: tuple[str, ...] = ()

    @staticmethod
    def untouched() -> Registered:
        """Return the reference's own: every point stays."""
        return Registered(np.eye(4), {})


def prepare_target(
    reference: Volume, tumor: Mask, settings: PreprocessingSettings
) -> Target:
    """Return the reference around the tumor, ready for registration.

    Args:
        reference: Bias-corrected native image.
        tumor: The drawn tumor.
        settings: `region_mm` is how far registration looks beyond the tumor.
    """
    frame = Frame.around(tumor, reference.grid, region_mm=settings.region_mm)
    crop = crop_image(reference, frame, reach_mm=0.0)
    if crop is None:
        nothing = np.zeros((1, 1, 1), np.bool_)
        return Target(frame, None, nothing, nothing)
    region = region_around(tumor, crop, region_mm=settings.region_mm)
    return Target(frame, crop, region, region & ~tumor_in(tumor, crop))


def register(
    image: Volume,
    target: Target,
    settings: PreprocessingSettings,
    *,
    name: str,
    seed: int,
) -> Registered:
    """Return where a sequence shows the tissue of the reference.

    A search over translations, then ANTs from there, both looking only at the tumor
    and `region_mm` around it. Of where the scanner put it, the search and ANTs, the one
    with the largest mutual information is kept.

    Args:
        image: Bias-corrected native image.
        target: Of the reference.
        settings: `registration` and `region_mm`.
        name: The sequence and its patient, for messages.
        seed: Of the points drawn.

    Raises:
        ImageError: The sequence does not show the region of the tumor.
    """
    still = np.eye(4)
    moving = crop_image(image, target.frame, reach_mm=REACH_MM + 2.0)
    if moving is None:
        raise _elsewhere(name)
    if target.crop is None:
        return Registered(still, {}, ("not registered: the reference is too thin",))
    judge = Judge(target, target.crop, moving, image)
    if judge.region_in_view(still) == 0.0:
        raise _elsewhere(name)
    if settings.registration == "none":
        return Registered(still, judge.compare(still))
    if reason := _unfit(target, target.crop, moving):
        return Registered(still, judge.compare(still), (f"not registered: {reason}",))
    found = search_translation(target.crop, moving, region=target.region, seed=seed)
    if found is None:
        note = "not registered: most of the tumor's neighborhood was not imaged"
        return Registered(still, judge.compare(still), (note,))
    return _from_search(found, judge, settings.registration, seed=seed)


@dataclass(frozen=True, eq=False)
class Judge:
    """Tells which of several transforms shows the same tissue.

    Attributes:
        target: The reference.
        fixed: Its crop.
        moving: The other image around the tumor.
        image: The same as acquired, for what it shows.
    """

    target: Target
    fixed: Crop
    moving: Crop
    image: Volume

    def region_in_view(self, transform: Matrix) -> float:
        """Return the share of the region that the sequence shows."""
        seen = in_view(self.image.grid, self.fixed.grid, transform)
        return float(seen[self.target.region].mean())

    def best(self, candidates: Mapping[str, Matrix]) -> str:
        """Return the name of the transform with the largest mutual information.

        All are compared at the points that all of them see; one that moves a fifth of
        the region out of view is none.
        """
        least = _LEAST_KEPT_IN_VIEW * self.region_in_view(np.eye(4))
        fit = {n: t for n, t in candidates.items() if self.region_in_view(t) >= least}
        seen = self._seen_by_all(fit.values(), self.target.region)
        scores = {name: self._agreement(t, seen)[0] for name, t in fit.items()}
        return max(scores, key=lambda name: scores[name])

    def compare(self, transform: Matrix) -> dict[str, float]:
        """Return the measures of a transform against leaving the image alone."""
        still = np.eye(4)
        region = self._seen_by_all([still, transform], self.target.region)
        ring = self._seen_by_all([still, transform], self.target.ring)
        center = np.append(self.target.frame.center_mm, 1.0)
        measures = {
            "displacement_mm": float(np.linalg.norm((transform @ center - center)[:3])),
            "region_in_view": self.region_in_view(transform),
        }
        for when, matrix in (("before", still), ("after", transform)):
            mi, nmi = self._agreement(matrix, region)
            measures[f"mi_{when}"], measures[f"nmi_{when}"] = mi, nmi
            measures[f"ring_nmi_{when}"] = self._agreement(matrix, ring)[1]
        return measures

    def _seen_by_all(
        self, transforms: Iterable[Matrix], where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        seen = where.copy()
        for transform in transforms:
            seen &= in_view(self.image.grid, self.fixed.grid, transform)
        return seen

    def _agreement(
        self, transform: Matrix, where: NDArray[np.bool_]
    ) -> tuple[float, float]:
        moved = resample_image(
            Volume(self.moving.array, self.moving.grid),
            self.fixed.grid,
            transform,
            interpolation="linear",
        )
        return agreement(self.fixed.array[where], moved[where])


def _from_search(
    found: Found, judge: Judge, kind: Literal["rigid", "affine"], *, seed: int
) -> Registered:
    frame = judge.target.frame
    translation = np.eye(4)
    translation[:3, 3] = found.shift_mm
    candidates = {"the scanner's position": np.eye(4)}
    candidates["the translation alone"] = map_along(
        frame.axes, frame.center_mm, translation
    )
    notes = []
    try:
        linear = register_linear(
            judge.fixed,
            judge.moving,
            region=judge.target.region,
            shift_mm=found.shift_mm,
            kind=kind,
            seed=seed,
        )
    except ComputationError as error:
        notes.append(error.problem)
    else:
        if reason := _implausible(linear):
            notes.append(f"the {kind} registration was refused: {reason}")
        else:
            candidates[kind] = map_along(frame.axes, frame.center_mm, linear)
    kept = judge.best(candidates)
    if kept != kind:
        notes.append(f"{kept} fits best and was kept")
    if found.peak_ratio is not None and found.peak_ratio < CLEAR_PEAK:
        notes.append(
            f"no position stands out (peak ratio {found.peak_ratio:.1f}; clear cases "
            f"have {CLEAR_PEAK} or more): look at this registration"
        )
    quality = judge.compare(candidates[kept])
    if found.peak_ratio is not None:
        quality["peak_ratio"] = found.peak_ratio
    return Registered(candidates[kept], quality, tuple(notes))


def _implausible(matrix: Matrix) -> str:
    """Return why an organ cannot have moved like this; empty if it can."""
    moved_mm = float(np.linalg.norm(matrix[:3, 3]))
    if moved_mm > FARTHEST_MM:
        return f"it moves the tumor by {moved_mm:.0f} mm"
    stretch = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if stretch.max() > LARGEST_STRETCH or stretch.min() < 1.0 / LARGEST_STRETCH:
        return f"it stretches the tumor by {stretch.max():.2f} to {stretch.min():.2f}"
    return ""


def _unfit(target: Target, fixed: Crop, moving: Crop) -> str:
    """Return why two crops cannot be registered; empty if they can."""
    thinnest = min(*fixed.array.shape, *moving.array.shape)
    if thinnest < _THINNEST_VOXELS:
        return "an image is too thin"
    if np.count_nonzero(target.region) < _FEWEST_VOXELS:
        return "the tumor and its neighborhood are too small"
    if np.ptp(fixed.array[target.region]) == 0.0 or np.ptp(moving.array) == 0.0:
        return "an image is constant around the tumor"
    return ""


def _elsewhere(name: str) -> ImageError:
    return ImageError(
        f"The {name} does not show the tumor: it was acquired elsewhere in space",
        "check that it belongs to this patient and visit, or leave the sequence out",
    )
