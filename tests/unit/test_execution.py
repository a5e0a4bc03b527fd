import os

import pytest

from radhabitat.errors import ComputationError, InputError, StorageError
from radhabitat.execution import start_workers, values_of


def square(n):
    if n == 3:
        raise InputError("three is odd", "take two")
    if n == 5:
        raise ZeroDivisionError("five")
    return n * n


def fill_disk(_):
    raise StorageError("The disk is full", "free some space")


def die(n):
    if n == 2:
        os.kill(os.getpid(), 9)
    return n


def run_on(workers, function, tasks):
    seen = []
    with start_workers(
        workers, progress=lambda label, done, total: seen.append((label, done, total))
    ) as run:
        return run(function, tasks, "Squares"), seen


def test_one_failing_task_is_data_and_the_others_finish():
    outcomes, seen = run_on(1, square, [1, 3, 4, 5])
    assert [o.value for o in outcomes] == [1, None, 16, None]
    assert isinstance(outcomes[1].error, InputError)
    assert isinstance(outcomes[3].error, ComputationError)
    assert "ZeroDivisionError in square" in outcomes[3].error.problem
    assert seen[0] == ("Squares", 0, 4)
    assert seen[-1] == ("Squares", 4, 4)


def test_a_full_disk_ends_the_run():
    with pytest.raises(StorageError, match="full"):
        run_on(1, fill_disk, [1, 2])


def test_values_of_raises_the_first_error():
    outcomes, _ = run_on(1, square, [1, 3])
    with pytest.raises(InputError, match="three is odd"):
        list(values_of(outcomes))


@pytest.mark.slow
def test_two_processes_give_the_same_outcomes_in_the_same_order():
    tasks = list(range(1, 9))
    (one, _), (two, seen) = run_on(1, square, tasks), run_on(2, square, tasks)
    assert [o.value for o in two] == [o.value for o in one]
    assert [type(o.error) for o in two] == [type(o.error) for o in one]
    assert [done for _, done, _ in seen] == list(range(9))


@pytest.mark.slow
def test_a_task_that_kills_its_worker_costs_no_other_task():
    outcomes, _ = run_on(2, die, [1, 2, 3, 4, 5, 6])
    assert [o.value for o in outcomes] == [1, None, 3, 4, 5, 6]
    assert "died" in outcomes[1].error.problem


@pytest.mark.slow
def test_a_full_disk_in_a_process_ends_the_run():
    with pytest.raises(StorageError, match="full"):
        run_on(2, fill_disk, [1, 2])
