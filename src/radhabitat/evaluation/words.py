"""An evaluation as JSON, and its answer in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
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
        "models": {
            name: _finite(_model(result)) for name, result in evaluation.results.items()
        },
        "comparisons": [_finite(asdict(row)) for row in evaluation.comparisons],
        "sites": [_finite(asdict(site)) for site in evaluation.sites],
        "ablations": _finite(
            {
                sequence: {name: asdict(auc) for name, auc in models.items()}
                for sequence, models in evaluation.ablations.items()
            }
        ),
        "patients": list(evaluation.patients),
        "outcome": evaluation.outcome.tolist(),
    }


def verdict(evaluation: Evaluation) -> str:
    """Return the honest answer: is there a signal, and does each block add to it?

    It speaks of the last model of the ladder, so that nobody can pick the best of
    several; an earlier one is named when it alone does better than guessing.
    """
    name, result = list(evaluation.results.items())[-1]
    sentences = [_signal(name, result)]
    if result.headline.low <= 0.5:
        better = [
            f"the {_title(n)} model, {_spell(r.headline)}"
            for n, r in evaluation.results.items()
            if r.headline.low > 0.5
        ]
        if better:
            sentences.append(f"Better than guessing: {'; '.join(better)}.")
    sentences += [_added(row) for row in evaluation.comparisons]
    return " ".join(sentences)


def _signal(name: str, result: ModelResult) -> str:
    unseen = result.headline
    seen = f"(apparent, on its own patients: {result.apparent.value:.2f})"
    if unseen.low > 0.5:
        return (
            f"The {_title(name)} model carries a signal: on patients that the learning "
            f"did not see, it reached an AUC of {_spell(unseen)} {seen}."
        )
    if unseen.high < 0.5:
        said = f"ranked worse than guessing, with an AUC of {_spell(unseen)} {seen}"
    else:
        covers = "an interval that covers 0.5, guessing"
        said = f"reached an AUC of {_spell(unseen)}, {covers} {seen}"
    return (
        "No evidence of signal: on patients that the learning did not see, the "
        f"{_title(name)} model {said}."
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
    coefficients = zip(model.variables, model.coefficients.tolist(), strict=True)
    return {
        "auc": {
            "apparent": asdict(result.apparent),
            **asdict(result.validation),
        },
        "optimism": result.optimism,
        "calibration": {
            "intercept": asdict(fit.intercept),
            "slope": asdict(fit.slope),
            "brier": fit.brier,
        },
        "measures": asdict(result.measures),
        "vif": dict(result.vif),
        "decisions": [
            {k: v for k, v in asdict(row).items() if k != "positive_share"}
            for row in result.decisions
        ],
        "intercept": model.intercept,
        "variables": dict(coefficients),
        "selection_frequency": dict(list(result.selection_frequency.items())[:TOP]),
        "sign_consistency": {
            name: result.sign_consistency[name]
            for name in list(result.selection_frequency)[:TOP]
        },
        "block_shares": dict(result.block_shares),
        "empty_share": result.empty_share,
        "risk_out_of_bag": result.risk_out_of_bag.tolist(),
        "risk_apparent": result.risk_apparent.tolist(),
        "notes": list(model.notes),
    }


def _finite(value: Json) -> Json:
    """Return plain Python values, with null for what is not a number."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
