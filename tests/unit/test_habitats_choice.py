import numpy as np
import pytest
from sklearn.cluster import KMeans

from radhabitat.habitats.choice import elbow
from radhabitat.habitats.kmeans import fit_kmeans, in_order
from radhabitat.habitats.partition import Partition, of_centers
from radhabitat.habitats.survey import mixture, survey_points
from radhabitat.settings import HabitatSettings

CRITERIA = ("elbow", "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "bic")


def tissues_of(k, seed, *, voxels=1500, noise=0.03, apart=0.35):
    """Voxels of k tissues whose mean intensities are `apart` at least."""
    rng = np.random.default_rng(100 * k + seed)
    means: list[np.ndarray] = []
    while len(means) < k:
        candidate = rng.uniform(0, 1, 3)
        if all(np.linalg.norm(candidate - m) > apart for m in means):
            means.append(candidate)
    tissue = np.arange(voxels) % k
    points = np.array(means)[tissue] + rng.normal(0, noise, (voxels, 3))
    return in_order(points.astype(np.float32))


def chosen(points, criterion, **settings):
    how = HabitatSettings(k=criterion, restarts=3, **settings)
    return survey_points(points, how, seed=1).k


@pytest.mark.slow
@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
def test_the_number_of_separable_tissues_is_found_in_nine_of_ten(criterion, k):
    found = [chosen(tissues_of(k, seed), criterion) for seed in range(10)]
    # the gap's rule stops at 1 where two groups of groups are no better than one
    assert found.count(k) >= (8 if (criterion, k) == ("gap", 6) else 9), found


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_finds_three_tissues(criterion):
    assert chosen(tissues_of(3, 0), criterion, k_max=5) == 3


def test_a_mixture_with_bic_finds_long_tissues_that_kmeans_would_cut():
    rng = np.random.default_rng(1)
    long = rng.normal(0, (1.0, 0.05), (900, 2)) @ [[0.7, 0.7], [-0.7, 0.7]]
    points = np.vstack([long, long + np.array([0.0, 1.2])]).astype(np.float32)
    assert chosen(in_order(points), "bic", method="gmm", k_max=5) == 2


def test_the_gap_statistic_finds_one_group_in_uniform_points():
    points = np.random.default_rng(3).uniform(0, 1, (1000, 2)).astype(np.float32)
    assert chosen(in_order(points), "gap", k_max=5) == 1


def test_the_elbow_can_be_two_or_the_largest_k():
    curve = {k: 100.0 * 0.9**k for k in range(1, 10)} | {10: 1.0, 11: 0.95}
    assert elbow(curve) == 10
    assert elbow({1: 100.0, 2: 10.0, 3: 9.0, 4: 8.0}) == 2


def test_the_curve_falls_and_starts_at_the_total_sum_of_squares():
    points = tissues_of(3, 0)
    curve = survey_points(points, HabitatSettings(k="elbow"), seed=1).scores
    total = ((points.astype(float) - points.mean(0)) ** 2).sum()
    assert curve[1] == pytest.approx(total, rel=1e-5)
    assert sorted(curve) == list(range(1, 12))
    assert all(curve[k] > curve[k + 1] for k in range(1, 11))


def test_the_inertia_is_at_least_as_low_as_scikit_learns():
    rng = np.random.default_rng(4)
    points = rng.normal(0, 1, (30_000, 3)).astype(np.float32)
    points[:12_000] += [4, 0, 1]
    points = in_order(points)
    fitted = fit_kmeans(points, 6, restarts=10, seed=1)
    for k in (2, 4, 6):
        theirs = KMeans(k, n_init=10, random_state=0).fit(points).inertia_
        ours = of_centers(fitted[k]).nearest(points)[1].sum()
        assert ours < 1.001 * theirs


def test_fewer_distinct_intensities_than_k_end_the_series():
    points = np.repeat([[0.0], [1.0], [2.0]], 50, axis=0).astype(np.float32)
    assert sorted(fit_kmeans(points, 6, restarts=2, seed=1)) == [1, 2, 3]


def test_a_mixture_draws_the_border_where_both_parts_are_as_likely():
    rng = np.random.default_rng(2)
    narrow, wide = rng.normal(0, 0.1, (2000, 1)), rng.normal(2, 1.0, (2000, 1))
    points = in_order(np.vstack([narrow, wide]).astype(np.float32))
    found = mixture(points, np.array([[0.0], [2.0]]), seed=1)
    grid = np.linspace(-0.5, 1.5, 4001, dtype=np.float32)[:, None]
    border = grid[np.flatnonzero(np.diff(found.assign(grid)))[-1], 0]
    # N(x; 0, 0.1) = N(x; 2, 1): 49.5 x^2 + 2 x - 2 - ln 10 = 0
    expected = (-2 + np.sqrt(4 + 4 * 49.5 * (2 + np.log(10)))) / 99
    assert border == pytest.approx(expected, abs=0.04)
    again = Partition.from_json(found.to_json())
    np.testing.assert_array_equal(again.assign(points), found.assign(points))
