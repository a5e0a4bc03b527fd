"""A Dask cluster of processes on this machine, on the loopback interface only."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from radhabitat.errors import ComputationError
from radhabitat.execution.task import MEMORY_LIMIT, ONE_THREAD, Outcome, run_guarded

T = TypeVar("T")
R = TypeVar("R")


@contextlib.contextmanager
def start_cluster(workers: int) -> Iterator[Any]:
    """Give a Dask client with `workers` processes of one thread each."""
    import dask
    from distributed import Client, LocalCluster

    configuration = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.nanny.pre-spawn-environ": ONE_THREAD,
        "distributed.worker.memory.terminate": 0.95,
        "distributed.comm.timeouts.connect": "60s",
    }
    with (
        dask.config.set(configuration),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # a free port; two runs may coexist
            scheduler_kwargs={"dashboard": False},
            memory_limit=MEMORY_LIMIT,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def map_on_cluster(
    client: Any,  # noqa: ANN401 (Dask has no types)
    function: Callable[[T], R],
    tasks: Sequence[T],
    *,
    on_done: Callable[[int], None],
) -> list[Outcome[R]]:
    """Run `function` on each task; outcomes in the order of the tasks."""
    from distributed import as_completed

    with warnings.catch_warnings():
        # a task carries its cohort: a copy on one worker would die with that worker
        warnings.filterwarnings("ignore", "Sending large graph")
        futures = [client.submit(run_guarded, function, t, pure=False) for t in tasks]
    place = {future.key: i for i, future in enumerate(futures)}
    outcomes: list[Outcome[R] | None] = [None] * len(tasks)
    for done, future in enumerate(as_completed(futures), start=1):
        outcomes[place[future.key]] = _outcome(future)
        on_done(done)
    return [outcome for outcome in outcomes if outcome is not None]


def _outcome(future: Any) -> Outcome[Any]:  # noqa: ANN401 (Dask has no types)
    from distributed.scheduler import KilledWorker

    try:
        result: Outcome[Any] = future.result()
    except KilledWorker:
        return Outcome(None, _killed())
    return result


def _killed() -> ComputationError:
    return ComputationError(
        "The worker process died twice on this patient (out of memory, or a crash "
        "in compiled code)",
        f"check the size of the images (a worker may use {MEMORY_LIMIT}), or run "
        "with fewer --workers",
    )
