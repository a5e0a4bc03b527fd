"""`radhabitat tables`, `derive`, `response` and `flow`: clinical tables alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from radhabitat.cli.console import console, errors

Id = Annotated[
    str | None,
    typer.Option("--id", help="Column with the patient's id; default: guessed."),
]


def tables(
    clinical: Annotated[Path, typer.Argument(help="CSV or XLSX, a row per patient.")],
    outcome: Annotated[str, typer.Option(help="Column with the outcome.")],
    out: Annotated[Path, typer.Option(help="Folder of the tables.")],
    positive: Annotated[
        str | None, typer.Option(help="The outcome's value that is the event.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help='Level to compare with, like "Ascites=Yes"; repeatable.'),
    ] = None,
    patient: Id = None,
    variables: Annotated[
        str, typer.Option(help="Columns, separated by commas; default: all others.")
    ] = "",
    multivariable: Annotated[
        Literal["significant", "all"],
        typer.Option(help="Variables with p < 0.05 alone (as published), or all."),
    ] = "significant",
) -> None:
    """Write Tables 1 to 3 of a paper: patients, by outcome, odds ratios."""
    from radhabitat.files.clinical_table import read_clinical_frame
    from radhabitat.files.exports import write_clinical_tables
    from radhabitat.files.tables import read_table, require_column, with_ids
    from radhabitat.report import write_clinical_page
    from radhabitat.settings import DataSettings
    from radhabitat.tabulation import clinical_tables

    raw = with_ids(read_table(clinical), patient, clinical.name, outcome)
    names = tuple(name.strip() for name in variables.split(",") if name.strip())
    require_column(raw, outcome, clinical.name, "--outcome")
    for name in names:
        require_column(raw, name, clinical.name, "--variables")
    references = tuple(reference or ())
    data = DataSettings(outcome=outcome, positive=positive, variables=names or None)
    if references:
        from radhabitat.clinical.columns import parse_references

        parse_references(references)
        data = data.model_copy(update={"reference_levels": references})
    table = read_clinical_frame(raw, data, clinical.name)
    for problem, fix in table.unusable.values():
        words = f"Left out: {problem}\n  To fix it: {fix}"
        errors.print(words, style="yellow", markup=False)
    assert table.outcome is not None  # noqa: S101 (an outcome was named)
    found = clinical_tables(
        table.candidates,
        table.outcome,
        event=table.event,
        references=references,
        multivariable=multivariable,
    )
    page = write_clinical_page(found, f"Clinical tables of {clinical.name}")
    write_clinical_tables(out, found, page)
    for note in found.notes:
        console.print(f"- {note}", markup=False)
    console.print(
        f"{found.patients} patients, {found.events} with {found.event}. Wrote "
        f"{out / 'tables.html'}, .xlsx, .json and a CSV file of each table",
        markup=False,
    )
    raise typer.Exit(1 if table.unusable else 0)


def derive(
    clinical: Annotated[Path, typer.Argument(help="CSV or XLSX, a row per patient.")],
    column: Annotated[
        list[str],
        typer.Option(
            help='What a column is, with its unit: "bilirubin=TBIL:umol/L", '
            '"albumin=ALB:g/L", "coagulation=INR:INR" (or s prolonged), '
            '"afp=AFP:ng/mL", "crp=CRP:mg/L", "diameter=D:cm", ascites, '
            "encephalopathy, ecog, child_pugh, vascular_invasion, metastasis, "
            "nodules, neutrophils, lymphocytes; repeatable."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The table with scores: .csv or .xlsx.")],
    group: Annotated[
        list[str] | None,
        typer.Option(help='Cut a number: "AFP=20,200", "Age=<60"; repeatable.'),
    ] = None,
    patient: Id = None,
) -> None:
    """Add ALBI, Child-Pugh, CRAFITY, NLR, BCLC and groups to a clinical table."""
    import pandas as pd

    from radhabitat.clinical.derive import cut_columns, parse_sources
    from radhabitat.clinical.derive import derive as derive_scores
    from radhabitat.files.exports import check_suffix, export_table, typed
    from radhabitat.files.tables import read_table, with_ids

    check_suffix(out)
    table = read_table(clinical)
    by_patient = with_ids(table, patient, clinical.name)
    found = derive_scores(by_patient, parse_sources(column))
    new = pd.concat([found.table, cut_columns(by_patient, group or ())], axis=1)
    new.columns = pd.Index(
        [
            f"{name} (computed)" if name in table.columns else name
            for name in new.columns
        ]
    )
    new.index = table.index
    whole = pd.concat([table, new], axis=1)
    export_table(out, whole if out.suffix.lower() == ".csv" else typed(whole))
    for note in found.notes:
        console.print(f"- {note}", markup=False)
    console.print(f"Wrote {len(table)} patients to {out}", markup=False)


def response(
    lesions: Annotated[Path, typer.Argument(help="CSV or XLSX, a row per lesion.")],
    out: Annotated[Path, typer.Option(help="A row per patient: .csv or .xlsx.")],
) -> None:
    """Give CR, PR, SD, PD by mRECIST from measured lesions, and agreement of readers.

    Columns: patient, lesion, kind (target, nontarget, new), baseline_mm, followup_mm
    of the viable part (nontarget: gone, present, progress); reader where there are two,
    and a third one who decides.
    """
    from radhabitat.clinical.response import respond
    from radhabitat.files.exports import check_suffix, export_table
    from radhabitat.files.tables import read_table

    check_suffix(out)
    found = respond(read_table(lesions))
    export_table(out, found.table.reset_index())
    for name, n in found.table["response"].value_counts().sort_index().items():
        console.print(f"- {name or 'to be decided'}: {n} patients", markup=False)
    if found.kappa is not None:
        of_four, of_two = found.kappa
        console.print(f"Kappa {of_four} (CR, PR, SD, PD), {of_two} (OR, nOR)")
    if found.disagreements:
        who = ", ".join(found.disagreements)
        console.print(f"Seen differently: {who}", markup=False)
    console.print(f"Wrote {len(found.table)} patients to {out}", markup=False)
    raise typer.Exit(1 if (found.table["response"] == "").any() else 0)


def flow(
    log: Annotated[Path, typer.Argument(help="CSV or XLSX, a row per patient.")],
    reason: Annotated[
        str, typer.Option(help="Column: why excluded; empty: included.")
    ] = "reason",
    order: Annotated[
        str, typer.Option(help="Of the reasons, separated by semicolons.")
    ] = "",
) -> None:
    """Count a screening log: screened, excluded by reason, included."""
    from radhabitat.clinical.flow import cohort_flow
    from radhabitat.files.tables import is_missing, read_table, require_column

    table = read_table(log)
    require_column(table, reason, log.name, "--reason")
    reasons = ["" if is_missing(cell) else cell for cell in table[reason].astype(str)]
    steps = [step.strip() for step in order.split(";") if step.strip()]
    for what, patients in cohort_flow(reasons, steps).counts():
        console.print(f"{patients:6,}  {what}", markup=False)
