"""What all commands share: two consoles, and workers with a progress bar."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from radhabitat.execution import Runner, start_workers

CORES = os.cpu_count() or 1
RESEARCH_ONLY = "Research use only. Not for clinical decisions."

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

Workers = Annotated[
    int, typer.Option(min=1, help="Processes; the results do not depend on it.")
]


@contextmanager
def show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar per group of tasks, with an estimate of the time left."""
    bars: dict[str, TaskID] = {}
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TextColumn("left"), TimeRemainingColumn())
    name = TextColumn("{task.description:<24}")
    display = Progress(name, *columns, *left, console=errors)

    def show(label: str, done: int, total: int) -> None:
        if label not in bars:
            bars[label] = display.add_task(label, total=total)
        display.update(bars[label], completed=done, total=total)

    handler = RichHandler(console=errors, show_time=False, show_path=False)
    logging.getLogger("radhabitat").addHandler(handler)
    logging.getLogger("radhabitat").setLevel(logging.INFO)
    try:
        with display:
            yield show
    except KeyboardInterrupt:
        errors.print("Interrupted. Finished work is kept; the same command goes on.")
        raise typer.Exit(130) from None
    finally:
        logging.getLogger("radhabitat").removeHandler(handler)


@contextmanager
def workers_with_progress(count: int) -> Iterator[Runner]:
    """Give a runner whose tasks move a bar."""
    with show_progress() as progress, start_workers(count, progress=progress) as run:
        yield run
