"""Find the tumor of the reference in another sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError, ImageError
from radhabitat.preprocessing.crop import Crop, Target, crop_image
from radhabitat.preprocessing.engine_ants import register_linear
from radhabitat.preprocessing.geometry import map_along
from radhabitat.preprocessing.quality import Judge
from radhabitat.preprocessing.search import REACH_MM, Found, search_translation
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Volume

CLEAR_PEAK = 1.4
WEAK_PEAK = 1.2
CLEAR_NMI = 1.08
CLEAR_RING_NMI = 1.02
LARGEST_STRETCH = 1.08
FARTHEST_FROM_SEARCH_MM = 6.0

_STAGES: dict[str, tuple[Literal["rigid", "affine"], ...]] = {
    "rigid": ("rigid",),
    "affine": ("rigid", "affine"),
}
_THINNEST_VOXELS = 4
_FEWEST_VOXELS = 100
_SCANNER = "the scanner's position"
_SEARCH = "the translation alone"

Matrix = NDArray[np.float64]


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


def register(
    image: Volume,
    target: Target,
    settings: PreprocessingSettings,
    *,
    name: str,
    seed: int,
) -> Registered:
    """Return where a sequence shows the tissue of the reference.

    A search over translations, then ANTs from there. Of the scanner's position, the
    search and the stages of ANTs, the plausible one with the largest mutual
    information is kept; if it is not credible, the scanner's position.

    Args:
        image: Bias-corrected native image.
        target: Of the reference.
        settings: `registration`.
        name: The sequence and its patient, for messages.
        seed: Of the points drawn.

    Raises:
        ImageError: The sequence does not show the region of the tumor.
    """
    moving = crop_image(image, target.frame, reach_mm=REACH_MM + 2.0)
    if moving is None:
        raise _elsewhere(name)
    if target.crop is None:
        note = "not registered: the reference is too thin"
        return Registered(np.eye(4), {}, (note,))
    judge = Judge(target, target.crop, moving, image)
    if judge.region_in_view(np.eye(4)) == 0.0:
        raise _elsewhere(name)
    if settings.registration == "none":
        return _stay(judge)
    if reason := _unfit(target, target.crop, moving):
        return _stay(judge, f"not registered: {reason}")
    found = search_translation(target.crop, moving, region=target.region, seed=seed)
    if found is None:
        return _stay(judge, "not registered: most of the tumor's surroundings are cut")
    candidates, notes = _candidates(found, judge, settings.registration, seed=seed)
    return _keep_best(candidates, found, judge, notes)


def _stay(judge: Judge, *notes: str) -> Registered:
    return Registered(np.eye(4), judge.compare(np.eye(4)), notes)


def _candidates(
    found: Found, judge: Judge, kind: Literal["rigid", "affine"], *, seed: int
) -> tuple[dict[str, Matrix], tuple[str, ...]]:
    """Return name -> transform (RAS+ mm) of all that an organ could do, and notes."""
    start = np.eye(4)
    start[:3, 3] = found.shift_mm
    along, notes = {_SEARCH: start}, []
    for stage in _STAGES[kind]:
        latest = list(along.values())[-1]
        try:
            matrix = register_linear(
                judge.fixed,
                judge.moving,
                region=judge.target.region,
                start=latest,
                kind=stage,
                seed=seed,
            )
        except ComputationError as error:
            notes.append(error.problem)
            continue
        if reason := _implausible(matrix, start):
            notes.append(f"{stage} was refused: {reason}")
        else:
            along[stage] = matrix
    axes, center = judge.target.frame.axes, judge.target.frame.center_mm
    placed = {name: map_along(axes, center, m) for name, m in along.items()}
    return {_SCANNER: np.eye(4), **placed}, tuple(notes)


def _keep_best(
    candidates: dict[str, Matrix], found: Found, judge: Judge, notes: tuple[str, ...]
) -> Registered:
    best = judge.best(candidates)
    quality = judge.compare(candidates[best])
    doubt = _doubt(found)
    if best == _SCANNER:
        notes = (*notes, f"{best} fits best and was kept")
    elif doubt and not _believable(found, quality):
        best, quality = _SCANNER, judge.compare(candidates[_SCANNER])
        notes = (*notes, f"not registered, look at this sequence: {doubt}")
    elif doubt:
        notes = (*notes, f"registered, but look at this sequence: {doubt}")
    if best == _SEARCH:
        notes = (*notes, f"{best} fits best and was kept")
    if found.peak_ratio is not None:
        quality["peak_ratio"] = found.peak_ratio
    return Registered(candidates[best], quality, notes)


def _doubt(found: Found) -> str:
    """Return why the search may have been misled; empty if it was clear."""
    if found.at_border:
        return "the best position is at the end of the search"
    if found.peak_ratio is None:
        return "too little is in view to compare positions"
    if found.peak_ratio < CLEAR_PEAK:
        ratio = f"{found.peak_ratio:.2f}; clear cases have {CLEAR_PEAK} or more"
        return f"no position stands out (peak ratio {ratio})"
    return ""


def _believable(found: Found, quality: dict[str, float]) -> bool:
    """Tell whether images agree so well that a doubtful search may be right."""
    return (
        not found.at_border
        and found.peak_ratio is not None
        and found.peak_ratio >= WEAK_PEAK
        and quality["nmi_after"] >= CLEAR_NMI
        and quality["ring_nmi_after"] >= CLEAR_RING_NMI
    )


def _implausible(matrix: Matrix, start: Matrix) -> str:
    """Return why the tumor cannot have moved like this; empty if it can."""
    drift_mm = float(np.linalg.norm((matrix - start)[:3, 3]))
    if drift_mm > FARTHEST_FROM_SEARCH_MM:
        return f"it left the position that the search found by {drift_mm:.0f} mm"
    stretch = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    if stretch.max() > LARGEST_STRETCH or stretch.min() < 1.0 / LARGEST_STRETCH:
        return f"it stretches the tumor by {stretch.min():.2f} to {stretch.max():.2f}"
    return ""


def _unfit(target: Target, fixed: Crop, moving: Crop) -> str:
    """Return why two crops cannot be registered; empty if they can."""
    thinnest = min(*fixed.array.shape, *moving.array.shape)
    if thinnest < _THINNEST_VOXELS:
        return "an image is too thin"
    if np.count_nonzero(target.region) < _FEWEST_VOXELS:
        return "the tumor and its surroundings are too small"
    if np.ptp(fixed.array[target.region]) == 0.0 or np.ptp(moving.array) == 0.0:
        return "an image is constant around the tumor"
    return ""


def _elsewhere(name: str) -> ImageError:
    return ImageError(
        f"The {name} does not show the tumor: it was acquired elsewhere in space",
        "check that it belongs to this patient and visit, or leave the sequence out",
    )
