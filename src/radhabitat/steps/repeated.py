"""Measure one patient again: other drawings, noise, registration, starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from radhabitat.files.store import Json, code_version, remember
from radhabitat.files.subjects import read_subject
from radhabitat.habitats import divide_again, find_habitats
from radhabitat.preprocessing import align
from radhabitat.preprocessing.perturb import misplace, perturb
from radhabitat.steps.aligned import read_aligned
from radhabitat.steps.described import numbers, provenance_of
from radhabitat.steps.row import measure
from radhabitat.steps.task import HabitatTask, PatientTask
from radhabitat.types import AlignedSubject, HabitatMap


@dataclass(frozen=True)
class RepeatTask:
    """A patient to be measured again.

    Attributes:
        patient: Whose habitats are known.
        step: Name of the record.
        plans: Name of a repeat -> what differs in it; see `preprocessing.perturb`.
    """

    patient: HabitatTask
    step: str
    plans: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Repeat:
    """One more measurement.

    Attributes:
        row: Column -> value.
        dice: Overlap of each habitat with that of the first measurement; NaN where
            both lack it.
    """

    row: Mapping[str, float]
    dice: tuple[float, ...]


def repeat_patient(task: RepeatTask) -> dict[str, Repeat]:
    """Measure one patient again; habitats keep their meaning.

    Returns:
        A repeat for each plan and, where a second reader drew the tumor, "reader2".

    Raises:
        RadHabitatError: A stage failed on one of them.
    """
    patient = task.patient.patient
    provenance = {
        **provenance_of(task.patient, task.step),
        "plans": task.plans,
        "reliability": patient.settings.reliability.model_dump(
            mode="json", include={"shift_mm", "strength"}
        ),
        "perturb": code_version("preprocessing"),
    }
    path = patient.layout.record(task.step)
    found = remember(path, provenance, lambda: _repeat(task)).result
    rows = cast("dict[str, object]", found["rows"])
    dice = cast("dict[str, list[float | None]]", found["dice"])
    return {
        name: Repeat(
            numbers(row), tuple(np.nan if d is None else d for d in dice[name])
        )
        for name, row in rows.items()
    }


def _repeat(task: RepeatTask) -> tuple[list[Path], Json]:
    patient, partition = task.patient.patient, task.patient.partition
    settings = patient.settings
    subject = read_aligned(patient)
    first = find_habitats(subject, partition, settings.habitats)
    drawn = {}
    for name, kinds in task.plans.items():
        seed = patient.seed(f"{task.step}/{name}", own=True)
        start = _register_again(patient, seed) if "registration" in kinds else subject
        drawn[name] = perturb(start, kinds, settings.reliability, seed=seed)
    if subject.second_reader is not None:
        drawn["reader2"] = replace(
            subject, tumor=subject.second_reader, second_reader=None
        )
    rows, dice = {}, {}
    for name, other in drawn.items():
        seed = patient.seed(f"{task.step}/{name}/starts", own=True)
        again = divide_again(other, partition, settings.habitats, seed=seed)
        habitats, rows[name] = measure(other, again, settings)
        dice[name] = _overlaps(first, habitats)
    return [], {"rows": rows, "dice": dice}


def _register_again(patient: PatientTask, seed: int) -> AlignedSubject:
    """Align a patient from its files, other starts and other drawn points."""
    settings = patient.settings
    acquired = read_subject(patient.files, settings.data)
    moved = misplace(acquired, settings.reliability.shift_mm, seed=seed)
    return align(moved, settings.preprocessing, seed=seed, standard=patient.standard)


def _overlaps(one: HabitatMap, other: HabitatMap) -> list[float]:
    """Return the Dice coefficient of each habitat."""
    overlaps = []
    for habitat in range(1, one.count + 1):
        first, second = one.array == habitat, other.array == habitat
        total = np.count_nonzero(first) + np.count_nonzero(second)
        both = np.count_nonzero(first & second)
        overlaps.append(2.0 * both / total if total else float("nan"))
    return overlaps
