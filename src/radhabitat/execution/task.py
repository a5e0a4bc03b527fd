"""One task: its outcome is a value, or the error that set it aside."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from radhabitat.errors import ComputationError, RadHabitatError, StorageError

T = TypeVar("T")
R = TypeVar("R")

MEMORY_LIMIT = "4GiB"
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ),
    "1",
)


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What became of one task: a value, or the error that set it aside."""

    value: R | None
    error: RadHabitatError | None


def run_guarded(function: Callable[[T], R], task: T) -> Outcome[R]:
    """Run one task with one thread; its failure becomes data.

    A full disk ends the run: no other task could store its result either.
    """
    from threadpoolctl import threadpool_limits

    os.environ.update(ONE_THREAD)
    try:
        with threadpool_limits(limits=1):
            return Outcome(function(task), None)
    except StorageError:
        raise
    except RadHabitatError as error:
        return Outcome(None, error)
    except MemoryError:
        return Outcome(None, _out_of_memory())
    except Exception as error:
        return Outcome(None, _unexpected(error))


def _out_of_memory() -> ComputationError:
    return ComputationError(
        f"The step needed more memory than a worker has ({MEMORY_LIMIT})",
        "crop the images around the tumor, or set a coarser "
        "preprocessing.spacing_mm in study.toml",
    )


def _unexpected(error: Exception) -> ComputationError:
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    code = where.tb_frame.f_code if where is not None else None
    line = where.tb_lineno if where is not None else 0
    place = f" in {code.co_name}, line {line}" if code is not None else ""
    return ComputationError(
        f"An unexpected {type(error).__name__}{place}: {error}",
        "please report this with the patient's image sizes (not the images) at "
        "the project's issue tracker",
    )
