"""The registration engine: ANTs, one thread, one seed, nothing left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.preprocessing.crop import CROP_SPACING_MM, Crop

T = TypeVar("T", bound=np.generic)

_FEWEST = 8
_PYRAMID = ((4, 200, 2), (2, 100, 1), (1, 50, 0))
_POINTS = 10000
_SMALLEST_SHARE = 0.1
_LARGEST_SEED = 2**31 - 2
_SOFT_ITERATIONS = (40, 20, 0)
_GRADIENT_STEP = 0.1
_FLOW_SIGMA = 6
_TOTAL_SIGMA = 3


def register_linear(
    fixed: Crop,
    moving: Crop,
    *,
    region: NDArray[np.bool_],
    start: NDArray[np.float64],
    kind: Literal["rigid", "affine"],
    seed: int,
) -> NDArray[np.float64]:
    """Return the linear map between two crops that fits best in a region.

    Mattes mutual information looks only at the region: else the still spine and body
    wall decide (4-5 mm left in the tumor instead of 0.7). About 10,000 points are
    compared: with ANTs' fifth, the few of a small tumor let the map run away.

    Args:
        fixed: The reference around the tumor.
        moving: The other image, on the same raster.
        region: Where to look, shape of `fixed.array`.
        start: The map to start from, (4, 4), as the one returned.
        kind: Rotation and translation, or 12 parameters.
        seed: Of the points compared.

    Returns:
        (4, 4): mm of a point in the frame -> mm of the same tissue in `moving`.

    Raises:
        ComputationError: The engine is missing or gave up.

    Reference:
        Avants et al., NeuroImage 2011;54:2033.
    """
    levels = _PYRAMID if kind == "rigid" else _PYRAMID[1:]
    fits = [p for p in levels if min(fixed.array.shape) >= p[0] * _FEWEST]
    shrink, iterations, sigmas = zip(*(fits or levels[-1:]), strict=True)
    share = float(np.clip(_POINTS / np.count_nonzero(region), _SMALLEST_SHARE, 1.0))
    options = {
        "type_of_transform": kind.capitalize(),
        "mask_all_stages": True,
        "aff_random_sampling_rate": share,
        "aff_iterations": iterations,
        "aff_shrink_factors": shrink,
        "aff_smoothing_sigmas": sigmas,
    }
    images = (fixed, moving, region)
    return _run(images, start, options, _read_matrix, seed=seed)


def register_soft(
    fixed: Crop,
    moving: Crop,
    *,
    region: NDArray[np.bool_],
    start: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float32]:
    """Return the soft deformation that is left after a linear map.

    SyN with a short step and wide smoothing: it cannot follow noise, nor what
    contrast agent does inside the tumor.

    Args:
        fixed: The reference around the tumor.
        moving: The other image, on the same raster.
        region: Where to look, shape of `fixed.array`.
        start: The linear map, (4, 4), which follows the deformation.
        seed: Of the points compared.

    Returns:
        Displacement of each voxel of `fixed`, mm along the frame, (i, j, k, 3).

    Raises:
        ComputationError: The engine is missing or gave up.

    Reference:
        Avants et al., Med Image Anal 2008;12:26.
    """
    options = {
        "type_of_transform": "SyNOnly",
        "grad_step": _GRADIENT_STEP,
        "flow_sigma": _FLOW_SIGMA,
        "total_sigma": _TOTAL_SIGMA,
        "reg_iterations": _SOFT_ITERATIONS,
    }
    images = (fixed, moving, region)
    return _run(images, start, options, _read_displacement, seed=seed)


def _run(
    images: tuple[Crop, Crop, NDArray[np.bool_]],
    start: NDArray[np.float64],
    options: dict[str, Any],
    read: Callable[[ModuleType, str], NDArray[T]],
    *,
    seed: int,
) -> NDArray[T]:
    ants = load_ants()
    ants.config._random_seed = seed % _LARGEST_SEED + 1
    fixed, moving, region = images
    with tempfile.TemporaryDirectory(prefix="radhabitat-") as folder:
        try:
            result = ants.registration(
                _to_ants(ants, fixed.array, fixed),
                _to_ants(ants, moving.array, moving),
                initial_transform=_write_matrix(ants, start, Path(folder)),
                outprefix=str(Path(folder) / "end"),
                mask=_to_ants(ants, region.astype(np.float32), fixed),
                **options,
            )
            return read(ants, result["fwdtransforms"][0])
        except (RuntimeError, ValueError, OSError, IndexError) as error:
            raise ComputationError(
                f"ANTs gave up: {error}", "look at the images of this patient"
            ) from None


def load_ants() -> ModuleType:
    """Import ANTs, which takes two seconds, when it is first needed."""
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"  # read at the import
    try:
        import ants
    except ImportError as error:
        raise ComputationError(
            f"The registration engine ANTs cannot be loaded: {error}",
            'install antspyx, or set registration = "none" in study.toml',
        ) from None
    module: ModuleType = ants
    return module


def _to_ants(ants: ModuleType, array: NDArray[np.float32], crop: Crop) -> Any:  # noqa: ANN401 (an ANTsImage; the package has no types)
    spacing, origin = [CROP_SPACING_MM] * 3, crop.first_mm.tolist()
    return ants.from_numpy(np.ascontiguousarray(array), origin=origin, spacing=spacing)


def _write_matrix(ants: ModuleType, matrix: NDArray[np.float64], folder: Path) -> str:
    """Write a map where ANTs can start from it."""
    start = ants.create_ants_transform(
        transform_type="AffineTransform",
        precision="double",
        dimension=3,
        matrix=matrix[:3, :3],
        offset=matrix[:3, 3],
    )
    file = str(folder / "start.mat")
    ants.write_transform(start, file)
    return file


def _read_matrix(ants: ModuleType, file: str) -> NDArray[np.float64]:
    """Return a linear transform as a matrix, from where it puts four points."""
    transform = ants.read_transform(file, precision="double")
    probes = np.vstack([np.zeros(3), 100.0 * np.eye(3)])
    seen = np.array([transform.apply_to_point(p.tolist()) for p in probes])
    matrix = np.eye(4)
    matrix[:3, 3] = seen[0]
    matrix[:3, :3] = (seen[1:] - seen[0]).T / 100.0
    if not np.isfinite(matrix).all():
        raise ValueError("its transform is not a number")
    return matrix


def _read_displacement(ants: ModuleType, file: str) -> NDArray[np.float32]:
    """Return a deformation as displacements, (i, j, k, 3)."""
    field: NDArray[np.float32] = ants.image_read(file).numpy().astype(np.float32)
    if not np.isfinite(field).all():
        raise ValueError("its deformation is not a number")
    return field
