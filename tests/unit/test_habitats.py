import numpy as np
import pytest

from radhabitat.errors import ComputationError, MaskError
from radhabitat.habitats import choose_k, elbow, find_habitats
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject, Grid, Mask, Volume

SETTINGS = HabitatSettings()


def tumor_of(means, *, patient="P1", size=12, noise=0.02, seed=0, flip=False):
    """A cube whose tissues are slabs; means[t] are tissue t's intensities."""
    rng = np.random.default_rng(seed)
    grid = Grid((size, size, size), np.eye(4))
    tissue = np.arange(size) * len(means) // size
    if flip:
        tissue = tissue[::-1]
    tissue = np.broadcast_to(tissue[:, None, None], grid.shape)
    images = {
        name: Volume(
            np.array(means)[:, s][tissue] + rng.normal(0, noise, grid.shape), grid
        )
        for s, name in enumerate(["PRE", "LAP", "PVP"][: len(means[0])])
    }
    subject = AlignedSubject(
        patient, images, "PVP", Mask(np.ones(grid.shape, bool), grid)
    )
    return subject, tissue


THREE = [(0.2, 0.9, 0.6), (0.3, 0.5, 0.5), (0.2, 0.2, 0.2)]


def test_three_tissues_give_three_habitats_in_order_of_arterial_enhancement():
    subject, tissue = tumor_of(THREE)
    habitats = find_habitats(subject, SETTINGS, count=3, seed=1)
    expected = np.array([3, 2, 1], dtype=np.uint8)[tissue]
    np.testing.assert_array_equal(habitats.array, expected)
    assert list(habitats.centers[:, 1]) == sorted(habitats.centers[:, 1])


def test_the_numbering_does_not_depend_on_where_a_tissue_lies():
    first, _ = tumor_of(THREE)
    second, _ = tumor_of(THREE, flip=True)
    one = find_habitats(first, SETTINGS, count=3, seed=1)
    two = find_habitats(second, SETTINGS, count=3, seed=1)
    np.testing.assert_allclose(one.centers, two.centers, atol=0.01)


def test_habitats_are_ordered_by_the_reference_without_an_arterial_sequence():
    subject, _ = tumor_of(THREE)
    images = {"PRE": subject.images["PRE"], "PVP": subject.images["PVP"]}
    two = AlignedSubject("P1", images, "PVP", subject.tumor)
    habitats = find_habitats(two, SETTINGS, count=3, seed=1)
    assert list(habitats.centers[:, 1]) == sorted(habitats.centers[:, 1])


def test_the_same_seed_gives_the_same_habitats():
    subject, _ = tumor_of(THREE, noise=0.3)
    one = find_habitats(subject, SETTINGS, count=3, seed=5)
    two = find_habitats(subject, SETTINGS, count=3, seed=5)
    assert one.array.tobytes() == two.array.tobytes()


def test_a_tumor_too_small_for_its_habitats_is_refused_with_both_numbers():
    subject, _ = tumor_of(THREE, size=3)
    with pytest.raises(MaskError, match=r"P1 has 27 voxels .* 3 habitats need") as e:
        find_habitats(subject, SETTINGS, count=3, seed=1)
    assert "habitats.k" in e.value.fix


def test_a_tumor_of_one_intensity_is_refused():
    subject, _ = tumor_of([(0.5, 0.5, 0.5)], noise=0.0)
    with pytest.raises(ComputationError, match="1 distinct intensities"):
        find_habitats(subject, SETTINGS, count=3, seed=1)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_the_elbow_finds_the_number_of_separable_tissues_in_nine_of_ten(k):
    right = 0
    for seed in range(10):
        rng = np.random.default_rng(100 * k + seed)
        means: list[np.ndarray] = []
        while len(means) < k:
            candidate = rng.uniform(0, 1, 3)
            if all(np.linalg.norm(candidate - m) > 0.35 for m in means):
                means.append(candidate)
        subject, _ = tumor_of([tuple(m) for m in means], noise=0.03, seed=seed)
        right += choose_k(subject, SETTINGS, seed=seed)[0] == k
    assert right >= 9


def test_the_elbow_can_be_the_largest_k():
    curve = {k: 100.0 * 0.9**k for k in range(1, 10)} | {10: 1.0, 11: 0.95}
    assert elbow(curve) == 10


def test_the_curve_falls_and_starts_at_the_total_sum_of_squares():
    subject, _ = tumor_of(THREE)
    _, curve = choose_k(subject, SETTINGS, seed=3)
    voxels = subject.tumor_intensities().astype(float)
    assert curve[1] == pytest.approx(((voxels - voxels.mean(0)) ** 2).sum(), rel=1e-6)
    assert sorted(curve) == list(range(1, 12))
    assert all(curve[k] > curve[k + 1] for k in range(1, 11))
