"""Dividing a 10 cm tumor into 2..10 habitats, against scikit-learn on the same voxels.

    python benchmarks/habitats.py [--habit PYTHON]

prints CPU seconds for k = 2..10 with 10 starts each, the ratio, the largest excess of
our inertia over theirs, the peak memory of each in a process of its own; and that of a
pooled cohort of 100 and of 1,000 patients. With `--habit`, a Python that has
habitat-analysis 3.0.0 installed, its K-means and elbow on the same voxels.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

KS = range(2, 11)
RESTARTS = 10
SIDE, RADIUS = 105, 50


def make_tumor() -> np.ndarray:
    """Make 523,155 voxels of four sequences: core, two tissues, texture, noise."""
    rng = np.random.default_rng(0)
    place = np.indices((SIDE,) * 3) - SIDE // 2
    inside = (place**2).sum(0) < RADIUS**2

    def texture(grain: float) -> np.ndarray:
        field = gaussian_filter(rng.standard_normal((SIDE,) * 3), grain)
        return field / field.std()

    depth = np.sqrt((place**2).sum(0)) / RADIUS + 0.2 * texture(6)
    tissue = np.where(depth < 0.5, 0, np.where(texture(6) + place[0] / 40 > 0, 1, 2))
    means = np.array(
        [[0.2, 0.2, 0.25, 0.25], [0.22, 0.7, 0.55, 0.45], [0.2, 0.35, 0.5, 0.55]]
    )
    sequences = [
        means[tissue, s] + 0.06 * texture(1) + 0.03 * rng.standard_normal((SIDE,) * 3)
        for s in range(4)
    ]
    return np.stack(sequences, axis=-1)[inside].astype(np.float32)


def ours(points: np.ndarray) -> dict[int, float]:
    from radhabitat.habitats.kmeans import fit_kmeans, in_order
    from radhabitat.habitats.partition import of_centers

    ordered = in_order(points)
    fitted = fit_kmeans(ordered, max(KS), restarts=RESTARTS, seed=1)
    return {k: float(of_centers(fitted[k]).nearest(ordered)[1].sum()) for k in KS}


def scikit_learn(points: np.ndarray) -> dict[int, float]:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        fits = {k: KMeans(k, n_init=RESTARTS, random_state=1).fit(points) for k in KS}
    return {k: float(f.inertia_) for k, f in fits.items()}


HABIT = """
import json, resource, sys, time, numpy as np
from habit.habitat_model.kmeans import KMeansHabitatModelFitter
points = np.load(sys.argv[1])
fitter = KMeansHabitatModelFitter(min_habitats=2, max_habitats=10, n_init=10)
start = time.process_time()
k = fitter._select_n_habitats(points)[0]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(json.dumps({"cpu": time.process_time() - start, "mb": peak, "k": k}))
"""


def habit(python: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.npy"
        np.save(path, make_tumor())
        command = [python, "-c", HABIT, str(path)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    return json.loads(done.stdout.splitlines()[-1])


def pooled(patients: int) -> dict[int, float]:
    """Divide a pooled cohort; each patient's voxels exist one at a time."""
    from radhabitat.habitats.cohort import divide_cohort
    from radhabitat.habitats.kmeans import draw, in_order
    from radhabitat.habitats.survey import DRAWN_VOXELS, Survey
    from radhabitat.settings import HabitatSettings

    whole = make_tumor()[:50_000]
    rng = np.random.default_rng(1)
    surveys = {}
    for patient in range(patients):
        voxels = whole + rng.normal(0, 0.02, 4).astype(np.float32)
        chosen = draw(in_order(voxels), DRAWN_VOXELS, patient)
        surveys[f"{patient}"] = Survey(0, False, {}, {}, voxels.std(axis=0), chosen)
    known = {"channels": ("PRE", "LAP", "PVP", "DP"), "order_by": "LAP", "seed": 1}
    settings = HabitatSettings(design="pooled", k=3)
    division, _ = divide_cohort(surveys, settings, **known)
    return {division.count: 0.0}


JOBS = {"ours": ours, "scikit-learn": scikit_learn}


def in_own_process(job: str) -> dict:
    command = [sys.executable, __file__, "--job", job]
    done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    return json.loads(done.stdout)


def run_job(job: str) -> None:
    if job.startswith("pooled"):
        start = time.process_time()
        inertia = pooled(int(job.removeprefix("pooled")))
    else:
        points = make_tumor()
        from sklearn.cluster import KMeans

        KMeans(2, n_init=1).fit(points[:100])  # imports are not counted
        start = time.process_time()
        inertia = JOBS[job](points)
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"cpu": cpu, "mb": peak, "inertia": inertia}))


def main() -> None:
    if "--job" in sys.argv:
        run_job(sys.argv[sys.argv.index("--job") + 1])
        return
    results = {job: in_own_process(job) for job in JOBS}
    us, them = results["ours"], results["scikit-learn"]
    if "--habit" in sys.argv:
        results["HABIT"] = habit(sys.argv[sys.argv.index("--habit") + 1])
    for job, found in results.items():
        print(f"{job:14s} {found['cpu']:6.2f} CPU s  {found['mb']:6.0f} MB")
        print(f"{'':14s} {found['cpu'] / us['cpu']:6.1f} x ours")
    excess = {k: us["inertia"][k] / them["inertia"][k] - 1 for k in us["inertia"]}
    print("inertia over scikit-learn's:", {k: f"{e:+.3%}" for k, e in excess.items()})
    for patients in (100, 1000):
        found = in_own_process(f"pooled{patients}")
        cpu, peak = found["cpu"], found["mb"]
        print(f"pooled, {patients:4d} patients: {cpu:.1f} CPU s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
