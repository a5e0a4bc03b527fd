import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import auc, delong, roc_curve


@st.composite
def scored(draw):
    """Outcomes of both classes, with scores that may tie."""
    size = draw(st.integers(2, 40))
    outcome = np.array(draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)))
    outcome[:2] = (0, 1)
    scores = draw(st.lists(st.integers(-9, 9), min_size=size, max_size=size))
    return outcome.astype(np.int8), np.array(scores, dtype=float)


@given(scored())
def test_the_auc_is_that_of_scikit_learn(case):
    outcome, scores = case
    assert auc(outcome, scores) == roc_auc_score(outcome, scores) or np.isclose(
        auc(outcome, scores), roc_auc_score(outcome, scores), atol=1e-12
    )


@given(scored())
def test_the_auc_turns_over_with_the_score(case):
    outcome, scores = case
    np.testing.assert_allclose(auc(outcome, -scores), 1 - auc(outcome, scores))


@given(scored())
def test_a_monotone_transform_changes_neither_auc_nor_variance(case):
    outcome, scores = case
    one, other = delong(outcome, scores[None]), delong(outcome, np.exp(scores)[None])
    np.testing.assert_array_equal(one.auc, other.auc)
    np.testing.assert_array_equal(one.covariance, other.covariance)


@given(scored())
def test_the_order_of_patients_does_not_matter(case):
    outcome, scores = case
    turned = delong(outcome[::-1], scores[None, ::-1])
    np.testing.assert_allclose(delong(outcome, scores[None]).auc, turned.auc)


@given(scored())
def test_the_roc_curve_is_that_of_scikit_learn_and_holds_the_auc(case):
    outcome, scores = case
    curve = roc_curve(outcome, scores)
    false, true, thresholds = sklearn_roc_curve(
        outcome, scores, drop_intermediate=False
    )
    np.testing.assert_allclose(curve.false_positive_rate, false)
    np.testing.assert_allclose(curve.true_positive_rate, true)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    np.testing.assert_allclose(area, auc(outcome, scores))


@given(scored())
def test_no_model_beats_perfect_foresight(case):
    outcome, scores = case
    risk = 1 / (1 + np.exp(-scores))
    assert (
        decide(outcome, risk[None], confidence=0.95).net_benefit
        <= outcome.mean() + 1e-12
    ).all()
