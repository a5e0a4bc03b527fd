import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import norm, rankdata

from radhabitat.errors import ComputationError, MaskError
from radhabitat.habitats import (
    Division,
    Survey,
    divide_again,
    divide_cohort,
    divide_tumor,
    find_habitats,
    survey_tumor,
)
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject, Grid, Mask, Volume

SETTINGS = HabitatSettings(k=3, k_max=3)
THREE = [(0.2, 0.9, 0.6), (0.3, 0.5, 0.5), (0.2, 0.2, 0.2)]
CHANNELS = ("PRE", "LAP", "PVP")


def tumor_of(means, *, shares=None, size=12, noise=0.02, seed=0, gain=(1.0, 1.0, 1.0)):
    """A cube whose tissues are slabs; means[t] are tissue t's intensities."""
    rng = np.random.default_rng(seed)
    grid = Grid((size, size, size), np.eye(4))
    shares = np.full(len(means), 1 / len(means)) if shares is None else shares
    tissue = np.searchsorted(np.cumsum(shares)[:-1] * size, np.arange(size) + 0.5)
    tissue = np.broadcast_to(tissue[:, None, None], grid.shape)
    images = {
        name: Volume(
            gain[s]
            * (np.array(means)[:, s][tissue] + rng.normal(0, noise, grid.shape)),
            grid,
        )
        for s, name in enumerate(CHANNELS[: len(means[0])])
    }
    subject = AlignedSubject(
        f"P{seed}", images, "PVP", Mask(np.ones(grid.shape, bool), grid)
    )
    return subject, tissue


def cohort_of(tumors, settings=SETTINGS):
    """Survey, divide, and paint tumors; also the division and the matches."""
    surveys = {s.patient: survey_tumor(s, settings, seed=1) for s in tumors}
    division, _ = divide_cohort(
        surveys, settings, channels=CHANNELS, order_by="LAP", seed=1
    )
    parts = {s.patient: divide_tumor(surveys[s.patient], division) for s in tumors}
    maps = {s.patient: find_habitats(s, parts[s.patient][0], settings) for s in tumors}
    return maps, division, {p: match for p, (_, match) in parts.items()}


def one_tumor(subject, settings=SETTINGS):
    return cohort_of([subject], settings)[0][subject.patient]


def gains(seed):
    return tuple(np.exp(np.random.default_rng(seed).normal(0, 0.5, 3)))


def mixed_cohort(patients=12):
    """Tumors of the same tissues in other shares, under other gains."""
    tumors, truths = [], []
    for seed in range(1, patients + 1):
        shares = np.random.default_rng(seed).dirichlet((4, 4, 4))
        subject, tissue = tumor_of(
            THREE, shares=shares, seed=seed, gain=gains(seed), noise=0.03, size=16
        )
        tumors.append(subject)
        truths.append(tissue)
    return tumors, truths


def test_three_tissues_give_three_habitats_in_order_of_arterial_enhancement():
    subject, tissue = tumor_of(THREE)
    habitats = one_tumor(subject)
    expected = np.array([3, 2, 1], dtype=np.uint8)[tissue]
    np.testing.assert_array_equal(habitats.array, expected)
    assert list(habitats.centers[:, 1]) == sorted(habitats.centers[:, 1])


def test_a_habitat_is_the_same_tissue_in_every_patient_whatever_the_scanner_gain():
    tumors, truths = mixed_cohort()
    maps, _, matches = cohort_of(tumors)
    for subject, tissue in zip(tumors, truths, strict=True):
        agree = maps[subject.patient].array == 3 - tissue
        assert agree.mean() > 0.95, subject.patient
    assert max(m.ambiguity for m in matches.values()) < 0.01
    assert np.mean([m.cost for m in matches.values()]) == pytest.approx(1.0, abs=0.3)


def test_no_order_of_patients_voxels_or_labels_changes_a_bit():
    tumors, _ = mixed_cohort(6)
    maps, division, _ = cohort_of(tumors)
    order = np.random.default_rng(5).permutation(tumors[0].grid.shape[0])
    back = np.argsort(order)
    shuffled = [
        AlignedSubject(
            s.patient,
            {n: Volume(v.array[order], v.grid) for n, v in s.images.items()},
            s.reference,
            Mask(s.tumor.array[order], s.grid),
        )
        for s in reversed(tumors)
    ]
    again, other, _ = cohort_of(shuffled)
    assert division.to_json() == other.to_json()
    for patient, habitats in maps.items():
        np.testing.assert_array_equal(habitats.array, again[patient].array[back])


