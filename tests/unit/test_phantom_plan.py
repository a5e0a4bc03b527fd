from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from radhabitat.errors import SettingsError
from radhabitat.phantom import PatientPlan, plan_cohort
from radhabitat.phantom.outcome import draw_outcome, standard_score
from radhabitat.phantom.plan import REFERENCE, SEQUENCES


@pytest.fixture(scope="module")
def plans() -> tuple[PatientPlan, ...]:
    return plan_cohort(800, seed=11, effect=1.0)


def _share(plans, name, test):
    return np.mean([test(getattr(p.clinical, name)) for p in plans])


def _values(plans, name):
    return np.array([getattr(p.clinical, name) for p in plans], float)


def _outcomes(plans, effect):
    """Responses and the law's score, from the planned tissues."""
    responses, scores = [], []
    for plan in plans:
        told = dataclasses.replace(plan, effect=effect)
        diameter = plan.diameter_mm / 10.0
        responses.append(draw_outcome(told, plan.fractions, diameter).responded)
        scores.append(standard_score(plan, plan.fractions, diameter))
    return np.array(responses), np.array(scores)


def test_a_larger_cohort_begins_with_the_patients_of_a_smaller_one():
    assert plan_cohort(9, seed=4, effect=1.0)[:4] == plan_cohort(4, seed=4, effect=1.0)


def test_the_effect_changes_nothing_but_itself():
    weak, strong = (plan_cohort(3, seed=4, effect=e) for e in (0.0, 2.0))
    assert [dataclasses.replace(p, effect=2.0) for p in weak] == list(strong)


def test_the_motion_family_changes_nothing_of_the_plan_but_itself():
    smooth = plan_cohort(3, seed=4, effect=1.0)
    sliding = plan_cohort(3, seed=4, effect=1.0, motion="sliding")
    assert {p.motion for p in smooth} == {"smooth"}
    assert [dataclasses.replace(p, motion="sliding") for p in smooth] == list(sliding)


def test_another_seed_gives_other_patients():
    first, second = (plan_cohort(2, seed=s, effect=1.0) for s in (1, 2))
    assert {p.seed for p in first}.isdisjoint(p.seed for p in second)


def test_patients_are_named_so_that_a_spreadsheet_keeps_their_names():
    names = [p.patient for p in plan_cohort(3, seed=1, effect=1.0)]
    assert names == ["P0001", "P0002", "P0003"]


@pytest.mark.parametrize(
    ("patients", "effect", "seed"), [(0, 1.0, 1), (3, -1.0, 1), (3, 1.0, -1)]
)
def test_an_impossible_cohort_is_refused_with_the_way_to_fix_it(patients, effect, seed):
    with pytest.raises(SettingsError, match="at least 1 patient, an effect >= 0"):
        plan_cohort(patients, seed=seed, effect=effect)


@pytest.mark.parametrize(
    ("variable", "test", "published"),
    [
        ("sex", lambda v: v == 1, 0.9238),
        ("hbv", lambda v: v == 1, 0.9429),
        ("ecog", lambda v: v == 0, 1.0),
        ("child_pugh", lambda v: v == 1, 0.60),
        ("ascites", lambda v: v == 1, 0.5524),
        ("pt_s", lambda v: v <= 13, 0.7429),
        ("bclc", lambda v: v == 1, 0.0381),
        ("bclc", lambda v: v == 3, 0.8286),
        ("albi_grade", lambda v: v == 1, 0.1714),
        ("albi_grade", lambda v: v == 3, 0.0381),
        ("nlr", lambda v: v < 3, 0.6095),
        ("vascular_invasion", lambda v: v == 1, 0.6476),
        ("metastasis", lambda v: v == 1, 0.4571),
        ("tumor_number", lambda v: v == 1, 0.40),
        ("afp_ng_ml", lambda v: v <= 20, 0.2190),
        ("afp_ng_ml", lambda v: v > 200, 0.5810),
        ("pivka_mau_ml", lambda v: v <= 40, 0.0762),
        ("pivka_mau_ml", lambda v: v > 300, 0.8476),
        ("age", lambda v: v < 60, 0.60),
    ],
)
def test_shares_are_those_of_the_published_table(plans, variable, test, published):
    """Within 3.5 standard errors of a share among 800 patients."""
    allowed = 3.5 * np.sqrt(max(published * (1 - published), 0.0) / len(plans))
    assert abs(_share(plans, variable, test) - published) <= allowed


@pytest.mark.parametrize(
    ("variable", "published"),
    [
        ("crp_mg_l", (3.6, 11.0, 29.3)),
        ("bmi", (21.06, 22.65, 24.765)),
        ("haic_sessions", (2, 3, 4)),
    ],
)
def test_quartiles_are_those_of_the_published_table(plans, variable, published):
    found = np.percentile(_values(plans, variable), [25, 50, 75])
    assert np.allclose(found, published, rtol=0.25)


