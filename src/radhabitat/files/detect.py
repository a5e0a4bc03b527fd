"""Finding patients, sequences and masks in a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from radhabitat.dicom.phases import PhaseLabel
from radhabitat.errors import InputError, RadHabitatError
from radhabitat.files.dicom_names import Series, name_series, read_series
from radhabitat.files.masks import read_mask
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
from radhabitat.files.scan import Item, find_items, group_by_patient
from radhabitat.files.subjects import SubjectFiles
from radhabitat.files.volumes import read_volume

Labels: TypeAlias = Mapping[str, tuple[str, PhaseLabel]]
_GENERIC = words("image img volume vol data scan series")


@dataclass(frozen=True)
class Discovery:
    """What a folder seems to hold.

    Attributes:
        patients: Those with an image, sorted; a cell is a path, or "folder#n".
        sequences: Of the study, in study order.
        reference: The sequence that the tumor was drawn on.
        others: Sequences that were found and left out.
        guesses: What was guessed, in words.
        labels: Patient -> phase -> cell, and why, of DICOM volumes.
    """

    patients: tuple[SubjectFiles, ...]
    sequences: tuple[str, ...]
    reference: str
    others: tuple[str, ...]
    guesses: tuple[str, ...]
    labels: Mapping[str, Labels] = field(default_factory=dict)


@dataclass
class _Candidates:
    """(Name, cell) of what could be a sequence or a mask of one patient."""

    images: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    masks: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    labels: Labels = field(default_factory=dict)


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
    groups = group_by_patient(folder, items)
    collected = {patient: _collect(patient, own) for patient, own in groups.items()}
    collected = {p: c for p, c in collected.items() if c.images}
    if not collected:
        raise InputError(
            f"{folder.name} holds masks but no image", "add the images to the folder"
        )
    sequences, others = _common_sequences([set(c.images) for c in collected.values()])
    reference = _reference(list(collected.values())[:2], sequences)
    patients = tuple(_choose(p, c, reference) for p, c in collected.items())
    labels = {p: c.labels for p, c in collected.items() if c.labels}
    found = Discovery(patients, sequences, reference, others, (), labels)
    notes = {p: c.notes for p, c in collected.items()}
    return replace(found, guesses=(*_describe(found), *_say_once(notes)))


def _collect(patient: str, items: Sequence[tuple[Item, str]]) -> _Candidates:
    found = _Candidates()
    series: list[Series] = []
    for item, rest in items:
        # without the patient's id, a name says nothing but content
        name = rest.replace(patient, "").strip("_-/ ") or rest
        if item.path.is_dir():
            masks, volumes, notes = read_series(item.path, name, patient)
            found.masks += masks
            found.notes += notes
            series += volumes
        elif is_mask_name(name):
            found.masks.append((name, str(item.path)))
        else:
            found.images[_sequence(name)].append((name, str(item.path)))
    named = name_series(series)
    for sequence, name, cell in named.images:
        found.images[sequence].append((name, cell))
    found.notes += named.notes
    found.labels = named.labels
    return found


def _sequence(name: str) -> str:
    """Return the sequence that a path names: the file first, then its folders."""
    parts = [stem(part) for part in name.split("/") if part]
    phase = next(filter(None, map(guess_phase, reversed(parts))), None)
    if phase:
        return phase
    telling = [p for p in parts if not set(words(p)).issubset(_GENERIC)]
    return sequence_name((telling or parts)[-1])


def _common_sequences(
    found: Sequence[set[str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sequences of at least half of the patients, and the rest."""
    counts = Counter(sequence for names in found for sequence in names)
    usual = [s for s, n in counts.items() if 2 * n >= len(found)]
    phases = [phase for phase in PHASES if phase in usual]
    rest = sorted(set(usual) - set(phases))
    chosen = phases if len(phases) > 1 else [*phases, *rest]
    chosen = chosen or [max(sorted(counts), key=lambda s: counts[s])]
    return tuple(chosen), tuple(sorted(set(counts) - set(chosen)))


