"""The registration engine where ANTs has no wheel: SimpleITK, linear maps only."""

from __future__ import annotations

from typing import Literal

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its own documentation calls it so)
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.preprocessing.crop import CROP_SPACING_MM, Crop

_SHRINK = [2, 1]
_SIGMAS_VOXELS = [1, 0]
_ITERATIONS = 100
_BINS = 32
_POINTS = 10000


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

    The arguments and what is returned are those of `engine_ants.register_linear`.

    Raises:
        ComputationError: SimpleITK gave up.

    Reference:
        Mattes et al., IEEE Trans Med Imaging 2003;22:120.
    """
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    share = float(min(_POINTS / region.size, 1.0))
    method.SetMetricSamplingPercentage(share, seed % (2**31) + 1)
    method.SetMetricFixedMask(_to_sitk(region.astype(np.uint8), fixed))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel(_SHRINK)
    method.SetSmoothingSigmasPerLevel(_SIGMAS_VOXELS)
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOff()
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, _ITERATIONS)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(_start(start, kind), inPlace=False)
    try:
        images = (_to_sitk(crop.array, crop) for crop in (fixed, moving))
        found = method.Execute(*images)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ComputationError(
            f"SimpleITK gave up: {reason}", "look at the images of this patient"
        ) from None
    probes = np.vstack([np.zeros(3), 100.0 * np.eye(3)])
    seen = np.array([found.TransformPoint(p.tolist()) for p in probes])
    matrix = np.eye(4)
    matrix[:3, 3] = seen[0]
    matrix[:3, :3] = (seen[1:] - seen[0]).T / 100.0
    return matrix


def _to_sitk(array: NDArray[np.generic], crop: Crop) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetOrigin(crop.first_mm.tolist())
    image.SetSpacing([CROP_SPACING_MM] * 3)
    return image


def _start(matrix: NDArray[np.float64], kind: str) -> sitk.Transform:
    """Return a map as SimpleITK's, about the middle of the tumor."""
    start = sitk.Euler3DTransform() if kind == "rigid" else sitk.AffineTransform(3)
    turn = matrix[:3, :3]
    if kind == "rigid":
        left, _, right = np.linalg.svd(turn)
        turn = left @ right
    start.SetMatrix(turn.ravel().tolist(), *([1e-5] if kind == "rigid" else []))
    start.SetTranslation(matrix[:3, 3].tolist())
    return start
