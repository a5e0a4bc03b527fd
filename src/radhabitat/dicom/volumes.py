"""A volume that lies in DICOM files, read when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radhabitat.dicom.frames import Frame
from radhabitat.dicom.headers import DAMAGED, functional_group, quietly
from radhabitat.dicom.pixels import pixels_of
from radhabitat.errors import ImageError
from radhabitat.types import Grid, Volume


@dataclass(frozen=True, eq=False)
class DicomVolume:
    """One phase of one series: what its headers say, and the way to its voxels.

    Attributes:
        grid: Where the voxels lie (RAS+ mm); i along a row, j down a column, k
            across the slices.
        series_uid: Series Instance UID.
        description: Series description.
        series_number: Number of the series, 0 when unknown.
        moment: Which phase of the series, from 1.
        moments: Number of phases in the series.
        time_s: What orders the volumes: acquisition, else content time of the first
            slice, seconds since midnight, + trigger time or temporal offset.
        frames: The slices, in order of k.
        warnings: What was assumed, in words.
        problem: Why it must not be read; empty when it can.
    """

    grid: Grid
    series_uid: str
    description: str
    series_number: int
    moment: int
    moments: int
    time_s: float | None
    frames: tuple[Frame, ...]
    warnings: tuple[str, ...] = ()
    problem: str = ""

    @property
    def title(self) -> str:
        """Name for messages: number, description and phase of the series."""
        title = f"series {self.series_number} {self.description!r}"
        if self.moments == 1:
            return title
        return f"{title}, phase {self.moment} of {self.moments}"

    def read(self) -> Volume:
        """Return the voxels, rescaled (slope and intercept), float32.

        Raises:
            ImageError: The slices do not form a volume, or cannot be decoded.
        """
        if self.problem:
            raise ImageError(
                f"The DICOM {self.title} is not one volume: {self.problem}",
                "export the complete series again, or convert it with dcm2niix",
            )
        slices: list[NDArray[np.float32]] = []
        opened: tuple[Path | None, NDArray[np.float64]] = (None, np.empty(0))
        for frame in self.frames:
            if opened[0] != frame.path:
                opened = (frame.path, self._pixels(frame.path))
            # rows run down (j), columns to the side (i)
            slices.append(opened[1][frame.index].T.astype(np.float32))
        space = self.frames[0].frame_of_reference
        return Volume(np.stack(slices, axis=2), self.grid, space, self.time_s)

    def _pixels(self, path: Path) -> NDArray[np.float64]:
        """Return the rescaled frames of a file, shape (frames, rows, columns)."""
        with quietly():
            try:
                data = pydicom.dcmread(path)
                pixels = pixels_of(data).astype(np.float64)
                shape = (-1, *self.grid.shape[1::-1])
                frames: NDArray[np.float64] = pixels.reshape(shape)
                for index in range(len(frames)):
                    slope, intercept = _rescale(data, index)
                    frames[index] = frames[index] * slope + intercept
            except DAMAGED as error:
                raise ImageError(
                    f"The pixels of {path.name} (DICOM {self.title}) cannot be "
                    f"decoded: {_short(error)}",
                    "export the series again, uncompressed if possible",
                ) from error
        return frames


def in_time(volume: DicomVolume) -> tuple[float, int, int, str, str]:
    """Return what orders volumes: time, then series and phase."""
    time = float("inf") if volume.time_s is None else volume.time_s
    kind = volume.frames[0].kind
    return (time, volume.series_number, volume.moment, volume.series_uid, kind)


def _rescale(data: Dataset, index: int) -> tuple[float, float]:
    """Return slope and intercept of a frame (DICOM PS3.3 C.7.6.16.2.9)."""
    groups = data.get("PerFrameFunctionalGroupsSequence")
    if not groups:
        slope, intercept = data.get("RescaleSlope"), data.get("RescaleIntercept")
        return float(1 if slope is None else slope), float(intercept or 0)
    found = functional_group(data, groups[index], "PixelValueTransformationSequence")
    if not found:
        return 1.0, 0.0
    return float(found.RescaleSlope), float(found.RescaleIntercept)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
