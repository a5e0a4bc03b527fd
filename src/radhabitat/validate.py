"""A model on another center's patients: is it still right, and what would mend it?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.applied import load_model
from radhabitat.errors import InputError, TableError
from radhabitat.evaluation.calibration import (
    calibrate,
    calibration_error,
    scaled_brier,
)
from radhabitat.evaluation.decision import decide
from radhabitat.evaluation.discrimination import auc_estimate, delong
from radhabitat.models.logistic import maximize_likelihood
from radhabitat.types import Block, Cohort, Estimate, RiskModel

Floats = NDArray[np.float64]
PUBLISHED = "haic2026:"
FEWEST = 5
"""Patients of a class below which nothing is said."""


@dataclass(frozen=True, eq=False)
class Validation:
    """How a model does on patients that it never saw.

    Attributes:
        patients: With all inputs and an outcome.
        events: Of them.
        set_aside: Patient -> inputs it lacks.
        auc: With DeLong's interval; nothing was learned here.
        intercept, slope: Of calibration; 0 and 1 are ideal.
        brier, scaled_brier, ici: Of the risks.
        decision: Thresholds, net benefit of the model and of treating everybody.
        shifts: Input -> (mean here - mean of the training) / SD of the training.
        recalibrated: Way -> (intercept, slope) to apply to the log-odds. Learned from
            these patients: to be tried on others.
        notes: What to know.
    """

    patients: int
    events: int
    set_aside: Mapping[str, tuple[str, ...]]
    auc: Estimate
    intercept: Estimate
    slope: Estimate
    brier: float
    scaled_brier: float
    ici: float
    decision: Mapping[str, list[float]]
    shifts: Mapping[str, float]
    recalibrated: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return a JSON object."""
        return asdict(self)


def read_formula(name: str) -> tuple[RiskModel, tuple[str, ...]]:
    """Return a model and notes: a model file, a formula, or a published one.

    Args:
        name: Path of a model of results/models or of a JSON object with `intercept`
            and `coefficients`; or haic2026:clinical, haic2026:cr, haic2026:crh.

    Raises:
        InputError: It is none of these.
    """
    if name.startswith(PUBLISHED):
        file = resources.files("radhabitat.models").joinpath("published_haic2026.json")
        stored = json.loads(file.read_text(encoding="utf-8"))
        which = name.removeprefix(PUBLISHED)
        if which not in stored["models"]:
            raise InputError(
                f"There is no published model {which!r}",
                f"give one of {', '.join(PUBLISHED + n for n in stored['models'])}",
            )
        model = _formula(stored["models"][which], which, stored["event"])
        return model, (f"{stored['note']} ({stored['source']})",)
    path = Path(name)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} is not a model file: {error}",
            "give a file of results/models, or a JSON object with intercept and "
            "coefficients",
        ) from None
    if isinstance(stored, dict) and "coefficients" in stored:
        return _formula(stored, path.stem, str(stored.get("event", "the event"))), ()
    return load_model(path).model, ()


def validate_model(
    model: RiskModel,
    values: pd.DataFrame,
    outcome: pd.Series[int],
    *,
    confidence: float = 0.95,
    notes: tuple[str, ...] = (),
) -> Validation:
    """Return how a formula does on a table of its inputs.

    Args:
        model: The formula; it is not changed.
        values: One row per patient (the index), a numeric column per input.
        outcome: 1 = the event, per patient.
        confidence: Of the intervals.
        notes: To be kept with the result.

    Raises:
        TableError: An input has no column, or too few patients of a class are left.

    Reference:
        Steyerberg 2019, Clinical Prediction Models, 2nd ed., chapters 15 and 20.
    """
    absent = [n for n in model.variables if n not in values.columns]
    if absent:
        raise TableError(
            f"The table lacks {len(absent)} of {len(model.variables)} inputs of "
            f"{model.name}: {', '.join(absent[:5])}",
            "add these columns, named as in the model",
        )
    patients = [p for p in outcome.index if p in values.index]
    table = values.loc[patients, list(model.variables)].astype(np.float64)
    lacking = {
        str(p): tuple(n for n in model.variables if not np.isfinite(row[n]))
        for p, row in table.iterrows()
    }
    lacking = {p: names for p, names in lacking.items() if names}
    kept = [p for p in patients if str(p) not in lacking]
    y: NDArray[np.int8] = np.asarray(outcome.loc[kept], dtype=np.int8)
    if min(y.sum(), len(y) - y.sum()) < FEWEST:
        raise TableError(
            f"{int(y.sum())} of {len(y)} patients with all inputs have the event; "
            f"{FEWEST} of each class are needed",
            "add patients, or fill the gaps of the table",
        )
    cohort = Cohort(
        tuple(map(str, kept)), model.variables, (Block.RADIOMICS,) * table.shape[1],
        table.loc[kept].to_numpy(dtype=np.float64), y, model.event,
    )  # fmt: skip
    log_odds = model.log_odds(cohort)
    risk = expit(log_odds)
    fit = calibrate(y, risk[None], confidence=confidence)
    curve = decide(y, risk[None], confidence=confidence)
    return Validation(
        patients=len(y),
        events=int(y.sum()),
        set_aside=lacking,
        auc=auc_estimate(delong(y, risk[None]), 0, confidence=confidence),
        intercept=fit.intercept,
        slope=fit.slope,
        brier=fit.brier,
        scaled_brier=scaled_brier(y, risk),
        ici=calibration_error(y, risk).mean,
        decision={
            "thresholds": curve.thresholds.tolist(),
            "net_benefit": curve.net_benefit.tolist(),
            "treat_all": curve.treat_all.tolist(),
        },
        shifts={
            n: float((cohort.values[:, j].mean() - model.centers[j]) / model.scales[j])
            for j, n in enumerate(model.variables)
        },
        recalibrated=_recalibrate(log_odds, y, fit.intercept.value),
        notes=notes,
    )


def _recalibrate(
    log_odds: Floats, outcome: NDArray[np.int8], offset: float
) -> dict[str, tuple[float, float]]:
    found = {"intercept only": (offset, 1.0)}
    formula = maximize_likelihood(log_odds[:, np.newaxis], outcome, ridge=0.0)
    if formula is not None:
        found["intercept and slope"] = (float(formula[0]), float(formula[1]))
    return found


def _formula(stored: Mapping[str, object], name: str, event: str) -> RiskModel:
    """Return a formula on inputs as they are; centers are 0 and scales 1."""
    try:
        coefficients = cast("Mapping[str, float]", stored["coefficients"])
        numbers = np.array([float(b) for b in coefficients.values()])
        intercept = float(cast("float", stored["intercept"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The formula cannot be read: {error}",
            'write {"intercept": 0.6, "coefficients": {"name": -0.1}}',
        ) from None
    size = len(numbers)
    return RiskModel(
        name, event, tuple(coefficients), numbers, intercept, np.zeros(size),
        np.ones(size),
    )  # fmt: skip