def test_half_of_the_tumors_are_larger_than_10_cm(plans):
    diameters = np.array([p.diameter_mm for p in plans])
    assert abs(np.mean(diameters > 100) - 0.514) < 0.06
    assert diameters.min() >= 30
    assert diameters.max() <= 120


def test_the_light_cohort_has_tumors_of_3_to_7_cm():
    plans = plan_cohort(200, seed=2, effect=1.0, small=True)
    diameters = np.array([p.diameter_mm for p in plans])
    assert diameters.min() >= 30
    assert diameters.max() <= 70
    assert np.median(diameters) == pytest.approx(48, abs=4)


def test_scores_that_follow_from_other_columns_do_follow(plans):
    for plan in plans:
        known = plan.clinical
        advanced = known.vascular_invasion or known.metastasis
        assert (known.bclc == 3) == bool(advanced)
        assert known.crafity == (known.afp_ng_ml >= 100) + (known.crp_mg_l >= 10)


def test_the_reference_is_at_rest_and_the_others_breathe_5_to_16_mm(plans):
    for plan in plans[:100]:
        for acquisition in plan.acquisitions:
            length = np.linalg.norm(acquisition.breathing_mm)
            if acquisition.sequence == REFERENCE:
                assert length == 0.0
                assert acquisition.warp_mm == 0.0
            else:
                assert 5.0 <= length <= 16.0
                assert abs(acquisition.breathing_mm[2]) > 0.9 * length
                assert 1.0 <= acquisition.warp_mm <= 3.0


@pytest.mark.parametrize("small", [False, True])
def test_every_sequence_shows_the_whole_tumor_with_a_margin(small):
    ball = np.random.default_rng(0).standard_normal((300, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    for plan in plan_cohort(60, seed=8, effect=1.0, small=small):
        surface = ball * (0.6 * plan.diameter_mm + 8.0)
        for acquisition in plan.acquisitions:
            center = np.add(plan.tumor_center_mm, acquisition.breathing_mm)
            index = acquisition.grid.to_index(center + surface)
            assert (index >= -0.5).all()
            assert (index <= np.array(acquisition.shape) - 0.5).all()


def test_sequences_differ_in_grid_and_half_of_them_are_oblique(plans):
    for plan in plans[:50]:
        tilted = [any(a.tilt_deg) for a in plan.acquisitions]
        assert Counter(tilted) == {True: 2, False: 2}
        assert [a.sequence for a in plan.acquisitions] == list(SEQUENCES)
    shapes = [{a.shape for a in p.acquisitions} for p in plans]
    assert np.mean([len(s) > 1 for s in shapes]) > 0.9


def test_planned_shares_of_tissue_sum_to_one_and_none_is_negligible(plans):
    fractions = np.array([p.fractions for p in plans])
    assert np.allclose(fractions.sum(axis=1), 1.0)
    assert fractions.min() >= 0.05


def test_without_effect_the_outcome_knows_nothing_of_the_patient(plans):
    responses, scores = _outcomes(plans, 0.0)
    assert abs(roc_auc_score(responses, scores) - 0.5) < 3.5 * 0.0205


@pytest.mark.parametrize("small", [False, True])
def test_at_effect_one_the_linear_predictor_has_a_true_auc_of_about_080(small):
    """Each patient counts as responder and as not, with the law's probabilities."""
    plans = plan_cohort(800, seed=11, effect=1.0, small=small)
    outcomes = [draw_outcome(p, p.fractions, p.diameter_mm / 10) for p in plans]
    predictors = [o.linear_predictor for o in outcomes]
    chance = np.array([o.probability for o in outcomes])
    auc = roc_auc_score(
        [1] * len(plans) + [0] * len(plans),
        predictors * 2,
        sample_weight=np.concatenate([chance, 1 - chance]),
    )
    assert auc == pytest.approx(0.80, abs=0.02)


def test_a_stronger_effect_gives_a_higher_auc(plans):
    found = [roc_auc_score(*_outcomes(plans, e)) for e in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert found == sorted(found)


@pytest.mark.parametrize("effect", [0.0, 1.0, 3.0])
def test_about_54_percent_respond_whatever_the_effect(plans, effect):
    responses, _ = _outcomes(plans, effect)
    assert responses.mean() == pytest.approx(0.543, abs=0.055)


def test_responders_live_longer_and_some_are_censored(plans):
    outcomes = [draw_outcome(p, p.fractions, p.diameter_mm / 10) for p in plans]
    months = {
        r: np.median([o.months for o in outcomes if o.responded == r])
        for r in (False, True)
    }
    assert months[True] > months[False] + 2
    assert 0.4 < np.mean([o.died for o in outcomes]) < 0.8
