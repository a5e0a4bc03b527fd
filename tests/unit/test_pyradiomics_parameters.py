"""PyRadiomics' parameter files: what is read, and what is refused by name."""

from __future__ import annotations

import pytest

from radhabitat.errors import SettingsError
from radhabitat.features.prepare import Preparation
from radhabitat.files.pyradiomics_parameters import read_parameters
from radhabitat.settings import FilterSettings

TYPICAL = """
setting:
  normalize: true
  normalizeScale: 100
  interpolator: sitkBSpline
  resampledPixelSpacing: [2, 2, 2]
  binWidth: 5
  voxelArrayShift: 300
  label: 1
  geometryTolerance: 1.0e-4
imageType:
  Original: {}
  LoG: {sigma: [2.0, 3.5], binWidth: 10}
  Wavelet:
featureClass:
  shape:
  firstorder: []
  glcm: [Contrast, JointEntropy]
"""


@pytest.fixture
def read(tmp_path):
    def read_text(text: str):
        file = tmp_path / "parameters.yaml"
        file.write_text(text)
        return read_parameters(file)

    return read_text


def test_a_typical_file_is_read(read):
    found = read(TYPICAL)
    assert found.settings.bin_width == 5
    assert found.settings.intensity_shift == 300
    assert found.settings.filters == (
        FilterSettings(kind="log", sigma_mm=(2.0, 3.5), bin_width=10),
        FilterSettings(kind="wavelet", sigma_mm=(1.0,), bin_width=5),
    )
    assert found.preparation == Preparation(
        normalize=True, scale=100.0, spacing_mm=(2.0, 2.0, 2.0)
    )
    assert found.label == 1
    assert found.original
    assert found.least_axes == 2
    assert len(found.wanted) == 14 + 18 + 2


def test_an_empty_file_is_pyradiomics_default(read):
    found = read("")
    assert found.settings.bin_width == 25.0
    assert found.wanted is None
    assert found.settings.filters == ()


def test_a_bin_count_comes_before_a_width(read):
    assert read("setting: {binWidth: 3, binCount: 32}").settings.bin_count == 32


def test_without_interpolator_nothing_is_resampled(read):
    text = "setting: {resampledPixelSpacing: [1, 1, 1], interpolator: null}"
    assert read(text).preparation.spacing_mm == ()


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("setting: {binwidth: 3}", "setting.binwidth is not", "mean 'binWidth'"),
        ("setting: {force2D: true}", "force2D = True is not", "only False is"),
        ("setting: {distances: [1, 2]}", "distances", "correct that value"),
        ("setting: {weightingNorm: manhattan}", "weightingNorm = 'man", "remove"),
        ("setting: {gldm_a: 1}", "gldm_a = 1", "only 0 is"),
        ("setting: {binWidth: -1}", "setting.binWidth: .*greater than 0", "correct"),
        ("setting: {interpolator: sitkLanczos}", "interpolator = 'sitkLan", "sitkLin"),
        ("imageType: {Wavelets: {}}", "imageType.Wavelets is not", "mean 'Wavelet'"),
        ("imageType: {LoG: {}}", "LoG has no sigma", "in mm"),
        ("imageType: {LBP2D: {lbp2DMethod: ror}}", "lbp2DMethod = 'ror'", "uniform"),
        ("imageType: {Square: {normalize: true}}", "Square.normalize is not", "remove"),
        ("featureClass: {shape2D: }", "featureClass.shape2D is not", "mean 'shape'"),
        ("featureClass: {glcm: [Contrst]}", "glcm.Contrst is not", "mean 'Contrast'"),
        ("settings: {}", "settings is not supported", "mean 'setting'"),
        ("a: [", "cannot be read", "give a PyRadiomics"),
        ("[1, 2]", "the file", "correct"),
    ],
)
def test_what_is_not_supported_is_refused_by_name_with_a_fix(read, text, problem, fix):
    with pytest.raises(SettingsError, match=problem) as raised:
        read(text)
    assert "parameters.yaml" in raised.value.problem
    assert fix in raised.value.fix
