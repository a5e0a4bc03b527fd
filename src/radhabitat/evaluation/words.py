"""An evaluation as JSON, and as the honest answer in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation, ModelResult

NAMES = {
    "clinical": "clinical",
    "cr": "clinical-radiomics",
    "crh": "clinical-radiomics-habitat",
    "radiomics": "radiomics",
    "radiomics_habitat": "radiomics-habitat",
}


def verdict(evaluation: Evaluation) -> str:
    """Return the answer in plain words: the last model, on patients not seen."""
    name, result = list(evaluation.results.items())[-1]
    auc, words = result.out_of_bag, NAMES.get(name, name)
    if auc.low > 0.5:
        answer = (
            f"The {words} model carries a signal: on patients that it did not learn "
            f"from, its AUC is {auc}."
        )
    elif auc.high < 0.5:
        answer = (
            f"No evidence of signal, and worse than chance: on patients that it did "
            f"not learn from, the {words} model's AUC is {auc}."
        )
    else:
        answer = (
            f"No evidence of signal: on patients that it did not learn from, the "
            f"{words} model's AUC is {auc}, and 0.5 is chance."
        )
    optimism = (
        f"On the patients that it was made from it shows {result.apparent.value:.3f}: "
        f"{result.optimism:.3f} of that is optimism."
    )
    return " ".join([answer, optimism, *_steps(evaluation)])


def _steps(evaluation: Evaluation) -> list[str]:
    sentences = []
    for one in evaluation.comparisons:
        better = "improves" if one.difference.low > 0 else "does not provably improve"
        sentences.append(
            f"The {NAMES.get(one.second, one.second)} model {better} on the "
            f"{NAMES.get(one.first, one.first)} model (difference "
            f"{one.difference.value:+.3f}, {one.difference.low:+.3f} to "
            f"{one.difference.high:+.3f})."
        )
    return sentences


def to_json(evaluation: Evaluation) -> dict[str, object]:
    """Return everything about the models as a JSON object."""
    return {
        "event": evaluation.event,
        "patients": len(evaluation.patients),
        "events": int(evaluation.outcome.sum()),
        "resamples": evaluation.resamples,
        "failed_resamples": evaluation.failed_resamples,
        "verdict": verdict(evaluation),
        "models": {n: _model(r, evaluation) for n, r in evaluation.results.items()},
        "comparisons": [
            {
                "first": one.first,
                "second": one.second,
                "difference": one.difference.to_json(),
                "z": one.z,
                "p": one.p,
                "p_apparent": one.p_apparent,
                "method": one.method,
            }
            for one in evaluation.comparisons
        ],
        "research_use_only": True,
    }


def _model(result: ModelResult, evaluation: Evaluation) -> dict[str, object]:
    model, calibration = result.model, result.calibration
    return {
        "auc": {
            "apparent": result.apparent.to_json(),
            "out_of_bag": result.out_of_bag.to_json(),
            "optimism": result.optimism,
        },
        "calibration": {
            "intercept": calibration.intercept.to_json(),
            "slope": calibration.slope.to_json(),
            "brier": calibration.brier,
        },
        "intercept": model.intercept,
        "variables": [
            {"name": n, "coefficient": float(c)}
            for n, c in zip(model.variables, model.coefficients, strict=True)
        ],
        "selection_frequency": dict(list(result.selection_frequency.items())[:50]),
        "empty_share": result.empty_share,
        "notes": list(model.notes),
        "risk_out_of_bag": {
            patient: float(risk)
            for patient, risk in zip(
                evaluation.patients, result.risk_out_of_bag, strict=True
            )
        },
    }
