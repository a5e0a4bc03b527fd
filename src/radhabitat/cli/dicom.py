"""`radhabitat phase`, `import`, `export` and `pacs`: DICOM in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from radhabitat.cli.console import console, show_progress


def phase(
    study: Annotated[Path, typer.Argument(help="Path of study.toml.")],
    patient: Annotated[str, typer.Argument(help="As in the subjects table.")],
    sequence: Annotated[str, typer.Argument(help="Like PVP.")],
    cell: Annotated[
        str, typer.Argument(help="File, DICOM folder or FOLDER#N; none: confirm.")
    ] = "",
    by: Annotated[str, typer.Option(help="Who decided.")] = "",
) -> None:
    """Say which volume shows a phase; who and when is kept in phases.json."""
    from radhabitat.files.phase_labels import choose_phase
    from radhabitat.study import Study

    data = Study.load(study).settings.data
    now = choose_phase(study.parent, data, (patient, sequence, cell), by=by)
    console.print(f"{sequence} of {patient} is {now}", markup=False)


def import_(
    source: Annotated[Path, typer.Argument(help="Folder with original DICOM files.")],
    out: Annotated[Path, typer.Argument(help="Folder for the copies.")],
    key: Annotated[
        Path | None,
        typer.Option(help="File with the secret; default: in your settings folder."),
    ] = None,
    links: Annotated[
        Path | None, typer.Option(help="Also write pseudonym -> original id here.")
    ] = None,
) -> None:
    """Copy DICOM images without names, ids, dates and private fields."""
    from radhabitat.files.importing import DEFAULT_KEY, REPORT, import_folder

    report = import_folder(source, out, key=key or DEFAULT_KEY, links=links)
    for why, number in sorted(report.refused.items()):
        console.print(f"- left out: {number} x {why}", markup=False)
    console.print(
        f"Wrote {report.written} images of {len(report.patients)} patients to {out}; "
        f"what was done: {REPORT}. Next: radhabitat init {out}",
        markup=False,
    )


def export(
    study: Annotated[Path, typer.Argument(help="Path of study.toml, after a run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder; default: results/objects.")
    ] = None,
) -> None:
    """Write habitats as .seg.nrrd and DICOM SEG, measurements as DICOM SR."""
    from radhabitat.exporting import export_study
    from radhabitat.study import Study

    loaded = Study.load(study)
    folder = out or loaded.layout.results.folder / "objects"
    done = export_study(loaded, folder)
    for note in done.notes:
        console.print(f"- {note}", markup=False)
    console.print(f"Wrote {len(done.files)} objects to {folder}", markup=False)


pacs = typer.Typer(
    help="Find, fetch, send: by DICOMweb or DIMSE.", no_args_is_help=True
)
Pacs = Annotated[
    Path, typer.Option("--profile", help="TOML file with the section [pacs].")
]
_PROFILE = Path("pacs.toml")


@pacs.command("test")
def pacs_test(profile: Pacs = _PROFILE) -> None:
    """Say what works, and why the rest does not."""
    from radhabitat.dicom.pacs import read_profile, test_connection

    steps = test_connection(read_profile(profile))
    for step in steps:
        console.print(f"{'ok ' if step.good else 'NO '} {step.what}", markup=False)
    if not steps[-1].good:
        console.print(f"  To fix it: {steps[-1].fix}", markup=False)
        raise typer.Exit(2)


@pacs.command("find")
def pacs_find(
    patient: Annotated[str, typer.Option(help="ID; * for any characters.")] = "",
    name: Annotated[str, typer.Option(help="Of the patient; the same.")] = "",
    date: Annotated[str, typer.Option(help="YYYYMMDD, or FROM-TO.")] = "",
    modality: Annotated[str, typer.Option(help="Like MR.")] = "",
    study: Annotated[str, typer.Option(help="UID: list its series.")] = "",
    profile: Pacs = _PROFILE,
) -> None:
    """List studies, or the series of one."""
    from radhabitat.dicom.pacs import Query, find, read_profile

    query = Query(patient, name, date, modality, study)
    wanted = [e.keyword for e in query.identifier() if e.keyword[:5] != "Query"]
    wanted = [keyword for keyword in wanted if keyword != "SpecificCharacterSet"]
    table = Table(*wanted)
    for found in find(read_profile(profile), query):
        table.add_row(*(str(found.get(keyword) or "") for keyword in wanted))
    console.print(table)


@pacs.command("fetch")
def pacs_fetch(
    study: Annotated[str, typer.Argument(help="Study Instance UID.")],
    out: Annotated[Path, typer.Argument(help="Folder; then: radhabitat import.")],
    series: Annotated[str, typer.Option(help="Only this series (UID).")] = "",
    modality: Annotated[str, typer.Option(help="Only series of it, like MR.")] = "",
    profile: Pacs = _PROFILE,
) -> None:
    """Fetch a study or series; the same command goes on where it broke off."""
    from radhabitat.dicom.pacs import Query, fetch, read_profile

    query = Query(study=study, series=series, modality=modality)
    with show_progress() as progress:
        count = fetch(read_profile(profile), query, out, progress)
    console.print(f"{count} images are in {out}, with identifiers", markup=False)


@pacs.command("send")
def pacs_send(
    place: Annotated[Path, typer.Argument(help="DICOM file, or folder of them.")],
    profile: Pacs = _PROFILE,
) -> None:
    """Send objects, as of radhabitat export, to the PACS."""
    from radhabitat.dicom.pacs import read_profile, send

    files = [place] if place.is_file() else sorted(place.rglob("*.dcm"))
    with show_progress() as progress:
        count = send(read_profile(profile), files, progress)
    console.print(f"Sent {count} files", markup=False)
