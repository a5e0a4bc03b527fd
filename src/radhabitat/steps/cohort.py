"""Divide all patients' tumors: the one step that sees the whole cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from radhabitat.files.store import write_json
from radhabitat.habitats import Division, Match, divide_cohort, divide_tumor
from radhabitat.report.content import HabitatRow, MatchRow
from radhabitat.settings import StudySettings
from radhabitat.steps.aligned import Aligned
from radhabitat.steps.described import Described
from radhabitat.steps.task import HabitatTask, PatientTask


@dataclass(frozen=True, eq=False)
class Divided:
    """What became of the cohort.

    Attributes:
        division: What each habitat is.
        tasks: Patient -> what the next steps are given.
        matches: Patient -> how its habitats were matched; empty if pooled.
        votes: Number of habitats -> tumors that chose it; 1 abstains.
        scores: Patient, or "the cohort" -> k -> what the criterion says.
    """

    division: Division
    tasks: Mapping[str, HabitatTask]
    matches: Mapping[str, Match]
    votes: Mapping[int, int]
    scores: Mapping[str, Mapping[int, float]]


def divide_patients(
    tasks: Mapping[str, PatientTask],
    aligned: Mapping[str, Aligned],
    settings: StudySettings,
    stored: Path,
) -> Divided:
    """Choose k, say which habitat is which, and store it for new patients.

    Args:
        tasks: Of at least the aligned patients.
        aligned: What alignment left.
        settings: Of the study.
        stored: Path of habitats.json.

    Raises:
        MaskError: No tumor is large enough for the number of habitats set.
        StorageError: The disk is full, or the folder is read-only.
    """
    surveys = {p: a.survey for p, a in aligned.items()}
    division, whole = divide_cohort(
        surveys,
        settings.habitats,
        channels=settings.channels,
        order_by=settings.order_by,
        seed=settings.seed,
    )
    write_json(stored, division.to_json())
    parts = {p: divide_tumor(survey, division) for p, survey in surveys.items()}
    scored = surveys if whole is None else {"the cohort": whole}
    return Divided(
        division=division,
        tasks={
            p: HabitatTask(tasks[p], a.key, parts[p][0]) for p, a in aligned.items()
        },
        matches={p: match for p, (_, match) in parts.items() if match is not None},
        votes=dict(sorted(Counter(s.k for s in scored.values()).items())),
        scores={p: s.scores for p, s in scored.items()},
    )


def match_rows(divided: Divided) -> tuple[MatchRow, ...]:
    """Return how each patient's habitats were matched, for the report."""
    return tuple(
        MatchRow(patient, len(match.habitats), match.cost, match.ambiguity)
        for patient, match in divided.matches.items()
    )


def habitat_rows(described: Mapping[str, Described]) -> tuple[HabitatRow, ...]:
    """Return the size of each patient's habitats, for the report."""
    return tuple(
        HabitatRow(patient, habitat, volume / 1000.0, volume / sum(d.volumes_mm3))
        for patient, d in described.items()
        for habitat, volume in enumerate(d.volumes_mm3, start=1)
    )
