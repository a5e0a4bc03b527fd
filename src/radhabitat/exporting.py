"""Results as objects that other systems read: .seg.nrrd, DICOM SEG and SR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.dicom.objects import SCHEME, Origin, Region, Value, result_objects
from radhabitat.dicom.slicer import slicer_segmentation
from radhabitat.errors import InputError, RadHabitatError
from radhabitat.features import DEFINITIONS
from radhabitat.files.formats import is_image_name
from radhabitat.files.layout import PatientLayout
from radhabitat.files.masks import read_mask
from radhabitat.files.store import library_versions, read_json, write_bytes
from radhabitat.files.subjects import SubjectFiles, list_subjects
from radhabitat.files.volumes import decode_layers, pick_dicom, split_cell
from radhabitat.report.palette import habitat_color
from radhabitat.study import Study
from radhabitat.trained import read_trained
from radhabitat.types import Grid, RiskModel
from radhabitat.types.features import FeatureName

_TUMOR_COLOR = (204, 204, 204)
_ABOUT = {(d.family, d.feature): d for d in DEFINITIONS}


@dataclass(frozen=True)
class Exported:
    """What `export_study` wrote, and what it could not, in words."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def export_study(study: Study, out: Path) -> Exported:
    """Write each patient's habitats and measurements as objects.

    A patient gets PATIENT/habitats.seg.nrrd; and where the reference sequence is
    DICOM, PATIENT/habitats-seg.dcm and PATIENT/measurements-sr.dcm on that series.
    The same results give the same bytes.

    Args:
        study: After a run.
        out: Folder to write.

    Raises:
        InputError: The study has no results yet.
        StorageError: The folder cannot be written.
    """
    results = study.layout.results
    if not results.features.exists():
        raise InputError(
            "The study has no results yet", f"radhabitat run {study.file.name} first"
        )
    table = pd.read_csv(results.features, index_col=0, dtype={0: str})
    table.index = table.index.astype(str)
    rows = cast("dict[str, dict[str, float]]", table.to_dict(orient="index"))
    models = _models(results.model("x").parent)
    files: list[Path] = []
    notes: list[str] = []
    for subject in list_subjects(study.layout.root, study.settings.data):
        if subject.patient not in rows:
            continue
        row = rows[subject.patient]
        try:
            files += _export_patient(study, subject, (row, models), out)
        except RadHabitatError as error:
            notes.append(f"{subject.patient}: {error.problem}")
    for model in models:
        missing = [v for v in model.variables if v not in table.columns]
        if missing:
            notes.append(
                f"the risk of {model.name} is left out: it needs {', '.join(missing)}"
            )
    return Exported(tuple(files), tuple(notes))


def _export_patient(
    study: Study,
    subject: SubjectFiles,
    about: tuple[Mapping[str, float], Sequence[RiskModel]],
    out: Path,
) -> list[Path]:
    row, models = about
    reference = study.settings.data.reference
    paths = study.layout.patient(subject.patient, reference)
    layers, grid = decode_layers(paths.habitats())
    labels = layers[..., 0].astype(np.uint8)
    count = max(int(labels.max()), 1)
    folder = out / f"sub-{paths.label}"
    files = [folder / "habitats.seg.nrrd"]
    segments = [
        (f"Habitat {n}", f"{SCHEME}^HABITAT{n}^Tumor habitat {n}", _rgb(n))
        for n in range(1, count + 1)
    ]
    write_bytes(files[0], slicer_segmentation(labels, grid, segments))
    source, part = split_cell(subject.images[reference])
    if is_image_name(source):
        return files
    volume = pick_dicom(source, part)
    regions = _regions(paths, (labels, grid), volume.grid, row)
    risks = {
        f"{m.name}: {m.event}": m.risk_of(row)
        for m in models
        if set(m.variables) <= set(row)
    }
    when = datetime.fromtimestamp(int(paths.habitats().stat().st_mtime), UTC)
    origin = Origin(library_versions()["radhabitat"], when, risks)
    seg, report = result_objects(volume, regions, origin)
    for name, content in (("habitats-seg", seg), ("measurements-sr", report)):
        files.append(folder / f"{name}.dcm")
        write_bytes(files[-1], content)
    return files


def _regions(
    paths: PatientLayout,
    found: tuple[NDArray[np.uint8], Grid],
    target: Grid,
    row: Mapping[str, float],
) -> list[Region]:
    """Carry tumor and habitats to the series' own voxels: the nearest counts."""
    labels, grid = found
    tumor = read_mask(paths.mask())[0]
    carried = _nearest(labels, grid, target)
    inside = _nearest(tumor.array.astype(np.uint8), tumor.grid, target) > 0
    arrays = [inside, *(carried == n for n in range(1, int(labels.max()) + 1))]
    voxel_mm3 = grid.voxel_volume_mm3
    sizes = [tumor.voxels, *np.bincount(labels.ravel())[1:]]
    regions = []
    for number, (array, size) in enumerate(zip(arrays, sizes, strict=True)):
        values = (
            Value("Volume", float(size) * voxel_mm3, "mm³"),
            *_values(row, number),
        )
        name, color = ("Tumor", _TUMOR_COLOR)
        if number:
            name, color = f"Habitat {number}", _rgb(number)
        if array.any():  # DICOM knows no empty segment
            regions.append(Region(name, array, color, values))
    if not inside.any():
        raise InputError(
            "The tumor reaches no voxel of the DICOM series", "check the mask"
        )
    return regions


def _nearest(labels: NDArray[np.uint8], grid: Grid, target: Grid) -> NDArray[np.uint8]:
    """Return labels on another grid, slice by slice."""
    result = np.zeros(target.shape, dtype=np.uint8)
    plane = np.moveaxis(np.indices((*target.shape[:2], 1)), 0, -1).astype(np.float64)
    for k in range(target.shape[2]):
        plane[..., 2] = k
        index = np.rint(grid.to_index(target.to_mm(plane))).astype(np.int64)[:, :, 0]
        inside = ((index >= 0) & (index < grid.shape)).all(axis=-1)
        result[:, :, k][inside] = labels[tuple(index[inside].T)]
    return result


def _values(row: Mapping[str, float], habitat: int) -> list[Value]:
    """Return the features of a region that could be computed."""
    values = []
    for column, number in row.items():
        name = FeatureName.parse(column)
        if name.habitat != habitat or not np.isfinite(number):
            continue
        family, _, feature = name.feature.removeprefix("original_").partition("_")
        about = _ABOUT.get((family, feature))
        plain = name.feature.startswith("original_") and about is not None
        unit = about.unit if about and plain else ""
        ibsi = about.ibsi if about and plain else ""
        title = f"{feature or family} {family if feature else ''} {name.sequence}"
        values.append(Value(" ".join(title.split()), float(number), unit, ibsi or ""))
    return values


def _models(folder: Path) -> list[RiskModel]:
    stored = [read_json(file) for file in sorted(folder.glob("*.json"))]
    named = [one for one in stored if one.get("kind") == "radhabitat model"]
    return [read_trained(one).model for one in named]


def _rgb(habitat: int) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(habitat_color(habitat)[1:])
    return red, green, blue
