"""Filtered images, as PyRadiomics makes them: its names, its values in a region.

Each filter computes in float64, on the part of the image that the region's values
depend on; what is farther away counts only for the largest intensity (square,
squareroot, logarithm, exponential).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pywt
import SimpleITK
from numpy.typing import NDArray

from radhabitat.errors import ImageError, SettingsError
from radhabitat.features import local_patterns
from radhabitat.features.regions import Regions
from radhabitat.settings import FeatureSettings, FilterSettings
from radhabitat.types import Volume

Values = NDArray[np.float64]
_Named = Iterator[tuple[str, Values]]

_LOG_REACH_SIGMA = 16.0  # there the recursive Gaussian is below 1e-9 of its center


def filtered(
    image: Volume, regions: Regions, settings: FeatureSettings
) -> Iterator[tuple[str, Values, FeatureSettings]]:
    """Give each filtered image's name, values and gray-level settings.

    Args:
        image: The image before filters.
        regions: Where values are wanted.
        settings: Filters, and the gray levels that they inherit.

    Returns:
        Name as in PyRadiomics (`wavelet-LLH`), values at the voxels of the whole,
        shape (voxels,), and settings for its gray levels.

    Raises:
        ImageError: The image is too small for a filter.
        SettingsError: PyWavelets knows no such wavelet.

    Reference:
        PyRadiomics 3.1, imageoperations. `log`: Laplacian of the recursive Gaussian,
        scale-normalized; `wavelet`: undecimated, periodic; `gradient`: magnitude per
        mm; `lbp2d`: Ojala et al., PR 1996; `lbp3d`: Banerjee et al., ACCV 2012.
    """
    for chosen in settings.filters:
        for name, values in _FILTERS[chosen.kind](image, regions, chosen):
            yield name, values, settings.on(chosen)


def _block(
    image: Volume, regions: Regions, margin: NDArray[np.int64]
) -> tuple[tuple[slice, ...], NDArray[np.bool_]]:
    """Return a wider box, as far as the image goes, and the whole within it."""
    box, pad = [], []
    for own, more, size in zip(regions.box, margin, image.grid.shape, strict=True):
        first, last = max(own.start - int(more), 0), min(own.stop + int(more), size)
        box.append(slice(first, last))
        pad.append((own.start - first, last - own.stop))
    return tuple(box), np.pad(regions.inside, pad)


def _by_itk(
    image: Volume,
    regions: Regions,
    margin: NDArray[np.int64],
    run: Callable[[SimpleITK.Image], SimpleITK.Image],
) -> Values:
    box, inside = _block(image, regions, margin)
    array = image.array[box].astype(np.float64)
    itk = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.T))
    itk.SetSpacing(image.grid.spacing_mm.tolist())
    result: Values = SimpleITK.GetArrayViewFromImage(run(itk)).T[inside]
    return result


def _laplacian_of_gaussian(
    image: Volume, regions: Regions, chosen: FilterSettings
) -> _Named:
    spacing, size = image.grid.spacing_mm, np.array(image.grid.shape)
    for sigma in chosen.sigma_mm:
        least = np.maximum(np.ceil(sigma / spacing) + 1, 4)
        if (size < least).any():
            raise ImageError(
                f"An image of {' x '.join(map(str, size))} voxels is too small for a "
                f"Laplacian of Gaussian of {sigma:g} mm, which needs "
                f"{' x '.join(f'{n:.0f}' for n in least)}",
                "lower sigma_mm, or give the whole image instead of a crop",
            )
        smooth = SimpleITK.LaplacianRecursiveGaussianImageFilter()
        smooth.SetNormalizeAcrossScale(True)
        smooth.SetSigma(sigma)
        margin = np.ceil(_LOG_REACH_SIGMA * sigma / spacing).astype(np.int64)
        name = f"log-sigma-{sigma!s}-mm-3D".replace(".", "-")
        yield name, _by_itk(image, regions, margin, smooth.Execute)


def _gradient(image: Volume, regions: Regions, chosen: FilterSettings) -> _Named:
    margin = np.full(3, 2)
    yield "gradient", _by_itk(image, regions, margin, SimpleITK.GradientMagnitude)


def _wavelet(image: Volume, regions: Regions, chosen: FilterSettings) -> _Named:
    """Decompose a block of the image, which goes on periodically beyond its edges."""
    if chosen.wavelet not in pywt.wavelist(kind="discrete"):
        raise SettingsError(
            f"There is no wavelet {chosen.wavelet!r}",
            "choose a discrete wavelet of PyWavelets: coif1, haar, db2 ...",
        )
    wavelet = pywt.Wavelet(chosen.wavelet)
    last = chosen.start_level + chosen.levels
    margin = (wavelet.dec_len + 1) * last
    wanted = [_wrapped(own, margin, n) for own, n in zip(
        regions.box, image.grid.shape, strict=True
    )]  # fmt: skip
    data = image.array[np.ix_(*wanted)].astype(np.float64)
    own = tuple(slice(margin, margin + n) for n in regions.inside.shape)
    for level in range(last):
        parts = pywt.swtn(data, wavelet, level=1, axes=(0, 1, 2))[0]
        data = parts.pop("aaa")
        if level < chosen.start_level:
            continue
        number = level - chosen.start_level + 1
        prefix = "wavelet" if number == 1 else f"wavelet{number}"
        for name, part in parts.items():
            letters = name.replace("a", "L").replace("d", "H")
            yield f"{prefix}-{letters}", part[own][regions.inside]
    prefix = "wavelet" if chosen.levels == 1 else f"wavelet{chosen.levels}"
    yield f"{prefix}-LLL", data[own][regions.inside]


def _wrapped(own: slice, margin: int, size: int) -> NDArray[np.int64]:
    """Return an even number of indices; an odd axis repeats its first voxel."""
    count = own.stop - own.start + 2 * margin
    index = np.arange(own.start - margin, own.start - margin + count + count % 2)
    index %= size + size % 2
    index[index == size] = 0
    return index


def _pointwise(image: Volume, regions: Regions, chosen: FilterSettings) -> _Named:
    """Change each intensity by itself, rescaled to the range of the image."""
    x = image.array[regions.box][regions.inside].astype(np.float64)
    top = max(float(np.nanmax(image.array)), -float(np.nanmin(image.array)))
    if top == 0.0:
        yield chosen.kind, x
    elif chosen.kind == "square":
        yield chosen.kind, (1.0 / np.sqrt(top) * x) ** 2
    elif chosen.kind == "squareroot":
        yield chosen.kind, np.sign(x) * np.sqrt(np.abs(x) * top)
    elif chosen.kind == "logarithm":
        yield (
            chosen.kind,
            np.sign(x) * np.log(np.abs(x) + 1.0) * (top / np.log(top + 1)),
        )
    else:
        yield chosen.kind, np.exp(np.log(top) / top * x)


def _patterns_in_plane(
    image: Volume, regions: Regions, chosen: FilterSettings
) -> _Named:
    reach = int(np.ceil(chosen.radius)) + 1
    box, inside = _block(image, regions, np.array([reach, reach, 0]))
    array = image.array[box].astype(np.float64)
    padded = np.pad(array, ((reach, reach), (reach, reach), (0, 0)))
    points = np.argwhere(inside) + np.array([reach, reach, 0])
    yield "lbp-2D", local_patterns.in_plane(padded, points, chosen)


def _patterns_in_space(
    image: Volume, regions: Regions, chosen: FilterSettings
) -> _Named:
    reach = int(np.ceil(chosen.radius)) + local_patterns.SPLINE_REACH
    box, inside = _block(image, regions, np.full(3, reach))
    array = image.array[box].astype(np.float64)
    values = local_patterns.in_space(array, np.argwhere(inside), chosen)
    names = [f"m{order}" for order in range(1, chosen.harmonics + 1)] + ["k"]
    for name, value in zip(names, values.T, strict=True):
        yield f"lbp-3D-{name}", value


_FILTERS: dict[str, Callable[[Volume, Regions, FilterSettings], _Named]] = {
    "log": _laplacian_of_gaussian,
    "wavelet": _wavelet,
    "gradient": _gradient,
    "square": _pointwise,
    "squareroot": _pointwise,
    "logarithm": _pointwise,
    "exponential": _pointwise,
    "lbp2d": _patterns_in_plane,
    "lbp3d": _patterns_in_space,
}