def _reference(found: Sequence[_Candidates], sequences: Sequence[str]) -> str:
    """Return PVP, or the best of those on whose grid the masks lie."""
    if "PVP" in sequences:
        return "PVP"
    shared = list(sequences)
    for candidates in found:
        shared = [s for s in shared if _lies_on(candidates, s)] or shared
    return preferred_reference(shared)


def _lies_on(candidates: _Candidates, sequence: str) -> bool:
    """Tell whether one of a patient's masks has the grid of a sequence."""
    cells = candidates.images.get(sequence)
    if not cells:
        return False
    try:
        image = read_volume(min(cells, key=lambda c: image_rank(c[0]))[1])
        masks = [read_mask(cell, on=image)[0] for _, cell in candidates.masks]
        return any(mask.grid.same_as(image.grid) for mask in masks)
    except RadHabitatError:
        return False


def _choose(patient: str, found: _Candidates, reference: str) -> SubjectFiles:
    """Choose among several files of one kind, and note it."""
    images: dict[str, str] = {}
    for sequence, cells in found.images.items():
        ranked = sorted(cells, key=lambda cell: image_rank(cell[0]))
        images[sequence] = ranked[0][1]
        if len(ranked) > 1:
            rest = ", ".join(name for name, _ in ranked[1:4])
            found.notes.append(f"{sequence} is {ranked[0][0]}, not {rest}")
    masks = _rank_masks(found, reference)
    first = [m for m in masks if not is_second_reader(m[0])] or masks
    second = [m for m in masks if is_second_reader(m[0]) and m != first[0]]
    if len(masks) > 1 + bool(second):
        rest = ", ".join(name for name, _ in masks if name != first[0][0])
        found.notes.append(f"the mask is {first[0][0]}, not {rest}")
    mask, mask2 = (chosen[0][1] if chosen else "" for chosen in (first, second))
    return SubjectFiles(patient, images, mask, mask2)


def _rank_masks(found: _Candidates, reference: str) -> list[tuple[str, str]]:
    """Order the masks: the reference's own first, then by what the name says."""
    whose = {name: _named_after(name, found.images) for name, _ in found.masks}
    own = {name for name in whose if whose[name] == reference} or set(whose)
    return sorted(found.masks, key=lambda m: (m[0] not in own, mask_rank(m[0])))


def _named_after(mask: str, sequences: Iterable[str]) -> str:
    """Return the sequence whose name a mask's name holds, e.g. of MR_T1_mask."""
    name = sequence_name(mask.split("/")[-1])
    fitting = [s for s in sequences if f"_{s}_" in f"_{name}_"]
    return max(fitting, key=len, default="") or guess_phase(mask) or ""


def _describe(found: Discovery) -> list[str]:
    """Return what was guessed, in words."""
    patients, total = found.patients, len(found.patients)
    names = [p.patient for p in patients]
    shown = ", ".join(names[:3]) + (f" ... {names[-1]}" if total > 3 else "")
    guesses = [f"patients: {total} ({shown})"]
    for sequence in found.sequences:
        cells = [p.images[sequence] for p in patients if sequence in p.images]
        example = _end(cells[0])
        guesses.append(f"{sequence}: {len(cells)} of {total} patients, e.g. {example}")
    if found.others:
        guesses.append(f"images left out of data.sequences: {', '.join(found.others)}")
    guesses.append(f"the tumor was drawn on {found.reference} (data.reference)")
    masks = [p.mask for p in patients if p.mask]
    example = f", e.g. {_end(masks[0])}" if masks else ""
    guesses.append(f"mask: {len(masks)} of {total} patients{example}")
    second = sum(bool(p.mask2) for p in patients)
    if second:
        guesses.append(f"mask2 (second reader): {second} of {total} patients")
    return guesses


def _end(cell: str) -> str:
    return "/".join(Path(cell).parts[-2:])


def _say_once(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Say once what holds for several patients."""
    whose: dict[str, list[str]] = defaultdict(list)
    for patient, own in notes.items():
        for note in dict.fromkeys(own):
            whose[note].append(patient)
    return [
        f"{names[0] if len(names) == 1 else f'{len(names)} patients'}: {note}"
        for note, names in whose.items()
    ]
