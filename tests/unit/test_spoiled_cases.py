from __future__ import annotations

import numpy as np
import pytest
from phantom_cases import FAILURES, borrow, flip, make_clinical, shift, swap

from radhabitat.phantom import plan_cohort
from radhabitat.types import Grid, Mask, Subject, Volume

SEQUENCES = ("PRE", "LAP", "PVP", "DP")


def _subject(patient, seed):
    grid = Grid((6, 5, 4), np.diag([1.0, 2.0, 3.0, 1.0]))
    rng = np.random.default_rng(seed)
    images = {s: Volume(rng.random(grid.shape, np.float32), grid) for s in SEQUENCES}
    tumor = np.zeros(grid.shape, bool)
    tumor[2:4, 2:4, 1:3] = True
    return Subject(patient, images, "PVP", Mask(tumor, grid))


@pytest.fixture
def subject():
    return _subject("P0001", 1)


def test_a_shifted_sequence_has_its_voxels_elsewhere(subject):
    spoiled = shift(subject, "LAP", (0.0, 0.0, 60.0)).images["LAP"]
    was = subject.images["LAP"]
    moved = spoiled.grid.to_mm(np.zeros(3)) - was.grid.to_mm(np.zeros(3))
    assert np.allclose(moved, [0, 0, 60])
    assert np.array_equal(spoiled.array, was.array)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_sequence_flipped_twice_is_the_sequence(subject, axis):
    once = flip(subject, "LAP", axis)
    assert not np.array_equal(once.images["LAP"].array, subject.images["LAP"].array)
    assert once.images["LAP"].grid.same_as(subject.images["LAP"].grid)
    twice = flip(once, "LAP", axis)
    assert np.array_equal(twice.images["LAP"].array, subject.images["LAP"].array)


def test_a_borrowed_sequence_is_the_other_patients(subject):
    other = _subject("P0002", 2)
    spoiled = borrow(subject, "DP", other)
    assert spoiled.images["DP"] is other.images["DP"]
    assert spoiled.images["LAP"] is subject.images["LAP"]


def test_swapped_sequences_keep_the_order_of_the_study(subject):
    spoiled = swap(subject, "LAP", "DP")
    assert tuple(spoiled.images) == SEQUENCES
    assert spoiled.images["LAP"] is subject.images["DP"]
    assert spoiled.images["DP"] is subject.images["LAP"]


@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_spoils_something_and_leaves_the_reference(subject, name):
    spoiled = FAILURES[name](subject, _subject("P0002", 2))
    changed = {s for s in SEQUENCES if spoiled.images[s] is not subject.images[s]}
    assert "LAP" in changed
    assert "PVP" not in changed
    assert spoiled.tumor is subject.tumor


def test_the_clinical_matrix_changes_the_sampling_and_not_the_patient():
    plan = plan_cohort(1, seed=3, effect=1.0)[0]
    clinical = make_clinical(plan)
    for was, now in zip(plan.acquisitions, clinical.acquisitions, strict=True):
        assert now.shape == (320, 260, 72)
        assert now.spacing_mm == (1.2, 1.2, 3.0)
        assert (now.breathing_mm, now.center_mm) == (was.breathing_mm, was.center_mm)
    assert clinical.tumor_center_mm == plan.tumor_center_mm
