"""Cost and error of one patient's preprocessing, ours against the obvious recipes.

    python benchmarks/preprocessing.py [--motion smooth] [--naive]
        [--habit-python env/bin/python]

A phantom patient of four sequences, 320 x 260 x 72 at 1.2 x 1.2 x 3 mm. Each recipe
runs in a process of its own, which the operating system (Linux, macOS) measures from
start to end, the imports and the reading of files included.

Measured in November 2026, seed 1, a tumor of 7.8 cm, two cores. One run of both recipes
beside other work:

    smooth     CPU s     GB   left, mm (95th percentile)   intensity error
    before                     9.98 (15.79)
    ours        25.5   0.93    0.49  (1.10)                0.077
    naive     1182.8   5.32    1.60  (3.49)                0.108

46 times less; ours alone on the quiet machine, with the same result: 23.5 CPU s, 24.3 s
wall; sliding, beside other work: 26.5 CPU s, 1.14 mm (2.26), intensity error 0.085.
HABIT, beside an earlier recipe of ours (affine, each sequence by itself: 12.4 CPU s):

    sliding    CPU s     GB   left, mm (95th percentile)   intensity error
    before                    10.16 (16.99)
    earlier     12.4   0.97    1.44  (3.53)                0.087
    habit      230.5   1.46    4.01  (6.63)                0.139

naive: antspyx 0.6.3, 2 threads. habit: HABIT 1.2.0 with antspyx 0.6.3. Intensity error:
root mean square over the tumor against the signal without noise, coil and motion,
relative to its mean, after the best gain; the mean of four sequences.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SEQUENCES = ("PRE", "LAP", "PVP", "DP")
MOVED = ("PRE", "LAP", "DP")
POINTS = 3000
INSTALL = (
    "python3.11 -m venv env && "
    "env/bin/pip install 'habitat-analysis[registration]==1.2.0'"
)
TO_LPS = np.diag([-1.0, -1.0, 1.0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--motion", choices=("smooth", "sliding"), default="smooth")
    parser.add_argument("--naive", action="store_true", help="takes half an hour")
    parser.add_argument("--habit-python", help="interpreter that can import habit")
    parser.add_argument("--recipe", choices=RECIPES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.recipe:
        found = RECIPES[arguments.recipe](arguments.folder)
        np.savez(arguments.folder / f"{arguments.recipe}.npz", **found)
        return
    recipes = {"ours": sys.executable}
    if arguments.naive:
        recipes["naive"] = sys.executable
    if arguments.habit_python:
        recipes["habit"] = arguments.habit_python
    else:
        print(f"HABIT not measured: {INSTALL}; then --habit-python env/bin/python")
    with tempfile.TemporaryDirectory() as folder:
        _compare(recipes, arguments, Path(folder))


def _compare(recipes, arguments, folder: Path) -> None:
    from phantom_cases import make_clinical

    from radhabitat.files.volumes import read_mask
    from radhabitat.phantom import plan_cohort, write_patient

    seed, motion = arguments.seed, arguments.motion
    plan = make_clinical(plan_cohort(1, seed=seed, effect=1.0, motion=motion)[0])
    write_patient(plan, folder, file_format="nifti")
    mask, *_ = read_mask(folder / "images" / plan.patient / "mask.nii.gz")
    tumor = mask.points_mm()
    chosen = np.random.default_rng(1).choice(len(tumor), POINTS, replace=False)
    np.save(folder / "points.npy", tumor[chosen])
    before = {f"{s}_there": tumor[chosen] for s in MOVED}
    print(f"{plan.diameter_mm / 10:.1f} cm tumor, four sequences; before:")
    print(f"  left in the tumor {_left(before, plan, tumor[chosen])}")
    cpu_s: dict[str, float] = {}
    for recipe, python in recipes.items():
        command = [python, __file__, "--recipe", recipe, "--folder", str(folder)]
        cpu_s[recipe], rest = _measure(command, folder / "log.txt")
        found = dict(np.load(folder / f"{recipe}.npz"))
        ratio = cpu_s[recipe] / cpu_s["ours"]
        print(f"{recipe}: {cpu_s[recipe]:.1f} CPU s, {ratio:.1f} times ours, {rest}")
        print(f"  left in the tumor {_left(found, plan, tumor[chosen])}")
        print(f"  intensity error   {_intensity_error(found, plan)}", flush=True)


def _measure(command: list[str], log: Path) -> tuple[float, str]:
    """Return CPU seconds of a command and its children, wall time and peak memory."""
    begin = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed: {log.read_text()[-600:]}")
    peak_gb = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    return usage.ru_utime + usage.ru_stime, f"{wall_s:.1f} s wall, {peak_gb:.2f} GB"


def _left(found, plan, points) -> str:
    from radhabitat.phantom.motion import build_motion

    errors = {
        s: np.linalg.norm(
            found[f"{s}_there"] - points - build_motion(plan, s).at(points.T).T, axis=1
        )
        for s in MOVED
        if f"{s}_there" in found
    }
    if not errors:
        return "not known: it keeps no transforms"
    everything = np.concatenate(list(errors.values()))
    single = ", ".join(f"{s} {e.mean():.2f}" for s, e in errors.items())
    return (
        f"mean {everything.mean():.2f} mm, 95th percentile "
        f"{np.percentile(everything, 95):.2f} mm ({single})"
    )


def _intensity_error(found, plan) -> str:
    """Root mean square over the tumor, relative to its mean, best gain fitted."""
    from radhabitat.phantom.imaging import build_scene, signal_at

    scene = build_scene(plan)
    points = np.ascontiguousarray(found["grid_points"].T, np.float32)
    labels = scene.tissue_at(points)
    errors = {}
    for sequence in SEQUENCES:
        true = signal_at(plan, plan.acquisition(sequence), points, labels)
        true, seen = true.astype(np.float64), found[f"{sequence}_values"]
        gain = seen @ true / (seen @ seen)
        errors[sequence] = np.sqrt(np.mean((gain * seen - true) ** 2)) / true.mean()
    single = ", ".join(f"{s} {e:.3f}" for s, e in errors.items())
    return f"mean {np.mean(list(errors.values())):.3f} ({single})"


def _ours(folder: Path) -> dict[str, np.ndarray]:
    from phantom_cases import to_sequence

    from radhabitat.files.volumes import read_mask, read_volume
    from radhabitat.preprocessing import align
    from radhabitat.settings import PreprocessingSettings
    from radhabitat.types import Subject

    images = folder / "images" / "P0001"
    volumes = {s: read_volume(images / f"{s}.nii.gz") for s in SEQUENCES}
    tumor, *_ = read_mask(images / "mask.nii.gz")
    subject = Subject("P0001", volumes, "PVP", tumor)
    aligned = align(subject, PreprocessingSettings(), seed=1)
    points = np.load(folder / "points.npy")
    values = aligned.tumor_intensities().astype(np.float64).T
    found = {f"{s}_values": v for s, v in zip(SEQUENCES, values, strict=True)}
    for sequence in MOVED:
        found[f"{sequence}_there"] = to_sequence(aligned, sequence)(points)
    return {**found, "grid_points": aligned.tumor.points_mm()}


def _naive(folder: Path) -> dict[str, np.ndarray]:
    """N4, 1 mm over the whole field of view, SyN to PVP, min-max: all defaults."""
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "2"  # read at the import
    import ants

    images = folder / "images" / "P0001"
    fine = {}
    for sequence in SEQUENCES:
        image = ants.image_read(str(images / f"{sequence}.nii.gz"))
        even = ants.n4_bias_field_correction(image)
        fine[sequence] = ants.resample_image(even, (1.0, 1.0, 1.0), use_voxels=False)
    maps = {}
    for sequence in MOVED:
        done = ants.registration(fine["PVP"], fine[sequence], type_of_transform="SyN")
        fine[sequence], maps[sequence] = done["warpedmovout"], done["fwdtransforms"]
    for sequence, image in fine.items():
        fine[sequence] = (image - image.min()) / (image.max() - image.min())
    return _tell(folder, fine, maps)


def _habit(folder: Path) -> dict[str, np.ndarray]:
    """The steps of its own ANTs example but z-scores: N4, rigid to PVP, 1 mm."""
    import ants
    from habit.api.preprocessing import run_preprocess

    register, kept = ants.registration, []

    def listening(*arguments, **options):
        done = register(*arguments, **options)
        kept.append(done["fwdtransforms"])
        return done

    ants.registration = listening  # it deletes its transforms
    for sequence in SEQUENCES:
        place = folder / "habit" / "images" / "P0001" / sequence
        place.mkdir(parents=True)
        name = f"{sequence}.nii.gz"
        (place / name).symlink_to(folder / "images" / "P0001" / name)
    images = list(SEQUENCES)
    rigid = {"backend": "ants", "type_of_transform": "Rigid", "metric": "MI"}
    steps = {
        "n4_correction": {"images": images, "num_fitting_levels": 4},
        "registration": {"images": images, "fixed_image": "PVP", **rigid},
        "resample": {"images": images, "target_spacing": [1.0, 1.0, 1.0]},
    }
    places = {"data_dir": str(folder / "habit"), "out_dir": str(folder / "done")}
    run_preprocess({**places, "preprocessing": steps, "processes": 1})
    ends = folder / "done" / "processed_images" / "images" / "P0001"
    fine = {s: ants.image_read(str(ends / s / f"{s}.nii.gz")) for s in SEQUENCES}
    return _tell(folder, fine, dict(zip(MOVED, kept, strict=True)))


def _tell(folder: Path, fine, maps) -> dict[str, np.ndarray]:
    """Return what ANTs' images hold in the tumor, and where its maps lead."""
    import ants
    import pandas as pd

    mask = ants.image_read(str(folder / "images" / "P0001" / "mask.nii.gz"))
    grid, near = fine["PVP"], "nearestNeighbor"
    tumor = ants.resample_image_to_target(mask, grid, interp_type=near).numpy() > 0
    axes = np.asarray(grid.direction) * grid.spacing
    found = {"grid_points": (np.argwhere(tumor) @ axes.T + grid.origin) @ TO_LPS}
    points = pd.DataFrame(np.load(folder / "points.npy") @ TO_LPS, columns=list("xyz"))
    for sequence, image in fine.items():
        found[f"{sequence}_values"] = image.numpy()[tumor].astype(np.float64)
    for sequence, files in maps.items():
        there = ants.apply_transforms_to_points(3, points, files)
        found[f"{sequence}_there"] = there[list("xyz")].to_numpy() @ TO_LPS
    return found


RECIPES = {"ours": _ours, "naive": _naive, "habit": _habit}

if __name__ == "__main__":
    main()
