import numpy as np
import pytest

from radhabitat.preprocessing.bias import correct_bias, count_levels
from radhabitat.preprocessing.body import find_body
from radhabitat.preprocessing.n4 import LogField
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Grid, Volume

SETTINGS = PreprocessingSettings()


def body_in_air(shape=(64, 56, 24), *, spacing=6.0, strength=0.6, seed=0):
    """An ellipsoid of two tissues in noise, under a field; image and body."""
    rng = np.random.default_rng(seed)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij")
    body = (x / 0.8) ** 2 + (y / 0.7) ** 2 < 1
    tissue = np.where((x - 0.2) ** 2 + y**2 < 0.1, 250.0, 120.0) * body
    signal = tissue * np.exp(strength * (x + 0.5 * y - 0.2 * z))
    noisy = np.hypot(signal + rng.normal(0, 3, shape), rng.normal(0, 3, shape))
    grid = Grid(shape, np.diag([spacing, spacing, spacing, 1.0]))
    return Volume(noisy.astype(np.float32), grid), body, tissue


def variation(values):
    return values.std() / values.mean()


def test_one_tissue_becomes_even():
    image, body, tissue = body_in_air()
    corrected = correct_bias(image, SETTINGS, sequence="PVP")
    one_tissue = tissue == 120.0
    before = variation(image.array[one_tissue])
    assert variation(corrected.image.array[one_tissue]) < 0.35 * before
    assert corrected.quality["bias_corrected"] == 1.0
    assert 2.0 < corrected.quality["bias_range"] < 5.0
    assert corrected.note == ""
    assert body.any()


def test_air_is_never_blown_up_beyond_the_gains_inside_the_body():
    image, body, _ = body_in_air()
    corrected = correct_bias(image, SETTINGS, sequence="PVP").image.array
    gain = corrected / np.maximum(image.array, 1e-6)
    seen = image.array > 0
    assert gain[seen].max() <= gain[body].max() * 1.05


def test_the_body_is_found_in_air_with_its_holes_filled():
    image, body, _ = body_in_air(strength=0.0)
    picture = image.array.copy()
    picture[30:34, 26:30, :] = 1.0
    found = find_body(picture)
    assert np.count_nonzero(found ^ body) < 0.02 * np.count_nonzero(body)
    assert found[31, 27].all()


def test_a_crop_without_air_is_body_everywhere():
    rng = np.random.default_rng(0)
    fat_and_muscle = np.where(np.arange(30)[:, None, None] < 12, 400.0, 130.0)
    picture = fat_and_muscle + rng.normal(0, 10, (30, 30, 20))
    assert find_body(picture.astype(np.float32)).all()


@pytest.mark.parametrize("sequence", ["CT", "PET", "pet_ac", "CT 2"])
def test_what_has_no_coil_is_left_alone_and_said_so(sequence):
    image, _, _ = body_in_air()
    corrected = correct_bias(image, SETTINGS, sequence=sequence)
    assert corrected.image is image
    assert corrected.quality == {"bias_corrected": 0.0}
    assert "no coil" in corrected.note


def test_names_that_merely_contain_those_letters_are_corrected():
    image, _, _ = body_in_air()
    assert correct_bias(image, SETTINGS, sequence="SPECTRAL").note == ""


def test_negative_intensities_inside_the_body_are_left_alone_and_said_so():
    image, body, _ = body_in_air()
    shifted = Volume(np.where(body, image.array - 125, -1000), image.grid)
    corrected = correct_bias(shifted, SETTINGS, sequence="X")
    assert corrected.image is shifted
    assert "negative voxels inside the body" in corrected.note


def test_zeros_stay_zero_and_disturb_nothing():
    image, body, _ = body_in_air()
    zeroed = Volume(np.where(body, image.array, 0), image.grid)
    corrected = correct_bias(zeroed, SETTINGS, sequence="PVP")
    assert corrected.note == ""
    assert not corrected.image.array[~body].any()


def test_a_field_beyond_belief_is_refused_and_said_so(monkeypatch):
    image, _, _ = body_in_air()
    steep = np.linspace(0, 15, 4)[:, None, None] * np.ones((4, 4, 4))
    monkeypatch.setattr(
        "radhabitat.preprocessing.bias.fit_log_field",
        lambda *_, **__: LogField(steep, 1),
    )
    corrected = correct_bias(image, SETTINGS, sequence="PVP")
    assert corrected.image is image
    assert corrected.quality["bias_range"] > 20
    assert corrected.quality["bias_corrected"] == 0.0
    assert "more than 20" in corrected.note


def test_a_field_that_is_not_a_number_is_refused_and_said_so(monkeypatch):
    image, _, _ = body_in_air()
    broken = LogField(np.full((4, 4, 4), np.nan), 1)
    monkeypatch.setattr(
        "radhabitat.preprocessing.bias.fit_log_field", lambda *_, **__: broken
    )
    corrected = correct_bias(image, SETTINGS, sequence="PVP")
    assert corrected.image is image
    assert "not a number" in corrected.note


def test_a_handful_of_voxels_is_left_alone_and_said_so():
    rng = np.random.default_rng(0)
    tiny = Volume(rng.uniform(50, 90, (3, 4, 5)), Grid((3, 4, 5), np.eye(4)))
    corrected = correct_bias(tiny, SETTINGS, sequence="PVP")
    assert corrected.image is tiny
    assert "too few voxels" in corrected.note


def test_it_can_be_switched_off():
    image, _, _ = body_in_air()
    off = PreprocessingSettings(bias_correction=False)
    corrected = correct_bias(image, off, sequence="PVP")
    assert corrected.image is image
    assert corrected.note == ""


@pytest.mark.parametrize(
    ("extent_mm", "levels"), [(400, 4), (200, 3), (100, 2), (50, 1)]
)
def test_a_small_field_of_view_gets_a_stiffer_field(extent_mm, levels):
    grid = Grid((50, 10, 10), np.diag([extent_mm / 50, 1.0, 1.0, 1.0]))
    assert count_levels(grid) == levels
