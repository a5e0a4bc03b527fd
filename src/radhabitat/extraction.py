"""Features of any images and masks, without a study: one row per label."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from radhabitat.errors import MaskError, RadHabitatError, TableError
from radhabitat.execution import Progress, silent
from radhabitat.features import measure, remarks, why_missing
from radhabitat.files.given import (
    ImageLike,
    Labels,
    MaskLike,
    as_regions,
    as_union,
    as_volume,
    on_grid,
    parse_labels,
)
from radhabitat.files.pyradiomics_parameters import Parameters, read_parameters
from radhabitat.files.tables import ID_NAMES, index_by_patient, read_table
from radhabitat.files.volumes import write_volume
from radhabitat.settings import FeatureSettings
from radhabitat.types import Mask, Volume


@dataclass(frozen=True)
class Case:
    """One image with its mask.

    Attributes:
        name: Identifier of the case.
        image: NIfTI, NRRD, MHA or DICOM path, SimpleITK image, or volume.
        mask: The same; labels are whole numbers from 1 on.
        labels: Regions to describe; none: one for each label of the mask.
        parameters: What features, and how.
    """

    name: str
    image: ImageLike
    mask: MaskLike
    labels: Labels = ()
    parameters: Parameters = field(default_factory=Parameters)


@dataclass(frozen=True)
class Row:
    """One region of a case.

    Attributes:
        case: Identifier of the case.
        label: The label, or `1+2` for a union.
        values: `diagnostics_...` and features; NaN where not computable.
        remarks: What deserves a word.
        error: Why the region could not be measured; then it has no values.
    """

    case: str
    label: str
    values: dict[str, float]
    remarks: tuple[str, ...] = ()
    error: RadHabitatError | None = None


def extract_features(
    image: ImageLike,
    mask: MaskLike,
    *,
    labels: Sequence[int | tuple[int, ...]] = (),
    settings: FeatureSettings | None = None,
    parameters: str | Path | None = None,
) -> pd.DataFrame:
    """Return the radiomic features of an image: one row per label of the mask.

    A feature that cannot be computed is NaN; `radhabitat.features.why_missing` tells
    why. Fewer than 16 or more than 128 gray levels cause a warning.

    Args:
        image: Path (NIfTI, NRRD, MHA, DICOM folder), SimpleITK image, or `Volume`.
        mask: The same, or `Mask`; on another grid it is carried to the image's.
        labels: Labels to describe, each an int, or a tuple for their union; none:
            every label of the mask.
        settings: Discretization, mode and filters; default: bins of width 25, as in
            PyRadiomics, because the image is taken as it is.
        parameters: Path of a PyRadiomics parameter file, instead of `settings`.

    Returns:
        Columns `diagnostics_...` (voxels, gray levels, features that could not be
        computed) and PyRadiomics' names; the index is the label.

    Raises:
        InputError: A file cannot be read, or a region is empty or elsewhere.
        SettingsError: The parameter file asks for what is not supported.
        ComputationError: The bin width does not fit the intensities.
    """
    chosen = Parameters(settings or FeatureSettings(bin_width=25.0))
    if parameters is not None:
        chosen = read_parameters(Path(parameters))
    wanted = tuple((n,) if isinstance(n, int) else tuple(n) for n in labels)
    rows = measure_case(Case("the image", image, mask, wanted, chosen))
    for row in rows:
        if row.error is not None:
            raise row.error
        for remark in row.remarks:
            warnings.warn(f"Label {row.label}: {remark}", stacklevel=2)
    table = pd.DataFrame([row.values for row in rows])
    table.index = pd.Index([row.label for row in rows], name="label")
    return table


def measure_case(case: Case) -> tuple[Row, ...]:
    """Measure every region of one case; one that cannot be measured says why.

    Raises:
        RadHabitatError: The image or the mask cannot be read, or has no region.
    """
    image = as_volume(case.image)
    labels = case.labels
    if not labels and case.parameters.label is not None:
        labels = ((case.parameters.label,),)
    rows = []
    for label, mask in as_regions(case.mask, labels, image):
        try:
            if isinstance(mask, MaskError):
                raise mask
            rows.append(_row(case, label, image, mask))
        except RadHabitatError as error:
            rows.append(Row(case.name, label, {}, error=error))
    return tuple(rows)


def write_maps(
    source: tuple[ImageLike, MaskLike, tuple[int, ...]],
    folder: Path,
    settings: FeatureSettings,
    *,
    radius: int = 1,
    features: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Path]:
    """Write a NIfTI map per feature: its value in the cube around every voxel.

    Args:
        source: Image, mask, and the labels that count together (none: all).
        folder: Where to write `firstorder_Entropy.nii.gz` ...; 0 outside of the mask,
            NaN where not computable.
        settings: Discretization and mode.
        radius: Of the cube, 1 to 3 voxels.
        features: Names among `features.maps.MAPPED`; none: all 42.
        progress: Told how many voxels are done.

    Raises:
        RadHabitatError: As `extract_features`; or a name or the radius is unknown.
    """
    from radhabitat.features.maps import MAPPED, feature_maps

    image, names = as_volume(source[0]), tuple(features) or MAPPED
    mask = as_union(source[1], source[2], image)
    mask = on_grid(mask, image, "the image")
    parts = feature_maps(image, mask, settings, radius=radius, features=names)
    values = np.empty((len(names), mask.voxels), dtype=np.float32)
    done = 0
    for part in parts:  # voxels come in the order of mask.array
        values[:, done : done + len(part.values)] = part.values.T
        done += len(part.values)
        progress("Mapping features", done, mask.voxels)
    files = []
    for name, own in zip(names, values, strict=True):
        array = np.zeros(image.grid.shape, dtype=np.float32)
        array[mask.array] = own
        files.append(folder / f"{name}.nii.gz")
        write_volume(files[-1], Volume(array, image.grid))
    return files


def read_cases(path: Path, labels: Labels, parameters: Parameters) -> list[Case]:
    """Read a table of cases: the columns image and mask, an id, and labels.

    Args:
        path: CSV or XLSX; its paths are absolute or start at its folder. A column
            `label` holds what `parse_labels` reads.
        labels: For rows without labels of their own.
        parameters: For all.

    Raises:
        TableError: A column or a cell is missing, or an id occurs twice.
    """
    table = read_table(path)
    names = {str(name).strip().lower(): str(name) for name in table.columns}
    for name in ("image", "mask"):
        if name not in names:
            raise TableError(
                f"{path.name} has no column {name!r}; it has: {', '.join(names)}",
                "name the columns image and mask (and case, label)",
            )
    ids = next((names[n] for n in ID_NAMES if n in names), None)
    if ids is not None:
        table = index_by_patient(table, ids, path.name)
    else:
        table.index = pd.Index([f"row{n}" for n in range(1, len(table) + 1)])
    own = next((names[n] for n in ("label", "labels") if n in names), None)
    return [
        Case(
            str(name),
            str(path.parent / str(row[names["image"]])),
            str(path.parent / str(row[names["mask"]])),
            (parse_labels(str(row[own])) if own else ()) or labels,
            parameters,
        )
        for name, row in table.iterrows()
    ]


def _row(case: Case, label: str, image: Volume, mask: Mask) -> Row:
    parameters = case.parameters
    mask = on_grid(mask, image, f"{case.name}, label {label}")
    if parameters.preparation.normalize or parameters.preparation.spacing_mm:
        from radhabitat.features.prepare import prepare

        image, mask = prepare(image, mask, parameters.preparation)
    _check_size(mask, parameters, label)
    found = measure(image, mask, parameters.settings)
    missing = why_missing(found.features)
    wanted = {
        name: value
        for name, value in found.features.items()
        if _is_wanted(name, parameters)
    }
    values = {
        "diagnostics_voxels": float(found.voxels),
        **{f"diagnostics_{n}": float(v) for n, v in found.gray_levels.items()},
        "diagnostics_not_computable": float(len(missing.keys() & wanted.keys())),
    }
    words = tuple(remarks(found.features, found.gray_levels))
    return Row(case.name, label, values | wanted, words)


def _is_wanted(name: str, parameters: Parameters) -> bool:
    image, feature = name.split("_", 1)
    kept = parameters.original or image != "original" or feature.startswith("shape_")
    return kept and (parameters.wanted is None or feature in parameters.wanted)


def _check_size(mask: Mask, parameters: Parameters, label: str) -> None:
    where = np.argwhere(mask.array)
    axes = int(np.count_nonzero(np.ptp(where, axis=0))) if len(where) else 0
    if len(where) <= parameters.more_voxels_than or axes < parameters.least_axes:
        raise MaskError(
            f"Label {label} has {len(where)} voxels along {axes} axes; more than "
            f"{parameters.more_voxels_than} along {parameters.least_axes} are wanted",
            "check the mask, or lower minimumROISize or minimumROIDimensions in the "
            "parameter file",
        )
