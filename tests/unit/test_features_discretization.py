"""Which bin an intensity falls into."""

from __future__ import annotations

import numpy as np
import pytest

from radhabitat.features.discretization import bin_edges, gray_levels
from radhabitat.settings import FeatureSettings


def _levels(values: list[float], **settings: object) -> list[int]:
    given = {"bin_width": None} | settings if "bin_count" in settings else settings
    intensities = np.array(values, dtype=np.float32)
    found = gray_levels(intensities, FeatureSettings(**given), where="The region")
    return found.tolist()


def test_bins_of_fixed_width_begin_at_a_multiple_of_the_width():
    assert _levels([54, 75, 99.9, 100, 166], bin_width=25) == [1, 2, 2, 3, 5]
    assert bin_edges(54, 166, FeatureSettings(bin_width=25))[0] == 50


def test_bins_of_fixed_width_begin_at_the_lowest_intensity_in_ibsi_mode():
    found = _levels([54, 75, 79, 100, 166], bin_width=25, mode="ibsi")
    assert found == [1, 1, 2, 2, 5]


def test_negative_intensities_have_positive_levels():
    assert _levels([-60, -50, -26, 0], bin_width=25) == [1, 2, 2, 4]


def test_an_intensity_on_an_edge_belongs_to_the_bin_above():
    values = [0.0, 1 / 64, 2 / 64, 3 / 64]
    assert _levels(values, bin_width=1 / 64) == [1, 2, 3, 4]


def test_a_fixed_number_of_bins_spans_the_region_and_closes_the_last_bin():
    assert _levels([0, 0.49, 0.5, 0.99, 1.0], bin_count=2) == [1, 1, 2, 2, 2]


def test_equal_intensities_have_one_level():
    assert _levels([0.4] * 3, bin_count=32) == [1, 1, 1]
    assert _levels([0.4] * 3, bin_width=1 / 64) == [1, 1, 1]


@pytest.mark.parametrize("mode", ["pyradiomics", "ibsi"])
@pytest.mark.parametrize("bins", [{"bin_width": 0.03}, {"bin_count": 37}])
def test_levels_are_what_numpy_digitizes_on_float64_edges(mode, bins):
    values = np.random.default_rng(5).normal(size=5000).astype(np.float32)
    given = {"bin_width": None, "mode": mode} | bins
    settings = FeatureSettings(**given)
    edges = bin_edges(float(values.min()), float(values.max()), settings)
    assert edges.dtype == np.float64
    wanted = np.digitize(values.astype(np.float64), edges)
    assert _levels(values.tolist(), **given) == wanted.tolist()
