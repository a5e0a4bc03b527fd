"""Finding patients, sequences and masks in a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from radhabitat.errors import InputError, RadHabitatError
from radhabitat.files.dicom_names import Series, name_series, read_series
from radhabitat.files.found import Discovery, FoundPatient, describe
from radhabitat.files.naming import (
    PHASES,
    guess_phase,
    image_rank,
    is_mask_name,
    is_second_reader,
    mask_rank,
    preferred_reference,
    sequence_name,
    stem,
    words,
)
from radhabitat.files.scan import PatientItems, find_items, group_by_patient
from radhabitat.files.volumes import read_mask, read_volume

_GENERIC = frozenset({"image", "img", "volume", "vol", "data", "scan", "series"})


@dataclass
class _Candidates:
    """Cells that could be a sequence or a mask of one patient, with their names."""

    images: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    masks: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def discover(folder: Path) -> Discovery:
    """Return patients, sequences and masks that a folder seems to hold.

    Raises:
        InputError: The folder does not exist or holds no image.
    """
    items = find_items(folder) if folder.is_dir() else []
    if not items:
        raise InputError(
            f"{folder.name} holds no NIfTI, NRRD, MetaImage or DICOM image",
            "name the folder that has one sub-folder per patient",
        )
    collected = [
        (group.patient, _collect(group)) for group in group_by_patient(folder, items)
    ]
    collected = [(p, c) for p, c in collected if c.images]
    if not collected:
        raise InputError(
            f"{folder.name} holds masks but no image", "add the images to the folder"
        )
    sequences, others = _common_sequences([set(c.images) for _, c in collected])
    reference = _reference(collected, sequences)
    patients = tuple(_choose(patient, c, reference) for patient, c in collected)
    guesses = describe(patients, sequences, others, reference)
    return Discovery(patients, sequences, reference, others, guesses)


def _collect(group: PatientItems) -> _Candidates:
    found = _Candidates()
    series: list[Series] = []
    for item, rest in group.items:
        name = _without(rest, group.patient)
        if item.dicom:
            masks, volumes, notes = read_series(item.path, name, group.patient)
            found.masks.extend(masks)
            series.extend(volumes)
            found.notes.extend(notes)
            continue
        if is_mask_name(name):
            found.masks.append((name, str(item.path)))
        else:
            found.images[_sequence(name)].append((name, str(item.path)))
    named, notes = name_series(series)
    for sequence, name, cell in named:
        found.images[sequence].append((name, cell))
    found.notes.extend(notes)
    return found


def _without(rest: str, patient: str) -> str:
    """Remove the patient's id from a name, so that it says nothing of content."""
    return rest.replace(patient, "").strip("_-/ ") or rest


def _sequence(name: str) -> str:
    """Return the sequence that a path names: the file first, then its folders."""
    parts = [stem(part) for part in name.split("/") if part]
    for part in reversed(parts):
        phase = guess_phase(part)
        if phase:
            return phase
    telling = [p for p in parts if not set(words(p)) <= _GENERIC]
    return sequence_name((telling or parts)[-1])


def _common_sequences(
    found: Sequence[set[str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sequences of at least half of the patients, and the rest."""
    counts = Counter(sequence for names in found for sequence in names)
    usual = [s for s, n in counts.items() if 2 * n >= len(found)]
    phases = [phase for phase in PHASES if phase in usual]
    chosen = phases if len(phases) > 1 else sorted(usual, key=_study_order)
    chosen = chosen or [max(sorted(counts), key=lambda s: counts[s])]
    return tuple(chosen), tuple(sorted(set(counts) - set(chosen)))


def _study_order(sequence: str) -> tuple[int, str]:
    return (PHASES.index(sequence) if sequence in PHASES else len(PHASES), sequence)


def _reference(
    collected: Sequence[tuple[str, _Candidates]], sequences: Sequence[str]
) -> str:
    """Return PVP, or the best of those on whose grid the masks lie."""
    if "PVP" in sequences:
        return "PVP"
    shared = list(sequences)
    for _, candidates in collected[:2]:
        shared = [s for s in shared if _lies_on(candidates, s)] or shared
    return preferred_reference(shared)


def _lies_on(candidates: _Candidates, sequence: str) -> bool:
    masks = [cell for _, cell in candidates.masks]
    try:
        cells = candidates.images.get(sequence, [])
        cell = min(cells, key=lambda c: image_rank(c[0]))[1]
        grid = read_volume(cell).grid
        return any(read_mask(mask)[0].grid.same_as(grid) for mask in masks)
    except (RadHabitatError, ValueError):
        return False


def _choose(patient: str, found: _Candidates, reference: str) -> FoundPatient:
    images: dict[str, str] = {}
    notes = list(found.notes)
    for sequence, cells in found.images.items():
        ranked = sorted(cells, key=lambda cell: image_rank(cell[0]))
        images[sequence] = ranked[0][1]
        if len(ranked) > 1:
            rest = ", ".join(name for name, _ in ranked[1:4])
            notes.append(f"{sequence} is {ranked[0][0]}, not {rest}")
    masks = _rank_masks(found, reference)
    first = [m for m in masks if not is_second_reader(m[0])] or masks
    second = [m for m in masks if is_second_reader(m[0]) and m != first[0]]
    if len(masks) > 1 + bool(second):
        rest = ", ".join(name for name, _ in masks if name != first[0][0])
        notes.append(f"the mask is {first[0][0]}, not {rest}")
    return FoundPatient(
        patient,
        images,
        mask=first[0][1] if first else "",
        mask2=second[0][1] if second else "",
        notes=tuple(notes),
    )


def _rank_masks(found: _Candidates, reference: str) -> list[tuple[str, str]]:
    """Order the masks: the reference's own first, then by what the name says."""
    named = {_named_after(name, tuple(found.images)) for name, _ in found.masks}

    def rank(mask: tuple[str, str]) -> tuple[bool, tuple[int, int, str]]:
        whose = _named_after(mask[0], tuple(found.images))
        return (reference in named and whose != reference, mask_rank(mask[0]))

    return sorted(found.masks, key=rank)


def _named_after(mask: str, sequences: Sequence[str]) -> str:
    """Return the sequence whose name a mask's name holds, e.g. of MR_T1_mask."""
    name = sequence_name(mask.split("/")[-1])
    fitting = [s for s in sequences if f"_{s}_" in f"_{name}_"]
    return max(fitting, key=len, default="") or guess_phase(mask) or ""
