"""An evaluation as JSON, and its answer in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

from radhabitat.evaluation.results import Comparison, Evaluation, ModelResult
from radhabitat.types import Estimate

Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"

TOP = 30
_TITLES = {"cr": "CR", "crh": "CRH"}


def to_json(evaluation: Evaluation) -> dict[str, Json]:
    """Return an evaluation as a JSON object; what cannot be computed is null."""
    return {
        "event": evaluation.event,
        "n": len(evaluation.patients),
        "events": int(evaluation.outcome.sum()),
        "resamples": evaluation.resamples,
        "failed_resamples": evaluation.failed_resamples,
        "verdict": verdict(evaluation),
        "models": {n: _model(result) for n, result in evaluation.results.items()},
        "comparisons": [_comparison(row) for row in evaluation.comparisons],
        "patients": list(evaluation.patients),
        "outcome": [int(y) for y in evaluation.outcome],
    }


def verdict(evaluation: Evaluation) -> str:
    """Return the honest answer: is there a signal, and does each block add to it?

    It speaks of the last model of the ladder, the study's question, so that nobody
    can pick the best of several by its result; an earlier model is named when it does
    better than guessing and the last one does not.
    """
    name, result = list(evaluation.results.items())[-1]
    sentences = [_signal(name, result)]
    if result.out_of_bag.low <= 0.5:
        better = [
            f"the {_title(n)} model, {_spell(r.out_of_bag)}"
            for n, r in evaluation.results.items()
            if r.out_of_bag.low > 0.5
        ]
        if better:
            sentences.append(f"Better than guessing: {'; '.join(better)}.")
    sentences += [_added(row) for row in evaluation.comparisons]
    return " ".join(sentences)


def _signal(name: str, result: ModelResult) -> str:
    unseen = result.out_of_bag
    seen = f"(apparent, on its own patients: {result.apparent.value:.2f})"
    if unseen.low > 0.5:
        return (
            f"The {_title(name)} model carries a signal: on patients that the learning "
            f"did not see, it reached an AUC of {_spell(unseen)} {seen}."
        )
    where = f"on patients that the learning did not see, the {_title(name)} model"
    if unseen.high < 0.5:
        return (
            f"No evidence of signal: {where} ranked worse than guessing, with an AUC "
            f"of {_spell(unseen)} {seen}."
        )
    return (
        f"No evidence of signal: {where} reached an AUC of {_spell(unseen)}, an "
        f"interval that covers 0.5, guessing {seen}."
    )


def _added(row: Comparison) -> str:
    change = f"{row.difference.value:+.2f}, p = {row.p:.3f}"
    if row.p < 0.05:
        verb = "improved" if row.difference.value > 0 else "worsened"
        return f"{_title(row.second)} {verb} on {_title(row.first)} (AUC {change})."
    return (
        f"That {_title(row.second)} differs from {_title(row.first)} is not shown "
        f"(AUC {change})."
    )


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", "-"))


def _spell(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def _model(result: ModelResult) -> dict[str, Json]:
    model, fit = result.model, result.calibration
    frequent = list(result.selection_frequency.items())[:TOP]
    return {
        "auc": {
            "apparent": _estimate(result.apparent),
            "out_of_bag": _estimate(result.out_of_bag),
        },
        "optimism": _number(result.optimism),
        "calibration": {
            "intercept": _estimate(fit.intercept),
            "slope": _estimate(fit.slope),
            "brier": _number(fit.brier),
        },
        "intercept": float(model.intercept),
        "variables": {
            name: float(coefficient)
            for name, coefficient in zip(
                model.variables, model.coefficients, strict=True
            )
        },
        "selection_frequency": dict(frequent),
        "empty_share": result.empty_share,
        "risk_out_of_bag": [_number(risk) for risk in result.risk_out_of_bag],
        "risk_apparent": [_number(risk) for risk in result.risk_apparent],
        "notes": list(model.notes),
    }


def _comparison(row: Comparison) -> dict[str, Json]:
    return {
        "first": row.first,
        "second": row.second,
        "difference": _estimate(row.difference),
        "z": _number(row.z),
        "p": _number(row.p),
        "p_apparent": _number(row.p_apparent),
        "method": row.method,
    }


def _estimate(estimate: Estimate) -> dict[str, Json]:
    return {
        "value": _number(estimate.value),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
        "method": estimate.method,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
