"""`radhabitat features` and `radhabitat selftest`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from radhabitat.cli.console import (
    CORES,
    Workers,
    console,
    errors,
    show_progress,
    workers_with_progress,
)
from radhabitat.errors import InputError, SettingsError

if TYPE_CHECKING:
    from radhabitat.extraction import Case, Row
    from radhabitat.files.pyradiomics_parameters import Parameters

COMPILING = (
    "Compiling the loops for this machine: up to 20 seconds, once (then kept on disk)."
)


def features(
    image: Annotated[
        Path | None, typer.Argument(help="NIfTI, NRRD, MHA or DICOM folder.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Argument(help="Its regions, in the same space.")
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(help="Many at once: CSV or XLSX with the columns image and mask."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write .csv, .xlsx or .parquet, a row per label."),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="Labels like 1,2, or 1+2 for both; default: each.")
    ] = "",
    bin_width: Annotated[
        float | None, typer.Option(help="Of gray levels; default: 25.")
    ] = None,
    bin_count: Annotated[
        int | None, typer.Option(help="Of gray levels, instead of a width.")
    ] = None,
    params: Annotated[
        Path | None, typer.Option(help="PyRadiomics parameter file (YAML or JSON).")
    ] = None,
    mode: Annotated[
        Literal["pyradiomics", "ibsi"], typer.Option(help="Whose definitions.")
    ] = "pyradiomics",
    workers: Workers = CORES,
) -> None:
    """Give the 107 radiomic features of each region of an image, or of many."""
    from radhabitat.files.exports import check_suffix

    if out is not None:
        check_suffix(out)
    chosen = _parameters(params, bin_width, bin_count, mode)
    tasks = _tasks(image, mask, cases, labels, chosen)
    compile_loops()
    rows, lost = _measure(tasks, workers)
    _deliver(rows, out)
    raise typer.Exit(1 if lost else 0)


def compile_loops() -> None:
    """Load the compiled loops; where they must be compiled first, say so."""
    with _said_if_slow(COMPILING):
        from radhabitat.features import warm_up

        warm_up()


def maps(
    image: Annotated[Path, typer.Argument(help="NIfTI, NRRD, MHA or DICOM folder.")],
    mask: Annotated[Path, typer.Argument(help="The region, in the same space.")],
    out: Annotated[Path, typer.Option(help="Folder of the maps, one NIfTI each.")],
    features: Annotated[
        str, typer.Option(help="Like firstorder_Entropy,glcm_Contrast; default: all.")
    ] = "",
    radius: Annotated[int, typer.Option(help="Of the cube, 1 to 3 voxels.")] = 1,
    labels: Annotated[str, typer.Option(help="Labels as 1+2; default: all.")] = "",
    bin_width: Annotated[
        float | None, typer.Option(help="Of gray levels; default: 25.")
    ] = None,
    bin_count: Annotated[
        int | None, typer.Option(help="Of gray levels, instead of a width.")
    ] = None,
) -> None:
    """Map 42 features, first order and GLCM, of the cube around every voxel."""
    from radhabitat.extraction import write_maps
    from radhabitat.files.given import parse_labels

    wanted = parse_labels(labels)
    settings = _parameters(None, bin_width, bin_count, "pyradiomics").settings
    names = tuple(name.strip() for name in features.split(",") if name.strip())
    with show_progress() as progress:
        files = write_maps(
            (image, mask, wanted[0] if wanted else ()),
            out,
            settings,
            radius=radius,
            features=names,
            progress=progress,
        )
    console.print(f"Wrote {len(files)} maps to {out}", markup=False)


def selftest() -> None:
    """Compare this machine's features with the consensus of IBSI 1."""
    with _said_if_slow(COMPILING):
        from radhabitat.features.selftest import compare_with_ibsi

        found = compare_with_ibsi()
    table = Table("feature", "IBSI", "consensus", "tolerance", "found", "off by", "")
    for one in found:
        about = one.definition
        table.add_row(
            f"{about.family}_{about.feature}",
            about.ibsi,
            about.phantom,
            about.tolerance,
            f"{one.found:.6g}",
            f"{one.deviation:.3g}",
            "ok" if one.within else "DEVIATES",
        )
    console.print(table)
    good = sum(one.within for one in found)
    console.print(
        f"{good} of {len(found)} features of IBSI's digital phantom are within "
        "tolerance, printed with its three digits (mode ibsi)."
    )
    raise typer.Exit(0 if good == len(found) else 1)


