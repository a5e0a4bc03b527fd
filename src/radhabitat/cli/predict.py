"""`radhabitat predict`, `model-card`, `validate`: a trained model and new patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from radhabitat.cli.console import (
    CORES,
    RESEARCH_ONLY,
    Workers,
    console,
    errors,
    workers_with_progress,
)
from radhabitat.errors import InputError, TableError
from radhabitat.files.store import write_json

if TYPE_CHECKING:
    from radhabitat.applied import Prediction
    from radhabitat.files.subjects import SubjectFiles
    from radhabitat.trained import Trained

Model = Annotated[Path, typer.Argument(help="A model of results/models.")]


def predict(
    model: Model,
    dicom: Annotated[
        Path | None, typer.Option(help="Folder with the patient's DICOM series.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Folder with an image per sequence; or one per patient."),
    ] = None,
    mask: Annotated[Path | None, typer.Option(help="The tumor, on PVP.")] = None,
    clinical: Annotated[
        str, typer.Option(help="NAME=VALUE, separated by commas.")
    ] = "",
    table: Annotated[
        Path | None, typer.Option(help="Clinical table, for a folder of patients.")
    ] = None,
    patient: Annotated[str, typer.Option(help="Pseudonym of one patient.")] = "new",
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path(
        "prediction"
    ),
    workers: Workers = CORES,
) -> None:
    """Apply a trained model to new patients: risk, interval, reasons, doubts."""
    from radhabitat.applied import load_model
    from radhabitat.predict import keep_on_top, predict_task

    trained = load_model(model)
    folder = dicom or images
    if folder is None and trained.training.division is not None:
        raise InputError(
            "The model needs images", "give --dicom FOLDER or --images FOLDER"
        )
    cells = _cells(clinical)
    found = _patients(folder, trained, mask, patient)
    given = _clinical_of(table, [f.patient for f in found], cells)
    tasks = [(trained, files, given[files.patient], out) for files in found]
    with workers_with_progress(workers if len(tasks) > 1 else 1) as run:
        outcomes = run(predict_task, tasks, "Predicting")
    failed = False
    for files, outcome in zip(found, outcomes, strict=True):
        if outcome.value is None:
            failed = True
            errors.print(f"{files.patient}: {outcome.error}", markup=False)
        else:
            _show(outcome.value)
            if len(found) == 1:
                keep_on_top(out, outcome.value)
    console.print(RESEARCH_ONLY)
    raise typer.Exit(1 if failed else 0)


def model_card(model: Model) -> None:
    """Say what a model is, how good it is, and what it is not for."""
    from radhabitat.applied import load_model
    from radhabitat.model_card import describe_model

    console.print(describe_model(load_model(model)), markup=False)


def validate(
    model: Annotated[
        str, typer.Argument(help="A model file, a formula, or haic2026:crh.")
    ],
    table: Annotated[Path, typer.Argument(help="Inputs and outcome, CSV or XLSX.")],
    outcome: Annotated[str, typer.Option(help="Column with the outcome.")],
    positive: Annotated[
        str | None, typer.Option(help="The outcome's value that is the event.")
    ] = None,
    patient: Annotated[
        str | None, typer.Option("--id", help="Column with the patient's id.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("validation.json"),
) -> None:
    """Try a model on another center's patients."""
    from radhabitat.shortcuts import read_numbers
    from radhabitat.validate import read_formula, validate_model

    formula, notes = read_formula(model)
    values, known = read_numbers(table, outcome, positive, patient)
    found = validate_model(formula, values, known, notes=notes)
    write_json(out, found.to_json())
    rows = Table("measure", "value")
    for name, value in (
        ("patients, events", f"{found.patients}, {found.events}"),
        ("AUC", str(found.auc)),
        ("calibration intercept (ideal 0)", str(found.intercept)),
        ("calibration slope (ideal 1)", str(found.slope)),
        ("Brier, scaled Brier", f"{found.brier:.3f}, {found.scaled_brier:.3f}"),
        ("ICI", f"{found.ici:.3f}"),
        *((f"shift of {n} (SD)", f"{s:+.2f}") for n, s in found.shifts.items()),
        *(
            (f"recalibrated here: {way}", f"{a:+.3f} + {b:.3f} x log-odds")
            for way, (a, b) in found.recalibrated.items()
        ),
    ):
        rows.add_row(name, value)
    console.print(rows)
    for note in notes:
        console.print(note, markup=False)
    for name, lacking in found.set_aside.items():
        errors.print(f"Set aside {name}: lacks {', '.join(lacking[:3])}", markup=False)
    console.print(f"{RESEARCH_ONLY} Wrote {out}", markup=False)
    raise typer.Exit(1 if found.set_aside else 0)


def _cells(text: str) -> dict[str, str]:
    cells = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise InputError(
                f"--clinical holds {part!r}", "write NAME=VALUE, separated by commas"
            )
        cells[name.strip()] = value.strip()
    return cells


def _patients(
    folder: Path | None, trained: Trained, mask: Path | None, patient: str
) -> list[SubjectFiles]:
    from radhabitat.files.discovery import discover
    from radhabitat.files.subjects import SubjectFiles

    if folder is None:
        return [SubjectFiles(patient, {}, "")]
    found = list(discover(folder).patients)
    if len(found) == 1:
        found = [replace(found[0], patient=patient)]
    if mask is not None:
        if len(found) != 1:
            raise InputError(
                f"--mask is for one patient; {folder.name} holds {len(found)}",
                "put each patient's mask into the patient's folder",
            )
        found = [replace(found[0], mask=str(mask.resolve()))]
    for files in found:
        lacking = set(trained.settings.data.sequences) - set(files.images)
        if lacking:
            raise InputError(
                f"Patient {files.patient} lacks {', '.join(sorted(lacking))}; found: "
                f"{', '.join(sorted(files.images)) or 'no sequence'}",
                "give all sequences of the model, named so (PRE.nii.gz ...)",
            )
    return found


def _clinical_of(
    table: Path | None, patients: list[str], cells: dict[str, str]
) -> dict[str, dict[str, str]]:
    from radhabitat.files.tables import read_patients

    if table is None:
        return dict.fromkeys(patients, cells)
    rows, _ = read_patients(table, "patient")
    lacking = sorted(set(patients) - set(map(str, rows.index)))
    if lacking:
        raise TableError(
            f"{table.name} has no row for {', '.join(lacking[:5])}", "add the rows"
        )
    return {
        p: {str(k): str(v) for k, v in rows.loc[p].items()} | cells for p in patients
    }


def _show(found: Prediction) -> None:
    console.print(
        f"{found.patient}: {found.event}: {found.probability:.3f} "
        f"({found.low:.3f} to {found.high:.3f})",
        markup=False,
    )
    rows = Table("input", "value", "mean of training", "adds to the log-odds")
    for row in sorted(found.contributions, key=lambda r: -abs(r.log_odds)):
        rows.add_row(
            row.variable,
            f"{row.value:.4g}",
            f"{row.center:.4g}",
            f"{row.log_odds:+.3f}",
        )
    console.print(rows)
    for flag in found.flags:
        errors.print(f"Doubt: {flag}", style="yellow", markup=False)
    if found.abstain:
        errors.print(
            "Do not use this risk: the patient is unlike those of the training.",
            style="red",
        )
