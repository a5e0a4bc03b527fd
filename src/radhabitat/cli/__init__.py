"""The command line: thin, over `study`; the only place that prints.

Exit codes: 0 all is well; 1 a patient was (or would be) lost; 2 cannot run;
130 interrupted, finished work is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from radhabitat.cli.clinical import derive, flow, response, tables
from radhabitat.cli.console import (
    CORES,
    RESEARCH_ONLY,
    Workers,
    console,
    errors,
    show_progress,
    workers_with_progress,
)
from radhabitat.cli.dicom import export, import_, pacs, phase
from radhabitat.cli.features import compile_loops, features, maps, selftest
from radhabitat.cli.predict import model_card, predict, validate
from radhabitat.errors import InputError, RadHabitatError
from radhabitat.execution import values_of

if TYPE_CHECKING:
    from radhabitat.study import StudyResult

app = typer.Typer(
    help="Tumor habitats on MRI, from images to an honest risk of response. "
    + RESEARCH_ONLY,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; a user's mistake ends in a message, not a traceback."""
    try:
        app()
    except RadHabitatError as error:
        errors.print(f"{type(error).__name__}: {error}", style="red", markup=False)
        sys.exit(2)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put it.")] = Path(
        "radhabitat-demo"
    ),
    patients: Annotated[int, typer.Option(min=8, help="Phantom patients.")] = 24,
    seed: Annotated[int, typer.Option(help="Of the phantom cohort.")] = 1,
    workers: Workers = CORES,
) -> None:
    """Make a phantom cohort with known answers, run the whole study on it."""
    from radhabitat.study import Study

    file = folder / "study.toml"
    if not file.exists():
        _make_phantom(folder, patients, seed, workers, small=True)
    compile_loops()
    with show_progress() as progress:
        result = Study.load(file).run(workers=workers, progress=progress)
    _show(result)


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the cohort.")],
    patients: Annotated[int, typer.Option(min=1)] = 24,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    effect: Annotated[
        float, typer.Option(min=0, help="Strength of the law; 0 = pure noise.")
    ] = 1.0,
    dicom: Annotated[
        bool, typer.Option("--dicom/--nifti", help="Format of the images.")
    ] = False,
    small: Annotated[
        bool, typer.Option("--small/--full", help="Small images, tumors of 3-7 cm.")
    ] = False,
    motion: Annotated[
        Literal["smooth", "sliding"],
        typer.Option(help="Nearly affine in the tumor, or sliding along the wall."),
    ] = "smooth",
    workers: Workers = CORES,
) -> None:
    """Make synthetic HCC patients whose tissues, motion and risk are known."""
    if (out / "study.toml").exists():
        raise InputError(
            f"{out} already holds a study", "name a new folder, or remove that one"
        )
    file = _make_phantom(
        out,
        patients,
        seed,
        workers,
        small=small,
        effect=effect,
        dicom=dicom,
        motion=motion,
    )
    console.print(f"Made {patients} patients: radhabitat run {file}", markup=False)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of patients.")],
    clinical: Annotated[
        Path | None, typer.Option(help="CSV or XLSX with the outcome.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write study.toml; default: FOLDER.")
    ] = None,
) -> None:
    """Write a study.toml for a folder of patients, and say what was guessed."""
    from radhabitat.files.discovery import init_study

    result = init_study(folder, clinical=clinical, out=out)
    for guess in result.guesses:
        console.print(f"- {guess}", markup=False)
    console.print(
        f"Wrote {result.file}. Look at it, then: radhabitat check {result.file}",
        markup=False,
    )


@app.command()
def check(
    study: Annotated[Path, typer.Argument(help="Path of study.toml.")],
    workers: Workers = CORES,
) -> None:
    """Look at everything before anything is computed."""
    from radhabitat.files.checks import check_study, exit_code

    with workers_with_progress(workers) as run:
        findings = check_study(
            study, run=lambda look, tasks: values_of(run(look, tasks, "Looking"))
        )
    if not findings:
        console.print("Nothing to mend. radhabitat run", study.name, markup=False)
        return
    table = Table("", "patient", "what", "to fix it", show_lines=True)
    for finding in findings:
        table.add_row(finding.level, finding.patient or "", finding.what, finding.fix)
    console.print(table)
    raise typer.Exit(exit_code(findings))


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Path of study.toml.")],
    workers: Workers = CORES,
) -> None:
    """Run the study, or what is missing or out of date in it."""
    from radhabitat.study import Study

    compile_loops()
    with show_progress() as progress:
        result = Study.load(study).run(workers=workers, progress=progress)
    _show(result)
    raise typer.Exit(1 if result.set_aside else 0)


