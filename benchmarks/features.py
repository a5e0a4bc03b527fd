"""CPU time of all features of one patient, against others on the same voxels.

    python benchmarks/features.py [--size 50 100] [--peer radiomics=ENV/bin/python ...]

One patient is 4 sequences x (whole tumor + 3 habitats). Every peer needs an
environment of its own; those that install on Python 3.11:

    pip install pyradiomics-bhklab==3.1.4                  radiomics (needs a compiler)
    pip install flash-radiomics==1.0.0 h5py SimpleITK pykwalify PyWavelets scipy \
        scikit-image scikit-learn trimesh pandas           flash_radiomics (no Windows)
    pip install nyxus==0.11.0                              nyxus (wrong values in 3D)

Not measured: fastrad 1.0.0 (5.6 GB with PyTorch; 8 s and 2.7 GB of memory for one
region), mirp 2.7.0 (2 GB; 19 s for one region), pictologics (Python 3.12).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np

SEQUENCES = ("PRE", "LAP", "PVP", "DP")
BIN_WIDTH = 1 / 64
IMAGE_SHAPE = (256, 256, 160)
WARM_UP = "import time; from radhabitat.features import warm_up; warm_up(); "
WARM_UP += "print(time.process_time())"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs="+", default=[50, 100], help="mm")
    parser.add_argument("--peer", nargs="+", default=[], help="library=interpreter")
    parser.add_argument("--as-peer", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer:
        library, path = arguments.as_peer
        print(json.dumps(PEERS[library](_regions_of(Path(path)))))
        return
    _compile()
    for size_mm in arguments.size:
        images, labels = _patient(size_mm)
        print(f"{size_mm} mm, {np.count_nonzero(labels)} voxels at 1 mm:")
        patient = _own_patient(images, labels)
        own = _own_seconds(patient)
        print(f"  RadHabitat, warm               {own:8.3f} s CPU")
        print(f"  extra memory, at most          {_own_megabytes(patient):8.0f} MB")
        print(
            f"  two processes do               {_scaling(size_mm):8.2f} times as much "
            f"(a bare loop: {_scaling(0):.2f})"
        )
        _floor(images["PVP"], labels)
        for peer in arguments.peer:
            _compare(peer, images, labels, own)


def _compile() -> None:
    """Time the first call ever, and the first call of a process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        for words in ("new machine", "new process"):
            run = subprocess.run(  # noqa: S603
                [sys.executable, "-c", WARM_UP],
                env=environment, capture_output=True, text=True, check=True,
            )  # fmt: skip
            print(f"first call, {words:19} {float(run.stdout):8.3f} s CPU")


