"""Options of the learning: mRMR, elastic net, screening, harmonized sites, Firth."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import ElasticNet, LogisticRegression

from radhabitat.errors import SettingsError, TableError
from radhabitat.evaluation import About, evaluate
from radhabitat.files.clinical_table import read_clinical_frame
from radhabitat.learning import fit_ladder, refit_ladder
from radhabitat.models import fit_combat, from_json, to_json
from radhabitat.selection import select_clinical, select_features
from radhabitat.selection.lasso import cross_validate_lasso, draw_folds
from radhabitat.selection.relevance import most_relevant
from radhabitat.selection.sample import distinct_patients, standardize
from radhabitat.settings import (
    DataSettings,
    EvaluationSettings,
    ModelSettings,
    SelectionSettings,
    StudySettings,
)
from radhabitat.types import Block, Cohort

SMALL = EvaluationSettings(bootstraps=24, permutations=4, cv_repeats=2)


def cohort_of(patients=80, columns=12, *, effect=1.5, seed=0, sites=(), clinical=2):
    draws = np.random.default_rng(seed)
    outcome = (draws.random(patients) < 0.5).astype(np.int8)
    values = draws.normal(size=(patients, columns))
    values[:, clinical] += effect * outcome
    kinds = (Block.CLINICAL, Block.RADIOMICS, Block.HABITAT)
    rest = columns - clinical
    blocks = (kinds[0],) * clinical + (kinds[1],) * (rest // 2)
    blocks += (kinds[2],) * (columns - len(blocks))
    names = tuple(
        f"age{j}" if b is Block.CLINICAL
        else f"{('LAP', 'PVP')[j % 2]}_Original_original_firstorder_{j}"
        if b is Block.RADIOMICS
        else f"{('LAP', 'PVP')[j % 2]}_Habitat_1_original_firstorder_{j}"
        for j, b in enumerate(blocks)
    )  # fmt: skip
    ids = tuple(f"P{i:03d}" for i in range(patients))
    return Cohort(ids, names, blocks, values, outcome, "e = 1", tuple(sites))


def study(**changes):
    return StudySettings(evaluation=SMALL, **changes)


def evaluation_of(cohort, settings, *, every_site=False):
    return evaluate(
        partial(fit_ladder, settings=settings),
        cohort,
        settings.evaluation,
        seed=3,
        about=About(partial(refit_ladder, settings=settings), every_site),
    )


def test_the_elastic_net_is_that_of_scikit_learn_for_the_squared_loss():
    sample = standardize(distinct_patients(cohort_of(clinical=0)))
    folds = draw_folds(sample.outcome, 5, seed=1)
    path = cross_validate_lasso(sample, folds, loss="squared", mix=0.4)
    for place in (5, 20):
        peer = ElasticNet(alpha=path.penalties[place], l1_ratio=0.4, tol=1e-12)
        peer.fit(sample.values, sample.outcome)
        np.testing.assert_allclose(path.coefficients[place], peer.coef_, atol=1e-6)


def test_the_elastic_net_is_that_of_scikit_learn_for_the_logistic_loss():
    sample = standardize(distinct_patients(cohort_of(clinical=0)))
    folds = draw_folds(sample.outcome, 5, seed=1)
    path = cross_validate_lasso(sample, folds, mix=0.5)
    peer = LogisticRegression(
        solver="saga",
        l1_ratio=0.5,
        C=1.0 / (path.penalties[20] * len(sample.outcome)),
        tol=1e-10,
        max_iter=100_000,
    )
    peer.fit(sample.values, sample.outcome)
    np.testing.assert_allclose(path.coefficients[20], peer.coef_[0], atol=1e-5)


def test_mrmr_takes_the_best_feature_and_then_not_its_copy():
    cohort = cohort_of(200, 6, effect=2.0, clinical=0)
    values = cohort.values.copy()
    values[:, 1] = values[:, 0] + 0.2 * values[:, 1]
    values[:, 2] += 1.6 * cohort.outcome
    columns = np.arange(6)
    both = Cohort(
        cohort.patients, tuple("abcdef"), cohort.blocks, values, cohort.outcome, "e"
    )
    sample = standardize(distinct_patients(both.take_columns(columns)))
    np.testing.assert_array_equal(most_relevant(sample, keep=2), [0, 2])


@pytest.mark.parametrize("reduction", ["rfe", "mrmr", "none"])
def test_every_reduction_finds_the_one_true_feature(reduction):
    settings = SelectionSettings(reduction=reduction, rfe_features=5)
    cohort = cohort_of(clinical=0, effect=2.5)
    assert 0 in select_features(cohort, settings, seed=1).positions


def test_of_two_copies_the_more_reliable_one_is_kept():
    cohort = cohort_of(clinical=0, effect=2.5)
    values = cohort.values.copy()
    values[:, 5] = values[:, 0] + 0.01 * values[:, 5]
    for best in (0, 5):
        reliability = np.full(12, 0.5)
        reliability[best] = 0.9
        one = Cohort(
            cohort.patients, cohort.names, cohort.blocks, values, cohort.outcome,
            "e = 1", reliability=reliability,
        )  # fmt: skip
        kept = select_features(one, SelectionSettings(), seed=1).positions
        assert {0, 5} & set(kept.tolist()) == {best}


def test_a_variable_that_only_repeats_another_fails_the_multivariable_test():
    draws = np.random.default_rng(5)
    cause = draws.normal(size=150)
    outcome = (draws.random(150) < 1 / (1 + np.exp(-1.5 * cause))).astype(np.int8)
    values = np.column_stack([cause, cause + 0.6 * draws.normal(size=150)])
    ids = tuple(f"P{i:03d}" for i in range(150))
    cohort = Cohort(ids, ("a", "b"), (Block.CLINICAL,) * 2, values, outcome, "e = 1")
    alone = select_clinical(cohort, SelectionSettings(clinical="univariable"))
    joint = select_clinical(cohort, SelectionSettings(clinical="multivariable"))
    assert alone.positions.tolist() == [0, 1]
    assert joint.positions.tolist() == [0]
    assert joint.counts[-1] == ("p < 0.05 together", 1)


def test_sites_are_harmonized_inside_the_learning_and_in_the_formula():
    sites = np.repeat(["A", "B"], 40)
    cohort = cohort_of(sites=sites)
    values = cohort.values.copy()
    values[40:, 2:] = 5.0 + 3.0 * values[40:, 2:]
    moved = Cohort(
        cohort.patients, cohort.names, cohort.blocks, values, cohort.outcome,
        "e = 1", cohort.sites,
    )  # fmt: skip
    settings = study(models=ModelSettings(harmonization="combat"))
    model = fit_ladder(moved, settings)["crh"]
    image = values[:, 2:]
    even = values.copy()
    even[:, 2:] = fit_combat(image, moved.sites).transform(image, moved.sites)
    same = replace(moved, values=even)
    unharmonized = replace(model, sites={})
    np.testing.assert_allclose(
        model.log_odds(moved), unharmonized.log_odds(same), atol=1e-9
    )
    assert model.variables == fit_ladder(same, study())["crh"].variables
    again = from_json(to_json(model))
    np.testing.assert_array_equal(again.log_odds(moved), model.log_odds(moved))
    stranger = Cohort(
        moved.patients, moved.names, moved.blocks, values, moved.outcome, "e = 1",
        ("C",) * 80,
    )  # fmt: skip
    with pytest.raises(TableError, match="Site 'C' was not among those harmonized"):
        model.log_odds(stranger)


def test_harmonized_learning_is_never_tried_on_a_site_left_out():
    cohort = cohort_of(sites=np.repeat(["A", "B"], 40))
    settings = study(models=ModelSettings(harmonization="combat"))
    with_combat = evaluation_of(cohort, settings, every_site=True)
    assert with_combat.sites == ()
    assert with_combat.failed_resamples == 0
    plain = evaluation_of(cohort, study())
    assert [(s.site, s.patients) for s in plain.sites] == [("A", 40), ("B", 40)]
    assert all(0.4 < s.auc["crh"].value <= 1.0 for s in plain.sites)


def test_all_rules_come_from_the_same_repeats_and_stand_in_their_order():
    found = evaluation_of(cohort_of(effect=1.0), study())
    check = found.results["crh"].validation
    apparent = found.results["crh"].apparent.value
    assert check.headline == check.plus632
    assert check.out_of_bag.value <= check.plus632.value <= check.point632 <= apparent
    assert check.out_of_bag.value < check.harrell < apparent
    assert check.plus632.low <= check.plus632.value <= check.plus632.high
    assert check.published.value > check.out_of_bag.value
    assert "apparent" in check.published.method
    assert len(check.shuffled) == 4
    assert 1 / 5 <= check.permutation_p <= 1
    assert set(found.ablations) == {"LAP", "PVP"}
    for decision in found.results["crh"].decisions:
        counted = (
            decision.true_positives + decision.false_positives
            + decision.true_negatives + decision.false_negatives
        )  # fmt: skip
        assert counted == pytest.approx(80)


def test_separation_is_named_and_cured_as_the_study_says():
    cohort = cohort_of(clinical=2, effect=0.0)
    values = cohort.values.copy()
    values[:, 0] = cohort.outcome + 0.1 * values[:, 0]
    perfect = Cohort(
        cohort.patients, cohort.names, cohort.blocks, values, cohort.outcome, "e = 1"
    )
    for how, words in (("ridge", "a ridge penalty of 1"), ("firth", "Firth's")):
        settings = study(models=ModelSettings(separation=how))
        model = fit_ladder(perfect, settings)["clinical"]
        assert any("age0 separate" in n and words in n for n in model.notes)
        assert np.abs(model.coefficients).max() < 20


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["1", "0", "1", "0"], None),
        (["2", "1", "2", "1"], "2"),
        (["OR", "nOR", "OR", "nOR"], "OR"),
        (["CR", "SD", "PR", "PD"], None),
        (["CR", "SD", "PR", "PD"], "CR, PR"),
        (["yes", "no", "yes", "no"], None),
    ],
)
def test_every_coding_of_the_response_gives_the_same_outcome(cells, positive):
    table = pd.DataFrame({"response": cells}, index=list("abcd"))
    data = DataSettings(outcome="response", positive=positive)
    clinical = read_clinical_frame(table, data, "clinical.csv")
    assert clinical.outcome is not None
    assert clinical.outcome.tolist() == [1, 0, 1, 0]
    assert clinical.event.startswith("response = ")


def test_four_values_that_are_no_responses_ask_which_are_the_event():
    table = pd.DataFrame({"grade": list("abcd")}, index=list("wxyz"))
    with pytest.raises(TableError, match="4 different values instead of two"):
        read_clinical_frame(table, DataSettings(outcome="grade"), "t.csv")
    data = DataSettings(outcome="grade", positive="a, q")
    with pytest.raises(SettingsError, match="with commas between them"):
        read_clinical_frame(table, data, "t.csv")
