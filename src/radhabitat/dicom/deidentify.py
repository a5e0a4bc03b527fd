"""De-identification of a DICOM data set, by keyed hash: same key, same pseudonyms."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pydicom
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from radhabitat.dicom.deid_rules import (
    BYTES,
    CLEANED,
    CODED,
    DROPPED,
    KEPT,
    PIXELS,
    PROFILE,
    TEXT,
    clean,
    is_standard_code,
)

_OLDEST = 90
_MOST_DAYS = 3650
_OUR_CLASS = UID("2.25.201785468113921938765438821733462081")


@dataclass(frozen=True)
class Deidentifier:
    """Pseudonyms, identifiers and dates that only the key's owner can reproduce.

    Attributes:
        key: Secret, at least 16 bytes; never kept with the images.
    """

    key: bytes = field(repr=False)

    def _digest(self, *parts: str) -> bytes:
        return hmac.new(self.key, "|".join(parts).encode(), hashlib.sha256).digest()

    def pseudonym(self, patient: str) -> str:
        """Return the new identifier of a patient."""
        return "RH" + self._digest("patient", patient).hex()[:10].upper()

    def uid(self, uid: str) -> UID:
        """Return the new unique identifier for an old one."""
        number = int.from_bytes(self._digest("uid", uid)[:15], "big")
        return UID(f"2.25.{number}")

    def shift_days(self, patient: str) -> int:
        """Return by how many days (-1 to -3650) a patient's dates are moved."""
        return (
            -1 - int.from_bytes(self._digest("days", patient)[:4], "big") % _MOST_DAYS
        )


def deidentify(
    data: Dataset, deidentifier: Deidentifier, done: Counter[str] | None = None
) -> None:
    """De-identify one data set, in place.

    Args:
        data: With its file meta information.
        deidentifier: Holds the key.
        done: Counts what was done.
    """
    done = Counter() if done is None else done
    patient = identity_of(data)
    age = re.fullmatch(r"\s*(\d{3})([DWMY])\s*", str(data.get("PatientAge") or ""))
    _Walk(deidentifier, deidentifier.shift_days(patient), done).walk(data, "")
    data.PatientAge = _capped(age)
    data.PatientName = data.PatientID = deidentifier.pseudonym(patient)
    data.PatientBirthDate = data.StudyID = data.AccessionNumber = ""
    data.ReferringPhysicianName = ""
    data.SpecificCharacterSet = "ISO_IR 192"
    data.PatientIdentityRemoved = "YES"
    data.LongitudinalTemporalInformationModified = "MODIFIED"
    data.DeidentificationMethod = "RadHabitat: only listed attributes are kept"
    data.DeidentificationMethodCodeSequence = [_code(*code) for code in PROFILE]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = data.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = data.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    meta.ImplementationClassUID = _OUR_CLASS
    data.file_meta = meta


@dataclass(frozen=True)
class _Walk:
    """One file's elements, one after the other."""

    deidentifier: Deidentifier
    days: int
    done: Counter[str]

    def walk(self, data: Dataset, parent: str) -> None:
        """Keep, change or remove each element, at every depth."""
        scheme = str(data.get("CodingSchemeDesignator") or "")
        coded = parent in CODED and is_standard_code(scheme)
        for tag in list(data.keys()):
            group = tag.group
            if tag.is_private or not dictionary_has_tag(tag) or group >> 8 == 0x50:
                self._drop(data, tag, "private or unknown removed")
                continue
            element = data[tag]
            if element.keyword in DROPPED or not self._keep(element, coded=coded):
                self._drop(data, tag, "removed")

    def _drop(self, data: Dataset, tag: pydicom.tag.BaseTag, what: str) -> None:
        del data[tag]
        self.done[what] += 1

    def _keep(self, element: DataElement, *, coded: bool) -> bool:
        """Change an element as its kind asks; tell whether it may stay."""
        vr, name = str(element.VR), element.keyword
        if vr == "SQ":
            for item in element.value:
                self.walk(item, name)
            return name.endswith("FunctionalGroupsSequence") or any(
                len(item) for item in element.value
            )
        if vr == "UI":
            return self._map(element)
        if vr in ("DA", "DT"):
            return self._shift(element)
        if name in CLEANED:
            element.value = clean(_joined(element))
            self.done["cleaned"] += 1
            return bool(element.value)
        if vr in TEXT:
            is_code = name.startswith(("Code", "Coding", "ContextIdent"))
            return name in KEPT and (coded or not is_code)
        if vr in BYTES:
            return name in PIXELS or name.endswith("PaletteColorLookupTableData")
        return _is_plain(element)

    def _map(self, element: DataElement) -> bool:
        several = element.VM > 1
        values = [str(v) for v in (element.value if several else [element.value])]
        new = [
            v if UID(v).name != v or not v else self.deidentifier.uid(v) for v in values
        ]
        self.done["identifiers replaced"] += sum(
            a != b for a, b in zip(values, new, strict=True)
        )
        element.value = new if several else new[0]
        return True

    def _shift(self, element: DataElement) -> bool:
        several = element.VM > 1
        values = element.value if several else [element.value]
        new = [_moved(str(v or ""), self.days) for v in values]
        element.value = new if several else new[0]
        self.done["dates shifted"] += 1
        return all(new)


def _known(uid: str) -> str:
    """Return an identifier that DICOM itself defines; empty for all others."""
    return uid if UID(uid).name != uid else ""


def _moved(text: str, days: int) -> str:
    match = re.fullmatch(r"\s*(\d{8})([0-9.]*(?:[+-]\d{4})?)\s*", text)
    if match is None:
        return ""
    try:
        moved = datetime.strptime(match[1], "%Y%m%d") + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved:%Y%m%d}{match[2]}"


def _is_plain(element: DataElement) -> bool:
    """Tell whether a value is what its kind promises: numbers, codes, times."""
    vr, value = str(element.VR), _joined(element)
    if vr == "CS":
        return re.fullmatch(r"[A-Z0-9_ \\]*", value) is not None
    if vr in ("DS", "IS"):
        return re.fullmatch(r"[0-9eE+\-. \\]*", value) is not None
    return vr != "TM" or re.fullmatch(r"[0-9:. \\-]*", value) is not None


def _joined(element: DataElement) -> str:
    if element.VM > 1:
        return "\\".join(str(v) for v in element.value)
    return str(element.value if element.value is not None else "")


def identity_of(data: Dataset) -> str:
    """Return what tells a patient from others in the original file."""
    for name in ("PatientID", "PatientName", "StudyInstanceUID"):
        if value := str(data.get(name) or "").strip():
            return value
    return ""


def _capped(age: re.Match[str] | None) -> str:
    if age is None:
        return ""
    return (
        f"{_OLDEST:03d}Y" if age[2] == "Y" and int(age[1]) > _OLDEST else age[0].strip()
    )


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "DCM"
    item.CodeMeaning = meaning[:64]
    return item