@app.command()
def report(
    study: Annotated[Path, typer.Argument(help="study.toml, or its folder.")],
    language: Annotated[
        Literal["en", "zh"], typer.Option(help="Of page, PDF and figures.")
    ] = "en",
) -> None:
    """Make the report again, with all its files, from the results alone."""
    from radhabitat.study import report_again

    console.print(f"Wrote {report_again(study, language=language)}", markup=False)


@app.command()
def stability(
    study: Annotated[Path, typer.Argument(help="Path of study.toml.")],
    workers: Workers = CORES,
) -> None:
    """Measure drawn patients again, with one thing changed at a time.

    Changed are the contour (shift, size), the image (noise, bias), the registration,
    the random starts; and the reader, where a second one drew. How many patients,
    how often and how strongly: [reliability] in study.toml.
    """
    from radhabitat.study import Study

    with show_progress() as progress:
        file = Study.load(study).measure_stability(workers=workers, progress=progress)
    console.print(f"Wrote {file}", markup=False)


@app.command()
def model(
    features: Annotated[Path, typer.Argument(help="CSV or XLSX, a row per patient.")],
    outcome: Annotated[str, typer.Option(help="Column with the outcome.")],
    positive: Annotated[
        str | None, typer.Option(help="The outcome's value that is the event.")
    ] = None,
    clinical: Annotated[
        str, typer.Option(help="Clinical columns, separated by commas.")
    ] = "",
    patient: Annotated[
        str | None, typer.Option("--id", help="Column with the patient's id.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Column with the hospital or scanner.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("results"),
    bootstraps: Annotated[int, typer.Option(min=20)] = 1000,
    seed: Annotated[int, typer.Option(min=0)] = 20260101,
    workers: Workers = CORES,
) -> None:
    """Select, model and evaluate on a feature table that exists already."""
    from radhabitat.settings import EvaluationSettings, StudySettings
    from radhabitat.shortcuts import TableColumns, model_table

    columns = TableColumns(
        outcome=outcome,
        positive=positive,
        clinical=tuple(c.strip() for c in clinical.split(",") if c.strip()),
        patient=patient,
        site=site,
    )
    settings = StudySettings(
        name=features.stem,
        seed=seed,
        evaluation=EvaluationSettings(bootstraps=bootstraps),
    )
    with workers_with_progress(workers) as run:
        result = model_table(features, columns, settings, out=out, run=run)
    _show(result)


app.command()(phase)
app.command("import")(import_)
app.command()(export)
app.add_typer(pacs, name="pacs")
app.command()(predict)
app.command("model-card")(model_card)
app.command()(validate)
app.command()(features)
app.command()(maps)
app.command()(selftest)
app.command()(tables)
app.command()(derive)
app.command()(response)
app.command()(flow)


def _make_phantom(
    folder: Path,
    patients: int,
    seed: int,
    workers: int,
    *,
    small: bool,
    effect: float = 1.0,
    dicom: bool = False,
    motion: Literal["smooth", "sliding"] = "smooth",
) -> Path:
    from radhabitat.phantom import write_phantom

    with workers_with_progress(workers) as run:
        return write_phantom(
            folder,
            patients=patients,
            seed=seed,
            effect=effect,
            file_format="dicom" if dicom else "nifti",
            small=small,
            motion=motion,
            run=lambda make, plans: values_of(run(make, plans, "Making patients")),
        )


def _show(result: StudyResult) -> None:
    for lost in result.set_aside:
        errors.print(
            f"Set aside {lost.patient} ({lost.step}): {lost.problem}\n"
            f"  To fix it: {lost.fix}",
            style="yellow",
            markup=False,
        )
    if result.evaluation is not None:
        table = Table("model", "AUC on unseen patients (95 %)", "apparent AUC")
        for name, one in result.evaluation.results.items():
            table.add_row(name, str(one.headline), f"{one.apparent.value:.3f}")
        console.print(table)
        console.print(RESEARCH_ONLY)
    console.print(f"Report: {result.report}", markup=False)
