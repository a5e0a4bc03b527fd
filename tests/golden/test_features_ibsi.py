"""Our features against the consensus of IBSI 1."""

from __future__ import annotations

import ibsi_digital_phantom as phantom
import numpy as np

from radhabitat.features import extract_region
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Volume


def _outside_of_tolerance(mode: str) -> set[str]:
    """Features that, printed with three digits, are not what IBSI wants."""
    grid = Grid((5, 4, 4), np.diag([phantom.SPACING_MM] * 3 + [1.0]))
    image, mask = Volume(phantom.image(), grid), Mask(phantom.mask(), grid)
    found = extract_region(image, mask, FeatureSettings(mode=mode, bin_width=1.0))
    return {
        name
        for name, (wanted, tolerance) in phantom.EXPECTED.items()
        if abs(float(f"{found[f'original_{name}']:.3g}") - wanted) > tolerance + 1e-9
    }


def test_ibsi_mode_is_within_tolerance_on_every_feature_of_the_digital_phantom():
    assert len(phantom.EXPECTED) == 102
    assert _outside_of_tolerance("ibsi") == set()


def test_pyradiomics_mode_misses_exactly_kurtosis_and_the_two_shorter_axes():
    assert _outside_of_tolerance("pyradiomics") == {
        "firstorder_Kurtosis",
        "shape_MinorAxisLength",
        "shape_LeastAxisLength",
    }
