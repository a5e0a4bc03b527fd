"""Names for the volumes of DICOM folders: phases by evidence, others by description."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from radhabitat.dicom import is_segmentation, read_volumes
from radhabitat.dicom.contours import is_contours
from radhabitat.dicom.phase_words import is_unwanted
from radhabitat.dicom.phases import Candidate, PhaseLabel, label_phases
from radhabitat.errors import ImageError
from radhabitat.files.naming import content_of, guess_phase, sequence_name

_FEWEST_SLICES = 3  # fewer is a localizer


class Series(NamedTuple):
    """One volume of a DICOM folder."""

    name: str  # description of its series, without the patient's id
    folder: str  # below the patient's
    cell: str  # what the subjects table says for it
    about: Candidate


class Named(NamedTuple):
    """The volumes of one patient, named."""

    images: tuple[tuple[str, str, str], ...]  # sequence, description, cell
    labels: Mapping[str, tuple[str, PhaseLabel]]  # phase -> cell, why
    notes: tuple[str, ...]


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
    masks = [(p.name, str(p)) for p in files if is_segmentation(p) or is_contours(p)]
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
        name, place = volume.description.replace(patient, "").strip("_-/ "), rest
        first = volume.frames[0]
        told = name if guess_phase(name) or not guess_phase(place) else place
        about = Candidate(told, first.kind, volume.time_s, first.agent, first.bolus_s)
        series.append(Series(name, place.strip("/"), cell, about))
        if volume.problem:
            notes.append(f"{volume.title}: {volume.problem}")
    return masks, series, notes


def name_series(series: Sequence[Series]) -> Named:
    """Name the volumes of one patient.

    Phases of a dynamic T1 examination are told by names, contrast agent and times
    (`label_phases`); what is left has the name of its folder or description, and
    volumes that share one are counted.
    """
    ordered = sorted(series, key=lambda one: _moment(one.about.time_s))
    labels = label_phases([one.about for one in ordered])
    phase_of = {label.index: phase for phase, label in labels.items()}
    names = [
        phase_of.get(n) or _own_phase(one, labels) for n, one in enumerate(ordered)
    ]
    rest = [_name(one) for one, name in zip(ordered, names, strict=True) if not name]
    seen: Counter[str] = Counter()
    named = []
    for one, phase in zip(ordered, names, strict=True):
        sequence = phase or _name(one)
        if not phase and rest.count(sequence) > 1:
            seen[sequence] += 1
            sequence = f"{sequence}_{seen[sequence]}"
        named.append((sequence, one.name or one.folder, one.cell))
    cells = {phase: (ordered[x.index].cell, x) for phase, x in labels.items()}
    return Named(tuple(named), cells, _notes(labels))


def _moment(time_s: float | None) -> float:
    return float("inf") if time_s is None else time_s


def _own_phase(series: Series, labels: Mapping[str, PhaseLabel]) -> str:
    """Return the phase that a volume outside the dynamic examination names."""
    phase = guess_phase(series.about.name) or ""
    unwanted = is_unwanted(series.about.name, series.about.kind)
    return "" if phase in labels or unwanted else phase


def _notes(labels: Mapping[str, PhaseLabel]) -> tuple[str, ...]:
    sure = [phase for phase, label in labels.items() if label.certainty == "high"]
    notes = [
        f"{phase}: certainty {label.certainty} ({'; '.join(label.evidence) or 'none'})"
        for phase, label in labels.items()
        if label.certainty != "high"
    ]
    if sure:
        notes.insert(0, f"{', '.join(sure)} by name, agent and time: certainty high")
    return tuple(notes)


def _name(series: Series) -> str:
    """Name a volume by the folder that tells its content, else its description."""
    folders = reversed(series.folder.split("/"))
    telling = next((part for part in folders if content_of(part)), "")
    return sequence_name(telling or series.name or series.folder)
