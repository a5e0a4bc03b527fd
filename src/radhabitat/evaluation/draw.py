"""Which patients each repeat learns from, and which it is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import TableError
from radhabitat.settings import EvaluationSettings
from radhabitat.types import Block, Cohort, FeatureName

MAX_DRAWS = 100
_BLOCK = 25
_FEWEST_PER_SITE = 2


class Kind(StrEnum):
    """Ways to repeat the whole learning."""

    BOOTSTRAP = "bootstrap"
    FOLD = "fold"
    SITE = "site"
    PERMUTATION = "permutation"
    ABLATION = "ablation"


class Task(NamedTuple):
    """Some repeats of one kind, learned in one go.

    Attributes:
        kind: Of all of them.
        start: Number of the first.
        stop: Number after the last.
        sequence: The one sequence whose features an ablation learns from.
        every_site: Whether a bootstrap sample must hold two patients of each site.
    """

    kind: Kind
    start: int
    stop: int
    sequence: str = ""
    every_site: bool = False


@dataclass(frozen=True, eq=False)
class Drawn:
    """One repeat.

    Attributes:
        rows: Learned from; a bootstrap holds copies.
        cohort: Where they are taken from: outcomes shuffled, columns left out.
    """

    rows: NDArray[np.intp]
    cohort: Cohort


def list_tasks(
    cohort: Cohort, settings: EvaluationSettings, *, every_site: bool = False
) -> list[Task]:
    """Return all repeats of an evaluation, in blocks of a few.

    A learning that needs every site cannot be tried on a site left out.
    """
    folds = settings.cv_folds * settings.cv_repeats
    boots = _blocks(Kind.BOOTSTRAP, settings.bootstraps)
    tasks = [task._replace(every_site=every_site) for task in boots]
    if _can_fold(cohort, settings.cv_folds):
        tasks += _blocks(Kind.FOLD, folds)
        count = settings.permutations * settings.cv_folds
        tasks += _blocks(Kind.PERMUTATION, count, settings.cv_folds)
        if settings.ablation:
            for sequence in sequences_of(cohort):
                tasks += _blocks(Kind.ABLATION, folds, 1, sequence)
    if not every_site:
        tasks += _blocks(Kind.SITE, len(sites_of(cohort)))
    return tasks


def draw(
    cohort: Cohort, task: Task, number: int, settings: EvaluationSettings, *, seed: int
) -> Drawn | None:
    """Return a repeat; the same for the same seed and number.

    Returns:
        None where chance gives no usable one.
    """
    folds = settings.cv_folds
    if task.kind is Kind.BOOTSTRAP:
        strata = np.array(cohort.sites) if task.every_site else None
        rows = draw_resample(cohort.outcome, strata, seed=seed, number=number)
    elif task.kind is Kind.SITE:
        site = sites_of(cohort)[number]
        rows = np.flatnonzero(np.array(cohort.sites) != site)
    else:
        if task.kind is Kind.PERMUTATION:
            cohort = shuffle_outcomes(cohort, seed=seed, number=number // folds)
        fold = deal_folds(cohort.outcome, folds, seed=seed, number=number // folds)
        rows = np.flatnonzero(fold != number % folds)
    if task.kind is Kind.ABLATION:
        cohort = cohort.take_columns(_columns_of(cohort, task.sequence))
    return None if rows is None else Drawn(rows, cohort)


def draw_resample(
    outcome: NDArray[np.int8],
    sites: NDArray[np.str_] | None = None,
    *,
    seed: int,
    number: int,
) -> NDArray[np.intp] | None:
    """Return the rows of a bootstrap resample with two patients of each class in it.

    One of each class is left out; of each of `sites` two are in. None where chance
    gives no such resample.
    """
    places = np.unique(sites, return_inverse=True)[1] if sites is not None else None
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    count = len(outcome)
    for _ in range(MAX_DRAWS):
        rows = random.integers(0, count, count)
        inside = np.zeros(count, dtype=bool)
        inside[rows] = True
        enough = min(np.bincount(outcome[inside], minlength=2)) >= 2
        if places is not None:
            here = np.bincount(places[inside], minlength=int(places.max()) + 1)
            enough = enough and min(here) >= _FEWEST_PER_SITE
        if enough and len(np.unique(outcome[~inside])) == 2:
            return np.sort(rows)
    return None


def deal_folds(
    outcome: NDArray[np.int8], folds: int, *, seed: int, number: int
) -> NDArray[np.intp]:
    """Return the fold of each patient: shuffled, the classes spread evenly."""
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, number)))
    order = random.permutation(len(outcome))
    order = order[np.argsort(outcome[order], kind="stable")]
    fold = np.empty(len(outcome), dtype=np.intp)
    fold[order] = np.arange(len(outcome)) % folds
    return fold


def shuffle_outcomes(cohort: Cohort, *, seed: int, number: int) -> Cohort:
    """Return the cohort with outcomes exchanged between patients of the same site."""
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2, number)))
    outcome = cohort.outcome.copy()
    sites = np.array(cohort.sites or ("",) * len(cohort))
    for site in np.unique(sites):
        rows = np.flatnonzero(sites == site)
        outcome[rows] = outcome[random.permutation(rows)]
    return replace(cohort, outcome=outcome)


def sites_of(cohort: Cohort) -> tuple[str, ...]:
    """Return the sites, in order of their names; none when there is only one."""
    sites = tuple(sorted(set(cohort.sites)))
    return sites if len(sites) >= _FEWEST_PER_SITE else ()


def sequences_of(cohort: Cohort) -> tuple[str, ...]:
    """Return the sequences that image features come from; none when it is only one."""
    found = {_sequence(n) for n in _image_features(cohort)} - {""}
    return tuple(sorted(found)) if len(found) > 1 else ()


def _columns_of(cohort: Cohort, sequence: str) -> NDArray[np.intp]:
    clinical = set(cohort.columns(Block.CLINICAL).tolist())
    kept = [j for j, n in enumerate(cohort.names)
            if j in clinical or _sequence(n) == sequence]  # fmt: skip
    return np.array(kept, dtype=np.intp)


def _image_features(cohort: Cohort) -> Iterator[str]:
    for name, block in zip(cohort.names, cohort.blocks, strict=True):
        if block is not Block.CLINICAL:
            yield name


def _sequence(name: str) -> str:
    try:
        return FeatureName.parse(name).sequence
    except TableError:
        return ""


def _can_fold(cohort: Cohort, folds: int) -> bool:
    """Tell whether each fold tests, and each complement has, two of each class."""
    return min(cohort.events, len(cohort) - cohort.events) >= max(folds, 4)


def _blocks(
    kind: Kind, count: int, multiple: int = 1, sequence: str = ""
) -> Iterator[Task]:
    size = max(1, min(_BLOCK, -(-count // 50)))
    size = -(-size // multiple) * multiple
    for start in range(0, count, size):
        yield Task(kind, start, min(start + size, count), sequence)
