"""Masks on disk: labels of images, segments of 3D Slicer and DICOM, contours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from radhabitat.dicom import Segment, is_segmentation, read_segmentation
from radhabitat.dicom.contours import check_space, is_contours, read_contours
from radhabitat.errors import ImageError, MaskError
from radhabitat.files.formats import DAMAGED, is_image_name
from radhabitat.files.volumes import (
    check_exists,
    decode_layers,
    split_cell,
    told,
    whose,
)
from radhabitat.types import Grid, Mask, Volume

_MOST_LABELS = 256

Labels = tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class Segments:
    """What a mask file holds.

    Attributes:
        file: Its name, for messages.
        names: Number of each segment (or label) that it holds -> name, if any.
        grid: Where the voxels lie.
    """

    file: str
    names: Mapping[int, str]
    grid: Grid
    _layers: tuple[tuple[NDArray[Any], Mapping[int, int]], ...]  # value -> number

    def choose(self, labels: Labels) -> tuple[int, ...]:
        """Return the numbers of segments named by number or name; none given: all.

        Raises:
            MaskError: There are segments, and none of those that are wanted.
        """
        texts = {str(label).strip().casefold() for label in labels}
        chosen = tuple(
            number
            for number, name in self.names.items()
            if not labels or str(number) in texts or name.casefold() in texts
        )
        if self.names and not chosen:
            raise MaskError(
                f"{self.file} has none of the labels {', '.join(map(str, labels))}; "
                f"found: {self.found()}",
                "choose labels (data.mask_labels in study.toml) among those found",
            )
        return chosen

    def found(self) -> str:
        """Return all numbers and names, for messages."""
        return ", ".join(f"{n} {name}".strip() for n, name in self.names.items())

    def union(self, numbers: Sequence[int]) -> Mask:
        """Return the voxels of some segments together."""
        array = np.zeros(self.grid.shape, dtype=np.bool_)
        for layer, values in self._layers:
            array |= np.isin(layer, [v for v, n in values.items() if n in numbers])
        return Mask(array, self.grid)


def read_mask(
    path: Path | str,
    *,
    labels: Labels = (),
    on: Volume | None = None,
    patient: str = "",
) -> tuple[Mask, tuple[int, ...]]:
    """Return the tumor, and the numbers of labels or segments that the file holds.

    Args:
        path: NIfTI, NRRD, MetaImage, 3D Slicer .seg.nrrd, DICOM SEG or RTSTRUCT;
            "file#name" or "file#2" is one segment of it. Values between 0 and 1 are
            a probability, cut at 0.5.
        labels: Numbers or names of what is tumor; empty: all together.
        on: The image that it was drawn on; contours (RTSTRUCT) need it.
        patient: Whose mask it is, for messages.

    Raises:
        MaskError: Missing, damaged, not a mask, or without the wanted labels.
    """
    segments, named = read_segments(path, on=on, patient=patient)
    with told(whose(patient), MaskError):
        return segments.union(segments.choose(named or labels)), tuple(segments.names)


def read_segments(
    path: Path | str, *, on: Volume | None = None, patient: str = ""
) -> tuple[Segments, Labels]:
    """Return what a mask file holds, and the segment that the path names after #.

    Raises:
        MaskError: Missing, damaged, or not a mask.
    """
    source, part = split_cell(path)
    with told(whose(patient), MaskError):
        check_exists(source)
        if not is_image_name(source):
            segments = _read_dicom(source, on)
        elif source.name.lower().endswith((".seg.nrrd", ".seg.nhdr")):
            segments = _read_slicer(source)
        else:
            segments = _read_labels(source)
    return segments, (part,) if part else ()


def largest_lesion(mask: Mask) -> tuple[Mask, int]:
    """Return the largest connected part of a mask, and the number of parts."""
    parts, count = ndimage.label(mask.array, structure=np.ones((3, 3, 3)))
    if count < 2:
        return mask, int(count)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return Mask(parts == sizes.argmax(), mask.grid), int(count)


def _read_labels(path: Path) -> Segments:
    layers, grid = decode_layers(path)
    if layers.shape[-1] != 1:
        raise ImageError(
            f"{path.name} is 4D where 3D is expected (shape "
            f"{' x '.join(map(str, layers.shape))})",
            "give one 3D mask per file, or save it in 3D Slicer as .seg.nrrd",
        )
    return label_segments(_as_labels(layers[..., 0], path.name), grid, path.name)


def label_segments(array: NDArray[Any], grid: Grid, name: str) -> Segments:
    """Return the labels (1, 2, ...) of an array as segments without names."""
    found = {int(label): "" for label in np.unique(array) if label > 0}
    return Segments(name, found, grid, ((array, {n: n for n in found}),))


def _read_slicer(path: Path) -> Segments:
    """Read a segmentation of 3D Slicer: layers of labels, and names in the header."""
    layers, grid = decode_layers(path)
    try:
        entries = _slicer_entries(nrrd.read_header(str(path)))
    except DAMAGED as error:
        raise MaskError(
            f"The segments in the header of {path.name} cannot be read",
            "save the segmentation again in 3D Slicer",
        ) from error
    if not entries:
        if layers.shape[-1] > 1:
            raise MaskError(
                f"{path.name} has {layers.shape[-1]} overlapping layers and names no "
                "segment",
                "save the segmentation again in 3D Slicer",
            )
        return _read_labels(path)
    values = [value for _, _, value in entries]
    unique = len(set(values)) == len(values)
    names: dict[int, str] = {}
    keys: list[dict[int, int]] = [{} for _ in range(layers.shape[-1])]
    for order, (name, layer, value) in enumerate(entries, start=1):
        number = value if unique else order
        if layer < len(keys):
            names[number], keys[layer][value] = name, number
    arrays = [_as_labels(layers[..., n], path.name) for n in range(len(keys))]
    return Segments(path.name, names, grid, tuple(zip(arrays, keys, strict=True)))


def _slicer_entries(header: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Return name, layer and value of each segment, in the file's order."""
    numbers = sorted(
        int(match[1])
        for key in header
        if (match := re.fullmatch(r"Segment(\d+)_ID", key))
    )
    return [
        (
            str(header.get(f"Segment{n}_Name") or f"segment {n + 1}"),
            int(header.get(f"Segment{n}_Layer") or 0),
            int(header.get(f"Segment{n}_LabelValue") or n + 1),
        )
        for n in numbers
    ]


