from __future__ import annotations

import numpy as np
import pytest

from radhabitat.selection.reliability import coefficient_of_variation, icc


def test_the_coefficient_of_variation_is_that_of_the_middle_patient() -> None:
    repeats = np.array([[9.0, 100.0, 4.0], [11.0, 100.0, 8.0]])[:, :, np.newaxis]
    alone = [np.std(c, ddof=1) / np.mean(c) for c in ([9, 11], [100, 100], [4, 8])]
    expected = sorted(alone)[1]
    assert coefficient_of_variation(repeats)[0] == pytest.approx(expected)


def test_of_an_even_number_of_patients_the_two_in_the_middle_count() -> None:
    repeats = np.array([[9.0, 100.0], [11.0, 100.0]])[:, :, np.newaxis]
    expected = 0.5 * np.std([9, 11], ddof=1) / 10
    assert coefficient_of_variation(repeats)[0] == pytest.approx(expected)


def test_zeros_do_not_vary_and_a_zero_mean_varies_without_end() -> None:
    repeats = np.zeros((3, 5, 2))
    repeats[:, :, 1] = np.array([-1.0, 0.0, 1.0])[:, np.newaxis]
    np.testing.assert_array_equal(coefficient_of_variation(repeats), [0.0, np.inf])


def test_a_feature_that_is_missing_in_most_patients_fails_the_filter() -> None:
    repeats = np.random.default_rng(0).normal(10.0, 0.1, size=(3, 5, 2))
    repeats[0, :3, 1] = np.nan
    variation = coefficient_of_variation(repeats)
    assert variation[0] < 0.15
    assert variation[1] == np.inf


FORMS = ["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]


@pytest.mark.parametrize("form", FORMS)
def test_readers_who_agree_have_an_icc_of_one(form) -> None:
    tumors = np.random.default_rng(1).normal(size=(1, 12, 3))
    both = np.concatenate([tumors, tumors])
    np.testing.assert_allclose(icc(both, form=form), 1.0, atol=1e-9)


def test_a_reader_who_always_sees_more_lowers_absolute_agreement_only() -> None:
    tumors = np.random.default_rng(2).normal(size=(1, 40, 1))
    shifted = np.concatenate([tumors, tumors + 1.0])
    # variances of 1 between patients and 0.5 between readers
    assert icc(shifted).icc[0] == pytest.approx(1 / (1 + 0.5), abs=0.1)
    assert icc(shifted, form="3,1").icc[0] == pytest.approx(1.0)


def test_a_patient_with_a_missing_value_is_left_out_for_that_feature_only() -> None:
    values = np.random.default_rng(3).normal(size=(2, 20, 2))
    values[1] += 2 * values[0]
    gaps = values.copy()
    gaps[0, 4, 0] = np.nan
    without = np.array(icc(np.delete(values, 4, axis=1)))
    np.testing.assert_allclose(np.array(icc(gaps))[:, 0], without[:, 0])
    np.testing.assert_allclose(np.array(icc(gaps))[:, 1], np.array(icc(values))[:, 1])


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_or_unknown_feature_has_no_icc(form) -> None:
    values = np.full((2, 6, 2), 0.1)
    values[:, 1:, 1] = np.nan
    assert np.isnan(icc(values, form=form)).all()


@pytest.mark.parametrize("form", FORMS)
def test_the_icc_does_not_depend_on_unit_or_origin(form) -> None:
    values = np.random.default_rng(4).normal(size=(3, 15, 4))
    values += np.random.default_rng(5).normal(size=(1, 15, 4))
    moved = icc(1000.0 * values + 500.0, form=form)
    np.testing.assert_allclose(icc(values, form=form), moved)
