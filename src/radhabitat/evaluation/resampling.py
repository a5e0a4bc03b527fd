"""Repeat the whole learning, and keep what each repeat says of every patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from radhabitat.errors import RadHabitatError
from radhabitat.evaluation.draw import Drawn, Task, draw
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Fit, RiskModel

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Resamples:
    """What came of some repeats of one kind.

    Attributes:
        numbers: Of the repeats, rising, int64, shape (repeats,).
        copies: How often each patient was drawn, int16, shape (repeats, patients).
        risks: Model -> risks of all patients, also of those learned from, shape
            (repeats, patients).
        models: Model -> its formula in each repeat.
        failed: Repeats that could not be drawn or learned, not in the others.
    """

    numbers: NDArray[np.int64]
    copies: NDArray[np.int16]
    risks: Mapping[str, Floats]
    models: Mapping[str, tuple[RiskModel, ...]]
    failed: int

    def unseen(self, name: str) -> Floats:
        """Return a model's risks, NaN where a patient was learned from."""
        hidden: Floats = np.where(self.copies == 0, self.risks[name], np.nan)
        return hidden


def learn_task(
    fit: Fit, cohort: Cohort, task: Task, *, settings: EvaluationSettings, seed: int
) -> Resamples:
    """Learn anew in some repeats, and predict every patient each time.

    Args:
        fit: The whole learning.
        cohort: All patients.
        task: Which repeats.
        settings: Number of folds.
        seed: Of all repeats; with its number, it decides what comes of one.
    """
    numbers, copies, risks, ladders = [], [], [], []
    with threadpool_limits(limits=1):
        for number in range(task.start, task.stop):
            drawn = draw(cohort, task, number, settings, seed=seed)
            if drawn is None:
                continue
            try:
                ladder = fit(drawn.cohort.take(drawn.rows))
                found = {n: _risk(m, drawn) for n, m in ladder.items()}
            except RadHabitatError:
                continue
            numbers.append(number)
            copies.append(np.bincount(drawn.rows, minlength=len(cohort)))
            risks.append(found)
            ladders.append(ladder)
    names = list(risks[0]) if risks else []
    return Resamples(
        numbers=np.array(numbers, dtype=np.int64),
        copies=np.array(copies, dtype=np.int16).reshape(-1, len(cohort)),
        risks={name: np.array([row[name] for row in risks]) for name in names},
        models={name: tuple(row[name] for row in ladders) for name in names},
        failed=task.stop - task.start - len(copies),
    )


def join_blocks(blocks: Sequence[Resamples]) -> Resamples:
    """Return all repeats of a kind as one block, in their order."""
    parts = [b for b in blocks if b.risks]
    names = parts[0].risks if parts else {}
    return Resamples(
        numbers=np.concatenate([b.numbers for b in blocks]),
        copies=np.concatenate([b.copies for b in blocks]),
        risks={n: np.concatenate([b.risks[n] for b in parts]) for n in names},
        models={n: tuple(m for b in parts for m in b.models[n]) for n in names},
        failed=sum(b.failed for b in blocks),
    )


def _risk(model: RiskModel, drawn: Drawn) -> Floats:
    """Return risks of all patients, as if the prevalence were that of all.

    Without it, a formula without variables would rank each event below each
    non-event: who is left out takes one of his class out of the repeat.
    """
    outcome = drawn.cohort.outcome
    learned_from = outcome[drawn.rows].mean()
    shift = float(logit(outcome.mean()) - logit(learned_from))
    risk: Floats = np.round(expit(model.log_odds(drawn.cohort) + shift), 14)
    return risk
