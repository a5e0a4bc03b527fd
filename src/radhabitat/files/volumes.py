"""Images on disk: read from every format; images and masks written as NIfTI."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from radhabitat.dicom import DicomVolume, read_volumes
from radhabitat.errors import ImageError, InputError
from radhabitat.files.formats import (
    DAMAGED,
    TooLargeError,
    check_voxels,
    decode,
    is_image_name,
)
from radhabitat.files.guards import refuse_wrapped, without_empty_border
from radhabitat.files.store import write_bytes
from radhabitat.types import Grid, Mask, Volume

_GZIP_LEVEL = 4
_EXPORT = "export it again as NIfTI (.nii.gz) or NRRD"


def read_volume(path: Path | str, *, patient: str = "") -> Volume:
    """Return an image, float32, on its own grid.

    Args:
        path: NIfTI, NRRD or MetaImage file, a DICOM file, a folder of DICOM, or
            "folder#n": the n-th volume (from 1) of that folder in time order.
        patient: Whose image it is, for messages.

    Raises:
        ImageError: Missing, damaged, or not one 3D image.
    """
    return read_volume_and_notes(path, patient=patient)[0]


def read_volume_and_notes(
    path: Path | str, *, patient: str = ""
) -> tuple[Volume, tuple[str, ...]]:
    """Return an image, and what was assumed while reading it, in words.

    Raises:
        ImageError: Missing, damaged, or not one 3D image.
    """
    with told(whose(patient), ImageError):
        source, part = split_cell(path)
        check_exists(source)
        if not is_image_name(source):
            volume = pick_dicom(source, part)
            try:
                check_voxels(int(np.prod(volume.grid.shape)))
            except TooLargeError as error:
                raise _too_large(source, error) from error
            with told(f"{source.name}: ", ImageError):
                return volume.read(), volume.warnings
        array, grid = _decode_3d(source)
        if array.dtype.kind not in "biuf":
            raise ImageError(
                f"{source.name} holds {array.dtype} values, not one gray value per "
                "voxel",
                "export one gray-scale image (no colors, no complex numbers)",
            )
        refuse_wrapped(array, source.name)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities are refused later
        values = np.ascontiguousarray(array, dtype=np.float32)
    return without_empty_border(Volume(values, grid))


def pick_dicom(folder: Path, part: str) -> DicomVolume:
    """Return the n-th volume of a DICOM folder in time order, or its only one.

    Raises:
        ImageError: There is none, or several and no number.
    """
    volumes = read_volumes(folder)
    if not part.isdecimal() and len(volumes) > 1:
        titles = "; ".join(f"{n}: {v.title}" for n, v in enumerate(volumes, start=1))
        raise ImageError(
            f"{folder.name} holds {len(volumes)} volumes: {titles}",
            f"choose one in the subjects table: {folder.name}#1 is the first",
        )
    chosen = max(int(part), 1) if part.isdecimal() else 1
    if chosen > len(volumes):
        raise ImageError(
            f"{folder.name} holds {len(volumes)} volumes; number {chosen} was asked "
            "for",
            "correct the number behind # in the subjects table",
        )
    return volumes[chosen - 1]


def split_cell(path: Path | str) -> tuple[Path, str]:
    """Return the path, and what stands behind its last # if that is no file.

    Example:
        >>> split_cell("dicom/P01#2")
        (PosixPath('dicom/P01'), '2')
    """
    match = re.fullmatch(r"(.+)#([^#/]+)", str(path))
    if match is None or Path(path).exists():
        return Path(path), ""
    return Path(match[1]), match[2]


def write_volume(path: Path, volume: Volume) -> None:
    """Write an image as NIfTI, atomically; the same image gives the same bytes.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    _write_nifti(path, volume.array.astype(np.float32), volume.grid)


