"""PACS: find, fetch, send and test, by DICOMweb or DIMSE."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pydicom
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydicom.dataset import Dataset

from radhabitat.dicom.headers import DAMAGED, quietly
from radhabitat.errors import InputError, SettingsError, StorageError

if TYPE_CHECKING:
    from types import ModuleType

PASSWORD = "RADHABITAT_PACS_PASSWORD"  # noqa: S105 (the name of a variable)
_ATTEMPTS = 3
_UID = re.compile(r"[0-9.]{1,64}")

Progress = Callable[[str, int, int], None]
Store = Callable[[str, bytes], bool]
"""Takes the SOP Instance UID and the file; False: nobody asked for it."""


class Profile(BaseModel):
    """How to reach a PACS: the section [pacs] of a TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field("", description="Of DICOMweb; empty: DIMSE")
    user: str = Field("", description=f"For DICOMweb; password in {PASSWORD}")
    host: str = "127.0.0.1"
    port: int = Field(104, ge=1, le=65535)
    called: str = Field("ANY-SCP", max_length=16, description="The PACS' AE title")
    calling: str = Field("RADHABITAT", max_length=16, description="Ours")
    retrieve: Literal["get", "move"] = "get"
    receive_port: int = Field(11112, ge=0, le=65535, description="For C-MOVE: ours")
    receive_host: str = Field("", description="Interface; empty: all of them")
    timeout_s: float = Field(30.0, gt=0)


@dataclass(frozen=True)
class Query:
    """What to search for; empty fields match everything.

    Attributes:
        patient: Patient ID; * and ? stand for any characters.
        name: Patient's name; the same.
        date: Study date YYYYMMDD, or a range FROM-TO.
        modality: Like MR.
        study: Study Instance UID: then its series are found.
        series: Series Instance UID: then its images are found.
    """

    patient: str = ""
    name: str = ""
    date: str = ""
    modality: str = ""
    study: str = ""
    series: str = ""

    def identifier(self) -> Dataset:
        """Return the query as DICOM sees it: what is asked, and what is given back."""
        data = Dataset()
        level = "IMAGE" if self.series else "SERIES" if self.study else "STUDY"
        data.QueryRetrieveLevel = level
        data.StudyInstanceUID = self.study
        if level == "IMAGE":
            data.SeriesInstanceUID, data.SOPInstanceUID = self.series, ""
        elif level == "SERIES":
            data.SeriesInstanceUID = data.SeriesNumber = data.SeriesDescription = ""
            data.Modality, data.NumberOfSeriesRelatedInstances = self.modality, ""
        else:
            data.PatientID, data.PatientName = self.patient, self.name
            data.StudyDate, data.StudyDescription = self.date, ""
            data.ModalitiesInStudy = self.modality
            data.NumberOfStudyRelatedInstances = ""
        if not (self.patient + self.name).isascii():
            # without it, some servers match every patient
            data.SpecificCharacterSet = "ISO_IR 192"
        return data


@dataclass(frozen=True)
class Step:
    """One step of `test_connection`: what, whether it went well, what to do else."""

    what: str
    good: bool
    fix: str = ""


def read_profile(path: Path) -> Profile:
    """Read the section [pacs] of a TOML file.

    Raises:
        SettingsError: It is missing, or holds what it must not hold.
    """
    try:
        section = tomllib.loads(path.read_text(encoding="utf-8"))["pacs"]
        return Profile.model_validate(section)
    except (OSError, ValueError, KeyError) as error:
        problem = f"{path.name} has no usable section [pacs]"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            problem = f"{path.name}, [pacs] {name}: {first['msg']}"
        known = ", ".join(Profile.model_fields)
        raise SettingsError(
            problem, f"it may hold {known}; a password is read from {PASSWORD}"
        ) from None


def password_of(profile: Profile) -> str:
    """Return the password from the environment, else the system's keyring.

    Raises:
        SettingsError: There is a user, and no password for it.
    """
    secret = os.environ.get(PASSWORD, "")
    if not secret and importlib.util.find_spec("keyring"):
        keyring = importlib.import_module("keyring")
        secret = keyring.get_password("radhabitat", profile.user) or ""
    if not secret:
        raise SettingsError(
            f"There is no password for the user {profile.user} of the PACS",
            f"set {PASSWORD}, or store it: keyring set radhabitat {profile.user}",
        )
    return secret


