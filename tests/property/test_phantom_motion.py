from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radhabitat.phantom.anatomy import CAVITY, SPINE
from radhabitat.phantom.motion import build_motion, on_grid
from radhabitat.phantom.plan import plan_cohort

_SEEDS = st.integers(0, 10_000)
_SEQUENCES = st.sampled_from(["PRE", "LAP", "DP"])
_FAMILIES = st.sampled_from(["smooth", "sliding"])


def _motion(seed, sequence, family, *, small=False):
    plan = plan_cohort(1, seed=seed, effect=1.0, small=small, motion=family)[0]
    return build_motion(plan, sequence)


def _points(seed, count=400):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (3, count)) * np.array([[170.0], [120.0], [100.0]])


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES, family=_FAMILIES)
def test_going_there_and_back_ends_where_it_began(seed, sequence, family):
    motion = _motion(seed, sequence, family)
    seen_at = _points(seed)
    back = motion.back(seen_at)
    assert np.abs(motion.at(seen_at - back) - back).max() < 0.2


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES, family=_FAMILIES)
def test_the_spine_and_the_skin_stay_and_the_liver_moves(seed, sequence, family):
    plan = plan_cohort(1, seed=seed, effect=1.0, motion=family)[0]
    motion = build_motion(plan, sequence)
    fixed = np.array([[*SPINE, 0.0], [166.0, 0.0, 0.0], [0.0, -90.0, 20.0]]).T
    assert np.abs(motion.at(fixed * plan.body_scale)).max() < 1e-9
    liver = motion.at(np.array(plan.tumor_center_mm)[:, None])
    expected = np.array(plan.acquisition(sequence).breathing_mm)[:, None]
    assert np.linalg.norm(liver - expected) < plan.acquisition(sequence).warp_mm + 1.5


@settings(max_examples=8, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES, family=_FAMILIES)
def test_fields_on_a_grid_are_the_field_at_its_voxels(seed, sequence, family):
    plan = plan_cohort(1, seed=seed, effect=1.0, small=True, motion=family)[0]
    grid = plan.acquisition(sequence).grid
    motion = build_motion(plan, sequence)
    rng = np.random.default_rng(seed)
    index = np.stack([rng.integers(0, n, 500) for n in grid.shape], axis=1)
    points = grid.to_mm(index.astype(float)).T
    for inverse, direct in ((False, motion.at), (True, motion.back)):
        field = on_grid(motion, grid, inverse=inverse)[:, *index.T]
        error = np.linalg.norm(field - direct(points), axis=0)
        assert np.median(error) < 0.02
        assert np.quantile(error, 0.95) < 0.25


@settings(max_examples=10, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES, family=_FAMILIES)
def test_the_motion_folds_nothing(seed, sequence, family):
    move = _motion(seed, sequence, family).unbounded
    p, h = _points(seed), 0.01
    steps = h * np.eye(3)[:, :, None]
    columns = [(move(p + s) - move(p - s)) / (2 * h) for s in steps]
    jacobian = np.eye(3)[None] + np.stack(columns, axis=-1).transpose(1, 0, 2)
    assert np.linalg.det(jacobian).min() > 0.3


def _wall(motion, count=200):
    """Points of the cavity's wall away from the spine, and the directions across it."""
    width, depth, shift = CAVITY
    rng = np.random.default_rng(0)
    angle = rng.uniform(-0.2 * np.pi, 1.2 * np.pi, count)
    x, y = np.cos(angle), np.sin(angle)
    z = rng.uniform(-80.0, 80.0, count)
    points = motion.scale * np.stack([width * x, depth * y + shift, z])
    across = np.stack([x / width, y / depth, np.zeros(count)])
    return points, across / np.linalg.norm(across, axis=0)


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_sliding_organs_jump_along_the_wall_and_never_across(seed, sequence):
    motion = _motion(seed, sequence, "sliding")
    points, across = _wall(motion)
    inside, outside = motion.at(points - 0.1 * across), motion.at(points + 0.1 * across)
    assert not outside.any()
    assert np.abs((inside * across).sum(axis=0)).max() < 0.01
    assert np.linalg.norm(inside, axis=0).mean() > 2.0


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_what_slides_is_compressed_toward_the_feet_and_stretched_toward_the_head(
    seed, sequence
):
    motion = _motion(seed, sequence, "sliding")
    squeeze, step = motion.squeeze, np.array([[0.0], [0.0], [0.01]])
    points = _points(seed)
    strain = (squeeze.at(points + step) - squeeze.at(points - step)) / 0.02
    along = strain * np.sign(motion.breathing_mm[2, 0])
    assert 0.05 <= abs(squeeze.strain) <= 0.08
    assert along.min() > -1e-6
    assert along.max() == pytest.approx(abs(squeeze.strain), rel=0.05)
    assert squeeze.at(squeeze.center_mm) == pytest.approx(0.0)


def test_sliding_is_much_less_affine_in_the_tumor_but_as_large():
    """Within a ball of the tumor's size, over 20 patients of the full cohort."""
    ball = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 2000))
    ball = ball[:, np.linalg.norm(ball, axis=0) < 1.0]
    left, size = {}, {}
    for family in ("smooth", "sliding"):
        remains, lengths = [], []
        for plan in plan_cohort(20, seed=5, effect=1.0, motion=family):
            center = np.array(plan.tumor_center_mm)[:, None]
            p = center + plan.diameter_mm / 2 * ball
            columns = np.vstack([p, np.ones(p.shape[1])]).T
            for sequence in ("PRE", "LAP", "DP"):
                u = build_motion(plan, sequence).at(p).T
                fit = columns @ np.linalg.lstsq(columns, u, rcond=None)[0]
                remains.append(np.linalg.norm(u - fit, axis=1).mean())
                lengths.append(np.linalg.norm(u, axis=1).mean())
        left[family], size[family] = np.mean(remains), np.mean(lengths)
    assert left["sliding"] > 2.0 * left["smooth"]
    assert size["sliding"] == pytest.approx(size["smooth"], abs=0.5)
