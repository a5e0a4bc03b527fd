"""Does the headline tell the truth? Noise, signal of known size, coverage.

    python benchmarks/honesty.py noise --cohorts 20 --resamples 100
    python benchmarks/honesty.py signal --cohorts 60 --resamples 100
    python benchmarks/honesty.py coverage --cohorts 200 --resamples 100 --effects 1

`noise`: cohorts of the published study's size (105 patients, 8 clinical variables, 428
radiomic and 1,140 habitat features) whose outcome means nothing. `signal`: cohorts
whose outcome follows a known linear predictor of one clinical variable and three
hidden factors; the truth is the AUC of the model learned from all patients on 4,000
new ones. `coverage`: the same with 60 patients and 60 features. Everything that
learns is inside each resample. One line per cohort with --lines FILE.
"""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from learning import cohort_of_noise

from radhabitat.evaluation import About, evaluate, verdict
from radhabitat.evaluation.discrimination import auc
from radhabitat.learning import fit_ladder, refit_ladder
from radhabitat.settings import EvaluationSettings, StudySettings
from radhabitat.types import Block, Cohort

FACTORS = 6
NEW_PATIENTS = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("noise", "signal", "coverage"))
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--effects", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--lines", type=Path)
    arguments = parser.parse_args()
    settings = StudySettings(
        evaluation=EvaluationSettings(
            bootstraps=arguments.resamples, cv_repeats=0, permutations=0, ablation=False
        )
    )
    if arguments.what == "noise":
        rows = [_noise(seed, settings) for seed in range(arguments.cohorts)]
        _show("noise", rows)
    else:
        size = (105, 200) if arguments.what == "signal" else (60, 60)
        for effect in arguments.effects:
            rows = [
                _signal(*size, effect, seed, settings)
                for seed in range(arguments.cohorts)
            ]
            _show(f"{arguments.what}, effect {effect:g}", rows)
            if arguments.lines:
                with arguments.lines.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)


def _noise(seed: int, settings: StudySettings) -> dict[str, object]:
    return _evaluated(cohort_of_noise(105, 1.0, seed=seed), settings, seed)


def _signal(
    patients: int, features: int, effect: float, seed: int, settings: StudySettings
) -> dict[str, object]:
    cohort = _cohort(patients, features, effect, seed)
    row = _evaluated(cohort, settings, seed)
    new = _cohort(NEW_PATIENTS, features, effect, 10**6 + seed)
    model = fit_ladder(cohort, settings)["crh"]
    return row | {"effect": effect, "truth": auc(new.outcome, model.log_odds(new))}


def _evaluated(cohort: Cohort, settings: StudySettings, seed: int) -> dict[str, object]:
    found = evaluate(
        partial(fit_ladder, settings=settings), cohort, settings.evaluation, seed=seed,
        about=About(partial(refit_ladder, settings=settings)),
    )  # fmt: skip
    last = found.results["crh"]
    return {
        "headline": last.headline.value,
        "low": last.headline.low,
        "high": last.headline.high,
        "apparent": last.apparent.value,
        "out_of_bag": last.validation.out_of_bag.value,
        "harrell": last.validation.harrell,
        "published": last.validation.published.value,
        "p": [row.p for row in found.comparisons],
        "p_apparent": [row.p_apparent for row in found.comparisons],
        "none": "No evidence of signal" in verdict(found),
    }


def _cohort(patients: int, features: int, effect: float, seed: int) -> Cohort:
    """Half radiomics, half habitats; each feature mixes two of its six factors."""
    fixed = np.random.default_rng(99)
    loads = np.zeros((features, 2 * FACTORS))
    for place in range(features):
        side = 0 if place < features // 2 else FACTORS
        loads[place, side + fixed.choice(FACTORS, 2, replace=False)] = fixed.normal(
            size=2
        )
    draws = np.random.default_rng(seed)
    hidden = draws.normal(size=(patients, 2 * FACTORS))
    clinical = draws.normal(size=(patients, 3))
    measured = hidden @ loads.T + 0.8 * draws.normal(size=(patients, features))
    predictor = effect * (
        0.6 * clinical[:, 0] + 0.8 * hidden[:, 0] - 0.6 * hidden[:, 1]
        + 0.6 * hidden[:, FACTORS]
    )  # fmt: skip
    outcome = (draws.random(patients) < 1 / (1 + np.exp(-predictor))).astype(np.int8)
    half = features // 2
    return Cohort(
        tuple(f"P{i:05d}" for i in range(patients)),
        tuple(f"x{j:04d}" for j in range(3 + features)),
        (Block.CLINICAL,) * 3
        + (Block.RADIOMICS,) * half
        + (Block.HABITAT,) * (features - half),
        np.hstack([clinical, measured]),
        outcome,
        "y = 1",
    )


def _show(title: str, rows: list[dict[str, object]]) -> None:
    def of(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=float)

    print(f"{title}: {len(rows)} cohorts, CRH")
    for name in ("headline", "out_of_bag", "harrell", "published", "apparent"):
        print(f"  {name:12} {of(name).mean():.3f} (SD {of(name).std():.3f})")
    truth = of("truth") if "truth" in rows[0] else np.full(len(rows), 0.5)
    inside = (of("low") <= truth) & (truth <= of("high"))
    bias = (of("headline") - truth).mean()
    print(f"  truth        {truth.mean():.3f}, bias of the headline {bias:+.3f}")
    print(f"  intervals cover the truth in {inside.mean():.1%}")
    for kind in ("p", "p_apparent"):
        rejected = (of(kind) < 0.05).mean(axis=0)
        words = ", ".join(f"{share:.0%}" for share in rejected)
        print(f"  {kind:10} < 0.05 (CR against clinical, CRH against CR): {words}")
    print(f"  the words say 'no evidence of signal' in {of('none').mean():.0%}")


if __name__ == "__main__":
    main()
