"""Names for the volumes of DICOM folders: by description, then by order in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from radhabitat.dicom import is_segmentation, read_volumes
from radhabitat.errors import ImageError
from radhabitat.files.naming import content_of, guess_phase, sequence_name

_FEWEST_SLICES = 3  # fewer is a localizer


class Series(NamedTuple):
    """One volume of a DICOM folder."""

    name: str  # description of its series, without the patient's id
    folder: str  # below the patient's
    cell: str  # what the subjects table says for it
    time_s: float  # since midnight; infinity if unknown


def read_series(
    folder: Path, rest: str, patient: str
) -> tuple[list[tuple[str, str]], list[Series], list[str]]:
    """Return masks (name, cell), volumes, and notes of one DICOM folder.

    Args:
        folder: Holds DICOM files itself.
        rest: Its path below the patient's folder.
        patient: Identifier, to be removed from descriptions.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file())
    masks = [(p.name, str(p)) for p in files if is_segmentation(p)]
    if len(masks) == len(files):
        return masks, [], []
    try:
        volumes = read_volumes(folder)
    except ImageError as error:
        return masks, [], [error.problem]
    series, notes = [], []
    for number, volume in enumerate(volumes, start=1):
        inside = all(frame.path.parent == folder for frame in volume.frames)
        if not inside or len(volume.frames) < _FEWEST_SLICES:
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
        phases = [_single_name(group[0])]
        if len(group) > 1:
            phases = _phases(len(group), has_pre=any(n[0] == "PRE" for n in named))
            told = ", ".join(phases)
            notes.append(f"{told} are the volumes of {name!r} in order of time")
        group.sort(key=lambda one: one.time_s)
        cells = [one.cell for one in group]
        named += [(phase, name, c) for phase, c in zip(phases, cells, strict=True)]
    return named, notes


def _single_name(series: Series) -> str:
    """Name a volume by the folder that tells its content, else its description."""
    folders = reversed(series.folder.split("/"))
    telling = next((part for part in folders if content_of(part)), "")
    return sequence_name(telling or series.name or series.folder)


def _phases(count: int, *, has_pre: bool) -> list[str]:
    if count == 3 + (not has_pre):
        return ["PRE", "LAP", "PVP", "DP"][-count:]
    return [f"PHASE_{number}" for number in range(1, count + 1)]
