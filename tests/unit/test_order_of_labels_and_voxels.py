"""How files store voxels, and how K-means numbers its groups, is no information."""

from __future__ import annotations

import numpy as np
import pandas as pd
from test_habitats import CHANNELS, SETTINGS, mixed_cohort

from radhabitat.habitats import Survey, divide_cohort, divide_tumor, survey_tumor
from radhabitat.models import bundle
from radhabitat.models.logistic import fit_risk_model
from radhabitat.settings import FeatureSettings, StudySettings
from radhabitat.steps.row import measure
from radhabitat.types import AlignedSubject, Block, Cohort, Grid, Mask, Volume

STUDY = StudySettings(habitats=SETTINGS, features=FeatureSettings(bin_count=16))
VARIABLES = ("LAP_Habitat_1_original_firstorder_Mean", "PVP_Habitat_2_proportion")


def _flipped(subject):
    """The same patient, every axis stored in the opposite direction."""
    old = subject.grid
    turn = np.diag([-1.0, -1.0, -1.0, 1.0])
    turn[:3, 3] = np.array(old.shape) - 1
    grid = Grid(old.shape, old.affine @ turn)
    images = {
        s: Volume(v.array[::-1, ::-1, ::-1], grid) for s, v in subject.images.items()
    }
    tumor = Mask(subject.tumor.array[::-1, ::-1, ::-1], grid)
    return AlignedSubject(subject.patient, images, subject.reference, tumor)


def _relabeled(survey, rng):
    stored = survey.to_json()
    for k, division in stored["divisions"].items():
        order = rng.permutation(int(k))
        division["centers"] = [division["centers"][i] for i in order]
    return Survey.from_json(stored)


def _study(tumors, rng=None):
    surveys = {s.patient: survey_tumor(s, SETTINGS, seed=1) for s in tumors}
    if rng is not None:
        surveys = {p: _relabeled(s, rng) for p, s in surveys.items()}
    known = {"channels": CHANNELS, "order_by": "LAP", "seed": 1}
    division, _ = divide_cohort(surveys, SETTINGS, **known)
    rows = {}
    for subject in tumors:
        partition, _ = divide_tumor(surveys[subject.patient], division)
        rows[subject.patient] = measure(subject, partition, STUDY)[1]
    return pd.DataFrame.from_dict(rows, orient="index")


def _model(table):
    cohort = Cohort(
        patients=tuple(table.index),
        names=tuple(table.columns),
        blocks=(Block.HABITAT,) * table.shape[1],
        values=table.to_numpy(),
        outcome=(np.arange(len(table)) % 3 == 0).astype(np.int8),
        event="response",
    )
    return fit_risk_model(cohort, VARIABLES, name="habitats", ridge=1.0)


def test_labels_change_no_byte_of_the_features_and_of_a_model():
    tumors, _ = mixed_cohort(6)
    table = _study(tumors)
    other = _study(tumors, np.random.default_rng(4))
    pd.testing.assert_frame_equal(table, other, check_exact=True)
    assert bundle.to_json(_model(table)) == bundle.to_json(_model(other))


def test_voxels_stored_in_another_order_change_no_feature_and_no_model():
    tumors, _ = mixed_cohort(6)
    table = _study(tumors)
    other = _study([_flipped(s) for s in tumors])
    pd.testing.assert_frame_equal(table, other, rtol=1e-7, atol=1e-9)
    one, two = _model(table), _model(other)
    assert one.variables == two.variables == VARIABLES
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-7)
    assert np.abs(one.coefficients).min() > 1e-3
