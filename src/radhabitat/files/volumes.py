"""Images and masks on disk: read from every format, written as NIfTI."""

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

from radhabitat.dicom import (
    DicomVolume,
    is_segmentation,
    read_segmentation,
    read_volumes,
)
from radhabitat.errors import ImageError, InputError, MaskError
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

_MOST_LABELS = 256
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
    with _told(_whose(patient), ImageError):
        source, number = split_number(path)
        _check_exists(source)
        if not is_image_name(source):
            volume = _pick_dicom(source, number)
            try:
                check_voxels(int(np.prod(volume.grid.shape)))
            except TooLargeError as error:
                raise _too_large(source, error) from error
            with _told(f"{source.name}: ", ImageError):
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


def _pick_dicom(folder: Path, number: int | None) -> DicomVolume:
    """Return the n-th volume of a DICOM folder in time order, or its only one."""
    volumes = read_volumes(folder)
    if number is None and len(volumes) > 1:
        titles = "; ".join(f"{n}: {v.title}" for n, v in enumerate(volumes, start=1))
        raise ImageError(
            f"{folder.name} holds {len(volumes)} volumes: {titles}",
            f"choose one in the subjects table: {folder.name}#1 is the first",
        )
    chosen = number or 1
    if chosen > len(volumes):
        raise ImageError(
            f"{folder.name} holds {len(volumes)} volumes; number {chosen} was asked "
            "for",
            "correct the number behind # in the subjects table",
        )
    return volumes[chosen - 1]


def split_number(path: Path | str) -> tuple[Path, int | None]:
    """Return the path, and the number behind its last # if that is no file.

    Example:
        >>> split_number("dicom/P01#2")
        (PosixPath('dicom/P01'), 2)
    """
    match = re.fullmatch(r"(.+)#(\d+)", str(path))
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match[1]), max(int(match[2]), 1)


def read_mask(
    path: Path | str, *, labels: tuple[int, ...] = (), patient: str = ""
) -> tuple[Mask, tuple[int, ...]]:
    """Return the tumor, and the labels that the file holds.

    Args:
        path: NIfTI, NRRD (also .seg.nrrd of one layer), MetaImage or DICOM SEG;
            values between 0 and 1 are a probability, cut at 0.5.
        labels: Labels that are tumor; empty: all of them together.
        patient: Whose mask it is, for messages.

    Raises:
        MaskError: Missing, damaged, not a mask, or without the wanted labels.
    """
    source = Path(path)
    with _told(_whose(patient), MaskError):
        _check_exists(source)
        if not is_image_name(source):
            return _read_dicom_mask(source, labels)
        values, grid = _decode_3d(source)
        array = _as_labels(values, source.name)
        found = tuple(int(label) for label in np.unique(array) if label > 0)
        return Mask(np.isin(array, _wanted(found, labels, source.name)), grid), found


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
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise ImageError(
            f"{path.name} is {array.ndim}D where 3D is expected "
            f"(shape {' x '.join(map(str, shape))})",
            f"give one 3D volume per file (each phase, or overlapping layers, as a "
            f"file of its own); {_EXPORT}",
        )
    with _told(f"{path.name}: ", ImageError):
        return array, Grid(array.shape, affine)


def _too_large(path: Path, error: TooLargeError) -> ImageError:
    fix = "cut it to the region around the tumor, or resample it to 1-mm voxels"
    return ImageError(f"{path.name} is too large: {error}", fix)


def _as_labels(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return whole numbers >= 0, of shape (i, j, k); a probability is cut at 0.5."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0)
        fractions = bool((values != np.round(values)).any())
        if fractions and values.min() >= 0 and values.max() <= 1:
            return values > 0.5
    problem = _unlike_labels(values)
    if problem:
        raise MaskError(
            f"{name} is not a mask: it {problem}",
            "give the file with the drawn tumor (0 outside, 1 inside), not an image",
        )
    return values


def _unlike_labels(values: NDArray[Any]) -> str:
    """Return what speaks against a mask."""
    if values.dtype.kind not in "biuf":
        return f"holds {values.dtype} values"
    if values.size == 0:
        return "has no voxels"
    if values.dtype.kind == "f" and (values != np.round(values)).any():
        return "holds fractions beyond 0 to 1"
    if values.min() < 0:
        return f"holds negative values (down to {values.min()})"
    if values.max() > 1 and len(np.unique(values)) > _MOST_LABELS:
        return f"holds {len(np.unique(values))} different values"
    return ""


def _wanted(found: tuple[int, ...], labels: tuple[int, ...], name: str) -> list[int]:
    """Return the labels that are tumor; an empty mask stays empty."""
    wanted = sorted(set(labels) & set(found)) if labels else list(found)
    if found and not wanted:
        raise MaskError(
            f"{name} has none of the labels {', '.join(map(str, labels))}; found: "
            f"{', '.join(map(str, found))}",
            "choose labels (data.mask_labels in study.toml) among those found",
        )
    return wanted


def _read_dicom_mask(
    path: Path, labels: tuple[int, ...]
) -> tuple[Mask, tuple[int, ...]]:
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [file for file in inside if is_segmentation(file)]
    if len(files) != 1:
        raise MaskError(
            f"{path.name} holds {len(files)} DICOM segmentations; one is wanted",
            "give the file of the tumor's segmentation (NIfTI, NRRD or DICOM SEG)",
        )
    segments = read_segmentation(files[0])
    numbers = tuple(segment.number for segment in segments)
    wanted = _wanted(numbers, labels, files[0].name)
    masks = [segment.mask for segment in segments if segment.number in wanted]
    if not masks:
        raise MaskError(f"{files[0].name} holds no segment", "draw the tumor")
    union = np.logical_or.reduce([mask.array for mask in masks])
    return Mask(union, masks[0].grid), numbers


def _check_exists(path: Path) -> None:
    if not path.exists():
        raise ImageError(
            f"{path.name} does not exist",
            "correct the path in the subjects table, or put the file there",
        )


@contextmanager
def _told(before: str, kind: type[InputError]) -> Iterator[None]:
    """Say whose, or in which file, a problem is."""
    try:
        yield
    except InputError as error:
        raise kind(f"{before}{error.problem}", error.fix) from error


def _whose(patient: str) -> str:
    return f"Patient {patient}: " if patient else ""


def _short(error: BaseException, path: Path) -> str:
    text = " ".join(str(error).replace(str(path), path.name).split())
    text = text or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."
