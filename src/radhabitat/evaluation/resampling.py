"""Repeat the whole learning on bootstrap resamples, and ask about those left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import RadHabitatError
from radhabitat.evaluation.discrimination import Areas, components, spread_of
from radhabitat.types import Cohort, Fit

Floats = NDArray[np.float64]
MAX_DRAWS = 100


@dataclass(frozen=True, eq=False)
class ResampleTask:
    """Some of the resamples; what is learned depends on `seed` and number only.

    Attributes:
        fit: The whole learning.
        cohort: All patients.
        seed: Of the study.
        numbers: Which resamples.
    """

    fit: Fit
    cohort: Cohort
    seed: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ResampleBlock:
    """What came of some resamples.

    Attributes:
        risks: Model -> risk of each patient left out, shape (resamples, patients);
            NaN for the patients that were learned from.
        variables: Model -> the variables kept, one tuple per resample.
        failed: Resamples that could not be drawn or learned.
    """

    risks: dict[str, Floats]
    variables: dict[str, tuple[tuple[str, ...], ...]]
    failed: int


def resample_block(task: ResampleTask) -> ResampleBlock:
    """Learn anew in each resample of a task and predict the patients left out."""
    risks: dict[str, list[Floats]] = {}
    variables: dict[str, list[tuple[str, ...]]] = {}
    failed = 0
    for number in task.numbers:
        rows = draw_resample(task.cohort.outcome, seed=task.seed, number=number)
        if rows is None:
            failed += 1
            continue
        left_out = np.setdiff1d(np.arange(len(task.cohort)), rows)
        try:
            ladder = task.fit(task.cohort.take(rows))
        except RadHabitatError:
            failed += 1
            continue
        unseen = task.cohort.take(left_out)
        for name, model in ladder.items():
            risk = np.full(len(task.cohort), np.nan)
            risk[left_out] = model.risk(unseen)
            risks.setdefault(name, []).append(risk)
            variables.setdefault(name, []).append(model.variables)
    return ResampleBlock(
        {name: np.array(rows) for name, rows in risks.items()},
        {name: tuple(kept) for name, kept in variables.items()},
        failed,
    )


def draw_resample(
    outcome: NDArray[np.int8], *, seed: int, number: int
) -> NDArray[np.intp] | None:
    """Return the rows of one bootstrap resample, or None when none can be drawn.

    Drawn again until two patients of each class are in it and one of each is left
    out.
    """
    random = np.random.default_rng([seed, number])
    count = len(outcome)
    for _ in range(MAX_DRAWS):
        rows = random.integers(0, count, count)
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        enough = min(np.bincount(outcome[inside], minlength=2)) >= 2
        if enough and len(np.unique(outcome[~inside])) == 2:
            return np.sort(rows)
    return None


def split_resamples(count: int) -> list[tuple[int, ...]]:
    """Return the numbers of the resamples in blocks, about fifty of them."""
    size = max(1, min(25, -(-count // 50)))
    numbers = range(count)
    return [tuple(numbers[i : i + size]) for i in range(0, count, size)]


def join_blocks(blocks: Iterable[ResampleBlock]) -> ResampleBlock:
    """Return all resamples as one block, in their order."""
    every = list(blocks)
    failed = sum(b.failed for b in every)
    parts = [b for b in every if b.risks]
    names = parts[0].risks if parts else {}
    return ResampleBlock(
        {n: np.concatenate([b.risks[n] for b in parts]) for n in names},
        {n: tuple(v for b in parts for v in b.variables[n]) for n in names},
        failed,
    )


def unseen_areas(outcome: NDArray[np.int8], risks: Sequence[Floats]) -> Areas:
    """Return the AUCs of models on the patients that they were learned without.

    Over all pairs of an event and a non-event, the share of the resamples that left
    out both in which the event got the higher risk (leave-pair-out bootstrap). The
    covariance is DeLong's for one learned model tested on as many new patients,
    averaged over the resamples; that of the averaged shares would forget how much
    the learned models differ, and rejects a true null hypothesis far too often.

    Args:
        outcome: 1 = event, shape (patients,).
        risks: One array per model, shape (resamples, patients), NaN where learned
            from, the same resamples for each.

    Reference:
        Efron and Tibshirani, JASA 1997;92:548 (leave-one-out bootstrap); Yousef,
        Wagner and Loew, Pattern Recognit Lett 2005;26:2600 (its AUC).
    """
    events, nonevents = np.flatnonzero(outcome == 1), np.flatnonzero(outcome == 0)
    shares = [_pair_shares(r[:, events], r[:, nonevents]) for r in risks]
    covariance = np.zeros((len(risks), len(risks)))
    used = 0
    for resample in zip(*risks, strict=True):
        scores = np.array(resample)
        known = ~np.isnan(scores[0])
        parts = components(outcome[known], scores[:, known])
        spread = sum(
            spread_of(part) / count
            for part, count in zip(parts, (len(events), len(nonevents)), strict=True)
        )
        if np.isfinite(spread).all():
            covariance += spread
            used += 1
    return Areas(
        np.array([share.mean() for share in shares]),
        covariance / max(1, used),
        min(len(events), len(nonevents)),
    )


def _pair_shares(events: Floats, nonevents: Floats) -> Floats:
    """Return the share of resamples that order each pair rightly; 0.5 if unknown."""
    right = np.zeros((events.shape[1], nonevents.shape[1]))
    known = np.zeros_like(right)
    for one, other in zip(events, nonevents, strict=True):
        rows, columns = np.flatnonzero(~np.isnan(one)), np.flatnonzero(~np.isnan(other))
        difference = one[rows, None] - other[None, columns]
        where = np.ix_(rows, columns)
        right[where] += 0.5 * (np.sign(difference) + 1.0)
        known[where] += 1.0
    return np.where(known > 0, right / np.maximum(known, 1.0), 0.5)
