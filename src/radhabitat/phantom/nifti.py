"""NIfTI files whose bytes depend on their content only."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from radhabitat.types import Grid


def write_nifti(
    path: Path,
    array: NDArray[np.uint8] | NDArray[np.int16] | NDArray[np.float32],
    grid: Grid,
    *,
    step: float | None = None,
) -> None:
    """Write an array of shape (i, j, k) or (i, j, k, components).

    Args:
        path: Ends in .nii.gz; folders are made.
        array: Stored as it is, unless `step` is given.
        grid: Where the voxels lie.
        step: Store as int16 in multiples of this (scl_slope), for smooth fields.
    """
    data = array if step is None else np.rint(array / step).astype(np.int16)
    image = nibabel.Nifti1Image(data, grid.affine)
    # Only the sform: quaternions in single precision would be 0.05 mm off.
    image.set_qform(grid.affine, code=0)
    image.set_sform(grid.affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    if step is not None:
        image.header.set_slope_inter(step, 0.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(_to_bytes(image), compresslevel=4, mtime=0))


def _to_bytes(image: nibabel.Nifti1Image) -> bytes:
    """Header and voxels; nibabel's own writer would scale and look at the data."""
    header = image.header.copy()
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    voxels = np.asarray(image.dataobj)
    return bytes(header.binaryblock) + b"\0" * 4 + voxels.tobytes(order="F")
