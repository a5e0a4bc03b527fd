"""What registration leaves in the tumor, on phantom patients whose motion is known.

    python benchmarks/registration_accuracy.py [--patients 20] [--workers 2]
        [--failures]

Both families of motion, 320 x 260 x 72 at 1.2 x 1.2 x 3 mm. Distances are between
where tissue is and where registration says it is, over all voxels of the tumor, each
sequence counting the same. A sequence is flagged if a note asks to look at it or says
that it was not registered.
"""

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from phantom_cases import FAILURES, make_case, make_clinical, to_sequence

from radhabitat.errors import RadHabitatError
from radhabitat.phantom import plan_cohort
from radhabitat.preprocessing import align
from radhabitat.settings import PreprocessingSettings

FAMILIES = ("smooth", "sliding")
MOVED = ("PRE", "LAP", "DP")
FLAGS = ("look at this sequence", "not registered")
POINTS = 2000
SEED = 20270101


@dataclass(frozen=True)
class Row:
    """One sequence of one patient."""

    name: str
    before_mm: float
    affine_mm: float  # left by the best affine map
    errors_mm: np.ndarray  # of 2,000 voxels of the tumor
    flagged: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--failures", action="store_true", help="count failures that are noticed"
    )
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, mp_context=context) as pool:
        for family in FAMILIES:
            plan = partial(plan_cohort, seed=SEED, effect=1.0, motion=family)
            plans = [make_clinical(p) for p in plan(arguments.patients + 1)]
            _report(family, list(pool.map(_measure, plans[:-1])))
            if arguments.failures:
                caught = list(pool.map(_notice, plans[:-1], plans[1:]))
                for failure in FAILURES:
                    count = sum(failure in seen for seen in caught)
                    print(f"  noticed: {failure:<26} {count} of {len(caught)}")


def _measure(plan) -> tuple[list[Row], float]:
    """Return the sequences of a patient, and the CPU seconds that align took."""
    case = make_case(plan)
    begin = time.process_time()
    aligned = align(case.subject, PreprocessingSettings(), seed=1)
    seconds = time.process_time() - begin
    points = case.subject.tumor.points_mm()
    points = np.random.default_rng(1).choice(points, POINTS)
    columns = np.column_stack([points, np.ones(POINTS)])
    rows = []
    for sequence in MOVED:
        truth = case.displacement_mm(sequence, points)
        affine = columns @ np.linalg.lstsq(columns, truth, rcond=None)[0]
        found = to_sequence(aligned, sequence)(points) - points
        rows.append(
            Row(
                name=f"{sequence} of {plan.patient}",
                before_mm=float(_length(truth).mean()),
                affine_mm=float(_length(truth - affine).mean()),
                errors_mm=_length(found - truth),
                flagged=_is_flagged(aligned.notes, f"{sequence}: "),
            )
        )
    return rows, seconds


def _notice(plan, other_plan) -> set[str]:
    """Return which failures of the LAP are refused or flagged."""
    subject, other = make_case(plan).subject, make_case(other_plan).subject
    caught = set()
    for name, spoil in FAILURES.items():
        spoiled = spoil(subject, other)
        if "swap" not in name:
            pair = {s: spoiled.images[s] for s in ("LAP", "PVP")}
            spoiled = replace(spoiled, images=pair)
        try:
            notes = align(spoiled, PreprocessingSettings(), seed=1).notes
        except RadHabitatError:
            caught.add(name)
        else:
            caught |= {name} if _is_flagged(notes) else set()
    return caught


def _report(family: str, measured: list[tuple[list[Row], float]]) -> None:
    rows = [row for patient, _ in measured for row in patient]
    errors = np.concatenate([row.errors_mm for row in rows])
    means = np.array([row.errors_mm.mean() for row in rows])
    middle, high = np.percentile(errors, [50, 95])
    far = [row for row in rows if row.errors_mm.mean() > 5.0]
    missed = [row.name for row in far if not row.flagged]
    worst = rows[int(means.argmax())].name
    print(f"{family}: {len(rows)} sequences of {len(measured)} patients")
    print(f"  moved by                  {np.mean([r.before_mm for r in rows]):6.2f} mm")
    print(f"  best affine map leaves    {np.mean([r.affine_mm for r in rows]):6.2f} mm")
    print(f"  RadHabitat leaves, mean   {errors.mean():6.2f} mm")
    print(f"    median                  {middle:6.2f} mm")
    print(f"    95th percentile         {high:6.2f} mm")
    print(f"    worst voxel             {errors.max():6.2f} mm")
    print(f"    worst sequence, mean    {means.max():6.2f} mm ({worst})")
    print(f"  flagged                   {sum(r.flagged for r in rows):6}")
    print(f"  mean over 5 mm            {len(far):6}")
    print(f"    of these not flagged    {len(missed):6} {', '.join(missed)}")
    seconds = np.median([s for _, s in measured])
    print(f"  CPU of align              {seconds:6.1f} s a patient", flush=True)


def _is_flagged(notes, beginning: str = "") -> bool:
    return any(
        note.startswith(beginning) and flag in note for note in notes for flag in FLAGS
    )


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=1)


if __name__ == "__main__":
    main()
