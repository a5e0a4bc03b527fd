from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from radhabitat.phantom.anatomy import SPINE
from radhabitat.phantom.motion import build_motion, on_grid
from radhabitat.phantom.plan import plan_cohort

_SEEDS = st.integers(0, 10_000)
_SEQUENCES = st.sampled_from(["PRE", "LAP", "DP"])


def _points(seed, count=400):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (3, count)) * np.array([[170.0], [120.0], [100.0]])


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_going_there_and_back_ends_where_it_began(seed, sequence):
    motion = build_motion(plan_cohort(1, seed=seed, effect=1.0)[0], sequence)
    seen_at = _points(seed)
    back = motion.back(seen_at)
    assert np.abs(motion.at(seen_at - back) - back).max() < 0.05


@settings(max_examples=15, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_the_spine_and_the_skin_stay_and_the_liver_moves(seed, sequence):
    plan = plan_cohort(1, seed=seed, effect=1.0)[0]
    motion = build_motion(plan, sequence)
    fixed = np.array([[*SPINE, 0.0], [166.0, 0.0, 0.0], [0.0, -90.0, 20.0]]).T
    assert np.abs(motion.at(fixed * plan.body_scale)).max() < 1e-9
    liver = motion.at(np.array(plan.tumor_center_mm)[:, None])
    expected = np.array(plan.acquisition(sequence).breathing_mm)[:, None]
    assert np.linalg.norm(liver - expected) < plan.acquisition(sequence).warp_mm + 1.5


@settings(max_examples=8, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_fields_on_a_grid_are_the_field_at_its_voxels(seed, sequence):
    plan = plan_cohort(1, seed=seed, effect=1.0, small=True)[0]
    grid = plan.acquisition(sequence).grid
    motion = build_motion(plan, sequence)
    rng = np.random.default_rng(seed)
    index = np.stack([rng.integers(0, n, 500) for n in grid.shape], axis=1)
    points = grid.to_mm(index.astype(float)).T
    for inverse, direct in ((False, motion.at), (True, motion.back)):
        field = on_grid(motion, grid, inverse=inverse)[:, *index.T]
        error = np.linalg.norm(field - direct(points), axis=0)
        assert np.median(error) < 0.02
        assert np.quantile(error, 0.98) < 0.25


@settings(max_examples=10, deadline=None)
@given(seed=_SEEDS, sequence=_SEQUENCES)
def test_the_motion_folds_nothing(seed, sequence):
    motion = build_motion(plan_cohort(1, seed=seed, effect=1.0)[0], sequence)
    p, h = _points(seed), 0.01
    steps = h * np.eye(3)[:, :, None]
    columns = [(motion.at(p + s) - motion.at(p - s)) / (2 * h) for s in steps]
    jacobian = np.eye(3)[None] + np.stack(columns, axis=-1).transpose(1, 0, 2)
    assert np.linalg.det(jacobian).min() > 0.3
