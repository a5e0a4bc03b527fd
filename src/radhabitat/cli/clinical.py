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
