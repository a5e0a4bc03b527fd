"""DICOM files made in memory, for the tests of the reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SHAPE = (5, 4, 6)  # i (columns), j (rows), k (slices)
SPACING = (2.0, 2.2, 3.0)
ORIGIN = (-10.0, 20.0, 30.0)


def picture(phase: int = 0) -> np.ndarray:
    """Integers, shape (i, j, k), different in every voxel and phase."""
    return np.arange(np.prod(SHAPE)).reshape(SHAPE) + 1000 * phase


def affine_ras() -> np.ndarray:
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    affine[:3, 3] = (-ORIGIN[0], -ORIGIN[1], ORIGIN[2])
    return affine


def empty_file(sop_class: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    uid = generate_uid(prefix=None)
    meta.MediaStorageSOPInstanceUID = uid
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = sop_class, uid
    data.PatientID = "anonymous"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.Rows, data.Columns = SHAPE[1], SHAPE[0]
    return data


def slice_file(k: int, *, phase: int = 0, series: str = "1.2.3") -> FileDataset:
    """One classic axial slice; edit it before saving."""
    data = empty_file(MR)
    data.Modality, data.SeriesInstanceUID = "MR", series
    data.SeriesNumber, data.SeriesDescription = 4, "Ax LAVA"
    data.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    data.InstanceNumber = phase * SHAPE[2] + k + 1
    data.ImageOrientationPatient = list(AXIAL)
    data.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + k * SPACING[2]]
    data.PixelSpacing = [SPACING[1], SPACING[0]]
    data.SliceThickness = SPACING[2]
    data.PixelData = picture(phase)[:, :, k].T.astype(np.uint16).tobytes()
    return data


def save(folder: Path, files: list[FileDataset]) -> Path:
    """Write files in an order that says nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(0).permutation(len(files))
    for name, index in enumerate(order):
        files[index].save_as(folder / f"{name:03d}.dcm", enforce_file_format=True)
    return folder


def series(folder: Path, *, phases: int = 1, edit=None) -> Path:
    """Write phases of one series; `edit(file, k, phase)` changes or drops a file."""
    files = []
    for phase in range(phases):
        for k in range(SHAPE[2]):
            file = slice_file(k, phase=phase)
            if edit is None or edit(file, k, phase) is not False:
                files.append(file)
    return save(folder, files)


def item(**fields: object) -> Dataset:
    data = Dataset()
    for name, value in fields.items():
        setattr(data, name, value)
    return data


def frame_groups(k: int) -> Dataset:
    """Functional groups of one frame: its place and orientation."""
    place = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + k * SPACING[2]]
    measures = item(
        PixelSpacing=[SPACING[1], SPACING[0]], SpacingBetweenSlices=SPACING[2]
    )
    return item(
        PlanePositionSequence=Sequence([item(ImagePositionPatient=place)]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=list(AXIAL))]),
        PixelMeasuresSequence=Sequence([measures]),
    )


def enhanced(path: Path, *, phases: int = 2) -> Path:
    """Write one multi-frame file with several temporal positions and a rescale."""
    data = empty_file(ENHANCED_MR)
    data.Modality, data.SeriesInstanceUID = "MR", "1.2.4"
    data.SeriesNumber, data.SeriesDescription = 5, "dyn"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data.InstanceNumber, data.NumberOfFrames = 1, phases * SHAPE[2]
    groups, pixels = [], []
    for k in range(SHAPE[2]):
        for phase in range(phases):
            group = frame_groups(k)
            group.FrameContentSequence = Sequence(
                [item(TemporalPositionIndex=phase + 1)]
            )
            group.PixelValueTransformationSequence = Sequence(
                [item(RescaleSlope="2.5", RescaleIntercept="-7", RescaleType="US")]
            )
            groups.append(group)
            pixels.append(picture(phase)[:, :, k].T.astype(np.uint16))
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    data.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    data.PixelData = np.stack(pixels).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def segmentation(
    path: Path, segments: dict[int, np.ndarray], *, fractional: bool = False
) -> Path:
    """Write a DICOM SEG; empty slices are left out, as vendors do."""
    data = empty_file(SEG)
    data.Modality, data.SeriesInstanceUID = "SEG", "1.2.5"
    data.SegmentationType = "FRACTIONAL" if fractional else "BINARY"
    bits = 8 if fractional else 1
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit = bits - 1
    if fractional:
        data.MaximumFractionalValue, data.SegmentationFractionalType = 200, "OCCUPANCY"
    data.SegmentSequence = Sequence(
        [item(SegmentNumber=n, SegmentLabel=f"part {n}") for n in segments]
    )
    groups, frames = [], []
    for number, values in segments.items():
        for k in range(SHAPE[2]):
            if values[:, :, k].any():
                group = frame_groups(k)
                group.SegmentIdentificationSequence = Sequence(
                    [item(ReferencedSegmentNumber=number)]
                )
                groups.append(group)
                frames.append(values[:, :, k].T)
    data.PerFrameFunctionalGroupsSequence = Sequence(groups)
    data.NumberOfFrames = len(frames)
    stacked = np.stack(frames).astype(np.uint8)
    if fractional:
        raw = stacked.tobytes()
    else:
        raw = np.packbits(stacked.ravel() > 0, bitorder="little").tobytes()
    data.PixelData = raw + b"\0" * (len(raw) % 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path
