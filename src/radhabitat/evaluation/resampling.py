"""Repeat the whole learning on bootstrap resamples, and ask about those left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from radhabitat.errors import RadHabitatError
from radhabitat.evaluation.unseen import unseen_areas
from radhabitat.types import Cohort, Fit, RiskModel

__all__ = [
    "Resamples",
    "draw_resample",
    "join_blocks",
    "resample_block",
    "split_resamples",
    "unseen_areas",
]

Floats = NDArray[np.float64]
MAX_DRAWS = 100


@dataclass(frozen=True, eq=False)
class Resamples:
    """What came of some resamples.

    Attributes:
        copies: How often each patient was drawn, int16, shape (resamples, patients).
        risks: Model -> risk of each patient left out, shape (resamples, patients);
            NaN for the patients that were learned from.
        variables: Model -> the variables kept, one tuple per resample.
        failed: Resamples that could not be drawn or learned; they are not counted in
            the other attributes.
    """

    copies: NDArray[np.int16]
    risks: Mapping[str, Floats]
    variables: Mapping[str, tuple[tuple[str, ...], ...]]
    failed: int


def resample_block(
    fit: Fit, cohort: Cohort, numbers: Sequence[int], *, seed: int
) -> Resamples:
    """Learn anew in some resamples and predict the patients left out.

    What comes of a resample depends on `seed` and its number only.

    Args:
        fit: The whole learning.
        cohort: All patients.
        numbers: Which resamples.
        seed: Of all resamples.
    """
    copies, risks, variables = [], [], []
    with threadpool_limits(limits=1):
        for number in numbers:
            rows = draw_resample(cohort.outcome, seed=seed, number=number)
            if rows is None:
                continue
            try:
                ladder = fit(cohort.take(rows))
            except RadHabitatError:
                continue
            drawn = np.bincount(rows, minlength=len(cohort)).astype(np.int16)
            copies.append(drawn)
            risks.append({n: _risk(m, cohort, drawn) for n, m in ladder.items()})
            variables.append({n: m.variables for n, m in ladder.items()})
    names = list(risks[0]) if risks else []
    return Resamples(
        copies=np.array(copies, dtype=np.int16).reshape(-1, len(cohort)),
        risks={name: np.array([row[name] for row in risks]) for name in names},
        variables={name: tuple(row[name] for row in variables) for name in names},
        failed=len(numbers) - len(copies),
    )


def draw_resample(
    outcome: NDArray[np.int8], *, seed: int, number: int
) -> NDArray[np.intp] | None:
    """Return the rows of one bootstrap resample, or None when none can be drawn.

    Drawn again until two patients of each class are in it and one of each is left
    out.
    """
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    count = len(outcome)
    for _ in range(MAX_DRAWS):
        rows = random.integers(0, count, count)
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        enough = min(np.bincount(outcome[inside], minlength=2)) >= 2
        if enough and len(np.unique(outcome[~inside])) == 2:
            return np.sort(rows)
    return None


def split_resamples(count: int) -> list[range]:
    """Return the numbers of the resamples in blocks, about fifty of them."""
    size = max(1, min(25, -(-count // 50)))
    return [range(i, min(i + size, count)) for i in range(0, count, size)]


def join_blocks(blocks: Iterable[Resamples]) -> Resamples:
    """Return all resamples as one block, in their order."""
    every = list(blocks)
    parts = [b for b in every if b.risks]
    names = parts[0].risks if parts else {}
    return Resamples(
        copies=np.concatenate([b.copies for b in every]),
        risks={n: np.concatenate([b.risks[n] for b in parts]) for n in names},
        variables={n: tuple(v for b in parts for v in b.variables[n]) for n in names},
        failed=sum(b.failed for b in every),
    )


def _risk(model: RiskModel, cohort: Cohort, copies: NDArray[np.int16]) -> Floats:
    """Return risks of the patients left out, as if the prevalence were that of all.

    A patient who is left out takes one of his class out of the resample, so its
    prevalence leans against him: without this shift, a formula without any variable
    would give each event a lower risk than each non-event.
    """
    drawn = float(copies @ cohort.outcome) / float(copies.sum())
    shift = float(logit(cohort.outcome.mean()) - logit(drawn))
    risk = np.round(expit(model.log_odds(cohort) + shift), 14)
    return np.where(copies == 0, risk, np.nan)