def test_relabeled_centers_are_matched_to_the_same_habitats():
    tumors, _ = mixed_cohort(6)
    surveys = {s.patient: survey_tumor(s, SETTINGS, seed=1) for s in tumors}
    known = {"channels": CHANNELS, "order_by": "LAP", "seed": 1}
    division, _ = divide_cohort(surveys, SETTINGS, **known)
    rng = np.random.default_rng(3)
    relabeled = {}
    for patient, survey in surveys.items():
        stored = survey.to_json()
        centers = stored["divisions"]["3"]["centers"]
        stored["divisions"]["3"]["centers"] = [centers[i] for i in rng.permutation(3)]
        relabeled[patient] = Survey.from_json(stored)
    other, _ = divide_cohort(relabeled, SETTINGS, **known)
    assert division.to_json() == other.to_json()
    for subject in tumors:
        one, _ = divide_tumor(surveys[subject.patient], division)
        two, _ = divide_tumor(relabeled[subject.patient], other)
        first, second = (find_habitats(subject, p, SETTINGS) for p in (one, two))
        assert first.array.tobytes() == second.array.tobytes()


def test_a_new_patient_is_matched_to_the_stored_prototypes():
    tumors, _ = mixed_cohort(8)
    _, division, _ = cohort_of(tumors)
    stored = Division.from_json(json.loads(json.dumps(division.to_json())))
    new, tissue = tumor_of(
        THREE, shares=(0.1, 0.2, 0.7), seed=99, gain=gains(99), size=16
    )
    partition, _ = divide_tumor(survey_tumor(new, SETTINGS, seed=4), stored)
    found = find_habitats(new, partition, SETTINGS).array
    assert (found == 3 - tissue).mean() > 0.98


def test_habitats_have_names_that_say_what_they_are():
    tumors, _ = mixed_cohort(6)
    _, division, _ = cohort_of(tumors)
    assert "lowest in" in division.names[0]
    assert "LAP" in division.names[2]


def test_a_small_tumor_lacks_the_habitats_that_it_has_no_voxels_for():
    tumors, _ = mixed_cohort(8)
    tiny, tissue = tumor_of(THREE[:2], seed=50, size=3)  # 27 voxels, 3 x 8
    settings = HabitatSettings(k=3, k_max=3, min_voxels=12)
    maps, _, _ = cohort_of([*tumors, tiny], settings)
    found = maps[tiny.patient]
    assert found.count == 3
    assert found.voxels(1) == 0
    assert np.isnan(found.centers[0]).all()
    np.testing.assert_array_equal(found.array, 3 - tissue)


def test_a_tumor_of_one_tissue_is_homogeneous_and_has_one_habitat():
    for number, (mean, habitat) in enumerate(zip(THREE, (3, 2, 1), strict=True)):
        plain, _ = tumor_of([mean], seed=60 + number, size=12)
        survey = survey_tumor(plain, SETTINGS, seed=1)
        assert survey.homogeneous
        maps, _, _ = cohort_of([*tumors_without_gain(), plain])
        assert [maps[plain.patient].voxels(h) > 0 for h in (1, 2, 3)] == [
            h == habitat for h in (1, 2, 3)
        ]


def tumors_without_gain():
    return [tumor_of(THREE, seed=s, noise=0.05)[0] for s in range(1, 7)]


def test_one_gaussian_is_called_homogeneous_and_two_are_not():
    apart = [(0.2, 0.2, 0.2), (0.4, 0.4, 0.4)]
    called = [
        survey_tumor(
            tumor_of(means, seed=s, noise=0.05)[0], SETTINGS, seed=s
        ).homogeneous
        for means in ([(0.5, 0.5, 0.5)], apart)
        for s in range(10)
    ]
    assert sum(called[:10]) == 10
    assert sum(called[10:]) == 0


def test_a_tumor_too_small_for_two_habitats_is_refused_with_both_numbers():
    subject, _ = tumor_of(THREE, size=3)
    with pytest.raises(MaskError, match=r"P0 has 27 voxels .* 2 habitats need") as e:
        survey_tumor(subject, SETTINGS, seed=1)
    assert "habitats.min_voxels" in e.value.fix


def test_a_cohort_of_too_small_tumors_is_refused():
    subject, _ = tumor_of(THREE, size=3)
    settings = HabitatSettings(k=3, k_max=3, min_voxels=10)
    with pytest.raises(MaskError, match=r"None of 1 tumors .* 3 habitats") as e:
        cohort_of([subject], settings)
    assert "habitats.k" in e.value.fix


def test_a_tumor_of_one_intensity_is_refused():
    subject, _ = tumor_of([(0.5, 0.5, 0.5)], noise=0.0)
    with pytest.raises(ComputationError, match="1 distinct intensities"):
        survey_tumor(subject, SETTINGS, seed=1)


@pytest.mark.parametrize("method", ["kmeans", "gmm"])
@pytest.mark.parametrize("design", ["per_tumor", "pooled", "two_step"])
@pytest.mark.parametrize("scaling", ["none", "zscore", "minmax"])
def test_every_design_finds_the_tissues_of_a_cohort(design, method, scaling):
    settings = HabitatSettings(
        k=3, k_max=3, design=design, method=method, scaling=scaling
    )
    tumors = [tumor_of(THREE, seed=s, noise=0.04) for s in range(1, 5)]
    maps, division, _ = cohort_of([t for t, _ in tumors], settings)
    assert Division.from_json(division.to_json()).to_json() == division.to_json()
    for subject, tissue in tumors:
        assert (maps[subject.patient].array == 3 - tissue).mean() > 0.95


