"""One row of everything, and the same tumor measured again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radhabitat.errors import InputError
from radhabitat.files.layout import ResultsLayout
from radhabitat.habitats import Partition
from radhabitat.preprocessing.perturb import misplace, perturb
from radhabitat.settings import HabitatSettings, ReliabilitySettings, StudySettings
from radhabitat.stability import stability_plans, write_stability
from radhabitat.steps.repeated import Repeat
from radhabitat.steps.row import measure
from radhabitat.types import AlignedSubject, Grid, Mask, Subject, Volume

GRID = Grid((24, 24, 24), np.eye(4))
RADIUS = np.linalg.norm(np.indices(GRID.shape).T - 12.0, axis=-1).T
TWO = Partition(np.array([[0.3], [0.7]]), np.array([1, 2], np.uint8), 2)
REPEATS = ReliabilitySettings()


def subject_of(*, body=True):
    """A ball of two tissues, 12 mm across, in brighter surroundings."""
    noise = np.random.default_rng(1).normal(0, 0.05, GRID.shape)
    half = np.where(np.indices(GRID.shape)[0] < 12, 0.3, 0.7)
    image = np.where(RADIUS <= 6, half, 0.7) + noise
    inside = Mask(np.indices(GRID.shape)[2] < 18, GRID) if body else None
    images = {"T1": Volume(image.astype(np.float32), GRID),
              "T2": Volume((1 - image).astype(np.float32), GRID)}  # fmt: skip
    return AlignedSubject("P", images, "T1", Mask(RADIUS <= 6, GRID), body=inside)


def row_of(**habitats):
    habitats = HabitatSettings(sequences=("T1",), **habitats)
    settings = StudySettings.model_construct(habitats=habitats)
    return measure(subject_of(), TWO, settings)[1]


def test_rings_are_further_regions_and_the_published_columns_stay():
    plain, ringed = row_of(), row_of(rings_mm=(3.0, 5.0))
    assert {n: v for n, v in ringed.items() if "Ring" not in n} == plain
    assert ringed["T1_Ring3mm_Original_original_firstorder_Mean"] == pytest.approx(
        0.7, abs=0.01
    )
    assert sum("Ring5mm" in n for n in ringed) == 2 * 93
    assert not any("Ring" in n and "shape" in n for n in ringed)


def test_a_ring_ends_where_the_body_does():
    volume = {n: v for n, v in row_of(rings_mm=(5.0,), ring_habitats=True).items()
              if n.startswith("T1_Ring5mm_Habitat") and "volume_mm3" in n}  # fmt: skip
    ring = (RADIUS > 6) & (np.indices(GRID.shape)[2] < 18)
    assert 0.5 < sum(volume.values()) / (ring & (RADIUS <= 11)).sum() < 1.1


def test_the_habitats_of_a_ring_are_those_of_the_tumor():
    row = row_of(rings_mm=(3.0,), ring_habitats=True)
    assert row["T1_Ring3mm_Habitat_2_proportion"] > 0.99


def test_families_of_the_map_join_the_row_when_named():
    row = row_of(families=("ith", "boundary"))
    assert 0 <= row["ALL_Habitats_ith_Score"] < 0.2
    assert (
        row["T1_Habitat_1_boundary_Sharpness"]
        > row_of(families=("boundary",))["T2_Habitat_1_boundary_Sharpness"] * 0.99
    )


@pytest.mark.parametrize("kind", ["shift", "size", "noise", "bias"])
def test_a_perturbation_changes_what_it_says_and_nothing_else(kind):
    subject = subject_of()
    other = perturb(subject, (kind,), REPEATS, seed=3)
    again = perturb(subject, (kind,), REPEATS, seed=3)
    assert other.tumor.array.tobytes() == again.tumor.array.tobytes()
    moved = other.tumor.array != subject.tumor.array
    assert moved.any() == (kind in ("shift", "size"))
    changed = {s for s in subject.images
               if (other.images[s].array != subject.images[s].array).any()}  # fmt: skip
    assert changed == ({"T1", "T2"} if kind in ("noise", "bias") else set())


def test_a_wrong_header_moves_every_breath_hold_but_that_of_the_reference():
    aligned = subject_of()
    first, second = aligned.images.values()
    breath = {"frame_of_reference": "1.2", "time_s": 60.0}
    images = {
        "T1": first,
        "T2": replace(second, **breath),
        "T3": replace(second, **breath),
    }
    subject = Subject("P1", images, "T1", aligned.tumor)
    moved = misplace(subject, 2.0, seed=1)
    by = {
        s: v.grid.affine[:3, 3] - images[s].grid.affine[:3, 3]
        for s, v in moved.images.items()
    }
    assert (by["T1"] == 0).all()
    np.testing.assert_array_equal(by["T2"], by["T3"])
    assert 0 < np.abs(by["T2"]).max() <= 2.0


def test_noise_and_bias_are_as_strong_as_the_settings_say():
    subject = subject_of()
    inside = subject.tumor.array
    before = subject.images["T1"].array
    noisy = perturb(subject, ("noise",), REPEATS, seed=3).images["T1"].array
    ratio = (noisy - before)[inside].std() / before[inside].std()
    assert ratio == pytest.approx(0.05, rel=0.1)
    field = perturb(subject, ("bias",), REPEATS, seed=3).images["T1"].array / before
    assert 0.02 < np.abs(field[inside] - 1).max() <= 0.0501


def test_starts_alone_change_no_image():
    subject = subject_of()
    other = perturb(subject, ("starts",), REPEATS, seed=3)
    np.testing.assert_array_equal(other.tumor.array, subject.tumor.array)
    np.testing.assert_array_equal(other.images["T1"].array, subject.images["T1"].array)


def repeats_of(patients, *, error):
    rng = np.random.default_rng(2)
    first, repeats = {}, {}
    for n in range(patients):
        row = {"T1_Original_x": float(n), "T1_Habitat_1_x": float(n)}
        first[f"P{n}"] = row
        repeats[f"P{n}"] = {
            name: Repeat({c: v + rng.normal(0, error) for c, v in row.items()}, (0.9,))
            for name in stability_plans(2)
        }
    return first, repeats


def test_stability_says_how_much_of_each_region_survives_each_change(tmp_path):
    results = ResultsLayout(tmp_path)
    write_stability(*repeats_of(12, error=0.01), results)
    steady = pd.read_csv(results.stability, index_col="change_and_region")
    kinds = ("shift", "size", "noise", "bias", "registration", "starts")
    regions = ("tumor", "Habitat 1")
    assert set(steady.index) == {f"{k}: {r}" for k in kinds for r in regions}
    assert (steady["icc_median"] > 0.99).all()
    assert (steady["icc_stable_share"] == 1).all()
    assert steady.loc["noise: Habitat 1", "dice_median"] == 0.9
    write_stability(*repeats_of(12, error=20.0), results)
    assert (pd.read_csv(results.stability)["icc_median"] < 0.8).all()
    features = pd.read_csv(results.stability_features, index_col="feature")
    assert {"shift_icc", "starts_cv"} <= set(features)


def test_stability_of_two_patients_is_refused(tmp_path):
    with pytest.raises(InputError, match="2 patients can be measured again") as e:
        write_stability(*repeats_of(2, error=0.1), ResultsLayout(tmp_path))
    assert "reliability.patients" in e.value.fix
