"""DICOM in: series to volumes, segmentation objects to masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from radhabitat.dicom.frames import Skipped, read_frames
from radhabitat.dicom.headers import examination_of
from radhabitat.dicom.segmentation import Segment, is_segmentation, read_segmentation
from radhabitat.dicom.stacks import stack_frames
from radhabitat.dicom.volumes import DicomVolume, in_time
from radhabitat.errors import ImageError

__all__ = [
    "DicomVolume",
    "Segment",
    "examination_of",
    "is_segmentation",
    "read_segmentation",
    "read_volumes",
]


def read_volumes(place: Path) -> list[DicomVolume]:
    """Return the volumes of a DICOM folder (or file), in order of time.

    Reads headers only; `DicomVolume.read` gives the voxels. Several phases in one
    series are split by temporal position, trigger time, acquisition time, content
    time or instance number, in that order of trust. A volume with missing, doubled,
    tilted or unparallel slices is listed, and refuses to be read.

    Args:
        place: A folder (searched with its sub-folders) or one file.

    Raises:
        ImageError: There is no CT, MR or PET image with a place in space.
    """
    skipped = Skipped()
    paths = [place] if place.is_file() else sorted(place.rglob("*"))
    frames = [f for p in paths if p.is_file() for f in read_frames(p, skipped)]
    if not frames:
        raise ImageError(
            f"No DICOM image volume in {place.name}; found: {skipped or 'no files'}",
            "give the folder of a CT, MR or PET series, or convert it with dcm2niix",
        )
    notes = skipped.warnings()
    volumes = stack_frames(frames)
    whole = [replace(v, warnings=(*v.warnings, *notes)) for v in volumes]
    return sorted(whole, key=in_time)