def find(profile: Profile, query: Query) -> list[Dataset]:
    """Return studies, or a study's series, or a series' images; each once.

    Raises:
        InputError: The PACS cannot be reached, or refuses.
    """
    unique = {
        "STUDY": "StudyInstanceUID",
        "SERIES": "SeriesInstanceUID",
        "IMAGE": "SOPInstanceUID",
    }[query.identifier().QueryRetrieveLevel]
    found = {str(d.get(unique)): d for d in _way(profile).find(profile, query)}
    found.pop("None", None)
    return [found[uid] for uid in sorted(found)]


def fetch(
    profile: Profile, query: Query, out: Path, progress: Progress = lambda *_: None
) -> int:
    """Fetch a study or series into a folder; go on where an earlier try broke off.

    Each image is one file, written whole or not at all; those that are there are not
    fetched again.

    Args:
        profile: Of the PACS.
        query: With a study, perhaps a series.
        out: Folder for SERIES/IMAGE.dcm.
        progress: Told after each image.

    Returns:
        How many images are there now.

    Raises:
        InputError: It cannot be reached, or keeps back images.
        StorageError: The folder cannot be written.
    """
    series = [query.series] if query.series else _series_of(profile, query)
    total = 0
    for uid in series:
        wanted = Query(study=query.study, series=uid)
        total += _fetch_series(profile, wanted, out / _checked(uid), progress)
    return total


def _series_of(profile: Profile, query: Query) -> list[str]:
    found = find(profile, Query(study=query.study, modality=query.modality))
    if not found:
        raise InputError(
            "The PACS has no such study", "search it: radhabitat pacs find"
        )
    return [str(series.SeriesInstanceUID) for series in found]


def _fetch_series(
    profile: Profile, query: Query, folder: Path, progress: Progress
) -> int:
    images = {_checked(str(d.SOPInstanceUID)) for d in find(profile, query)}
    left = {uid for uid in images if not (folder / f"{uid}.dcm").exists()}

    def store(uid: str, content: bytes) -> bool:
        if uid not in images:
            return False
        _write(folder / f"{uid}.dcm", content)
        left.discard(uid)
        progress("Fetching images", len(images) - len(left), len(images))
        return True

    problem = ""
    for _ in range(_ATTEMPTS):
        if not left:
            break
        # one request for all is faster than one for each
        some = sorted(left) if len(left) < len(images) else ()
        try:
            _way(profile).fetch(profile, query, some, store)
        except InputError as error:
            problem = f": {error.problem}"
    if left:
        raise InputError(
            f"{len(left)} of {len(images)} images of a series were not sent{problem}",
            "run the same command again; it goes on with what is missing",
        )
    return len(images)


def send(
    profile: Profile, files: Sequence[Path], progress: Progress = lambda *_: None
) -> int:
    """Send DICOM files; return how many were stored.

    Raises:
        InputError: A file is no DICOM, or the PACS cannot be reached or refuses one.
    """
    for path in files:
        with quietly():
            try:
                pydicom.dcmread(path, specific_tags=["SOPClassUID"]).SOPClassUID  # noqa: B018
            except DAMAGED as error:
                raise InputError(
                    f"{path.name} is not a DICOM file", "send DICOM files only"
                ) from error
    for done, _ in enumerate(_way(profile).send(profile, files), start=1):
        progress("Sending", done, len(files))
    return len(files)


def test_connection(profile: Profile) -> list[Step]:
    """Return what works, up to the first step that does not, and its real cause."""
    steps: list[Step] = []
    for step in _way(profile).test(profile):
        steps.append(step)
        if not step.good:
            break
    return steps


def _way(profile: Profile) -> ModuleType:
    """Return the module that speaks the PACS' language.

    Raises:
        InputError: Its library is not installed.
    """
    name, library = ("web", "httpx") if profile.url else ("dimse", "pynetdicom")
    if importlib.util.find_spec(library) is None:
        raise InputError(
            f"{library} is not installed", "pip install 'radhabitat[pacs]'"
        )
    return importlib.import_module(f"radhabitat.dicom.pacs_{name}")


def _checked(uid: str) -> str:
    """Return an identifier that may become a file's name."""
    if not _UID.fullmatch(uid) or uid.strip(".") != uid:
        raise InputError(
            "The PACS sent an identifier that is none", "report it to its administrator"
        )
    return uid


def _write(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise StorageError(
            f"An image could not be written: {error.strerror or error}",
            "free some space, or choose another folder, and fetch again",
        ) from error
