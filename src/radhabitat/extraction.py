"""Features of any images and masks, without a study: one row per label."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import ImageError, MaskError, TableError
from radhabitat.features import measure, remarks, why_missing
from radhabitat.files.formats import from_itk
from radhabitat.files.pyradiomics_parameters import Parameters, read_parameters
from radhabitat.files.tables import ID_NAMES, index_by_patient, read_table
from radhabitat.files.volumes import read_mask, read_volume
from radhabitat.preprocessing.resample import carry_mask
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Subject, Volume

if TYPE_CHECKING:
    import SimpleITK

ImageLike: TypeAlias = "str | Path | Volume | SimpleITK.Image"
MaskLike: TypeAlias = "str | Path | Mask | SimpleITK.Image"
Labels: TypeAlias = tuple[tuple[int, ...], ...]
"""Regions, each the union of some labels."""


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
    """

    case: str
    label: str
    values: dict[str, float]
    remarks: tuple[str, ...]


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
        for remark in row.remarks:
            warnings.warn(f"Label {row.label}: {remark}", stacklevel=2)
    table = pd.DataFrame([row.values for row in rows])
    table.index = pd.Index([row.label for row in rows], name="label")
    return table


def measure_case(case: Case) -> tuple[Row, ...]:
    """Measure every region of one case.

    Raises:
        RadHabitatError: As `extract_features`.
    """
    image = _image(case.image)
    labels = case.labels
    if not labels and case.parameters.label is not None:
        labels = ((case.parameters.label,),)
    return tuple(
        _row(case, label, image, mask) for label, mask in _regions(case.mask, labels)
    )


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


def parse_labels(text: str) -> Labels:
    """Read labels separated by commas; + unites.

    Raises:
        MaskError: It is no such list.

    Example:
        >>> parse_labels("1, 2, 1+2")
        ((1,), (2,), (1, 2))
    """
    parts = [part.split("+") for part in text.split(",") if part.strip()]
    if not all(label.strip().isdecimal() for part in parts for label in part):
        raise MaskError(
            f"{text!r} is not a list of labels",
            "write it like 1,2; or 1+2 for both together",
        )
    return tuple(tuple(int(label) for label in part) for part in parts)


def _row(case: Case, label: str, image: Volume, mask: Mask) -> Row:
    parameters = case.parameters
    mask = _on_grid(mask, image, f"{case.name}, label {label}")
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


def _image(image: ImageLike) -> Volume:
    if isinstance(image, Volume):
        return image
    if isinstance(image, (str, Path)):
        return read_volume(image)
    array, grid = _of_itk(image)
    return Volume(array.astype(np.float32), grid)


def _of_itk(image: SimpleITK.Image) -> tuple[NDArray[np.float64], Grid]:
    if (image.GetDimension(), image.GetNumberOfComponentsPerPixel()) != (3, 1):
        raise ImageError(
            f"An image has {image.GetDimension()} dimensions and "
            f"{image.GetNumberOfComponentsPerPixel()} values per voxel",
            "give 3D images with one value per voxel",
        )
    array, affine = from_itk(image)
    return array, Grid(array.shape, affine)


def _regions(mask: MaskLike, labels: Labels) -> Iterator[tuple[str, Mask]]:
    """Give each region's name and voxels."""
    if isinstance(mask, Mask):
        yield "1", mask
        return
    if isinstance(mask, (str, Path)):
        whole, present = read_mask(mask)
    else:
        array, grid = _of_itk(mask)
        whole = Mask(array > 0, grid)
        present = tuple(int(label) for label in np.unique(array) if label > 0)
    if not present:
        raise MaskError("The mask is empty", "draw the region, or choose another file")
    for wanted in labels or tuple((label,) for label in present):
        if not set(wanted) & set(present):
            raise MaskError(
                f"The mask has no label {_named(wanted)}; found: "
                f"{', '.join(map(str, present))}",
                "choose labels among those found",
            )
        if set(wanted) >= set(present):
            yield _named(wanted), whole
        elif isinstance(mask, (str, Path)):
            yield _named(wanted), read_mask(mask, labels=wanted)[0]
        else:
            yield _named(wanted), Mask(np.isin(array, wanted), grid)


def _named(labels: tuple[int, ...]) -> str:
    return "+".join(map(str, labels))


def _on_grid(mask: Mask, image: Volume, name: str) -> Mask:
    """Carry a mask to the image's grid; refuse one that lies elsewhere."""
    if mask.grid.same_as(image.grid):
        return Mask(mask.array, image.grid)
    Subject(name, {"image": image}, "image", mask)
    return carry_mask(mask, image.grid, patient=name)
