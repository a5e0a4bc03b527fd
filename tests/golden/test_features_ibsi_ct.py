"""Our features against the consensus of IBSI 1 on the CT phantom (CC BY-NC 3.0)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from radhabitat.features import measure
from radhabitat.features.names import DEFINITIONS
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Volume

pytestmark = [pytest.mark.data, pytest.mark.slow]

TAGS = {
    "shape": "pca_elongation pca_flatness pca_least_axis pca_maj_axis - - - diam "
    "volume pca_min_axis sphericity area_mesh av vol_approx",
    "firstorder": "p10 p90 energy ih_entropy iqr kurt max mad mean median min range "
    "rmad rms skew - ih_uniformity var",
    "glcm": "auto_corr clust_prom clust_shade clust_tend contrast corr diff_avg "
    "diff_entr diff_var inv_diff inv_diff_mom inv_diff_mom_norm inv_diff_norm "
    "info_corr1 info_corr2 inv_var joint_avg energy joint_entr - joint_max sum_avg "
    "sum_entr joint_var",
    "gldm": "dc_entr dcnu dcnu_norm dc_var glnu gl_var hgce hde hdhge hdlge lgce lde "
    "ldhge ldlge",
    "glrlm": "glnu glnu_norm gl_var hgre lre lrhge lrlge lgre rl_entr rlnu rlnu_norm "
    "r_perc rl_var sre srhge srlge",
    "glszm": "glnu glnu_norm gl_var hgze lze lzhge lzlge lgze zsnu zsnu_norm sze szhge "
    "szlge zs_entr z_perc zs_var",
    "ngtdm": "busyness coarseness complexity contrast strength",
}
"""Names in the table of reference values, in the order of our features."""

FRAMES = {
    "shape": "morph_{}",
    "firstorder": "stat_{}",
    "glcm": "cm_{}_3D_avg",
    "gldm": "ngl_{}_3D",
    "glrlm": "rlm_{}_3D_avg",
    "glszm": "szm_{}_3D",
    "ngtdm": "ngt_{}_3D",
}

WIDTH_25 = {"bin_width": 25.0}
COUNT_32 = {"bin_count": 32}
SIGMA_3 = {"resegment": (-3.0, 3.0), "resegment_unit": "sigma"}
CONFIGURATIONS = {  # new spacing, order of the spline, limits before, settings
    "a": (None, 1, None, WIDTH_25 | {"resegment": (-500.0, 400.0)}),
    "b": ((2.0, 2.0, 3.0), 1, None, COUNT_32 | {"resegment": (-500.0, 400.0)}),
    "c": ((2.0, 2.0, 2.0), 1, None, WIDTH_25 | {"resegment": (-1000.0, 400.0)}),
    "d": ((2.0, 2.0, 2.0), 1, None, COUNT_32 | SIGMA_3),
    "e": ((2.0, 2.0, 2.0), 3, (-1000, 400), COUNT_32 | SIGMA_3),
}
IN_SPACE = {"a": 2, "b": 2, "c": 7, "d": 7, "e": 7}
"""Families that apply; the textures of A and B are counted in planes."""


def _tag(family: str, name: str) -> str:
    return name if name.startswith("ih_") else FRAMES[family].format(name)


def _expected(
    folder: Path, table: str, families: int
) -> dict[str, tuple[float, float]]:
    """Feature -> consensus value and tolerance, where there is a consensus."""
    file = folder / "reference_values" / f"ibsi_1_{table}.csv"
    with file.open(encoding="utf-8") as lines:
        rows = {row["tag"]: row for row in csv.DictReader(lines, delimiter=";")}
    found = {}
    for family in list(TAGS)[:families]:
        features = [d.feature for d in DEFINITIONS if d.family == family]
        for feature, name in zip(features, TAGS[family].split(), strict=True):
            row = rows.get(_tag(family, name), {"reference value": ""})
            if row["reference value"]:
                limits = float(row["reference value"]), float(row["tolerance"])
                found[f"original_{family}_{feature}"] = limits
    return found


@cache
def _phantom(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images = folder / "ibsi_1_ct_radiomics_phantom" / "nifti"
    image = nibabel.load(images / "image" / "phantom.nii.gz")
    mask = nibabel.load(images / "mask" / "mask.nii.gz")
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    return np.asarray(image.dataobj, float), np.asarray(mask.dataobj) > 0, spacing


def _resampled(array, old, new, order):
    """Interpolate on a grid with the same center, as IBSI does."""
    shape = np.array(array.shape)
    size = np.ceil(shape * old / new - 1e-9).astype(int)
    offset = (shape - 1) / 2 - new / old * (size - 1) / 2
    return ndimage.affine_transform(
        array, np.diag(new / old), offset, tuple(size), order=order, mode="nearest"
    )


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_ibsi_mode_is_within_tolerance_on_the_ct_phantom(data_folder, configuration):
    folder = data_folder / "ibsi_reference"
    image, mask, spacing = _phantom(folder)
    new, order, limits, settings = CONFIGURATIONS[configuration]
    if new is not None:
        new = np.array(new)
        image = np.round(_resampled(image, spacing, new, order))
        share = _resampled(mask.astype(float), spacing, new, 1)
        mask = share >= 0.5 - 1e-6  # a half counts, in spite of rounding
        spacing = new
    grid = Grid(image.shape, np.diag([*spacing, 1.0]))
    volume, chosen = Volume(image, grid), FeatureSettings(mode="ibsi", **settings)
    found = measure(volume, Mask(mask, grid), chosen).features
    if limits is not None:  # shape is that of the mask before any limit
        inside = mask & (image >= limits[0]) & (image <= limits[1])
        outline = {n: v for n, v in found.items() if "_shape_" in n}
        found = measure(volume, Mask(inside, grid), chosen).features | outline
    families = IN_SPACE[configuration]
    expected = _expected(folder, f"chest_config_{configuration}", families)
    wrong = {
        name: (found[name], wanted, tolerance)
        for name, (wanted, tolerance) in expected.items()
        if abs(float(f"{found[name]:.3g}") - wanted) > tolerance + 1e-9
    }
    assert wrong == {}
    assert len(expected) == {2: 28, 7: 102}[families]


def test_our_table_has_the_consensus_of_the_digital_phantom(data_folder):
    ours = {
        f"original_{d.family}_{d.feature}": (float(d.phantom), float(d.tolerance))
        for d in DEFINITIONS
        if d.ibsi
    }
    assert ours == _expected(data_folder / "ibsi_reference", "dig_phantom", 7)
    codes = [d.ibsi for d in DEFINITIONS if d.ibsi]
    assert len(set(codes)) == len(codes) == 102
