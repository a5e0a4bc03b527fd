"""The slices of DICOM files: where each lies and when it was taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import (
    DAMAGED,
    claims_dicom,
    functional_group,
    quietly,
    read_header,
)

# CT, enhanced and legacy CT, MR, enhanced and legacy MR, PET, enhanced and legacy PET
_STORAGE = "1.2.840.10008.5.1.4.1.1."
IMAGE_CLASSES = frozenset(
    _STORAGE + tail
    for tail in ("2", "2.1", "2.2", "4", "4.1", "4.4", "128", "130", "128.1")
)

_UIH_GRID = 0x00651051  # several slices in one picture

_WANTED: list[str | int] = [
    *("SOPClassUID", "SOPInstanceUID", "Modality", "SeriesInstanceUID"),
    *("SeriesDescription", "ProtocolName", "SeriesNumber", "InstanceNumber"),
    *("ImageType", "EchoTime", "AcquisitionTime", "AcquisitionDateTime"),
    *("ContentTime", "TriggerTime", "TemporalPositionIdentifier"),
    *("ContrastBolusAgent", "ContrastBolusStartTime", "ContrastBolusAgentSequence"),
    *("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"),
    *("SpacingBetweenSlices", "SliceThickness", "Rows", "Columns"),
    *("SamplesPerPixel", "SpecificCharacterSet", "FrameOfReferenceUID"),
    *("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"),
    _UIH_GRID,
]


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice, without its pixels.

    Attributes:
        path: The file that holds it.
        index: Number of the frame in the file, from 0.
        uid: SOP Instance UID of the file.
        series: Series Instance UID.
        frame_of_reference: Frame of Reference UID, empty when unknown.
        description: Series description.
        series_number: Number of the series, 0 when unknown.
        instance: Instance number, or the number of the frame from 1.
        row: Direction of a row (of growing column index), LPS+, shape (3,).
        column: Direction of a column (of growing row index), LPS+, shape (3,).
        position: Center of the first pixel, LPS+ mm, shape (3,).
        spacing_mm: Distance between rows, then between columns.
        thickness_mm: Distance between slices as the header says, 0 when unknown.
        shape: Rows, columns.
        kind: Image type and echo time: what tells water from fat.
        temporal: Temporal position, from 1.
        trigger_s: Trigger or temporal offset time.
        acquired_s: Acquisition time, seconds since midnight.
        content_s: Content time, seconds since midnight.
        agent: Whether the header names a contrast agent.
        bolus_s: Start of its injection, seconds since midnight.
    """

    path: Path
    index: int
    uid: str
    series: str
    description: str
    series_number: int
    instance: int
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    position: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    thickness_mm: float
    shape: tuple[int, int]
    kind: str
    frame_of_reference: str = ""
    temporal: int | None = None
    trigger_s: float | None = None
    acquired_s: float | None = None
    content_s: float | None = None
    agent: bool = False
    bolus_s: float | None = None

    @property
    def normal(self) -> NDArray[np.float64]:
        """Direction across the slice, LPS+, shape (3,)."""
        return np.asarray(np.cross(self.row, self.column), dtype=np.float64)


class Skipped(Counter[str]):
    """Why files were left out: reason -> number of files."""

    def warnings(self) -> tuple[str, ...]:
        """Return what may be missing from the volumes, in words."""
        return tuple(
            f"{number} x {why} left out: slices may be missing at the ends"
            for why, number in self.items()
            if why.startswith(("damaged", "DICOM image without"))
        )

    def __str__(self) -> str:
        return ", ".join(f"{n} x {why}" for why, n in sorted(self.items()))


def read_frames(path: Path, skipped: Skipped) -> tuple[Frame, ...]:
    """Return the slices of one file; none when it holds no image in space."""
    header = read_header(path, tags=_WANTED)
    if header is None:
        skipped["damaged DICOM file" if claims_dicom(path) else "not DICOM"] += 1
        return ()
    with quietly():
        try:
            reason = _unusable(header)
            frames = () if reason else tuple(_frames(header, path))
        except DAMAGED:
            reason, frames = "DICOM image without usable geometry", ()
    if reason:
        skipped[reason] += 1
    return frames


def _unusable(header: Dataset) -> str:
    kind = "\\".join(str(part) for part in header.get("ImageType") or ())
    if "SOPClassUID" not in header:
        return "damaged DICOM file"
    if header.SOPClassUID not in IMAGE_CLASSES:
        return f"not a CT, MR or PET image ({header.get('Modality') or 'unknown'})"
    grid = {"MOSAIC", "GRID", "VFRAME"} & set(kind.upper().split("\\"))
    if grid or _UIH_GRID in header:
        return "mosaic (several slices in one picture; convert it with dcm2niix)"
    if int(header.get("SamplesPerPixel") or 1) != 1:
        return "color picture"
    return ""