def _read_dicom(path: Path, on: Volume | None) -> Segments:
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [file for file in inside if is_segmentation(file) or is_contours(file)]
    if len(files) != 1:
        which = f" ({', '.join(f.name for f in files[:5])})" if files else ""
        raise MaskError(
            f"{path.name} holds {len(files)} DICOM segmentations{which}; one is wanted",
            "give the file of the tumor's segmentation (NIfTI, NRRD, DICOM SEG or "
            "RTSTRUCT)",
        )
    segments = _dicom_segments(files[0], on)
    if not segments:
        raise MaskError(f"{files[0].name} holds no segment", "draw the tumor")
    found = {segment.number: segment.name for segment in segments}
    layers = tuple((s.mask.array, {1: s.number}) for s in segments)
    return Segments(files[0].name, found, segments[0].mask.grid, layers)


def _dicom_segments(path: Path, on: Volume | None) -> tuple[Segment, ...]:
    if not is_contours(path):
        segments = read_segmentation(path)
        spaces = {s.frame_of_reference for s in segments if s.frame_of_reference}
        fits = on is None or any(s.mask.grid.same_as(on.grid) for s in segments)
        if on is not None and not fits:
            check_space(path.name, spaces, on, ", ".join(s.name for s in segments))
        return segments
    if on is None:
        raise MaskError(
            f"{path.name} holds contours: they need the image that they were drawn on",
            "name the image, too: features IMAGE MASK, or a study with a reference",
        )
    return read_contours(path, on)


def _as_labels(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Return whole numbers >= 0, of shape (i, j, k); a probability is cut at 0.5."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0)
        fractions = bool((values != np.round(values)).any())
        if fractions and values.min() >= 0 and values.max() <= 1:
            return values > 0.5
    problem = _unlike_labels(values)
    if problem:
        raise MaskError(
            f"{name} is not a mask: it {problem}",
            "give the file with the drawn tumor (0 outside, 1 inside), not an image",
        )
    return values


def _unlike_labels(values: NDArray[Any]) -> str:
    """Return what speaks against a mask."""
    if values.dtype.kind not in "biuf":
        return f"holds {values.dtype} values"
    if values.size == 0:
        return "has no voxels"
    if values.dtype.kind == "f" and (values != np.round(values)).any():
        return "holds fractions beyond 0 to 1"
    if values.min() < 0:
        return f"holds negative values (down to {values.min()})"
    if values.max() > 1 and len(np.unique(values)) > _MOST_LABELS:
        return f"holds {len(np.unique(values))} different values"
    return ""
