"""Running steps: in this process, or on a local Dask cluster of processes.

One patient's failure is data, not the end: each task gives an `Outcome`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, cast

from radhabitat.execution.task import Outcome, run_guarded

__all__ = ["Outcome", "Progress", "Runner", "silent", "start_workers", "values_of"]

T = TypeVar("T")
R = TypeVar("R")


class Progress(Protocol):
    """Is told how far a group of tasks has come."""

    def __call__(self, label: str, done: int, total: int, /) -> None:
        """Take note that `done` of `total` tasks named `label` are finished."""


class Runner(Protocol):
    """Runs a function on many tasks and gives the outcomes in the tasks' order."""

    def __call__(
        self, function: Callable[[T], R], tasks: Sequence[T], label: str
    ) -> list[Outcome[R]]:
        """Run `function` on each of `tasks`; `label` is for the progress."""


def values_of(outcomes: Sequence[Outcome[R]]) -> Iterator[R]:
    """Give the values of tasks that must all succeed.

    Raises:
        RadHabitatError: The first error among them.
    """
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        yield cast("R", outcome.value)


def silent(label: str, done: int, total: int) -> None:
    """Show no progress."""


@contextlib.contextmanager
def start_workers(count: int, *, progress: Progress = silent) -> Iterator[Runner]:
    """Give a runner with `count` workers; the results do not depend on it.

    Args:
        count: 1 runs in this process; more start as many processes with one
            thread each, on the first call that needs them.
        progress: Called after each finished task.
    """
    with contextlib.ExitStack() as stack:
        if count <= 1:
            yield _in_this_process(progress)
        else:
            yield _on_processes(count, progress, stack)


def _in_this_process(progress: Progress) -> Runner:
    def run(
        function: Callable[[T], R], tasks: Sequence[T], label: str
    ) -> list[Outcome[R]]:
        outcomes: list[Outcome[R]] = []
        progress(label, 0, len(tasks))
        for task in tasks:
            outcomes.append(run_guarded(function, task))
            progress(label, len(outcomes), len(tasks))
        return outcomes

    return run


def _on_processes(
    count: int, progress: Progress, stack: contextlib.ExitStack
) -> Runner:
    from radhabitat.execution.local_cluster import map_on_cluster, start_cluster

    started: list[object] = []

    def run(
        function: Callable[[T], R], tasks: Sequence[T], label: str
    ) -> list[Outcome[R]]:
        if not started:
            started.append(stack.enter_context(start_cluster(count)))
        return map_on_cluster(
            started[0], function, tasks, on_done=_count(progress, label, len(tasks))
        )

    return run


def _count(progress: Progress, label: str, total: int) -> Callable[[int], None]:
    progress(label, 0, total)
    return lambda done: progress(label, done, total)
