"""Time of one refit of the three models, against the same steps in scikit-learn.

    python benchmarks/learning.py [--patients 105] [--refits 20] [--peer-refits 1]
        [--processes] [--habit ENVIRONMENT/bin/habit]

428 radiomic and 1,140 habitat features with the correlations of radiomics, 8 clinical
variables, an outcome that means nothing; every refit is on a bootstrap resample. The
peer does the published steps the straightforward way: standardize, drop |r| > 0.9, RFE
with step 1 around LogisticRegression, cross-validated LASSO, logistic regression. HABIT
(habitat-analysis 3.0.0) learns one model of the whole table with `habit model`: |r| and
RFECV in steps of 20 (its LASSO fails with scikit-learn 1.9), no figures.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from radhabitat.evaluation import learn_task
from radhabitat.evaluation.draw import Kind, list_tasks
from radhabitat.execution import start_workers, values_of
from radhabitat.learning import fit_ladder
from radhabitat.settings import EvaluationSettings, StudySettings
from radhabitat.types import Block, Cohort

SIZES = {Block.CLINICAL: 8, Block.RADIOMICS: 428, Block.HABITAT: 1140}
FACTORS = 60
HABIT = """
input:
  - path: table.csv
    name: all_
    subject_id_col: subject_id
    label_col: label
    features:
output: out
split_method: stratified
test_size: 0.05
normalization: {method: z_score}
feature_selection_methods:
  - method: correlation
    params: {threshold: 0.9, method: pearson, visualize: false, before_z_score: false}
  - method: rfecv
    params: {estimator: LogisticRegression, step: 20, cv: 5, visualize: false}
is_visualize: false
is_save_model: false
models:
  LogisticRegression:
    params: {random_state: 42, max_iter: 1000, C: 1.0}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=105)
    parser.add_argument("--refits", type=int, default=20)
    parser.add_argument("--peer-refits", type=int, default=1)
    parser.add_argument("--processes", action="store_true", help="one against two")
    parser.add_argument("--habit", type=Path, help="its command")
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
    if arguments.habit:
        theirs = _habit_seconds(cohort, arguments.habit)
        print(f"  HABIT         {theirs:8.3f}   ratio {theirs / ours:.1f}")
    if arguments.processes:
        walls = [_wall_seconds(cohort, settings, count) for count in (1, 2)]
        print(f"  100 repeats   {walls[0]:8.1f} s, {walls[1]:.1f} s on two processes: "
              f"{walls[0] / walls[1]:.2f} times as fast")  # fmt: skip


def _wall_seconds(cohort: Cohort, settings: StudySettings, workers: int) -> float:
    """Time 100 resamples, the processes already running and warm."""
    few = EvaluationSettings(
        bootstraps=100, permutations=0, cv_repeats=0, ablation=False
    )
    learn = partial(
        learn_task, partial(fit_ladder, settings=settings), cohort, settings=few, seed=1
    )
    tasks = [t for t in list_tasks(cohort, few) if t.kind is Kind.BOOTSTRAP]
    with start_workers(workers) as run:
        list(values_of(run(learn, tasks[:4], "warm")))
        start = time.perf_counter()
        list(values_of(run(learn, tasks, "measured")))
        return time.perf_counter() - start


def _habit_seconds(cohort: Cohort, command: Path) -> float:
    import pandas as pd

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = pd.DataFrame(cohort.values, columns=list(cohort.names))
        table.insert(0, "label", cohort.outcome)
        table.insert(0, "subject_id", list(cohort.patients))
        table.to_csv(folder / "table.csv", index=False)
        (folder / "habit.yaml").write_text(HABIT, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(  # noqa: S603
            [command, "model", "-c", folder / "habit.yaml"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode:
        print(f"  HABIT failed: {run.stderr[-300:]}")
        return float("nan")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
