"""Small lesions made of integers, the same in every version of NumPy.

Used by the script that asks PyRadiomics and by the test that compares with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHAPE = (22, 20, 13)


@dataclass(frozen=True)
class Case:
    """An image, a label map (0 outside, 1, 2 ... parts), and how to discretize."""

    image: np.ndarray  # float32, shape (i, j, k), multiples of 1/8192 in 0..1
    labels: np.ndarray  # uint8, shape (i, j, k)
    spacing_mm: tuple[float, float, float]
    bin_width: float | None = 1 / 64
    bin_count: int | None = None

    def region(self, number: int) -> np.ndarray:
        """The mask of part `number`, 0 for the whole."""
        return self.labels > 0 if number == 0 else self.labels == number


def cases() -> dict[str, Case]:
    """All cases by name."""
    image, labels = _lesion(seed=1)
    pieces = labels.copy()
    pieces[9:12] = 0
    slice_ = np.zeros_like(labels)
    slice_[:, :, 6] = labels[:, :, 6]
    thin = np.zeros_like(labels)
    thin[4:18:2, 5:15:3, 6] = 1  # no two voxels are neighbors
    thin[10, 5:15, 6] = 1
    other = _lesion(seed=2)
    return {
        "habitats": Case(image, labels, (0.75, 0.75, 2.0)),
        "bin_count": Case(image, labels, (0.7, 0.9, 3.3), None, 32),
        "odd_width": Case(image, labels, (1.0, 1.0, 1.0), 0.03),
        "two_pieces": Case(image, (pieces > 0).astype(np.uint8), (1.5, 1.0, 1.0)),
        "single_slice": Case(image, (slice_ > 0).astype(np.uint8), (0.8, 0.9, 5.0)),
        "scattered": Case(image, thin, (1.0, 1.2, 2.0), 1 / 16),
        "raw": Case(*_raw(other), (1.1, 1.1, 1.1), 25.0),
    }


def real_case(folder: Path) -> Case:
    """A breast tumor with a ragged mask, UCSF-BR-06 (breast_dce_3phase, CC BY 3.0)."""
    import nibabel

    images = folder / "breast_dce_3phase" / "nifti_cropped" / "UCSF-BR-06"
    image = nibabel.load(images / "t1_post1_early.nii.gz")
    mask = nibabel.load(images / "ftv_mask.nii.gz")
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    return Case(
        np.asarray(image.dataobj, dtype=np.float32),
        (np.asarray(mask.dataobj) > 0).astype(np.uint8),
        (float(spacing[0]), float(spacing[1]), float(spacing[2])),
        25.0,
    )


FILTERS = {
    "LoG": {"sigma": [1.0, 2.5]},
    "Wavelet": {},
    "Gradient": {},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "LBP2D": {"binWidth": 1.0},
    "LBP3D": {"binWidth": 0.1},
}
"""PyRadiomics' names of filters, and their parameters; on the case `habitats`."""

MORE_FILTERS = {
    "Wavelet": {"wavelet": "db2", "start_level": 1, "level": 2},
    "Square": {},
    "SquareRoot": {},
    "Logarithm": {},
    "Exponential": {},
    "LBP2D": {"lbp2DRadius": 2.5, "lbp2DSamples": 11},
    "LBP3D": {
        "lbp3DLevels": 4,
        "lbp3DIcosphereRadius": 1.5,
        "lbp3DIcosphereSubdivision": 2,
    },
}
"""On the case `raw`, with negative intensities; first-order features only."""

RESEGMENTED = {
    "resegmentRange": [-1.5, 1.0],
    "resegmentMode": "sigma",
    "voxelArrayShift": 3,
}
"""On the case `habitats`."""


PREPARED = {
    "normalize": True,
    "normalizeScale": 100,
    "removeOutliers": 3.0,
    "resampledPixelSpacing": [1.0, 0.0, 1.5],
    "interpolator": "sitkBSpline",
    "binWidth": 5.0,
}
"""On the case `habitats`, whose width does not count then."""


def cubes() -> np.ndarray:
    """All 255 non-empty masks of 2 x 2 x 2 voxels, shape (255, 2, 2, 2)."""
    bits = np.arange(1, 256)[:, None] >> np.arange(8) & 1
    return bits.astype(bool).reshape(-1, 2, 2, 2)


CUBE_SPACING_MM = (0.7, 1.1, 2.3)


def _lesion(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 64, size=SHAPE)
    smooth = _smooth(_smooth(rng.integers(0, 64, size=SHAPE)))  # 0 .. 64 * 27^2
    image = (noise * 2 + (smooth - smooth.min()) // 8) % 8192
    i, j, k = np.indices(SHAPE)
    squared = (i - 10) ** 2 + (j - 10) ** 2 + 3 * (k - 6) ** 2
    inside = squared * 729 + (smooth - 32 * 729) * 12 < 80 * 729
    low, high = np.quantile(smooth[inside], [0.35, 0.7], method="lower")
    labels = np.where(smooth < low, 1, np.where(smooth < high, 2, 3)) * inside
    return (image / 8192).astype(np.float32), labels.astype(np.uint8)


def _raw(lesion: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    image, labels = lesion
    return image * np.float32(2048) - np.float32(300), labels


def _smooth(values: np.ndarray) -> np.ndarray:
    """Sum of the 27 voxels of a neighborhood, wrapped around."""
    for axis in range(3):
        values = values + np.roll(values, 1, axis) + np.roll(values, -1, axis)
    return values
