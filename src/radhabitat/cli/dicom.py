"""`radhabitat phase`, `import`, `export` and `pacs`: DICOM in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radhabitat.cli.console import console


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
