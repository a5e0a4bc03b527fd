"""What exports do to images: values that wrapped around, borders without values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.errors import ImageError
from radhabitat.types import Grid, Volume

_FAR_16_BIT = 16_384


def refuse_wrapped(array: NDArray[Any], name: str) -> None:
    """Refuse 16-bit values that overflowed: the brightest voxels became the darkest.

    Raises:
        ImageError: They did.
    """
    if array.dtype != np.int16 or array.size == 0 or array.max() < _FAR_16_BIT:
        return
    dark = array[array < -_FAR_16_BIT]
    # one value alone is padding
    if dark.size and dark.min() != dark.max():
        raise ImageError(
            f"The values of {name} overflowed 16 bits: they reach from {array.min()} "
            f"to {array.max()}, and {dark.size} of them are below {-_FAR_16_BIT}",
            "export the image again, as unsigned 16 bits, 32 bits or float",
        )


def without_empty_border(volume: Volume) -> tuple[Volume, tuple[str, ...]]:
    """Return an image without a border of NaN, if that is all the NaN it has.

    Returns:
        The image, and what was done, in words.
    """
    finite = np.isfinite(volume.array)
    if finite.all() or not finite.any():
        return volume, ()
    box = ndimage.find_objects(finite.astype(np.uint8))[0]
    if not finite[box].all():
        return volume, ()  # the subject refuses it, with the number of voxels
    affine = volume.grid.affine.copy()
    affine[:3, 3] = volume.grid.to_mm(np.array([float(part.start) for part in box]))
    array = np.ascontiguousarray(volume.array[box])
    note = f"its border of {np.count_nonzero(~finite)} voxels without values was cut"
    return Volume(array, Grid(array.shape, affine)), (note,)