def test_a_pooled_cohort_may_lack_a_habitat_in_one_patient():
    settings = HabitatSettings(k=3, k_max=3, design="pooled")
    tumors = tumors_without_gain()
    two, tissue = tumor_of(THREE[:2], seed=70)
    maps, _, _ = cohort_of([*tumors, two], settings)
    assert maps[two.patient].voxels(1) == 0
    assert (maps[two.patient].array == 3 - tissue).mean() > 0.98


def test_kinetic_maps_divide_by_wash_in_and_wash_out():
    # the second tissue is the first at twice the signal: kinetically the same
    means = [(0.2, 0.6, 0.4), (0.4, 1.2, 0.8), (0.2, 0.25, 0.3)]
    subject, tissue = tumor_of(means, noise=0.005)
    settings = HabitatSettings(k=2, k_max=3, maps="kinetic", order_by="wash_in")
    surveys = {"P0": survey_tumor(subject, settings, seed=1)}
    channels = ("wash_in", "wash_out", "relative_enhancement")
    known = {"channels": channels, "order_by": "wash_in", "seed": 1}
    division, _ = divide_cohort(surveys, settings, **known)
    partition, _ = divide_tumor(surveys["P0"], division)
    found = find_habitats(subject, partition, settings).array
    np.testing.assert_array_equal(found, np.where(tissue == 2, 1, 2))


def test_chosen_sequences_alone_divide_the_tumor():
    means = [(0.2, 0.9, 0.1), (0.2, 0.9, 0.9), (0.8, 0.1, 0.5)]
    subject, tissue = tumor_of(means)
    settings = HabitatSettings(k=2, k_max=3, sequences=("PRE", "LAP"))
    surveys = {"P0": survey_tumor(subject, settings, seed=1)}
    known = {"channels": ("PRE", "LAP"), "order_by": "LAP", "seed": 1}
    division, _ = divide_cohort(surveys, settings, **known)
    partition, _ = divide_tumor(surveys["P0"], division)
    found = find_habitats(subject, partition, settings)
    np.testing.assert_array_equal(found.array, np.where(tissue == 2, 1, 2))
    assert found.centers.shape == (2, 3)


def test_a_ring_is_divided_by_the_habitats_of_the_tumor():
    subject, tissue = tumor_of(THREE)
    inner = np.zeros(subject.grid.shape, bool)
    inner[:, 3:-3, 3:-3] = True
    tumor = AlignedSubject("P0", subject.images, "PVP", Mask(inner, subject.grid))
    survey = survey_tumor(tumor, SETTINGS, seed=1)
    known = {"channels": CHANNELS, "order_by": "LAP", "seed": 1}
    partition, _ = divide_tumor(
        survey, divide_cohort({"P0": survey}, SETTINGS, **known)[0]
    )
    ring = Mask(~inner, subject.grid)
    found = find_habitats(tumor, partition, SETTINGS, region=ring).array
    np.testing.assert_array_equal(found[~inner], (3 - tissue)[~inner])
    assert not found[inner].any()


@pytest.mark.parametrize("design", ["per_tumor", "pooled", "two_step"])
@pytest.mark.parametrize("method", ["kmeans", "gmm"])
def test_a_tumor_divided_again_keeps_the_meaning_of_its_habitats(design, method):
    settings = HabitatSettings(k=3, k_max=3, design=design, method=method)
    tumors = tumors_without_gain()
    surveys = {s.patient: survey_tumor(s, settings, seed=1) for s in tumors}
    known = {"channels": CHANNELS, "order_by": "LAP", "seed": 1}
    division, _ = divide_cohort(surveys, settings, **known)
    subject = tumors[0]
    partition, _ = divide_tumor(surveys[subject.patient], division)
    smaller = np.zeros(subject.grid.shape, bool)
    smaller[1:, 1:-1, 1:-1] = True
    drawn = AlignedSubject("P1", subject.images, "PVP", Mask(smaller, subject.grid))
    again = divide_again(drawn, partition, settings, seed=8)
    one = find_habitats(subject, partition, settings).array[smaller]
    two = find_habitats(drawn, again, settings).array[smaller]
    assert (one == two).mean() > 0.99


def test_one_gaussian_whose_values_lie_in_patches_is_not_homogeneous():
    subject, _ = tumor_of([(0.5, 0.5, 0.5)], noise=0.05, size=24)
    smooth = gaussian_filter(np.random.default_rng(1).normal(size=(24,) * 3), 5)
    smooth = rankdata(smooth, method="ordinal") / (smooth.size + 1)
    values = 0.5 + 0.05 * norm.ppf(smooth).reshape(24, 24, 24)
    patches = AlignedSubject(
        "P1",
        {"PRE": subject.images["PRE"], "LAP": Volume(values, subject.grid)},
        "PRE",
        subject.tumor,
    )
    assert survey_tumor(subject, SETTINGS, seed=1).homogeneous
    assert not survey_tumor(patches, SETTINGS, seed=1).homogeneous
