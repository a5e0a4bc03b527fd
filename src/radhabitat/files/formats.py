"""Decoding of image files: NIfTI, NRRD, MetaImage -> array and RAS+ mm affine."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import SimpleITK as sitk  # noqa: N813 (the name its documentation uses)
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, SpatialImage
from numpy.typing import NDArray

NIFTI = (".nii", ".nii.gz", ".hdr", ".img")
NRRD = (".nrrd", ".nhdr")
META = (".mha", ".mhd")
SUFFIXES = (*NIFTI, *NRRD, *META)

# what the decoders raise on damaged files
_ORDINARY = (OSError, EOFError, ValueError, TypeError, LookupError, AttributeError)
_RARE = (ArithmeticError, RuntimeError, AssertionError, MemoryError, zlib.error)
_OWN = (struct.error, nrrd.NRRDError, ImageFileError, HeaderDataError)
DAMAGED = (*_ORDINARY, *_RARE, *_OWN)

# deflate cannot shrink more than 1:1032
_MOST_COMPRESSED = 1100

MOST_VOXELS = 200_000_000
"""Of one image: four of this size would need more memory than a worker has."""


class TooLargeError(ValueError):
    """An image has more voxels than can be worked on."""


# sign of the axes of an NRRD space against RAS+
_NRRD_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
    "": (-1, -1, 1),  # ITK writes LPS and some of its users drop the field
}
_MM_PER_UNIT = {"meter": 1000.0, "micron": 0.001}

Decoded = tuple[NDArray[Any], NDArray[np.float64]]


def is_image_name(path: Path) -> bool:
    """Tell whether a file is named like an image that can be read."""
    return path.name.lower().endswith(SUFFIXES)


def decode(path: Path) -> Decoded:
    """Return the array as stored (i, j, k, ...) and the RAS+ mm affine.

    Raises one of `DAMAGED` when the file cannot be decoded.
    """
    name = path.name.lower()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # oddities of headers; checked by us
        if name.endswith(NRRD):
            return _decode_nrrd(path)
        if name.endswith(META):
            return _decode_meta(path)
        return _decode_nifti(path)


def _decode_nifti(path: Path) -> Decoded:
    image = nibabel.load(path, mmap=False)
    if not isinstance(image, SpatialImage):
        raise ValueError("not a volume")
    voxels = math.prod(image.shape)
    _check_size(path, voxels, bytes_each=image.get_data_dtype().itemsize)
    affine = _nifti_affine(image)  # before the voxels are read
    return np.asanyarray(image.dataobj), affine


def _nifti_affine(image: Any) -> NDArray[np.float64]:  # noqa: ANN401 (untyped library)
    """Choose sform, else qform, else voxel sizes; in mm.

    The order is that of the NIfTI-1 standard's "METHOD 3 before METHOD 2"; a
    matrix that cannot be inverted is passed over.
    """
    header, scale = image.header, 1.0
    choices = [image.affine]
    if isinstance(header, nibabel.Nifti1Header):
        scale = _MM_PER_UNIT.get(header.get_xyzt_units()[0], 1.0)
        forms = (header.get_sform(coded=True)[0], header.get_qform(coded=True)[0])
        choices = [form for form in forms if form is not None]
        choices.append(header.get_base_affine())
    for choice in choices:
        affine = np.asarray(choice, dtype=np.float64).copy()
        affine[:3] *= scale
        if np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
            return affine
    raise ValueError("the header has no usable position in space")


def _decode_nrrd(path: Path) -> Decoded:
    header = nrrd.read_header(str(path))
    count = math.prod(int(size) for size in header["sizes"])
    if count <= 0:
        raise ValueError("an axis has no voxels")
    _check_size(path, count, alone="data file" not in header)
    array, header = nrrd.read(str(path), index_order="F")
    return _spatial_axes(np.asarray(array), header)


def _spatial_axes(array: NDArray[Any], header: dict[str, Any]) -> Decoded:
    """Put an NRRD's spatial axes first and build its affine."""
    directions = header.get("space directions")
    if directions is None:
        spacings = np.array(header.get("spacings", np.ones(array.ndim)), dtype=float)
        directions = np.diag(np.where(np.isfinite(spacings), spacings, 1.0))[:, :3]
    directions = np.array(
        [np.full(3, np.nan) if d is None else d for d in directions], dtype=np.float64
    )
    spatial = [n for n, d in enumerate(directions) if np.isfinite(d).all()][:3]
    if len(spatial) != 3 or directions.shape[1] != 3:
        raise ValueError(f"it has {len(spatial)} axes in space instead of 3")
    others = [axis for axis in range(array.ndim) if axis not in spatial]
    space = str(header.get("space", "")).lower()
    if space not in _NRRD_SPACES:
        raise ValueError(f"its space {space!r} is not one of RAS, LAS, LPS")
    affine = np.eye(4)
    affine[:3, :3] = directions[spatial].T
    affine[:3, 3] = np.asarray(header.get("space origin", np.zeros(3)), dtype=float)
    affine[:3] *= np.array(_NRRD_SPACES[space], dtype=np.float64)[:, None]
    return array.transpose(*spatial, *others), affine


def _decode_meta(path: Path) -> Decoded:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("MetaImageIO")
    reader.ReadImageInformation()
    has = reader.GetDimension(), reader.GetNumberOfComponents()
    if has != (3, 1):
        raise ValueError(
            f"it has {has[0]} dimensions and {has[1]} components; wanted 3 and 1"
        )
    alone = path.suffix.lower() == ".mha"
    _check_size(path, math.prod(reader.GetSize()), alone=alone)
    return from_itk(reader.Execute())


def from_itk(image: sitk.Image) -> Decoded:
    """Return the array (i, j, k) of a 3D SimpleITK image and its RAS+ mm affine."""
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = directions * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    affine[:2] *= -1.0  # LPS -> RAS
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), affine


def check_voxels(voxels: int) -> None:
    """Refuse an image that does not fit into a worker's memory.

    Raises:
        TooLargeError: It has too many voxels.
    """
    if voxels > MOST_VOXELS:
        raise TooLargeError(
            f"it has {voxels / 1e6:.0f} million voxels; up to "
            f"{MOST_VOXELS / 1e6:.0f} million fit into 4 GB of memory"
        )


def _check_size(
    path: Path, voxels: int, *, bytes_each: int = 1, alone: bool = True
) -> None:
    """Refuse a header that promises more than its file, or the memory, can hold."""
    size, wanted = path.stat().st_size, voxels * bytes_each
    alone = alone and path.suffix.lower() not in (".hdr", ".img")
    if alone and wanted > size * _MOST_COMPRESSED:
        raise ValueError(f"the header promises {wanted:.3g} bytes, the file has {size}")
    check_voxels(voxels)
