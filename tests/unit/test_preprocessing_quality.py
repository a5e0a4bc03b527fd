import numpy as np
import pytest

from radhabitat.preprocessing.body import body_mask
from radhabitat.preprocessing.image_quality import (
    body_overlap,
    measure_image,
    swapped_phases,
)
from radhabitat.types import Grid, Transform, Volume

GRID = Grid((64, 56, 24), np.diag([5.0, 5.0, 5.0, 1.0]))


def picture(*, noise=2.0, half=(20, 16), seed=0):
    i, j, _ = np.indices(GRID.shape)
    body = ((i - 31.5) / half[0]) ** 2 + ((j - 27.5) / half[1]) ** 2 < 1
    rng = np.random.default_rng(seed)
    return (
        100.0 * body
        + np.abs(rng.normal(0, noise, GRID.shape)) * ~body
        + (rng.normal(0, noise, GRID.shape) * body)
    )


def measured(array):
    image = Volume(array, GRID)
    return measure_image(image, body_mask(image))


@pytest.mark.parametrize("noise", [1.0, 4.0, 10.0])
def test_the_signal_to_noise_ratio_is_that_of_single_voxels(noise):
    assert measured(picture(noise=noise))["snr"] == pytest.approx(100 / noise, rel=0.2)


def test_a_ghost_along_one_axis_is_seen_as_its_share_of_the_body():
    clean = picture()
    ghost = clean + 0.08 * np.roll(clean, 28, axis=1)
    assert measured(clean)["ghosting"] < 0.01
    assert measured(ghost)["ghosting"] == pytest.approx(0.04, abs=0.01)


def test_clipped_voxels_are_counted():
    clipped = np.minimum(picture(noise=10.0), 110.0)
    assert measured(picture(noise=10.0))["clipped"] < 0.001
    assert measured(clipped)["clipped"] == pytest.approx(0.16, abs=0.03)


def test_another_patients_outline_overlaps_less():
    same = body_mask(Volume(picture(seed=1), GRID))
    other = body_mask(Volume(picture(half=(13, 20)), GRID))
    assert body_overlap(same, body_mask(Volume(picture(), GRID)), Transform()) > 0.98
    assert body_overlap(same, other, Transform()) < 0.85
    away = np.eye(4)
    away[0, 3] = 1000.0
    assert body_overlap(same, same, Transform(away)) is None


GOOD = {"PRE": 1.9, "LAP": 4.2, "PVP": 3.3, "DP": 2.5}


@pytest.mark.parametrize("pair", [("PRE", "LAP"), ("LAP", "PVP"), ("PVP", "DP")])
def test_two_phases_under_each_others_names_are_both_named(pair):
    one, other = pair
    swapped = {**GOOD, one: GOOD[other], other: GOOD[one]}
    assert swapped_phases(GOOD) == {}
    assert set(pair) <= set(swapped_phases(swapped))
    assert "swapped?" in swapped_phases(swapped)[one]


def test_without_pvp_only_pre_is_compared_and_other_names_never():
    assert swapped_phases({"PRE": 2.0, "LAP": 2.2, "DP": 2.6}) == {}
    assert set(swapped_phases({"PRE": 2.6, "LAP": 2.2})) == {"PRE", "LAP"}
    assert swapped_phases({"T1": 1.0, "T2": 3.0}) == {}
