import dataclasses
import importlib

import numpy as np
import pytest
from test_preprocessing_align import (
    ANTS,
    FAST,
    MOTIONS,
    body_grid,
    error_mm,
    points_of,
    scan,
    tissue_at,
)

from radhabitat.errors import ComputationError
from radhabitat.preprocessing import align
from radhabitat.preprocessing.tissue import code_information, code_tissue, paint
from radhabitat.types import Mask, Subject, Volume

REFINE = importlib.import_module("radhabitat.preprocessing.refine")
SOFT = FAST.model_copy(update={"registration": "deformable"})


@pytest.fixture(scope="module")
def patient():
    grid = body_grid((72, 56, 28), (3.6, 3.6, 5.0))
    images = {
        s: scan(s, motion, grid, seed=i)
        for i, (s, motion) in enumerate(MOTIONS.items())
    }
    tumor = Mask(np.isin(tissue_at(points_of(grid)), (6, 7)), grid)
    return Subject("P1", images, "PVP", tumor)


def two_contrasts(seed=0):
    """Three tissues; the first picture shows two of them alike, the second others."""
    rng = np.random.default_rng(seed)
    tissue = np.repeat([0, 1, 2], 400).reshape(3, 20, 20)
    first = np.array([0.2, 0.2, 0.8])[tissue] + rng.normal(0, 0.02, tissue.shape)
    second = np.array([0.1, 0.7, 0.7])[tissue] + rng.normal(0, 0.02, tissue.shape)
    return tissue, first.astype(np.float32), second.astype(np.float32)


def test_two_sequences_tell_tissues_apart_that_each_confuses():
    tissue, first, second = two_contrasts()
    where = np.ones(tissue.shape, bool)
    third = np.array([0.9, 0.1, 0.5], np.float32)[tissue]
    alone = code_information(code_tissue([first], where, seed=1), third, where)
    codes = code_tissue([first, second], where, seed=1)
    assert code_information(codes, third, where) > 1.5 * alone
    np.testing.assert_allclose(paint(codes, third, where), third, atol=1e-6)


def test_codes_are_the_same_on_every_run():
    tissue, first, second = two_contrasts()
    where = np.ones(tissue.shape, bool)
    one, other = (code_tissue([first, second], where, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_soft_stage_leaves_less_than_two_millimeters_and_does_not_fold(patient):
    result = align(patient, SOFT, seed=7)
    for sequence in ("PRE", "LAP"):
        where = patient.tumor.points_mm()
        motion = MOTIONS[sequence]
        truth = where @ motion[:3, :3].T + motion[:3, 3]
        error = result.transforms[sequence].to_sequence(where) - truth
        assert np.linalg.norm(error, axis=1).mean() < 2.0
        assert result.quality[sequence]["folded"] == 0.0


def test_a_deformation_that_wins_nothing_is_not_kept(patient, monkeypatch):
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    still = np.zeros((1, 1, 1, 3), np.float32)
    monkeypatch.setattr(
        REFINE,
        "register_soft",
        lambda fixed, *_, **__: np.broadcast_to(still, (*fixed.array.shape, 3)),
    )
    result = align(patient, SOFT, seed=7)
    assert all(t.displacement is None for t in result.transforms.values())


def test_a_violent_deformation_is_refused_and_said(patient, monkeypatch):
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)

    def violent(fixed, *_, **__):
        return np.random.default_rng(1).normal(0, 3, (*fixed.array.shape, 3))

    monkeypatch.setattr(REFINE, "register_soft", violent)
    result = align(patient, SOFT, seed=7)
    assert all(t.displacement is None for t in result.transforms.values())
    assert any("it changes volumes in the tumor by" in n for n in result.notes)


@pytest.mark.slow
def test_simpleitk_alone_finds_the_tumor_too_and_gives_the_same_bytes(patient):
    settings = FAST.model_copy(update={"engine": "simpleitk"})
    result, again = (align(patient, settings, seed=7) for _ in range(2))
    for sequence in ("PRE", "LAP"):
        matrix = result.transforms[sequence].matrix
        assert error_mm(matrix, MOTIONS[sequence], patient.tumor).mean() < 2.0
        assert matrix.tobytes() == again.transforms[sequence].matrix.tobytes()
    assert not any("SimpleITK" in note for note in result.notes)


def one_breath(patient, seconds):
    """PRE and LAP of one space, so many seconds apart; the phantom PVP of another."""
    times = {"PRE": 100.0, "LAP": 100.0 + seconds, "PVP": 500.0}
    images = {
        s: dataclasses.replace(image, frame_of_reference="1.2.3", time_s=times[s])
        for s, image in patient.images.items()
    }
    return dataclasses.replace(patient, images=images)


def test_sequences_of_one_breath_hold_move_together(patient, monkeypatch):
    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    together = align(one_breath(patient, 12.0), FAST, seed=7)
    pre, lap = (together.transforms[s].matrix for s in ("PRE", "LAP"))
    np.testing.assert_array_equal(pre, lap)
    assert "LAP: moved with PRE: both belong to one breath-hold" in together.notes
    apart = align(one_breath(patient, 35.0), FAST, seed=7)
    pre, lap = (apart.transforms[s].matrix for s in ("PRE", "LAP"))
    assert not np.array_equal(pre, lap)


def test_a_stage_that_gives_up_is_said_once_and_costs_nothing(patient, monkeypatch):
    def give_up(*_, **__):
        raise ComputationError("ANTs gave up: no reason", "look")

    monkeypatch.setattr(ANTS, "register_linear", lambda *_, start, **__: start)
    monkeypatch.setattr(REFINE, "register_soft", give_up)
    result = align(patient, SOFT, seed=7)
    said = [note for note in result.notes if "gave up" in note]
    assert said == ["PRE: ANTs gave up: no reason", "LAP: ANTs gave up: no reason"]


def test_a_picture_without_a_reference_in_sight_is_named(patient):
    noise = np.random.default_rng(0).normal(100, 10, patient.tumor.grid.shape)
    images = {**patient.images, "LAP": Volume(noise, patient.tumor.grid)}
    result = align(dataclasses.replace(patient, images=images), FAST, seed=7)
    assert any(n.startswith("LAP: not registered, look") for n in result.notes)
