"""DICOM Segmentation objects (binary, fractional, labelmap) as masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import DAMAGED, quietly, read_header
from radhabitat.dicom.volumes import TO_RAS
from radhabitat.errors import MaskError
from radhabitat.types import Grid, Mask

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment of a segmentation object.

    Attributes:
        number: Segment number, from 1.
        name: Segment label.
        mask: Its voxels; all segments of a file share one grid.
    """

    number: int
    name: str
    mask: Mask


@dataclass(frozen=True, eq=False)
class _Slices:
    """The frames of a segmentation, and where they lie."""

    pixels: NDArray[np.float64]
    segments: NDArray[np.int64]
    places: NDArray[np.int64]
    grid: Grid


def is_segmentation(path: Path) -> bool:
    """Tell whether a file is a DICOM segmentation object."""
    header = read_header(path, tags=["SOPClassUID"]) if path.is_file() else None
    if header is None:
        return False
    with quietly():
        try:
            return header.get("SOPClassUID") in (SEGMENTATION, LABELMAP)
        except DAMAGED:
            return False


def read_segmentation(path: Path) -> tuple[Segment, ...]:
    """Return the segments of a DICOM SEG file.

    A fractional segment counts where at least half of a voxel, or of the
    probability, is inside. Slices without a frame are empty.

    Raises:
        MaskError: The file is damaged, or its slices are not parallel and even.
    """
    with quietly():
        try:
            return _segments(pydicom.dcmread(path))
        except DAMAGED as error:
            raise MaskError(
                f"The DICOM segmentation {path.name} cannot be read: "
                f"{' '.join(str(error).split())[:120]}",
                "export the segmentation again, or save it as NIfTI or NRRD",
            ) from error


def _segments(data: Dataset) -> tuple[Segment, ...]:
    slices = _slices(data)
    inside = _inside(data, slices)
    labelmap = data.SOPClassUID == LABELMAP
    return tuple(
        Segment(number, name, _mask(slices, inside, number, labelmap=labelmap))
        for number, name in _names(data).items()
    )


def _names(data: Dataset) -> dict[int, str]:
    names = {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or "")
        for item in data.SegmentSequence
    }
    return {number: name for number, name in names.items() if number > 0}


def _inside(data: Dataset, slices: _Slices) -> NDArray[np.float64]:
    """Return 1 where a frame's segment is; a labelmap keeps its numbers."""
    if str(data.get("SegmentationType") or "") != "FRACTIONAL":
        return slices.pixels
    half = float(data.get("MaximumFractionalValue") or 255) / 2.0
    return (slices.pixels >= half).astype(np.float64)


def _mask(
    slices: _Slices, inside: NDArray[np.float64], number: int, *, labelmap: bool
) -> Mask:
    array = np.zeros(slices.grid.shape, dtype=np.bool_)
    for frame, segment, k in zip(inside, slices.segments, slices.places, strict=True):
        if labelmap:
            array[:, :, k] |= (frame == number).T
        elif segment == number:
            array[:, :, k] |= (frame > 0).T
    return Mask(array, slices.grid)


def _slices(data: Dataset) -> _Slices:
    groups = data.PerFrameFunctionalGroupsSequence
    shared = (data.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]

    def find(group: Dataset, name: str) -> Dataset:
        items = group.get(name) or shared.get(name)
        return items[0] if items else Dataset()

    positions = np.array(
        [find(g, "PlanePositionSequence").ImagePositionPatient for g in groups],
        dtype=np.float64,
    )
    angles = [
        find(g, "PlaneOrientationSequence").ImageOrientationPatient for g in groups
    ]
    directions = np.array(angles, dtype=np.float64)
    if float(np.ptp(directions, axis=0).max()) > 1e-3:
        raise ValueError("its slices are not parallel")
    measures = find(groups[0], "PixelMeasuresSequence")
    affine, places = _stack(positions, directions[0], measures)
    count, rows, columns = len(groups), int(data.Rows), int(data.Columns)
    segments = [
        int(find(g, "SegmentIdentificationSequence").get("ReferencedSegmentNumber", 0))
        for g in groups
    ]
    return _Slices(
        np.asarray(data.pixel_array, dtype=np.float64).reshape(count, rows, columns),
        np.array(segments, dtype=np.int64),
        places,
        Grid((columns, rows, int(places.max()) + 1), TO_RAS @ affine),
    )


def _stack(
    positions: NDArray[np.float64], angles: NDArray[np.float64], measures: Dataset
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the affine (LPS+ mm) and the slice number of each frame."""
    row, column = angles[:3], angles[3:]
    normal = np.cross(row, column)
    depths = positions @ normal
    step = float(
        measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0
    )
    gaps = np.diff(np.unique(np.round(depths, 2)))
    if gaps.size and not _even(depths, step):
        step = float(gaps.min())
    if not _even(depths, step):
        raise ValueError("its slices are not evenly spaced")
    places = np.round((depths - depths.min()) / step).astype(np.int64)
    first, last = int(depths.argmin()), int(depths.argmax())
    affine = np.eye(4)
    affine[:3, 0] = row * float(measures.PixelSpacing[1])
    affine[:3, 1] = column * float(measures.PixelSpacing[0])
    affine[:3, 2] = normal * step
    if places[last] > 0:
        affine[:3, 2] = (positions[last] - positions[first]) / places[last]
    affine[:3, 3] = positions[first]
    return affine, places


def _even(depths: NDArray[np.float64], step: float) -> bool:
    places = (depths - depths.min()) / step
    return bool(step > 0 and np.abs(places - np.round(places)).max() < 0.05)