def _compare(
    peer: str, images: dict[str, np.ndarray], labels: np.ndarray, own: float
) -> None:
    library, python = peer.split("=", 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patient.npz"
        np.savez(path, labels=labels, **images)
        command = [python, __file__, "--as-peer", library, str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        print(f"  {library} failed: {run.stderr.strip()[-200:]}")
        return
    for name, seconds in json.loads(run.stdout.splitlines()[-1]).items():
        print(f"  {name:30} {seconds:8.3f} s CPU, {seconds / own:6.1f} times")


def _patient(size_mm: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Noise of three scales; habitats are bands of the smooth part."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(7)
    fields = []
    for sigma in (6.0, 2.0, 0.7):
        field = gaussian_filter(rng.normal(size=IMAGE_SHAPE).astype(np.float32), sigma)
        fields.append(field / field.std())
    axes = (np.arange(n, dtype=np.float32) - n / 2 for n in IMAGE_SHAPE)
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    inside = radius + 2.0 * fields[0] < size_mm / 2
    depth = fields[0] + 2.0 * radius / size_mm
    limits = np.quantile(depth[inside], [0.3, 0.72])
    labels = ((1 + np.digitize(depth, limits)) * inside).astype(np.uint8)
    images = {}
    for number, sequence in enumerate(SEQUENCES):
        weights = np.roll([0.12, 0.08, 0.06], number)
        image = sum(w * f for w, f in zip(weights, fields, strict=True)) + 0.5
        images[sequence] = np.clip(image, 0, 1).astype(np.float32)
    return images, labels


def _own_patient(images: dict[str, np.ndarray], labels: np.ndarray):
    from radhabitat.settings import FeatureSettings
    from radhabitat.types import AlignedSubject, Grid, HabitatMap, Mask, Volume

    grid = Grid(IMAGE_SHAPE, np.eye(4))
    volumes = {name: Volume(image, grid) for name, image in images.items()}
    subject = AlignedSubject("0001", volumes, "PVP", Mask(labels > 0, grid))
    habitats = HabitatMap("0001", labels, grid, 3, np.zeros((3, 4)), SEQUENCES)
    return subject, habitats, FeatureSettings(bin_width=BIN_WIDTH)


def _own_seconds(patient) -> float:
    from radhabitat.features import extract

    extract(*patient)
    return _median(lambda: extract(*patient))


def _median(work, repeats: int = 7) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return float(np.median(seconds))


def _own_megabytes(patient) -> float:
    from radhabitat.features import extract

    tracemalloc.start()
    extract(*patient)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def _extractions(size_mm: int, ready, go) -> None:
    """Extract one patient several times; of size 0, only count."""
    from radhabitat.features import extract

    def work() -> None:
        if size_mm:
            extract(*patient)
        else:
            sum(range(20_000_000))

    patient = _own_patient(*_patient(size_mm)) if size_mm else ()
    work()
    ready.release()
    go.wait()
    for _ in range(2000 // max(size_mm, 100)):
        work()


def _scaling(size_mm: int) -> float:
    """Give the wall time of one process over that of two with the same work each."""
    context = multiprocessing.get_context("spawn")
    walls = []
    for count in (1, 2):
        ready, go = context.Semaphore(0), context.Event()
        workers = [
            context.Process(target=_extractions, args=(size_mm, ready, go))
            for _ in range(count)
        ]
        for worker in workers:
            worker.start()
        for _ in workers:
            ready.acquire()
        begin = time.perf_counter()
        go.set()
        for worker in workers:
            worker.join()
        walls.append(time.perf_counter() - begin)
    return 2 * walls[0] / walls[1]


def _floor(image: np.ndarray, labels: np.ndarray) -> None:
    """Compare with reading each voxel's 13 neighbors and counting one of them."""
    import numba
    from threadpoolctl import threadpool_limits

    from radhabitat.features import counting, discretization, table, texture
    from radhabitat.features.regions import locate
    from radhabitat.settings import FeatureSettings

    @numba.njit
    def read(voxels, keys, steps, counts):
        for voxel in voxels:
            for direction in range(13):
                counts[keys[voxel + steps[direction]] & 63] += 1

    settings = FeatureSettings(bin_width=BIN_WIDTH)
    regions = locate(labels > 0)
    whole = image[regions.box][regions.inside]
    levels = [discretization.gray_levels(whole, settings, where="")]
    keys = np.zeros(regions.padded_size, np.int32)
    keys[regions.positions] = 1 << counting.LEVEL_BITS | levels[0]
    count = np.zeros(64, np.int64)
    read(regions.positions, keys, regions.steps, count)
    per_voxel = 1e9 / whole.size
    floor = _median(lambda: read(regions.positions, keys, regions.steps, count))
    passed = _median(lambda: texture.count_textures(regions, levels))
    print(f"  floor, 13 neighbors of a voxel  {floor * per_voxel:7.1f} ns")
    print(
        f"  all five matrices               {passed * per_voxel:7.1f} ns a voxel, "
        f"{passed / floor:.1f} floors; a family {passed / floor / 5:.1f}"
    )
    (counts,) = texture.count_textures(regions, levels)
    for family, features in table.FORMULAS.items():
        with threadpool_limits(limits=1):
            seconds = _median(lambda work=features: work(counts, settings))
        print(
            f"  formulas of {family:6}              {seconds * per_voxel:7.1f} ns a "
            f"voxel, {seconds / floor:.2f} floors"
        )


def _regions_of(path: Path):
    """Give images and masks of a stored patient, in the box of the tumor or whole."""
    import SimpleITK

    stored = np.load(path)
    labels = stored["labels"]
    where = np.argwhere(labels)
    low, high = where.min(axis=0) - 1, where.max(axis=0) + 2
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))

    def regions(part):
        arrays = [stored[name][part] for name in SEQUENCES]
        images = [SimpleITK.GetImageFromArray(array.T) for array in arrays]
        masks = [labels[part] > 0] + [labels[part] == h for h in (1, 2, 3)]
        return images, [
            SimpleITK.GetImageFromArray(m.T.astype(np.uint8)) for m in masks
        ]

    return lambda cropped: regions(box if cropped else (slice(None),) * 3)


def _seconds(regions, execute) -> float:
    """Time `execute(image, mask, shape too)` of 4 images x 4 masks."""
    images, masks = regions
    begin = time.process_time()
    for image in images:
        for number, mask in enumerate(masks):
            execute(image, mask, number == 0)
    return time.process_time() - begin


def _pyradiomics(regions) -> dict[str, float]:
    import logging

    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)

    def run(extractor, cropped) -> float:
        def execute(image, mask, shape):
            extractor.enableFeatureClassByName("shape", enabled=shape)
            extractor.execute(image, mask)

        return _seconds(regions(cropped), execute)

    bare = RadiomicsFeatureExtractor(binWidth=BIN_WIDTH, additionalInfo=False)
    return {
        "PyRadiomics, cropped by hand": run(bare, True),
        "PyRadiomics, as documented": run(
            RadiomicsFeatureExtractor(binWidth=BIN_WIDTH), False
        ),
    }


def _flash(regions) -> dict[str, float]:
    from flash_radiomics import RadiomicsFeatureExtractor

    extractor = RadiomicsFeatureExtractor(
        backend="cpu", binWidth=BIN_WIDTH, additionalInfo=False
    )
    with tempfile.TemporaryDirectory() as folder:

        def execute(image, mask, shape):
            out = str(Path(folder) / "out.h5")
            extractor.enableFeatureClassByName("shape", enabled=shape)
            extractor.execute(image, mask, output_hdf5_path=out)

        return {"flash-radiomics, cropped": _seconds(regions(True), execute)}


def _nyxus(regions) -> dict[str, float]:
    """Give it whole numbers: it crashes on images in 0..1."""
    import SimpleITK
    from nyxus import Nyxus3D

    extractor = Nyxus3D(features=["*3D_ALL*"], n_feature_calc_threads=1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("image.nii", "mask.nii")]

        def execute(image, mask, shape):
            SimpleITK.WriteImage(SimpleITK.Cast(image * 1000, 3), paths[0])
            SimpleITK.WriteImage(mask, paths[1])
            extractor.featurize_files([paths[0]], [paths[1]], False)

        return {"nyxus, cropped": _seconds(regions(True), execute)}


PEERS = {"radiomics": _pyradiomics, "flash_radiomics": _flash, "nyxus": _nyxus}

if __name__ == "__main__":
    main()
