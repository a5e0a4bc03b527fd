"""How good a ladder of models is, on patients that the learning did not see.

learn from all (apparent) -> repeat the whole learning in resamples -> out-of-bag
AUC with interval -> calibration, decision curve -> each model against the last
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from radhabitat.evaluation.assembly import assemble
from radhabitat.evaluation.resampling import BLOCK, Resamples, join, resample_block
from radhabitat.evaluation.results import Evaluation
from radhabitat.evaluation.summary import to_json, verdict
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Fit

__all__ = ["Evaluation", "evaluate", "resample_block", "to_json", "verdict"]

Run = Callable[[Callable[[range], Resamples], Sequence[range]], Iterable[Resamples]]
"""Like `map`: runs a function on tasks, here or elsewhere, and keeps their order."""


def evaluate(
    fit: Fit,
    cohort: Cohort,
    settings: EvaluationSettings,
    *,
    seed: int,
    run: Run | None = None,
) -> Evaluation:
    """Learn from all patients, and tell how good that learning is.

    The result depends neither on the order of the patients nor on who runs the
    resamples.

    Args:
        fit: The whole of the learning, as one function; it must survive pickling when
            `run` uses other processes.
        cohort: Patients, each once; at least two with and two without the event.
        settings: Number of resamples, confidence.
        seed: Of the resamples.
        run: Runs the blocks of resamples; None: here, one after the other.

    Raises:
        TableError: `fit` finds nothing to learn.
        ComputationError: Too few patients of one outcome to resample.
    """
    order = np.argsort(np.asarray(cohort.patients), kind="stable")
    ordered = cohort.take(order)
    with threadpool_limits(limits=1):
        ladder = fit(ordered)
    tasks = [
        range(start, min(start + BLOCK, settings.bootstraps))
        for start in range(0, settings.bootstraps, BLOCK)
    ]
    block = partial(resample_block, fit, ordered, seed=seed)
    resamples = join(list((run or map)(block, tasks)))
    with threadpool_limits(limits=1):
        return assemble(ordered, ladder, resamples, settings, positions=order)
