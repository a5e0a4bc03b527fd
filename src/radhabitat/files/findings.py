"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from radhabitat.errors import RadHabitatError

Level = Literal["cannot run", "loses a patient", "look"]


@dataclass(frozen=True)
class Finding:
    """One line of the check's table.

    Attributes:
        level: What happens if it stays: the study cannot run, a run loses the
            patient, or somebody should look at it.
        patient: Whom it is about; None for the whole study.
        what: The problem.
        fix: What to do about it.
    """

    level: Level
    patient: str | None
    what: str
    fix: str


def from_error(
    error: RadHabitatError, level: Level, patient: str | None = None
) -> Finding:
    """Return an error as a finding."""
    return Finding(level, patient, error.problem, error.fix)
