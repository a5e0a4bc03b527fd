"""DICOM RT structure sets: contours, filled on the grid of the image they are of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import DAMAGED, quietly, text_of
from radhabitat.dicom.segmentation import Segment
from radhabitat.errors import MaskError
from radhabitat.types import Grid, Mask, Volume

STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
_OFF_SLICE = 0.25  # of the distance between slices


def is_contours(path: Path) -> bool:
    """Tell whether a file is a DICOM RT structure set."""
    return path.is_file() and text_of(path, "SOPClassUID") == STRUCTURES


def read_contours(path: Path, image: Volume) -> tuple[Segment, ...]:
    """Return the structures of an RTSTRUCT file on the grid of an image.

    A voxel is inside where its center is; a contour within another of the same
    structure is a hole (even-odd rule).

    Args:
        path: The structure set.
        image: What it was drawn on.

    Raises:
        MaskError: The file is damaged, or was drawn in another space or between the
            slices of the image.
    """
    with quietly():
        try:
            data = pydicom.dcmread(path)
            names = {
                int(roi.ROINumber): str(roi.get("ROIName") or "")
                for roi in data.StructureSetROISequence
            }
            drawn = {
                int(roi.ReferencedROINumber): _polygons(roi)
                for roi in data.get("ROIContourSequence") or ()
            }
            spaces = _spaces(data)
        except DAMAGED as error:
            raise MaskError(
                f"The structure set {path.name} cannot be read: "
                f"{' '.join(str(error).split())[:120]}",
                "export it again, or save the mask as NIfTI or NRRD",
            ) from error
    check_space(path.name, spaces, image, ", ".join(names.values()))
    return tuple(
        Segment(number, name, _fill(drawn.get(number, []), image.grid, path.name))
        for number, name in names.items()
    )


def check_space(name: str, spaces: set[str], image: Volume, found: str) -> None:
    """Refuse a mask that was drawn in another frame of reference.

    Raises:
        MaskError: Both spaces are known, and differ.
    """
    space = image.frame_of_reference
    if space and spaces and space not in spaces:
        raise MaskError(
            f"{name} was drawn in another frame of reference than the image (it holds: "
            f"{found})",
            "choose the mask of this examination, or save it as NIfTI if it does fit",
        )


def _spaces(data: Dataset) -> set[str]:
    items = data.get("ReferencedFrameOfReferenceSequence") or ()
    found = [i.get("FrameOfReferenceUID") for i in (data, *items)]
    found += [
        roi.get("ReferencedFrameOfReferenceUID") for roi in data.StructureSetROISequence
    ]
    return {str(uid) for uid in found if uid}


def _polygons(roi: Dataset) -> list[NDArray[np.float64]]:
    """Return the closed contours of a structure, RAS+ mm, each of shape (points, 3)."""
    found = []
    for contour in roi.get("ContourSequence") or ():
        if not str(contour.get("ContourGeometricType") or "").startswith("CLOSED"):
            continue
        points = np.array(contour.ContourData, dtype=np.float64).reshape(-1, 3)
        if not np.isfinite(points).all():
            raise ValueError("a contour has points that are no numbers")
        if len(points) > 2:
            found.append(points * (-1, -1, 1))
    return found


def _fill(polygons: Iterable[NDArray[np.float64]], grid: Grid, name: str) -> Mask:
    parity = np.zeros(grid.shape, dtype=np.bool_)
    for polygon in polygons:
        index = grid.to_index(polygon)
        k = int(np.rint(np.median(index[:, 2])))
        off = float(np.abs(index[:, 2] - k).max())
        if not off < _OFF_SLICE or not 0 <= k < grid.shape[2]:
            raise MaskError(
                f"A contour of {name} lies at slice {np.median(index[:, 2]) + 1:.2f} "
                f"of {grid.shape[2]} of the image, or across slices",
                "name the series that it was drawn on as reference, or save the mask "
                "as NIfTI",
            )
        parity[:, :, k] ^= _inside(index[:, 0], index[:, 1], grid.shape[:2])
    return Mask(parity, grid)


def _inside(
    x: NDArray[np.float64], y: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """Return which pixel centers lie within a polygon; shape (columns, rows)."""
    rows = np.arange(shape[1], dtype=np.float64)
    x2, y2 = np.roll(x, -1), np.roll(y, -1)
    crosses = (y[:, None] <= rows) != (y2[:, None] <= rows)  # (edges, rows)
    edge, row = np.nonzero(crosses)
    share = (rows[row] - y[edge]) / (y2[edge] - y[edge])
    at = x[edge] + share * (x2[edge] - x[edge])
    first = np.clip(np.ceil(at), 0, shape[0]).astype(np.int64)
    toggles = np.zeros((shape[0] + 1, shape[1]), dtype=np.int64)
    np.add.at(toggles, (first, row), 1)
    return np.asarray(np.cumsum(toggles, axis=0)[:-1] % 2 == 1)
