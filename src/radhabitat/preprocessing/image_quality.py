"""What is wrong with a picture as acquired: noise, clipping, ghosts, wrong phase."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.preprocessing.bias import Corrected
from radhabitat.preprocessing.body import coarse_parts
from radhabitat.preprocessing.register import Registered
from radhabitat.preprocessing.resample import in_view, resample_image
from radhabitat.types import Mask, Transform, Volume

LIMITS: dict[str, tuple[float, float, str]] = {
    "snr": (5.0, np.inf, "the picture is noisy"),
    "clipped": (0.0, 0.002, "bright tissue was cut at the largest storable value"),
    "ghosting": (0.0, 0.025, "ghosts beside the body: the patient moved"),
    "bias_range": (0.0, 8.0, "the coil's gain varies strongly over the body"),
    "body_overlap": (0.93, 1.0, "its body outline is not that of the reference"),
    "displacement_mm": (0.0, 25.0, "the tumor would have moved very far"),
    "nmi_after": (1.02, 2.0, "it hardly agrees with the reference in the tumor"),
    "sharpness": (0.15, 1.0, "moving it by 4 mm makes hardly a difference"),
    "folded": (0.0, 0.0, "the deformation folds"),
}
"""Measure -> lowest and highest usual value, and what another one means
(docs/decisions/0008-image-quality.md has the cases that they were found on)."""

_BRIGHTEST = {"LAP": 3, "PVP": 2, "DP": 1, "PRE": 0}
_CLEARLY = 1.05
_FAT = 1.3
_VESSELS_PERCENT = 99.5
_SLICES = 12
_FEWEST = 100
# Immerkaer's mask: blind to planes and edges along the axes
_NOISE_MASK = np.outer([1.0, -2.0, 1.0], [1.0, -2.0, 1.0])


def measure_image(image: Volume, body: Mask) -> dict[str, float]:
    """Return measures of a native image; one that cannot be taken is left out.

    `snr`: median of the body over the noise of single voxels. `clipped`: share of
    the body at the image's largest value. `ghosting`: what lies beside the body
    along one axis and not along the other, as a share of the body.

    Args:
        image: As acquired.
        body: On the coarse grid of `body_mask`.

    Reference:
        Immerkaer, Comput Vis Image Underst 1996;64:300 (noise, with a median).
        ACR MRI quality control manual 2015, percent signal ghosting.
    """
    coarse = image.array[coarse_parts(image.grid)]
    inside = coarse[body.array]
    middle = float(np.median(inside))
    measures = {"clipped": float((inside >= image.array.max()).mean())}
    if middle <= 0.0:
        return measures
    if (noise := _noise(image, body)) > 0.0:
        measures["snr"] = middle / noise
    strips = _beside(body.array, image)
    if all(np.count_nonzero(strip) >= _FEWEST for strip in strips):
        one, other = (float(coarse[strip].mean()) for strip in strips)
        measures["ghosting"] = abs(one - other) / (2.0 * middle)
    return measures


def measure_vessels(
    images: Mapping[str, Volume], body: Mask, transforms: Mapping[str, Transform]
) -> dict[str, float]:
    """Return how bright vessels are in PRE, LAP, PVP and DP, over the body's median.

    The brightest tissue but fat, which is bright in all sequences.

    Args:
        images: As acquired.
        body: The reference's, coarse.
        transforms: Sequence -> from the reference to it.
    """
    seen = body.array.copy()
    phases = {s: image for s, image in images.items() if s in _BRIGHTEST}
    for name, image in phases.items():
        seen &= in_view(image.grid, body.grid, transforms[name])
    if len(phases) < 2 or np.count_nonzero(seen) < _FEWEST:
        return {}
    values = {}
    for name, image in phases.items():
        moved = resample_image(
            image, body.grid, transforms[name], interpolation="linear"
        )
        inside = moved[seen]
        middle = float(np.median(inside))
        if middle <= 0.0:
            return {}
        values[name] = inside / middle
    every = np.stack(list(values.values()))
    enhancing = every.min(axis=0) < _FAT
    if np.count_nonzero(enhancing) < _FEWEST:
        return {}
    bright = np.percentile(every[:, enhancing], _VESSELS_PERCENT, axis=1)
    return dict(zip(values, bright.tolist(), strict=True))


def body_overlap(reference: Mask, other: Mask, transform: Transform) -> float | None:
    """Return the Dice coefficient of two bodies in the common field of view.

    Args:
        reference: The reference's, coarse.
        other: The sequence's, coarse.
        transform: From the reference to the sequence.
    """
    index = np.indices(reference.grid.shape).reshape(3, -1).T.astype(np.float64)
    there = other.grid.to_index(transform.to_sequence(reference.grid.to_mm(index)))
    nearest = np.rint(there).astype(int)
    seen = ((nearest >= 0) & (nearest < other.grid.shape)).all(axis=1)
    if np.count_nonzero(seen) < _FEWEST:
        return None
    first = reference.array.ravel()[seen]
    second = other.array[tuple(nearest[seen].T)]
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return float(2.0 * np.count_nonzero(first & second) / total) if total else None


def assess(
    images: Mapping[str, Volume],
    bodies: Mapping[str, Mask],
    even: Mapping[str, Corrected],
    found: Mapping[str, Registered],
    reference: str,
) -> tuple[dict[str, dict[str, float]], dict[str, list[str]]]:
    """Return each sequence's measures, and what is unusual about it, in words.

    Args:
        images: As acquired.
        bodies: Their bodies, coarse.
        even: After bias correction.
        found: Where they show the tissue of the reference.
        reference: The sequence that the others were registered to.
    """
    quality, doubts = {}, {}
    for name, image in images.items():
        measures = {**measure_image(image, bodies[name]), **even[name].quality}
        if name != reference:
            measures |= found[name].quality
            bodies_agree = body_overlap(
                bodies[reference], bodies[name], found[name].transform
            )
            if bodies_agree is not None:
                measures["body_overlap"] = bodies_agree
        quality[name] = measures
        doubts[name] = _unusual(measures)
    transforms = {name: one.transform for name, one in found.items()}
    vessels = measure_vessels(images, bodies[reference], transforms)
    for name, brightness in vessels.items():
        quality[name]["vessels"] = brightness
    for name, doubt in swapped_phases(vessels).items():
        doubts[name].append(doubt)
    return quality, doubts


def swapped_phases(vessels: Mapping[str, float]) -> dict[str, str]:
    """Return the sequences whose phase does not fit their vessels, and why.

    Vessels are brightest in LAP, then in PVP, DP and PRE. Without PVP (as in DCE of
    other organs) only PRE is compared with the others.

    Args:
        vessels: Sequence -> its brightest tissue over its body's median.
    """
    known = {s: v for s, v in vessels.items() if s in _BRIGHTEST}
    suspects = {}
    for brighter in known:
        for darker in known:
            ordered = _BRIGHTEST[brighter] > _BRIGHTEST[darker]
            sure = "PVP" in known or darker == "PRE"
            if ordered and sure and known[darker] > _CLEARLY * known[brighter]:
                suspects[brighter] = suspects[darker] = (
                    f"look at this sequence: vessels are brighter in {darker} "
                    f"({known[darker]:.2f} times the body) than in {brighter} "
                    f"({known[brighter]:.2f}): are these phases swapped?"
                )
    return suspects


def _unusual(quality: Mapping[str, float]) -> list[str]:
    """Return what is unusual about a sequence, in words with the number found."""
    return [
        f"look at this sequence: {words} ({name} {quality[name]:.3g})"
        for name, (low, high, words) in LIMITS.items()
        if name in quality and not low <= quality[name] <= high
    ]


def _noise(image: Volume, body: Mask) -> float:
    """Return the standard deviation of the noise of single voxels in the body."""
    across = _across(image)
    slices = np.moveaxis(image.array, across, 0)
    taken = slices[:: max(len(slices) // _SLICES, 1)].astype(np.float64)
    rough = ndimage.convolve(taken, _NOISE_MASK[None])
    bright = taken > np.median(image.array[coarse_parts(image.grid)][body.array]) / 2
    if not bright.any():
        return 0.0
    return float(np.median(np.abs(rough[bright]))) / (6.0 * 0.6745)


def _across(image: Volume) -> int:
    """Return the axis across the slices: of the largest voxels, else the last."""
    spacing_mm = image.grid.spacing_mm
    return 2 - int(np.argmax(spacing_mm[::-1] > 0.99 * spacing_mm.max()))


def _beside(
    body: NDArray[np.bool_], image: Volume
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the air beside the body along each of the two axes of a slice."""
    across = _across(image)
    near = ndimage.binary_dilation(body, iterations=2)
    first, second = (
        np.broadcast_to(near.any(axis=axis, keepdims=True), body.shape)
        for axis in range(3)
        if axis != across
    )
    return first & ~second & ~near, second & ~first & ~near
