import dataclasses

import numpy as np
import pytest

from radhabitat.errors import MaskError, SettingsError
from radhabitat.preprocessing import align, learn_standard, measure_landmarks
from radhabitat.preprocessing.normalize import find_scale
from radhabitat.settings import PreprocessingSettings, parse_settings
from radhabitat.types import Grid, Mask, Subject, Volume

PLAIN = PreprocessingSettings(bias_correction=False, registration="none")


def set_to(**changes):
    return PLAIN.model_copy(update=changes)


def patient_of(*, gain=1.0, seed=0, patient="P1"):
    """A bright tumor in a liver in a body in air; one voxel is a spike."""
    grid = Grid((40, 36, 20), np.diag([3.0, 3.0, 5.0, 1.0]))
    rng = np.random.default_rng(seed)
    i, j, k = np.indices(grid.shape)
    body = np.hypot(i - 19.5, j - 17.5) < 15
    liver = body & (np.hypot(i - 15, j - 17) < 9) & (abs(k - 10) < 7)
    tumor = np.hypot(np.hypot(i - 15, j - 17), 5 / 3 * (k - 10)) < 5
    signal = 2 + 98 * body + 100 * liver + 100 * tumor
    array = (signal + rng.normal(0, 1, grid.shape)) * gain
    array[20, 30, 10] = 3000 * gain
    return Subject(
        patient,
        {"PVP": Volume(array, grid)},
        "PVP",
        Mask(tumor, grid),
        organs={"liver": Mask(liver | tumor, grid)},
    )


def middle(subject, settings, **more):
    aligned = align(subject, settings, seed=1, **more)
    inside = aligned.images["PVP"].array[aligned.tumor.array]
    return float(np.median(inside)), aligned.scales["PVP"]


def test_the_whole_image_lets_one_spike_decide_and_percentiles_do_not():
    by_extremes, _ = middle(patient_of(), PLAIN)
    by_percentiles, _ = middle(patient_of(), set_to(normalization="percentile"))
    assert by_extremes == pytest.approx(0.1, abs=0.01)
    assert by_percentiles > 0.9


def test_over_the_body_air_does_not_count():
    settings = set_to(normalization="zscore", normalization_over="body")
    _, scale = middle(patient_of(), settings)
    _, whole = middle(patient_of(), set_to(normalization="zscore"))
    assert scale.given[0] == pytest.approx(122, abs=4)
    assert whole.given[0] < 80


@pytest.mark.parametrize("gain", [0.2, 1.0, 37.0])
def test_by_the_liver_the_tumor_is_so_many_times_as_bright_at_any_gain(gain):
    value, scale = middle(patient_of(gain=gain), set_to(normalization="liver"))
    assert value == pytest.approx(1.5, abs=0.02)
    assert scale.given == pytest.approx((0.0, 200.0 * gain), rel=0.01)


def test_without_a_mask_of_the_organ_the_error_says_where_to_name_one():
    subject = dataclasses.replace(patient_of(), organs={})
    with pytest.raises(MaskError, match="PVP of patient P1 cannot be normal"):
        align(subject, set_to(normalization="liver"), seed=1)


def test_nyul_brings_other_gains_to_the_landmarks_of_the_training_set():
    settings = set_to(normalization="nyul", normalization_over="body")
    training = [patient_of(gain=g, seed=g) for g in (1, 2, 5)]
    marks = [measure_landmarks(s, settings)["PVP"] for s in training]
    standard = {"PVP": learn_standard(marks)}
    assert standard["PVP"][0] == 0.0
    assert standard["PVP"][-1] == 1.0
    new = patient_of(gain=40, seed=9)
    seen, scale = middle(new, settings, standard=standard)
    known, _ = middle(training[0], settings, standard=standard)
    assert seen == pytest.approx(known, abs=0.01)
    assert len(scale.given) == len(scale.become) > 2


def test_equal_landmarks_count_once():
    voxels = np.float32([0.0] * 60 + list(range(40)))
    standard = tuple(np.linspace(0, 1, 11))
    scale = find_scale(voxels, "nyul", standard=standard)
    assert (np.diff(scale.given) > 0).all()
    assert np.isfinite(scale.apply(voxels)).all()


def test_a_grid_over_the_body_covers_the_body_and_no_more_than_the_margin():
    subject = patient_of()
    aligned = align(subject, set_to(grid="body"), seed=1)
    assert aligned.body is not None
    drawn = aligned.body.points_mm()
    extent = np.ptp(drawn, axis=0)
    assert extent[:2] == pytest.approx([90, 90], abs=8)
    assert (np.array(aligned.grid.shape)[:2] <= extent[:2] + 2 * 10 + 12).all()
    small = align(subject, PLAIN, seed=1)
    assert small.tumor.volume_mm3 == pytest.approx(aligned.tumor.volume_mm3, rel=0.01)


def test_registration_by_the_liver_wants_a_liver():
    subject = dataclasses.replace(patient_of(), organs={})
    with pytest.raises(MaskError, match="P1 has no liver mask to register by"):
        align(subject, set_to(region="liver"), seed=1)


def test_an_unknown_normalization_is_refused():
    with pytest.raises(SettingsError, match="normalization"):
        parse_settings('[preprocessing]\nnormalization = "whitestripe"')
