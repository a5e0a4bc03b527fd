"""Images, masks and labels as users give them: paths, SimpleITK images, our types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ImageError, MaskError
from radhabitat.files.formats import from_itk
from radhabitat.files.masks import Segments, label_segments, read_segments
from radhabitat.files.volumes import read_volume
from radhabitat.preprocessing.resample import carry_mask
from radhabitat.types import Grid, Mask, Subject, Volume

if TYPE_CHECKING:
    import SimpleITK

ImageLike: TypeAlias = "str | Path | Volume | SimpleITK.Image"
MaskLike: TypeAlias = "str | Path | Mask | SimpleITK.Image"
Labels: TypeAlias = tuple[tuple[int, ...], ...]
"""Regions, each the union of some labels."""


def parse_labels(text: str) -> Labels:
    """Read labels separated by commas; + unites.

    Raises:
        MaskError: It is no such list.

    Example:
        >>> parse_labels("1, 2, 1+2")
        ((1,), (2,), (1, 2))
    """
    parts = [part.split("+") for part in text.split(",") if part.strip()]
    if not all(label.strip().isdecimal() for part in parts for label in part):
        raise MaskError(
            f"{text!r} is not a list of labels",
            "write it like 1,2; or 1+2 for both together",
        )
    return tuple(tuple(int(label) for label in part) for part in parts)


def as_volume(image: ImageLike) -> Volume:
    """Return an image that is a path, a SimpleITK image, or a volume already.

    Raises:
        ImageError: It cannot be read, or is not one 3D image.
    """
    if isinstance(image, Volume):
        return image
    if isinstance(image, (str, Path)):
        return read_volume(image)
    array, grid = _of_itk(image)
    return Volume(array.astype(np.float32), grid)


def _of_itk(image: SimpleITK.Image) -> tuple[NDArray[np.float64], Grid]:
    if (image.GetDimension(), image.GetNumberOfComponentsPerPixel()) != (3, 1):
        raise ImageError(
            f"An image has {image.GetDimension()} dimensions and "
            f"{image.GetNumberOfComponentsPerPixel()} values per voxel",
            "give 3D images with one value per voxel",
        )
    array, affine = from_itk(image)
    return array, Grid(array.shape, affine)


def as_regions(
    mask: MaskLike, labels: Labels, on: Volume | None = None
) -> Iterator[tuple[str, Mask | MaskError]]:
    """Give name and voxels of each region; none asked for: one for each label.

    A label that the mask lacks gives the error instead.

    Args:
        mask: As users give it.
        labels: Regions; empty: one for each label or segment, by its name if any.
        on: The image that it was drawn on; contours need it.

    Raises:
        MaskError: It cannot be read, or is empty.
    """
    if isinstance(mask, Mask):
        yield "1", mask
        return
    segments, names = _segments(mask, on)
    if not segments.names:
        raise MaskError("The mask is empty", "draw the region, or choose another file")
    chosen = segments.choose(names)
    for wanted in labels or tuple((label,) for label in chosen):
        name = segments.names.get(wanted[0]) if len(wanted) == 1 else ""
        if set(wanted) & set(segments.names):
            yield name or _named(wanted), segments.union(wanted)
            continue
        yield (
            _named(wanted),
            MaskError(
                f"The mask has no label {_named(wanted)}; found: {segments.found()}",
                "choose labels among those found",
            ),
        )


def _segments(
    mask: str | Path | SimpleITK.Image, on: Volume | None
) -> tuple[Segments, tuple[int | str, ...]]:
    if isinstance(mask, (str, Path)):
        return read_segments(mask, on=on)
    array, grid = _of_itk(mask)
    return label_segments(array, grid, "The mask"), ()


def _named(labels: tuple[int, ...]) -> str:
    return "+".join(map(str, labels))


def on_grid(mask: Mask, image: Volume, name: str) -> Mask:
    """Carry a mask to the image's grid.

    Raises:
        MaskError: It lies elsewhere.
    """
    if mask.grid.same_as(image.grid):
        return Mask(mask.array, image.grid)
    Subject(name, {"image": image}, "image", mask)
    return carry_mask(mask, image.grid, patient=name)


def as_union(mask: MaskLike, labels: tuple[int, ...], on: Volume | None = None) -> Mask:
    """Return some labels of a mask as one region; none: all of them.

    Raises:
        MaskError: As `as_regions`.
    """
    found = []
    for _, one in as_regions(mask, (labels,) if labels else (), on):
        if isinstance(one, MaskError):
            raise one
        found.append(one)
    return Mask(np.logical_or.reduce([one.array for one in found]), found[0].grid)
