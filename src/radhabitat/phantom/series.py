"""DICOM series of the phantom: classic single-frame MR, one folder per sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from radhabitat.phantom.kinetics import ECHO_MS, FLIP_DEG, REPETITION_MS
from radhabitat.phantom.plan import SEQUENCES, Acquisition, PatientPlan
from radhabitat.types import Grid

_WORDS: Final = {
    "PRE": "t1_vibe_fs_tra pre",
    "LAP": "t1_vibe_fs_tra arterial {0}s",
    "PVP": "t1_vibe_fs_tra portal venous {0}s",
    "DP": "t1_vibe_fs_tra delayed {0}s",
}
_DATE: Final = "20200101"
_INJECTION_S: Final = 10 * 3600 + 120
_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0])


def write_series(
    folder: Path, plan: PatientPlan, sequence: str, array: NDArray[np.int16]
) -> None:
    """Write a sequence as one file per slice, IM0001.dcm from the feet upward.

    Fixed dates, identifiers from the plan's seed: the same plan, the same bytes.
    Nothing but the pseudonym names the patient.

    Args:
        folder: Made if missing.
        plan: The patient.
        sequence: PRE, LAP, PVP or DP.
        array: int16, >= 0, shape (i, j, k) of the sequence's native grid.
    """
    folder.mkdir(parents=True, exist_ok=True)
    acquisition = plan.acquisition(sequence)
    root = f"radhabitat phantom {plan.seed} {plan.patient} {plan.small}"
    if plan.motion != "smooth":
        root = f"{root} {plan.motion}"
    series = generate_uid(entropy_srcs=[root, sequence])
    for k in range(array.shape[2]):
        data = _slice(generate_uid(entropy_srcs=[series, str(k)]))
        data.StudyInstanceUID = generate_uid(entropy_srcs=[root, "study"])
        data.SeriesInstanceUID = series
        data.FrameOfReferenceUID = generate_uid(
            entropy_srcs=[root, "frame of reference"]
        )
        data.PatientName = data.PatientID = plan.patient
        _say_how(data, acquisition)
        _say_where(data, acquisition.grid, k)
        _store(data, array[:, :, k])
        data.save_as(folder / f"IM{k + 1:04d}.dcm", enforce_file_format=True)


def _slice(uid: UID) -> FileDataset:
    """What is the same for every patient and sequence."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, preamble=b"\0" * 128, file_meta=meta)
    data.SOPClassUID = MRImageStorage
    data.SOPInstanceUID = uid
    data.PatientBirthDate = data.PatientSex = data.ReferringPhysicianName = ""
    data.AccessionNumber = data.PositionReferenceIndicator = ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "synthetic phantom"
    data.StudyID = "1"
    data.StudyDescription = "Liver MRI, synthetic phantom"
    data.PatientPosition = "HFS"
    return data


def _say_how(data: Dataset, acquisition: Acquisition) -> None:
    sequence = acquisition.sequence
    number = SEQUENCES.index(sequence) + 1
    time = _clock(_INJECTION_S + (acquisition.time_s if number > 1 else -60.0))
    data.Modality = "MR"
    data.Manufacturer = "RadHabitat phantom"
    data.BodyPartExamined = "LIVER"
    data.SeriesNumber = data.AcquisitionNumber = number
    data.SeriesDescription = _WORDS[sequence].format(round(acquisition.time_s))
    data.ProtocolName = "t1_vibe_fs_tra dynamic"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data.ScanningSequence = "GR"
    data.SequenceVariant = ["SP", "OSP"]
    data.ScanOptions = "FS"
    data.MRAcquisitionType = "3D"
    data.MagneticFieldStrength = "3"
    data.RepetitionTime = str(REPETITION_MS)
    data.EchoTime = str(ECHO_MS)
    data.EchoTrainLength = 1
    data.FlipAngle = str(FLIP_DEG)
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = _DATE
    data.StudyTime = "100000"
    data.SeriesTime = data.AcquisitionTime = data.ContentTime = time
    if number > 1:
        data.ContrastBolusAgent = "gadoterate"
        data.ContrastBolusStartTime = _clock(_INJECTION_S)


def _say_where(data: Dataset, grid: Grid, k: int) -> None:
    lps = _TO_LPS @ grid.affine[:3]
    spacing = grid.spacing_mm
    along_row, along_column = lps[:, 0] / spacing[0], lps[:, 1] / spacing[1]
    position = lps[:, 2] * k + lps[:, 3]
    normal = np.cross(along_row, along_column)
    data.ImageOrientationPatient = _decimals(np.concatenate([along_row, along_column]))
    data.ImagePositionPatient = _decimals(position)
    data.PixelSpacing = _decimals(spacing[[1, 0]])
    data.SliceThickness = _decimals(spacing[2:])[0]
    data.SpacingBetweenSlices = data.SliceThickness
    data.SliceLocation = _decimals(np.array([normal @ position]))[0]
    data.InstanceNumber = k + 1


def _store(data: Dataset, pixels: NDArray[np.int16]) -> None:
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[1], pixels.shape[0]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    data.WindowCenter, data.WindowWidth = "500", "1000"
    data.PixelData = pixels.T.astype("<u2").tobytes()


def _decimals(values: NDArray[np.float64]) -> list[str]:
    """Decimal strings of at most 16 characters, as the standard wants."""
    return [f"{round(float(v), 10) + 0.0:.10f}"[:16] for v in values]


def _clock(seconds: float) -> str:
    whole = int(seconds)
    thousandths = round((seconds - whole) * 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}{minute:02d}{second:02d}.{thousandths:03d}000"
