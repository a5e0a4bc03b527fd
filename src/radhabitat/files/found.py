"""What a folder seems to hold, and the guesses in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FoundPatient:
    """What was found of one patient.

    Attributes:
        patient: Identifier.
        images: Sequence -> cell of the subjects table (a path, or "folder#n").
        mask: The tumor's mask; empty when none was found.
        mask2: The second reader's mask; empty when there is none.
        notes: What had to be decided, in words.
    """

    patient: str
    images: Mapping[str, str]
    mask: str = ""
    mask2: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Discovery:
    """What a folder seems to hold.

    Attributes:
        patients: The patients with at least one image, sorted.
        sequences: The sequences of the study, in study order.
        reference: The sequence that the tumor was drawn on.
        others: Sequences that were found and left out.
        guesses: What was guessed, in words.
    """

    patients: tuple[FoundPatient, ...]
    sequences: tuple[str, ...]
    reference: str
    others: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()


def describe(
    patients: Sequence[FoundPatient],
    sequences: Sequence[str],
    others: Sequence[str],
    reference: str,
) -> tuple[str, ...]:
    """Return what was guessed, in words."""
    total = len(patients)
    names = [p.patient for p in patients]
    shown = ", ".join(names[:3]) + (f" ... {names[-1]}" if total > 3 else "")
    guesses = [f"patients: {total} ({shown})"]
    for sequence in sequences:
        having = [p for p in patients if sequence in p.images]
        example = _end(having[0].images[sequence])
        guesses.append(f"{sequence}: {len(having)} of {total} patients, e.g. {example}")
    if others:
        guesses.append(f"images left out of data.sequences: {', '.join(others)}")
    guesses.append(f"the tumor was drawn on {reference} (data.reference)")
    masked = [p for p in patients if p.mask]
    example = f", e.g. {_end(masked[0].mask)}" if masked else ""
    guesses.append(f"mask: {len(masked)} of {total} patients{example}")
    second = sum(1 for p in patients if p.mask2)
    if second:
        guesses.append(f"mask2 (second reader): {second} of {total} patients")
    return (*guesses, *_notes(patients))


def _end(cell: str) -> str:
    return "/".join(Path(cell).parts[-2:])


def _notes(patients: Sequence[FoundPatient]) -> list[str]:
    """Say once what holds for several patients."""
    whose: dict[str, list[str]] = defaultdict(list)
    for patient in patients:
        for note in dict.fromkeys(patient.notes):
            whose[note].append(patient.patient)
    return [
        f"{names[0] if len(names) == 1 else f'{len(names)} patients'}: {note}"
        for note, names in whose.items()
    ]