def _parameters(
    params: Path | None,
    bin_width: float | None,
    bin_count: int | None,
    mode: Literal["pyradiomics", "ibsi"],
) -> Parameters:
    from radhabitat.files.pyradiomics_parameters import Parameters, read_parameters
    from radhabitat.settings import feature_settings

    bins = {"bin_width": bin_width, "bin_count": bin_count}
    if params is None:
        width = {} if bin_count or bin_width else {"bin_width": 25.0}
        return Parameters(feature_settings({**bins, **width, "mode": mode}))
    if bin_width is not None or bin_count is not None:
        raise SettingsError(
            f"Gray levels are set twice: by {params.name} and by an option",
            "leave out --bin-width and --bin-count, or --params",
        )
    read = read_parameters(params)
    return replace(read, settings=read.settings.model_copy(update={"mode": mode}))


def _tasks(
    image: Path | None,
    mask: Path | None,
    cases: Path | None,
    labels: str,
    chosen: Parameters,
) -> list[Case]:
    from radhabitat.extraction import Case, read_cases
    from radhabitat.files.given import parse_labels

    wanted = parse_labels(labels)
    if cases is not None and image is None:
        return read_cases(cases, wanted, chosen)
    if cases is not None or image is None or mask is None:
        raise InputError(
            "Nothing to measure, or too much",
            "give IMAGE and MASK, or --cases TABLE with the columns image and mask",
        )
    return [Case(image.name, image, mask, wanted, chosen)]


def _measure(tasks: Sequence[Case], workers: int) -> tuple[list[Row], int]:
    """Measure all cases; name what is lost. A single one without a row fails."""
    from radhabitat.extraction import measure_case

    if len(tasks) == 1:
        rows = measure_case(tasks[0])
        if len(rows) == 1 and rows[0].error is not None:
            raise rows[0].error
        return _told(rows)
    kept: list[Row] = []
    lost = 0
    with workers_with_progress(min(workers, len(tasks))) as run:
        outcomes = run(measure_case, tasks, "Extracting features")
    for task, outcome in zip(tasks, outcomes, strict=True):
        good, bad = _told(outcome.value or ())
        kept += good
        lost += bad + (outcome.error is not None)
        if outcome.error is not None:
            _warn(f"Set aside {task.name}: {outcome.error}")
    return kept, lost


def _told(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Print remarks and errors; return the rows that were measured, and the others."""
    for row in rows:
        if row.error is not None:
            _warn(f"Set aside {row.case}, label {row.label}: {row.error}")
        for remark in row.remarks:
            _warn(f"{row.case}, label {row.label}: {remark}")
    kept = [row for row in rows if row.error is None]
    return kept, len(rows) - len(kept)


def _warn(words: str) -> None:
    errors.print(words, style="yellow", markup=False)


def _deliver(rows: Sequence[Row], out: Path | None) -> None:
    """Write a row per label, or print a column per label."""
    import pandas as pd

    if not rows:
        raise InputError("No region could be measured", "mend those named above")
    table = pd.DataFrame(
        [{"case": row.case, "label": row.label, **row.values} for row in rows]
    )
    if out is None:
        print(table.T.to_csv(header=False, lineterminator="\n"), end="")
        return
    from radhabitat.files.exports import export_table

    export_table(out, table)
    noun = "row" if len(rows) == 1 else "rows"
    console.print(f"Wrote {len(rows)} {noun} to {out}", markup=False)


@contextmanager
def _said_if_slow(words: str, *, after_s: float = 1.5) -> Iterator[None]:
    """Say something if what follows takes a while."""
    timer = threading.Timer(after_s, lambda: errors.print(words, markup=False))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
