"""The last step of a sequence: one interpolation, then a common scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.errors import ImageError, MaskError
from radhabitat.preprocessing.bias import Corrected
from radhabitat.preprocessing.register import Registered
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Mask, Scale, Subject, Volume

Landmarks = tuple[float, ...]

_NYUL_PERCENT = (1, *range(10, 100, 10), 99)
_ROBUST_PERCENT = (1, 99)
_MOST_POINTS = 20000


@dataclass(frozen=True, eq=False)
class Finished:
    """One sequence on the final grid, and how it got there.

    Attributes:
        image: Normalized.
        scale: How.
        share: Of the tumor that the sequence shows.
        notes: What was decided, in words.
    """

    image: Volume
    scale: Scale
    share: float
    notes: tuple[str, ...]


def finish(
    even: Corrected,
    found: Registered,
    tumor: Mask,
    scale: Scale,
    settings: PreprocessingSettings,
    *,
    name: str,
) -> Finished:
    """Return a sequence interpolated once, and normalized.

    Args:
        even: The native image after bias correction.
        found: Where it shows the tissue of the reference.
        tumor: The tumor on the final grid.
        scale: How to normalize.
        settings: `interpolation`.
        name: The sequence and its patient, for messages.

    Raises:
        ImageError: No voxel of the tumor was imaged.
    """
    seen = in_view(even.image.grid, tumor.grid, found.transform)
    share = float(seen[tumor.array].mean())
    if share == 0.0:
        fix = (
            "check that it belongs to this patient and visit, or leave the sequence out"
        )
        raise ImageError(f"The {name} shows no voxel of the tumor", fix)
    how = settings.interpolation
    values = resample_image(even.image, tumor.grid, found.transform, interpolation=how)
    notes = [note for note in (even.note, *found.notes) if note]
    if share < 1.0:
        notes.append(
            f"{100 * (1 - share):.1f} % of the tumor lies outside the field of view "
            "and was filled with the nearest edge"
        )
    image = Volume(scale.apply(values), tumor.grid)
    return Finished(image, scale, share, tuple(notes))


def take_sample(
    even: Corrected,
    found: Registered,
    body: Mask,
    subject: Subject,
    settings: PreprocessingSettings,
    *,
    name: str,
) -> NDArray[np.float32]:
    """Return the intensities that the scale of one image is learned from.

    Those of the organ that `normalization` names, without the tumor; else of the
    whole image or the body, as `normalization_over` says.

    Args:
        even: The native image after bias correction.
        found: Where it shows the tissue of the reference.
        body: The sequence's own, on its coarse grid.
        subject: For its organs and its tumor, drawn on the reference.
        settings: `normalization` and `normalization_over`.
        name: The sequence and its patient, for messages.

    Raises:
        MaskError: The organ that the settings name was not given, or is not seen.
    """
    organ = settings.normalization
    if organ not in ("liver", "muscle"):
        return voxels_to_scale(even, body, settings)
    points = np.empty((0, 3))
    if organ in subject.organs:
        points = subject.organs[organ].points_mm()
        points = points[:: max(len(points) // _MOST_POINTS, 1)]
        nearest = np.rint(subject.tumor.grid.to_index(points)).astype(int)
        last = np.array(subject.tumor.grid.shape) - 1
        inside = ((nearest >= 0) & (nearest <= last)).all(axis=1)
        at = tuple(np.clip(nearest, 0, last).T)
        points = points[~(inside & subject.tumor.array[at])]
    grid = even.image.grid
    index = grid.to_index(found.transform.to_sequence(points)).T
    last = np.array(grid.shape)[:, None] - 1
    index = index[:, ((index >= 0) & (index <= last)).all(axis=0)]
    values: NDArray[np.float32] = ndimage.map_coordinates(
        even.image.array, index, order=1
    )
    if values.size == 0 or not np.median(values) > 0.0:
        raise MaskError(
            f"The {name} cannot be normalized by {organ}: no mask shows {organ} in it",
            f"name a mask in the column {organ} of the subjects table, or choose "
            "another preprocessing.normalization",
        )
    return values


def voxels_to_scale(
    even: Corrected, body: Mask, settings: PreprocessingSettings
) -> NDArray[np.float32]:
    """Return the native voxels of the whole image, or of the body."""
    if settings.normalization_over == "image":
        return even.image.array.ravel()
    return _in_body(even.image, body)


def _in_body(image: Volume, body: Mask) -> NDArray[np.float32]:
    """Return the native voxels whose nearest coarse voxel is in the body."""
    index = [np.arange(n, dtype=np.float64) for n in image.grid.shape]
    axes = np.linalg.inv(body.grid.affine) @ image.grid.affine
    # the coarse grid takes every n-th voxel along the same axes
    near = [
        np.clip(np.rint(axes[a, a] * index[a] + axes[a, 3]), 0, n - 1).astype(int)
        for a, n in enumerate(body.grid.shape)
    ]
    inside: NDArray[np.float32] = image.array[body.array[np.ix_(*near)]]
    return inside


def find_scale(
    voxels: NDArray[np.float32], how: str, *, standard: Landmarks = ()
) -> Scale:
    """Return how one image is normalized.

    Args:
        voxels: Its bias-corrected intensities, any shape, as `take_sample` gave them.
        how: minmax: darkest voxel 0, brightest 1 (as published). percentile: the
            1st percentile 0, the 99th 1. zscore: mean 0, standard deviation 1. nyul:
            percentiles 1, 10 .. 90, 99 become the training set's. liver, muscle: its
            median 1. none: as it is.
        standard: Landmarks of the training set, for nyul.

    Reference:
        Nyul, Udupa and Zhang, IEEE Trans Med Imaging 2000;19:143 (nyul).
    """
    if how == "nyul":
        return _through(landmarks_of(voxels), standard)
    if how == "minmax":
        zero, one = float(voxels.min()), float(voxels.max())
    elif how == "percentile":
        zero, one = (float(v) for v in np.percentile(voxels, _ROBUST_PERCENT))
    elif how == "zscore":
        zero = float(voxels.mean(dtype=np.float64))
        one = zero + float(voxels.std(dtype=np.float64))
    elif how == "none":
        zero, one = 0.0, 1.0
    else:
        zero, one = 0.0, float(np.median(voxels))
    return Scale((zero, one if one > zero else zero + 1.0), (0.0, 1.0))


def landmarks_of(voxels: NDArray[np.float32]) -> Landmarks:
    """Return the percentiles that nyul matches."""
    return tuple(float(v) for v in np.percentile(voxels, _NYUL_PERCENT))


def learn_standard(training: Sequence[Landmarks]) -> Landmarks:
    """Return the landmarks that images of one sequence have in common, 0..1.

    Each image's lowest landmark becomes 0 and its highest 1; then the mean.

    Args:
        training: Landmarks of each image of the training set.
    """
    marks = np.array(training)
    low, high = marks[:, :1], marks[:, -1:]
    unit = np.where(high > low, high - low, 1.0)
    return tuple(float(v) for v in ((marks - low) / unit).mean(axis=0))


def _through(given: Landmarks, become: Landmarks) -> Scale:
    """Return the scale through pairs of landmarks; of equal ones the first counts."""
    pairs = [(given[0], become[0])]
    for pair in zip(given[1:], become[1:], strict=True):
        if pair[0] > pairs[-1][0]:
            pairs.append(pair)
    if len(pairs) == 1:
        pairs.append((given[0] + 1.0, become[0] + 1.0))
    return Scale(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))
