"""Our features against the consensus of IBSI 1."""

from __future__ import annotations

import pytest

from radhabitat.features.selftest import compare_with_ibsi


def _outside_of_tolerance(mode: str) -> set[str]:
    return {
        f"{c.definition.family}_{c.definition.feature}"
        for c in compare_with_ibsi(mode)
        if not c.within
    }


def test_ibsi_mode_is_within_tolerance_on_every_feature_of_the_digital_phantom():
    assert len(compare_with_ibsi()) == 102
    assert _outside_of_tolerance("ibsi") == set()


def test_pyradiomics_mode_misses_exactly_kurtosis_and_the_two_shorter_axes():
    assert _outside_of_tolerance("pyradiomics") == {
        "firstorder_Kurtosis",
        "shape_MinorAxisLength",
        "shape_LeastAxisLength",
    }


def test_a_deviation_is_told_in_the_digits_that_ibsi_prints():
    kurtosis = next(
        c for c in compare_with_ibsi("pyradiomics") if c.definition.ibsi == "IPH6"
    )
    assert kurtosis.deviation == pytest.approx(3.0, abs=0.005)
    assert not kurtosis.within
