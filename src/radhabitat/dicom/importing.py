"""Import of DICOM folders: what may be used, de-identified."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from radhabitat.dicom.contours import STRUCTURES
from radhabitat.dicom.deid_rules import PROFILE
from radhabitat.dicom.deidentify import Deidentifier, deidentify, identity_of
from radhabitat.dicom.frames import IMAGE_CLASSES
from radhabitat.dicom.headers import DAMAGED, claims_dicom, quietly
from radhabitat.dicom.segmentation import LABELMAP, SEGMENTATION
from radhabitat.errors import InputError

_CLASSES = IMAGE_CLASSES | {SEGMENTATION, LABELMAP, STRUCTURES}


@dataclass
class Report:
    """What was done to a folder, without a word of whose it was.

    Attributes:
        written: Number of files.
        patients: Their pseudonyms.
        refused: Reason -> number of files left out.
        done: What -> number of elements.
    """

    written: int = 0
    patients: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, object]:
        """Return it for a file beside the images."""
        return {
            "images": self.written,
            "patients": len(self.patients),
            "left_out": dict(sorted(self.refused.items())),
            "elements": dict(sorted(self.done.items())),
            "profile": [f"{code} {meaning}" for code, meaning in PROFILE],
        }


def import_dicom(
    source: Path,
    deidentifier: Deidentifier,
    *,
    write: Callable[[Path, bytes], None],
    link: Callable[[str, str], object] = lambda *_: None,
) -> Report:
    """De-identify every image, segmentation and structure set of a folder.

    Secondary captures, pictures with burned-in text and other kinds of files are left
    out and counted.

    Args:
        source: Searched with its sub-folders.
        deidentifier: Holds the key.
        write: Given the new path (patient/date/series/image.dcm) and the bytes.
        link: Given pseudonym and original identifier of each image's patient.

    Raises:
        InputError: There is no file that can be used.
    """
    report, seen = Report(), set()
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        with quietly():
            try:
                data = pydicom.dcmread(path)
                reason = _refusal(data)
                if not reason and data.SOPInstanceUID in seen:
                    reason = "copy of another file"
                if not reason:
                    seen.add(data.SOPInstanceUID)
                    patient = identity_of(data)
                    deidentify(data, deidentifier, report.done)
                    place, content = _place(data), _bytes(data)
            except DAMAGED:
                reason = "damaged DICOM file" if claims_dicom(path) else "not DICOM"
        if reason:
            report.refused[reason] += 1
            continue
        write(place, content)
        link(str(data.PatientID), patient)
        report.written += 1
        report.patients.add(str(data.PatientID))
    if not report.written:
        found = ", ".join(f"{n} x {why}" for why, n in report.refused.items())
        raise InputError(
            f"{source.name} holds no image to import; found: {found or 'no files'}",
            "name a folder with CT, MR or PET series in DICOM",
        )
    return report


def _refusal(data: Dataset) -> str:
    """Return why a file is not imported; empty when it is."""
    kind = str(data.get("Modality") or "unknown")[:8]
    if "SOPClassUID" not in data or "SOPInstanceUID" not in data:
        return "not a DICOM image"
    picture = " ".join(str(part) for part in data.get("ImageType") or ()).upper()
    if "ConversionType" in data or "SCREEN SAVE" in picture:
        return "secondary capture (a picture may show names)"
    if data.SOPClassUID not in _CLASSES:
        return f"not an image or mask that is used ({kind if kind.isalpha() else '?'})"
    if str(data.get("BurnedInAnnotation") or "").strip().upper() == "YES":
        return "text burned into the picture"
    if not identity_of(data):
        return "no patient, no examination named"
    return ""


def _place(data: Dataset) -> Path:
    """Return patient/date/series/image.dcm, of new values only."""
    day = str(data.get("StudyDate") or data.get("SeriesDate") or "") or "undated"
    words = re.sub(r"[^\w+]+", "-", str(data.get("SeriesDescription") or ""))[:40]
    mark = str(data.get("SeriesInstanceUID") or "0")[-5:]
    number = int(data.get("SeriesNumber") or 0)
    kind = "" if data.SOPClassUID in IMAGE_CLASSES else f"-{data.Modality}"
    series = f"{number:03d}-{words}-{mark}{kind}".replace("--", "-")
    return Path(str(data.PatientID), day, series, f"{data.SOPInstanceUID}.dcm")


def _bytes(data: Dataset) -> bytes:
    buffer = io.BytesIO()
    data.preamble = b"\0" * 128
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
