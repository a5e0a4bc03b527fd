"""Repeating the whole learning on bootstrap samples, in blocks, on any worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from radhabitat.errors import ComputationError
from radhabitat.types import Cohort, Fit, RiskModel

BLOCK = 10
"""Resamples per task: small enough for a progress bar, large enough to be worth it."""

_MOST_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Resamples:
    """What the learning gave in some resamples.

    Attributes:
        copies: How often each patient was drawn, int16, shape (resamples, patients).
        log_odds: Model -> log-odds of the patients that were not drawn, NaN for the
            others, shape (resamples, patients); moved to the cohort's prevalence.
        kept: Model -> the variables of each resample.
        redrawn: Resamples whose first draw could not be learned or scored.
    """

    copies: NDArray[np.int16]
    log_odds: Mapping[str, NDArray[np.float64]]
    kept: Mapping[str, tuple[tuple[str, ...], ...]]
    redrawn: int

    @property
    def out_of_bag(self) -> NDArray[np.bool_]:
        """Who was not drawn, shape (resamples, patients)."""
        return self.copies == 0


def resample_block(
    fit: Fit, cohort: Cohort, indices: Sequence[int], *, seed: int
) -> Resamples:
    """Repeat the learning in some resamples.

    Resample b depends on `seed` and b alone, whoever computes it.

    Args:
        fit: The whole of the learning.
        cohort: All patients.
        indices: Which resamples.
        seed: Of all resamples.

    Raises:
        ComputationError: Almost no draw holds both outcomes.
    """
    copies = np.empty((len(indices), len(cohort)), dtype=np.int16)
    ladders = []
    redrawn = 0
    with threadpool_limits(limits=1):
        for place, index in enumerate(indices):
            copies[place], again = _draw(cohort.outcome, seed, index)
            redrawn += again
            rows = np.repeat(np.arange(len(cohort)), copies[place])
            ladders.append(fit(cohort.take(rows)))
    names = list(ladders[0]) if ladders else []
    return Resamples(
        copies=copies,
        log_odds={
            name: np.stack(
                [_score(ladder[name], cohort, copies[b])
                 for b, ladder in enumerate(ladders)]
            )
            for name in names
        },
        kept={n: tuple(ladder[n].variables for ladder in ladders) for n in names},
        redrawn=redrawn,
    )  # fmt: skip


def join(blocks: Sequence[Resamples]) -> Resamples:
    """Return the resamples of several blocks as one, in the given order."""
    names = list(blocks[0].log_odds)
    return Resamples(
        copies=np.concatenate([b.copies for b in blocks]),
        log_odds={n: np.concatenate([b.log_odds[n] for b in blocks]) for n in names},
        kept={n: sum((b.kept[n] for b in blocks), ()) for n in names},
        redrawn=sum(b.redrawn for b in blocks),
    )


def mean_risk(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each patient's mean risk over the resamples that left him out.

    Args:
        log_odds: Shape (resamples, patients); NaN where the patient was drawn.

    Returns:
        Shape (patients,); NaN where a patient was always drawn.
    """
    left_out = ~np.isnan(log_odds)
    risk = np.where(left_out, expit(np.where(left_out, log_odds, 0.0)), 0.0)
    count = left_out.sum(axis=0)
    mean = np.full(len(count), np.nan)
    np.divide(risk.sum(axis=0), count, out=mean, where=count > 0)
    return np.round(mean, 12)


def _draw(
    outcome: NDArray[np.int8], seed: int, index: int
) -> tuple[NDArray[np.int16], bool]:
    """Return how often each patient is drawn, and whether it took several draws."""
    draw = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    event = outcome == 1
    count = len(outcome)
    for attempt in range(_MOST_DRAWS):
        rows = draw.integers(count, size=count)
        copies = np.bincount(rows, minlength=count).astype(np.int16)
        drawn = copies > 0
        learnable = min(int(drawn[event].sum()), int(drawn[~event].sum())) >= 2
        if learnable and not drawn[event].all() and not drawn[~event].all():
            return copies, attempt > 0
    raise ComputationError(
        f"{int(event.sum())} events in {count} patients: almost no resample holds "
        "two patients of each outcome and leaves one of each out",
        "add patients; a model of so few cannot be evaluated",
    )


def _score(
    model: RiskModel, cohort: Cohort, copies: NDArray[np.int16]
) -> NDArray[np.float64]:
    """Return log-odds of the patients left out, as if the prevalence were all's.

    A patient who is left out takes one of his outcome out of the resample, so that
    its prevalence leans against him; averaged over resamples a formula without any
    variable would rank all patients wrongly.
    """
    drawn = float(copies @ cohort.outcome) / float(copies.sum())
    shift = float(logit(cohort.outcome.mean()) - logit(drawn))
    return np.where(copies == 0, model.log_odds(cohort) + shift, np.nan)