def write_mask(path: Path, mask: Mask) -> None:
    """Write a mask as NIfTI (0 and 1), atomically.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    _write_nifti(path, mask.array.astype(np.uint8), mask.grid)


def write_labels(path: Path, labels: NDArray[np.uint8], grid: Grid) -> None:
    """Write labels, shape (i, j, k), as NIfTI, atomically.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    _write_nifti(path, np.asarray(labels, dtype=np.uint8), grid)


def write_vectors(path: Path, vectors: NDArray[np.float32], grid: Grid) -> None:
    """Write vectors, shape (i, j, k, 3), RAS+ mm, as NIfTI, atomically.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    _write_nifti(path, vectors[:, :, :, None, :].astype(np.float32), grid)


def _write_nifti(path: Path, array: NDArray[Any], grid: Grid) -> None:
    image = nibabel.Nifti1Image(np.asfortranarray(array), None)
    # a quaternion cannot hold shear; then only the matrix is declared valid
    columns = grid.affine[:3, :3] / grid.spacing_mm
    rigid = bool(np.allclose(columns.T @ columns, np.eye(3), atol=1e-4))
    image.set_qform(grid.affine, code=1 if rigid else 0)
    image.set_sform(grid.affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    if array.ndim == 5:
        image.header.set_intent("vector")
    data = image.to_bytes()
    if path.name.endswith(".gz"):
        data = gzip.compress(data, compresslevel=_GZIP_LEVEL, mtime=0)
    write_bytes(path, data)


def _decode_3d(path: Path) -> tuple[NDArray[Any], Grid]:
    layers, grid = decode_layers(path)
    if layers.shape[-1] != 1:
        shape = layers.shape
        raise ImageError(
            f"{path.name} is 4D where 3D is expected "
            f"(shape {' x '.join(map(str, shape))})",
            f"give one 3D volume per file, each phase as a file of its own; {_EXPORT}",
        )
    return layers[..., 0], grid


def decode_layers(path: Path) -> tuple[NDArray[Any], Grid]:
    """Return an array of shape (i, j, k, layers), and where it lies.

    Raises:
        ImageError: It is damaged, too large, or has other dimensions.
    """
    try:
        array, affine = decode(path)
    except TooLargeError as error:
        raise _too_large(path, error) from error
    except DAMAGED as error:
        raise ImageError(
            f"{path.name} cannot be read: {_short(error, path)}",
            f"the file is damaged, incomplete or of another kind; {_EXPORT}",
        ) from error
    shape = array.shape
    while array.ndim > 4 and array.shape[-1] == 1:
        array = array[..., 0]
    array = array[..., None] if array.ndim == 3 else array
    if array.ndim != 4:
        raise ImageError(
            f"{path.name} is {len(shape)}D where 3D is expected "
            f"(shape {' x '.join(map(str, shape))})",
            f"give one 3D volume per file; {_EXPORT}",
        )
    with told(f"{path.name}: ", ImageError):
        return array, Grid(array.shape[:3], affine)


def _too_large(path: Path, error: TooLargeError) -> ImageError:
    fix = "cut it to the region around the tumor, or resample it to 1-mm voxels"
    return ImageError(f"{path.name} is too large: {error}", fix)


def check_exists(path: Path) -> None:
    """Refuse a path where nothing is.

    Raises:
        ImageError: Nothing is there.
    """
    if not path.exists():
        raise ImageError(
            f"{path.name} does not exist",
            "correct the path in the subjects table, or put the file there",
        )


@contextmanager
def told(before: str, kind: type[InputError]) -> Iterator[None]:
    """Say whose, or in which file, a problem is."""
    try:
        yield
    except InputError as error:
        raise kind(f"{before}{error.problem}", error.fix) from error


def whose(patient: str) -> str:
    """Return how a message about a patient begins."""
    return f"Patient {patient}: " if patient else ""


def _short(error: BaseException, path: Path) -> str:
    text = " ".join(str(error).replace(str(path), path.name).split())
    text = text or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."
