"""Write pyradiomics_features.json: what PyRadiomics says about `features_cases`.

Run in an environment of its own, from this folder; PyRadiomics is compiled there:

    python -m venv env
    env/bin/pip install pyradiomics-bhklab==3.1.4 nibabel
    env/bin/pip install 'scipy<1.15' scikit-image trimesh  # for local binary patterns
    RADHABITAT_DATA=... env/bin/python make_pyradiomics_golden.py
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import numpy as np
import radiomics
import SimpleITK
from features_cases import (
    CUBE_SPACING_MM,
    FILTERS,
    MORE_FILTERS,
    PREPARED,
    RESEGMENTED,
    cases,
    cubes,
    real_case,
)
from radiomics.featureextractor import RadiomicsFeatureExtractor


def _image(
    array: np.ndarray, spacing_mm: tuple[float, float, float]
) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing(spacing_mm)
    return image


def _features(extractor, array, mask, spacing_mm) -> dict[str, float]:
    image = _image(array.astype(np.float64), spacing_mm)  # float64 edges of bins
    found = extractor.execute(image, _image(mask.astype(np.uint8), spacing_mm))
    return {name: float(value) for name, value in found.items()}


def _cubes() -> list[list[float]]:
    extractor = RadiomicsFeatureExtractor(additionalInfo=False, minimumROIDimensions=0)
    extractor.disableAllFeatures()
    extractor.enableFeatureClassByName("shape")
    names = ("MeshVolume", "SurfaceArea")
    found = []
    for cube in cubes():
        if cube.sum() == 1:  # refused by PyRadiomics
            found.append([])
            continue
        values = _features(extractor, cube * 1.0, cube, CUBE_SPACING_MM)
        found.append([values[f"original_shape_{name}"] for name in names])
    return found


def _filtered(case, filters: dict[str, dict], *, classes: tuple[str, ...] = ()):
    """Return filtered image -> its 93 features, or those of some classes."""
    extractor = _extractor(case)
    extractor.disableAllImageTypes()
    for name, parameters in filters.items():
        extractor.enableImageTypeByName(name, customArgs=parameters)
    if classes:
        extractor.disableAllFeatures()
    for name in classes:
        extractor.enableFeatureClassByName(name)
    found = _features(extractor, case.image, case.region(0), case.spacing_mm)
    by_image: dict[str, list[float]] = {}
    for name, value in found.items():
        if "_shape_" not in name:
            by_image.setdefault(name.split("_")[0], []).append(value)
    return by_image


def _with(case, settings: dict) -> list[float]:
    extractor = _extractor(case)
    extractor.settings.update(settings)
    found = _features(extractor, case.image, case.region(0), case.spacing_mm)
    return list(found.values())


def _maps(case, radius: int) -> list[list[float]]:
    """Return the 42 features in the cubes around every 60th voxel of part 3."""
    extractor = _extractor(case)
    extractor.settings["kernelRadius"] = radius
    extractor.disableAllFeatures()
    for name in ("firstorder", "glcm"):
        extractor.enableFeatureClassByName(name)
    image = _image(case.image.astype(np.float64), case.spacing_mm)
    mask = _image(case.region(3).astype(np.uint8), case.spacing_mm)
    found = extractor.execute(image, mask, voxelBased=True)
    box = np.argwhere(case.region(3))
    low = np.maximum(box.min(axis=0) - radius, 0)  # where the maps begin
    rows = []
    for voxel in box[::60]:
        at = tuple(int(v) for v in voxel - low)
        rows.append([float(one.GetPixel(at)) for one in found.values()])
    return rows


def _extractor(case) -> RadiomicsFeatureExtractor:
    bins = {"binWidth": case.bin_width, "binCount": case.bin_count}
    return RadiomicsFeatureExtractor(
        additionalInfo=False,
        minimumROIDimensions=1,
        **{key: value for key, value in bins.items() if value is not None},
    )


def main() -> None:
    logging.getLogger("radiomics").setLevel(logging.ERROR)
    golden: dict[str, list[list[float]]] = {}
    features: list[str] = []
    chosen = cases() | {"breast": real_case(Path(os.environ["RADHABITAT_DATA"]))}
    for name, case in chosen.items():
        extractor = _extractor(case)
        regions = range(int(case.labels.max()) + (case.labels.max() > 1))
        rows = [
            _features(extractor, case.image, case.region(number), case.spacing_mm)
            for number in regions
        ]
        features = list(rows[0])
        golden[name] = [list(row.values()) for row in rows]
    text = {
        "made_with": f"pyradiomics {radiomics.__version__}, numpy {np.__version__}",
        "features": features,
        "cases": golden,
        "cubes_volume_area": _cubes(),
        "filtered": _filtered(chosen["habitats"], FILTERS),
        "filtered_more": _filtered(
            chosen["raw"], MORE_FILTERS, classes=("firstorder",)
        ),
        "resegmented": _with(chosen["habitats"], RESEGMENTED),
        "maps": {radius: _maps(chosen["habitats"], radius) for radius in (1, 2)},
        "prepared": _with(chosen["habitats"], PREPARED),
    }
    path = Path(__file__).with_name("pyradiomics_features.json")
    path.write_text(json.dumps(text).replace("], ", "],\n") + "\n")


if __name__ == "__main__":
    main()
