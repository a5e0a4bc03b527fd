"""A trained model applied to inputs that are known: risk, interval, reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radhabitat.errors import InputError, TableError
from radhabitat.files.store import library_versions
from radhabitat.trained import Trained, read_trained
from radhabitat.types import Block, Cohort

RESEARCH_ONLY = "Research use only. Not for clinical decisions."
LEAST_REFITS = 20
"""Refits below which no interval is given."""


@dataclass(frozen=True)
class Contribution:
    """What one input adds to the log-odds.

    Attributes:
        variable: Its name.
        value: Of this patient.
        center: Mean of the training patients.
        log_odds: Added by this value instead of the center.
        low, high: Range in training.
        outside: Whether the value lies outside that range.
    """

    variable: str
    value: float
    center: float
    log_odds: float
    low: float
    high: float
    outside: bool


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one patient.

    Attributes:
        patient: The name given.
        model: Name of the model.
        event: What is predicted.
        probability: Of the event.
        low, high: 95 % of the formulas that other samples of the training patients
            would have given.
        group: Name of the threshold -> "high" or "low" risk.
        intercept: Log-odds of a patient at every center.
        contributions: They and the intercept sum to the log-odds.
        distance: Squared Mahalanobis distance to the training patients over the
            largest of them; above 1: farther than all.
        flags: Reasons to doubt; empty is good.
        abstain: Whether one of them is a reason not to use the risk.
        volumes_ml: Habitats 1..k.
        fingerprint: Of the model.
    """

    patient: str
    model: str
    event: str
    probability: float
    low: float
    high: float
    group: Mapping[str, str]
    intercept: float
    contributions: tuple[Contribution, ...]
    distance: float
    flags: tuple[str, ...]
    abstain: bool
    volumes_ml: tuple[float, ...]
    fingerprint: str

    def to_json(self) -> dict[str, object]:
        """Return what prediction.json holds."""
        rows = [dict(vars(row)) for row in self.contributions]
        return {
            **vars(self),
            "contributions": rows,
            "research_use_only": RESEARCH_ONLY,
            "version": library_versions()["radhabitat"],
        }


def load_model(path: Path) -> Trained:
    """Read a model file.

    Raises:
        InputError: It cannot be read, was edited, or is of another schema.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name} is not a model file: {error}",
            "give a file of results/models, such as crh.json",
        ) from None
    if not isinstance(stored, dict):
        raise InputError(
            f"{path.name} is not a model file", "give a file of results/models"
        )
    return read_trained(stored)


def apply_model(
    trained: Trained, values: Mapping[str, float], *, patient: str
) -> Prediction:
    """Return the risk of a patient whose inputs are known.

    Raises:
        TableError: An input is missing.
    """
    model = trained.model
    missing = [n for n in model.variables if n not in values]
    if missing:
        raise TableError(
            f"Patient {patient} lacks {len(missing)} of {len(model.variables)} inputs "
            f"of the model: {', '.join(missing[:5])}",
            "give them (--clinical NAME=VALUE), or use a model without them",
        )
    row = _cohort(values, patient, model.event)
    inputs = np.array([values[n] for n in model.variables], dtype=np.float64)
    unknown = ~np.isfinite(inputs)
    inputs = np.where(unknown, model.centers, inputs)
    scaled = (inputs - model.centers) / model.scales
    outside = (inputs < trained.low) | (inputs > trained.high)
    low, high = _interval(trained, row)
    risk = float(model.risk(row)[0])
    distance = trained.distance(scaled) / max(trained.farthest, 1e-12)
    flags = [
        f"{name} is {value:.4g}, outside the training's {a:.4g} to {b:.4g}"
        for name, value, a, b, odd in zip(
            model.variables, inputs, trained.low, trained.high, outside, strict=True
        )
        if odd
    ]
    flags += [
        f"{name} is not computable (an absent or tiny habitat): the training's mean "
        "stands in for it"
        for name, odd in zip(model.variables, unknown, strict=True)
        if odd
    ]
    if distance > 1.0:
        flags.append(
            "its inputs together are farther from the training's center than any "
            f"training patient ({distance:.2f} times)"
        )
    return Prediction(
        patient=patient,
        model=model.name,
        event=model.event,
        probability=risk,
        low=min(low, risk),
        high=max(high, risk),
        group={
            n: "high" if risk >= t else "low" for n, t in trained.thresholds.items()
        },
        intercept=model.intercept,
        contributions=tuple(
            Contribution(*row)
            for row in zip(
                model.variables,
                inputs.tolist(),
                model.centers.tolist(),
                (model.coefficients * scaled).tolist(),
                trained.low.tolist(),
                trained.high.tolist(),
                outside.tolist(),
                strict=True,
            )
        ),
        distance=distance,
        flags=tuple(flags),
        abstain=bool(distance > 1.0 or unknown.any()),
        volumes_ml=(),
        fingerprint=trained.fingerprint,
    )


def clinical_values(trained: Trained, cells: Mapping[str, str]) -> dict[str, float]:
    """Return the model's clinical columns for one patient's cells.

    Raises:
        TableError: A cell is not a number where numbers are wanted, or a level that
            the training did not have.
    """
    levels_of = trained.training.clinical or {}
    given = {name.strip().casefold(): cell.strip() for name, cell in cells.items()}
    found: dict[str, float] = {}
    for name in (n for m in (trained.model, *trained.refits) for n in m.variables):
        variable, _, level = name.partition("=")
        levels = levels_of.get(variable)
        if levels is None or variable.casefold() not in given:
            continue
        cell = given[variable.casefold()]
        if not levels:
            found[name] = _number(variable, cell)
            continue
        if cell.casefold() not in {known.casefold() for known in levels}:
            raise TableError(
                f"{variable} is {cell!r}; the training had {', '.join(levels)}",
                "give one of these",
            )
        found[name] = float(cell.casefold() == level.casefold())
    return found


def _number(variable: str, cell: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        raise TableError(
            f"{variable} is {cell!r}, which is not a number", "give a number"
        ) from None


def _cohort(values: Mapping[str, float], patient: str, event: str) -> Cohort:
    names = tuple(values)
    return Cohort(
        (patient,),
        names,
        (Block.RADIOMICS,) * len(names),
        np.array([[values[n] for n in names]], dtype=np.float64),
        np.zeros(1, dtype=np.int8),
        event,
    )


def _interval(trained: Trained, row: Cohort) -> tuple[float, float]:
    """Return 95 % limits of the refits' risks; the whole range without refits."""
    logits: list[float] = []
    for refit in trained.refits:
        if set(refit.variables) <= set(row.names):
            logits.append(float(refit.log_odds(row)[0]))
    if len(logits) < LEAST_REFITS:
        return 0.0, 1.0
    limits: NDArray[np.float64] = expit(np.percentile(logits, [2.5, 97.5]))
    return float(limits[0]), float(limits[1])
