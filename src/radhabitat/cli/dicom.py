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
