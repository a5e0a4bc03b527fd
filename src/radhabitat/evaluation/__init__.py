"""How good is what a learning makes, on patients that it did not see?

    learn from all (apparent) -> repeat the whole learning: bootstrap, nested
    cross-validation, site by site, shuffled outcomes -> AUC with interval,
    calibration, decisions -> each model against the last

It receives the learning itself, never a learned model. The headline is an AUC on
unseen patients; the apparent one beside it shows the optimism.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from radhabitat.errors import ComputationError
from radhabitat.evaluation.assembly import Refit, assemble
from radhabitat.evaluation.draw import Task, list_tasks
from radhabitat.evaluation.resampling import Resamples, join_blocks, learn_task
from radhabitat.evaluation.results import Evaluation
from radhabitat.evaluation.words import to_json, verdict
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Cohort, Fit

__all__ = ["About", "evaluate", "learn_task", "to_json", "verdict"]

Mapper = Callable[[Callable[[Task], Resamples], Sequence[Task]], Iterable[Resamples]]
"""Applies a function to tasks, here or elsewhere, in their order."""


class About(NamedTuple):
    """What an evaluation should know of a learning.

    Attributes:
        refit: Fits a ladder's variables again, without selection; with it the
            published protocol is shown beside the honest ones.
        every_site: It needs patients of every site: none is left out.
    """

    refit: Refit | None = None
    every_site: bool = False


_NOTHING = About()


def evaluate(
    fit: Fit,
    cohort: Cohort,
    settings: EvaluationSettings,
    *,
    seed: int,
    run: Mapper = map,
    about: About = _NOTHING,
) -> Evaluation:
    """Learn from all patients, then ask how good that learning is.

    The order of the patients and who runs the repeats make no difference.

    Args:
        fit: The whole learning, a function that can be pickled for other processes.
        cohort: Patients with outcomes, each once, at least two of each class.
        settings: Number of repeats, confidence of the intervals.
        seed: Of the repeats.
        run: Applies a function to tasks, like `map`; may use other processes.
        about: What else is known of the learning.

    Raises:
        ComputationError: Nothing could be learned in any resample.
    """
    ordered = cohort.take(np.argsort(np.asarray(cohort.patients), kind="stable"))
    with threadpool_limits(limits=1):
        ladder = fit(ordered)
    tasks = list_tasks(ordered, settings, every_site=about.every_site)
    learn = partial(learn_task, fit, ordered, settings=settings, seed=seed)
    blocks: dict[tuple[str, str], list[Resamples]] = {}
    for task, block in zip(tasks, run(learn, tasks), strict=True):
        blocks.setdefault((str(task.kind), task.sequence), []).append(block)
    repeats = {key: join_blocks(found) for key, found in blocks.items()}
    if not repeats["bootstrap", ""].risks:
        raise ComputationError(
            f"Nothing could be learned in any of {settings.bootstraps} resamples of "
            f"{len(cohort)} patients with {cohort.events} events",
            "a cohort needs more patients of each class",
        )
    with threadpool_limits(limits=1):
        return assemble(
            ordered, ladder, repeats, settings, seed=seed, refit=about.refit
        )
