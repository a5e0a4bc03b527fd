"""From screened to included patients, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from radhabitat.errors import TableError


class Step(NamedTuple):
    """A reason, whom it took, and how many were left."""

    reason: str
    excluded: int
    left: int


class Flow(NamedTuple):
    """Patients screened, the steps, and those included."""

    screened: int
    steps: tuple[Step, ...]
    included: int

    def counts(self) -> tuple[tuple[str, int], ...]:
        """Return (what, patients) from screened to included, for the report."""
        middle = [(f"excluded: {step.reason}", step.excluded) for step in self.steps]
        return (("screened", self.screened), *middle, ("included", self.included))


def cohort_flow(reasons: Sequence[str], order: Sequence[str] = ()) -> Flow:
    """Return the flow of a cohort.

    Args:
        reasons: Why each screened patient was excluded; empty: included. Capitals
            make no difference; a patient has one reason, the first that applied.
        order: Of the reasons; those not named follow as they first occur.

    Raises:
        TableError: Nobody was screened, or a reason in `order` does not occur.

    Example:
        >>> cohort_flow(["", "poor images", "", "lost"]).steps[0]
        Step(reason='poor images', excluded=1, left=3)
    """
    if not reasons:
        raise TableError("The screening log is empty", "give a row per patient")
    folded = [" ".join(reason.split()).casefold() for reason in reasons]
    spelled = dict(
        zip(reversed(folded), map(str.strip, reversed(reasons)), strict=True)
    )
    counts = Counter(filter(None, folded))
    wanted = [" ".join(reason.split()).casefold() for reason in order]
    for reason, asked in zip(wanted, order, strict=True):
        if reason not in counts:
            raise TableError(
                f"No patient was excluded for {asked!r}; found: "
                f"{', '.join(spelled[r] for r in counts)}",
                "correct the order of reasons",
            )
    left, steps = len(reasons), []
    for reason in dict.fromkeys((*wanted, *counts)):
        left -= counts[reason]
        steps.append(Step(spelled[reason], counts[reason], left))
    return Flow(len(reasons), tuple(steps), left)
