"""Time of one refit of the three models, against the same steps in scikit-learn.

    python benchmarks/learning.py [--patients 105] [--refits 20] [--peer-refits 1]

428 radiomic and 1,140 habitat features with the correlations of radiomics, 8 clinical
variables, an outcome that means nothing; every refit is on a bootstrap resample. The
peer does the published steps the straightforward way: standardize, drop |r| > 0.9, RFE
with step 1 around LogisticRegression, cross-validated LASSO, logistic regression.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from radhabitat.learning import fit_ladder
from radhabitat.settings import StudySettings
from radhabitat.types import Block, Cohort

SIZES = {Block.CLINICAL: 8, Block.RADIOMICS: 428, Block.HABITAT: 1140}
FACTORS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=105)
    parser.add_argument("--refits", type=int, default=20)
    parser.add_argument("--peer-refits", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="times the features")
    arguments = parser.parse_args()
    cohort = cohort_of_noise(arguments.patients, arguments.scale)
    draws = np.random.default_rng(1)
    rows = [
        draws.integers(0, len(cohort), len(cohort)) for _ in range(arguments.refits)
    ]
    settings = StudySettings()
    fit_ladder(cohort, settings)  # compiles
    ours = _median_seconds(lambda r: fit_ladder(cohort.take(r), settings), rows)
    count = len(cohort.names)
    print(f"{len(cohort)} patients, {count} variables, CPU seconds of one refit")
    print(f"  radhabitat    {ours:8.3f}   (1,000 refits: {1000 * ours / 60:.1f} min)")
    if arguments.peer_refits:
        few = rows[: arguments.peer_refits]
        theirs = _median_seconds(lambda r: _peer(cohort.take(r)), few)
        print(f"  scikit-learn  {theirs:8.3f}")
        print(f"  ratio         {theirs / ours:8.1f}")


def _median_seconds(fit, rows) -> float:
    seconds = []
    for one in rows:
        start = time.process_time()
        fit(one)
        seconds.append(time.process_time() - start)
    return float(np.median(seconds))


def cohort_of_noise(patients: int, scale: float, *, seed: int = 0) -> Cohort:
    draws = np.random.default_rng(seed)
    factors = draws.normal(size=(patients, FACTORS))
    names, blocks, columns = [], [], []
    for block, size in SIZES.items():
        count = size if block is Block.CLINICAL else round(size * scale)
        loads = draws.normal(size=(FACTORS, count))
        loads *= draws.random((FACTORS, count)) < 0.08
        noise = draws.normal(size=(patients, count)) * draws.uniform(0.2, 1, count)
        columns.append(factors @ loads + noise)
        names += [f"{block}_{place:04d}" for place in range(count)]
        blocks += [block] * count
    outcome = (np.arange(patients) < round(0.46 * patients)).astype(np.int8)
    ids = tuple(f"P{i:04d}" for i in range(patients))
    return Cohort(
        ids, tuple(names), tuple(blocks), np.hstack(columns), outcome, "noise = 1"
    )


def _peer(cohort: Cohort) -> None:
    import pandas as pd
    from sklearn.feature_selection import RFE
    from sklearn.linear_model import LassoCV, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    kept = list(cohort.columns(Block.CLINICAL))
    for block in (Block.RADIOMICS, Block.HABITAT):
        columns = cohort.columns(block)
        values = StandardScaler().fit_transform(cohort.values[:, columns])
        correlation = pd.DataFrame(values).corr().abs()
        upper = correlation.where(np.triu(np.ones(correlation.shape, dtype=bool), 1))
        alone = np.array([not (upper[c] > 0.9).any() for c in upper.columns])
        values, columns = values[:, alone], columns[alone]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where it does not converge
            model = LogisticRegression(C=1.0, max_iter=1000)
            chosen = RFE(model, n_features_to_select=20).fit(values, cohort.outcome)
            values, columns = values[:, chosen.support_], columns[chosen.support_]
            lasso = LassoCV(cv=10).fit(values, cohort.outcome)
        order = np.argsort(-np.abs(lasso.coef_))[:6]
        kept += list(columns[order])
        chosen_values = StandardScaler().fit_transform(cohort.values[:, kept])
        LogisticRegression(max_iter=1000).fit(chosen_values, cohort.outcome)


if __name__ == "__main__":
    main()
