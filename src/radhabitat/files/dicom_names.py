"""Names for the volumes of DICOM folders: by description, then by order in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from radhabitat.dicom import is_segmentation, read_volumes
from radhabitat.errors import ImageError
from radhabitat.files.naming import content_of, guess_phase, sequence_name

FEWEST_SLICES = 3  # fewer is a localizer
Named = tuple[str, str]


@dataclass(frozen=True)
class Series:
    """One volume of a DICOM folder.

    Attributes:
        name: Description of its series, without the patient's id.
        folder: Name of the folder below the patient's.
        cell: What the subjects table says for it.
        time_s: When it was taken, seconds since midnight; infinity if unknown.
    """

    name: str
    folder: str
    cell: str
    time_s: float


def read_series(
    folder: Path, rest: str, patient: str
) -> tuple[list[Named], list[Series], list[str]]:
    """Return the masks, the volumes, and notes of one DICOM folder.

    Args:
        folder: A folder that holds DICOM files itself.
        rest: Its path below the patient's folder.
        patient: Identifier, to be removed from descriptions.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file())
    segmentations = [p for p in files if is_segmentation(p)]
    masks = [(p.name, str(p)) for p in segmentations]
    if len(masks) == len(files):
        return masks, [], []
    try:
        volumes = read_volumes(folder)
    except ImageError as error:
        return masks, [], [error.problem]
    series, notes = [], []
    for number, volume in enumerate(volumes, start=1):
        inside = all(frame.path.parent == folder for frame in volume.frames)
        if not inside or len(volume.frames) < FEWEST_SLICES:
            continue  # listed with its own folder; or a localizer
        cell = str(folder) if len(volumes) == 1 else f"{folder}#{number}"
        time = float("inf") if volume.time_s is None else volume.time_s
        name = volume.description.replace(patient, "").strip("_-/ ")
        series.append(Series(name, rest.strip("/"), cell, time))
        if volume.problem:
            notes.append(f"{volume.title}: {volume.problem}")
    return masks, series, notes


def name_series(
    series: Sequence[Series],
) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return (sequence, description, cell) of each volume, and notes.

    What names its phase keeps it. Volumes that share a description are phases of
    one dynamic examination, in order of time: four are PRE, LAP, PVP, DP; three
    beside a PRE are LAP, PVP, DP; other numbers are counted.
    """
    named: list[tuple[str, str, str]] = []
    alike: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        phase = guess_phase(one.name) or guess_phase(one.folder)
        if phase:
            named.append((phase, one.name, one.cell))
        else:
            alike[one.name or one.folder].append(one)
    notes = []
    for name, group in alike.items():
        if len(group) == 1:
            named.append((_single_name(group[0]), name, group[0].cell))
            continue
        phases = _phases(len(group), has_pre=any(n[0] == "PRE" for n in named))
        notes.append(
            f"{', '.join(phases)} are the volumes of {name!r} in order of time"
        )
        group.sort(key=lambda one: one.time_s)
        named.extend(
            (phase, name, one.cell) for phase, one in zip(phases, group, strict=True)
        )
    return named, notes


def _single_name(series: Series) -> str:
    """Name a volume by the folder that tells its content, else its description."""
    for part in reversed(series.folder.split("/")):
        if content_of(part):
            return sequence_name(part)
    return sequence_name(series.name or series.folder)


def _phases(count: int, *, has_pre: bool) -> list[str]:
    if count == 4 and not has_pre:
        return ["PRE", "LAP", "PVP", "DP"]
    if count == 3 and has_pre:
        return ["LAP", "PVP", "DP"]
    return [f"PHASE_{number}" for number in range(1, count + 1)]
