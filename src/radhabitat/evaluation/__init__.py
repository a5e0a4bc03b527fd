"""How good is what a learning makes, on patients that it did not see?

    learn from all (apparent) -> repeat the whole learning in resamples -> out-of-bag
    AUC with interval -> calibration, decision curve -> each model against the last

It receives the learning itself, never a learned model. The out-of-bag AUC is the
headline; the apparent one beside it shows the optimism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from radhabitat.errors import ComputationError
from radhabitat.evaluation.resampling import (
    Resamples,
    assemble,
    join_blocks,
    resample_block,
    split_resamples,
)
from radhabitat.evaluation.results import Evaluation
from radhabitat.evaluation.words import to_json, verdict
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Fit

__all__ = ["evaluate", "resample_block", "to_json", "verdict"]

Mapper = Callable[[Callable[[range], Resamples], Sequence[range]], Iterable[Resamples]]
"""Applies a function to tasks, here or elsewhere, in their order."""


def evaluate(
    fit: Fit,
    cohort: Cohort,
    settings: EvaluationSettings,
    *,
    seed: int,
    run: Mapper = map,
) -> Evaluation:
    """Learn from all patients, then ask how good that learning is.

    The order of the patients and who runs the resamples make no difference.

    Args:
        fit: The whole learning, a function that can be pickled for other processes.
        cohort: Patients with outcomes, each once, at least two of each class.
        settings: Number of resamples, confidence of the intervals.
        seed: Of the resamples.
        run: Applies a function to tasks, like `map`; may use other processes.

    Raises:
        ComputationError: Nothing could be learned in any resample.
    """
    ordered = cohort.take(np.argsort(np.asarray(cohort.patients), kind="stable"))
    with threadpool_limits(limits=1):
        ladder = fit(ordered)
    blocks = split_resamples(settings.bootstraps)
    unseen = join_blocks(run(partial(resample_block, fit, ordered, seed=seed), blocks))
    if not unseen.risks:
        raise ComputationError(
            f"Nothing could be learned in any of {settings.bootstraps} resamples of "
            f"{len(cohort)} patients with {cohort.events} events",
            "a cohort needs more patients of each class",
        )
    with threadpool_limits(limits=1):
        return assemble(ordered, ladder, unseen, confidence=settings.confidence)