def _frames(header: Dataset, path: Path) -> Iterator[Frame]:
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if not groups:
        yield _frame(header, path, 0, _Classic(header))
        return
    for index, group in enumerate(groups):
        yield _frame(header, path, index, _Enhanced(header, group))


class _Classic:
    """Where a single-frame image keeps what a frame needs."""

    def __init__(self, header: Dataset) -> None:
        self.plane = self.place = self.measures = header
        self.instance = int(header.get("InstanceNumber") or 0)
        self.temporal = _whole(header.get("TemporalPositionIdentifier"))
        milliseconds = _real(header.get("TriggerTime"))
        self.trigger_s = None if milliseconds is None else milliseconds / 1000.0
        self.acquired_s = seconds(header.get("AcquisitionTime"))
        if self.acquired_s is None:
            self.acquired_s = _time_of(header.get("AcquisitionDateTime"))
        self.content_s = seconds(header.get("ContentTime"))
        self.types = header.get("ImageType") or ()
        self.echo = _real(header.get("EchoTime"))


class _Enhanced:
    """Where a multi-frame image keeps what a frame needs."""

    def __init__(self, header: Dataset, group: Dataset) -> None:
        find = partial(functional_group, header, group)
        content = find("FrameContentSequence")
        self.plane = find("PlaneOrientationSequence")
        self.place = find("PlanePositionSequence")
        self.measures = find("PixelMeasuresSequence")
        self.instance = 0
        self.temporal = _whole(content.get("TemporalPositionIndex"))
        offset = find("TemporalPositionSequence")
        self.trigger_s = _real(offset.get("TemporalPositionTimeOffset"))
        self.acquired_s = _time_of(
            content.get("FrameReferenceDateTime")
            or content.get("FrameAcquisitionDateTime")
        )
        self.content_s = seconds(header.get("ContentTime"))
        frame_type = find("MRImageFrameTypeSequence").get("FrameType")
        self.types = frame_type or header.get("ImageType") or ()
        self.echo = _real(find("MREchoSequence").get("EffectiveEchoTime"))


def _frame(
    header: Dataset, path: Path, index: int, found: _Classic | _Enhanced
) -> Frame:
    angles = np.array(found.plane.ImageOrientationPatient, dtype=np.float64)
    position = np.array(found.place.ImagePositionPatient, dtype=np.float64)
    rows_mm, columns_mm = (float(v) for v in found.measures.PixelSpacing)
    thickness = _real(found.measures.get("SpacingBetweenSlices"))
    thickness = thickness or _real(found.measures.get("SliceThickness"))
    lengths = np.linalg.norm(angles.reshape(2, 3), axis=1)
    numbers = [*angles, *position, rows_mm, columns_mm]
    if not np.isfinite(numbers).all() or min(*lengths, rows_mm, columns_mm) <= 0:
        raise ValueError("no usable geometry")
    kind = "\\".join(str(part) for part in found.types)
    return Frame(
        path=path,
        index=index,
        uid=str(header.get("SOPInstanceUID") or path.name),
        series=str(header.get("SeriesInstanceUID") or ""),
        frame_of_reference=str(header.get("FrameOfReferenceUID") or ""),
        description=str(
            header.get("SeriesDescription") or header.get("ProtocolName") or ""
        ),
        series_number=_whole(header.get("SeriesNumber")) or 0,
        instance=found.instance or index + 1,
        row=angles[:3] / lengths[0],
        column=angles[3:] / lengths[1],
        position=position,
        spacing_mm=(rows_mm, columns_mm),
        thickness_mm=abs(thickness or 0.0),
        shape=(int(header.Rows), int(header.Columns)),
        kind=f"{kind} TE {found.echo or 0.0:.2f}",
        temporal=found.temporal,
        trigger_s=found.trigger_s,
        acquired_s=found.acquired_s,
        content_s=found.content_s,
        agent=bool(
            str(header.get("ContrastBolusAgent") or "").strip()
            or header.get("ContrastBolusAgentSequence")
        ),
        bolus_s=seconds(header.get("ContrastBolusStartTime")),
    )


def seconds(value: object) -> float | None:
    """Return seconds since midnight of a DICOM time (HHMMSS.F), or None.

    Example:
        >>> seconds("102551.5"), seconds("")
        (37551.5, None)
    """
    match = re.fullmatch(r"(\d\d):?(\d\d):?(\d\d(?:\.\d*)?)?", str(value or "").strip())
    if match is None:
        return None
    hours, minutes, rest = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest or 0)


def _time_of(moment: object) -> float | None:
    """Return seconds since midnight of a DICOM date and time."""
    return seconds(re.split(r"[+-]", str(moment or ""))[0][8:])


def _real(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = _real(value)
    return None if number is None else int(number)
