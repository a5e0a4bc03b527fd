"""A patient's images, before and after they share one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ImageError, MaskError
from radhabitat.types.scale import Scale
from radhabitat.types.transform import Transform
from radhabitat.types.volume import Grid, Mask, Volume


@dataclass(frozen=True, eq=False)
class Subject:
    """One patient as acquired: every sequence on its own grid.

    Attributes:
        patient: Identifier of the patient in this study (a pseudonym).
        images: Sequence name (PRE, LAP, PVP, DP ...) -> image, in study order.
        reference: The sequence that the tumor was drawn on.
        tumor: The drawn tumor; may lie on another grid than the reference image.
        second_reader: The tumor as a second reader drew it, if one did.
        organs: "liver" or "muscle" -> where it is, for what a setting asks of it.
        notes: What was decided while reading, in words, for the report.
    """

    patient: str
    images: Mapping[str, Volume]
    reference: str
    tumor: Mask
    second_reader: Mask | None = None
    organs: Mapping[str, Mask] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be analyzed.

        Raises:
            ImageError: The reference is missing; an image is constant, or has
                voxels that are not numbers.
            MaskError: A mask is empty or reaches out of the reference image.
        """
        if self.reference not in self.images:
            raise ImageError(
                f"Patient {self.patient} has no {self.reference}, the reference "
                f"sequence; found: {', '.join(self.images) or 'none'}",
                "add the image, or name another data.reference in study.toml",
            )
        for sequence, image in self.images.items():
            _check_intensities(self.patient, sequence, image)
        for mask in (self.tumor, self.second_reader):
            if mask is not None:
                _check_mask(self.patient, mask, self.images[self.reference].grid)


@dataclass(frozen=True, eq=False)
class AlignedSubject:
    """One patient after preprocessing: all sequences and masks on one grid.

    Attributes:
        patient: Identifier of the patient in this study.
        images: Sequence name -> normalized image; all on `grid`.
        reference: The sequence that the others were aligned to.
        tumor: The tumor on the same grid.
        second_reader: The second reader's tumor on the same grid, if there is one.
        body: Where the reference shows the body and not the air around it, on the
            same grid, if that is known.
        transforms: Sequence name -> where a point of the reference is in it.
        scales: Sequence name -> how its intensities were normalized.
        quality: Sequence name -> name of a measure -> its value.
        notes: What was decided on the way, in words, for the report.
    """

    patient: str
    images: Mapping[str, Volume]
    reference: str
    tumor: Mask
    second_reader: Mask | None = None
    body: Mask | None = None
    transforms: Mapping[str, Transform] = field(default_factory=dict)
    scales: Mapping[str, Scale] = field(default_factory=dict)
    quality: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse volumes on different grids.

        Raises:
            ImageError: An image or mask lies on another grid than the tumor.
        """
        others: dict[str, Volume | Mask] = dict(self.images)
        if self.second_reader is not None:
            others["second reader's mask"] = self.second_reader
        if self.body is not None:
            others["body mask"] = self.body
        for name, volume in others.items():
            if not volume.grid.same_as(self.tumor.grid):
                raise ImageError(
                    f"The {name} of patient {self.patient} is not on the grid "
                    "of the tumor mask",
                    "pass the patient through preprocessing.align first",
                )

    @property
    def grid(self) -> Grid:
        """The grid that all volumes share."""
        return self.tumor.grid

    def tumor_intensities(self) -> NDArray[np.float32]:
        """Return the tumor's voxels, shape (voxels, sequences), in C order."""
        inside = self.tumor.array
        return np.stack([v.array[inside] for v in self.images.values()], axis=1)


def _check_intensities(patient: str, sequence: str, image: Volume) -> None:
    bad = int(image.array.size - np.count_nonzero(np.isfinite(image.array)))
    if bad:
        raise ImageError(
            f"The {sequence} of patient {patient} has {bad} voxels that are not "
            "numbers (NaN or infinite)",
            "export the image again, or replace those voxels by the background",
        )
    if image.array.size == 0 or image.array.min() == image.array.max():
        raise ImageError(
            f"The {sequence} of patient {patient} is constant: every voxel has the "
            "same intensity",
            "export the image again; this file holds no picture",
        )


def _check_mask(patient: str, mask: Mask, grid: Grid) -> None:
    if mask.voxels == 0:
        raise MaskError(
            f"The tumor mask of patient {patient} is empty",
            "draw the tumor, or choose other data.mask_labels in study.toml",
        )
    index = grid.to_index(mask.points_mm())
    inside = ((index > -1.0) & (index < np.array(grid.shape))).all(axis=1)
    if not inside.all():
        share = 100.0 * float(1.0 - inside.mean())
        raise MaskError(
            f"{share:.0f} % of the tumor mask of patient {patient} lies outside "
            "the reference image",
            "check that the mask belongs to this patient and to the reference sequence",
        )
