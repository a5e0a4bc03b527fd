"""DICOM Segmentation objects (binary, fractional, labelmap) as masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import (
    DAMAGED,
    affine_ras,
    functional_group,
    quietly,
    text_of,
)
from radhabitat.dicom.pixels import pixels_of
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
        frame_of_reference: Frame of Reference UID, empty when unknown.
    """

    number: int
    name: str
    mask: Mask
    frame_of_reference: str = ""


def is_segmentation(path: Path) -> bool:
    """Tell whether a file is a DICOM segmentation object."""
    return path.is_file() and text_of(path, "SOPClassUID") in (SEGMENTATION, LABELMAP)


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
    groups = data.PerFrameFunctionalGroupsSequence
    affine, places = _stack(data)
    segments = [
        int(
            functional_group(data, group, "SegmentIdentificationSequence").get(
                "ReferencedSegmentNumber", 0
            )
        )
        for group in groups
    ]
    rows, columns = int(data.Rows), int(data.Columns)
    pixels = pixels_of(data).astype(np.float64)
    pixels = pixels.reshape(len(groups), rows, columns)
    grid = Grid((columns, rows, int(places.max()) + 1), affine)
    if str(data.get("SegmentationType") or "") == "FRACTIONAL":
        half = float(data.get("MaximumFractionalValue") or 255) / 2.0
        pixels = (pixels >= half).astype(np.float64)
    labelmap = data.SOPClassUID == LABELMAP
    space = str(data.get("FrameOfReferenceUID") or "")
    found = []
    for number, name in _names(data).items():
        array = np.zeros(grid.shape, dtype=np.bool_)
        for frame, segment, k in zip(pixels, segments, places, strict=True):
            if labelmap or segment == number:
                array[:, :, k] |= (frame == number if labelmap else frame > 0).T
        found.append(Segment(number, name, Mask(array, grid), space))
    return tuple(found)


def _names(data: Dataset) -> dict[int, str]:
    names = {
        int(item.SegmentNumber): str(item.get("SegmentLabel") or "")
        for item in data.SegmentSequence
    }
    return {number: name for number, name in names.items() if number > 0}


def _stack(data: Dataset) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the affine (RAS+ mm) and the slice number of each frame."""
    groups = data.PerFrameFunctionalGroupsSequence

    def vectors(sequence: str, name: str) -> NDArray[np.float64]:
        found = [getattr(functional_group(data, g, sequence), name) for g in groups]
        return np.array(found, dtype=np.float64)

    positions = vectors("PlanePositionSequence", "ImagePositionPatient")
    directions = vectors("PlaneOrientationSequence", "ImageOrientationPatient")
    if float(np.ptp(directions, axis=0).max()) > 1e-3:
        raise ValueError("its slices are not parallel")
    measures = functional_group(data, groups[0], "PixelMeasuresSequence")
    row, column = directions[0, :3], directions[0, 3:]
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
    across = np.asarray(normal * step, dtype=np.float64)
    if places[last] > 0:
        across = (positions[last] - positions[first]) / places[last]
    rows_mm, columns_mm = (float(mm) for mm in measures.PixelSpacing[:2])
    axes = (row * columns_mm, column * rows_mm, across)
    return affine_ras(axes, positions[first]), places


def _even(depths: NDArray[np.float64], step: float) -> bool:
    places = (depths - depths.min()) / step
    return bool(step > 0 and np.abs(places - np.round(places)).max() < 0.05)
