"""CPU time of all features of one patient, against PyRadiomics on the same voxels.

    python benchmarks/features.py [--peer /path/to/env/bin/python] [--size 50 100]

One patient is 4 sequences x (whole tumor + 3 habitats). PyRadiomics needs an
environment of its own, with a compiler:

    python -m venv env && env/bin/pip install pyradiomics-bhklab==3.1.4
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SEQUENCES = ("PRE", "LAP", "PVP", "DP")
BIN_WIDTH = 1 / 64
IMAGE_SHAPE = (256, 256, 160)
INSTALL = "python -m venv env && env/bin/pip install pyradiomics-bhklab==3.1.4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="interpreter that can import radiomics")
    parser.add_argument("--size", type=int, nargs="+", default=[50, 100], help="mm")
    parser.add_argument("--as-peer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer:
        print(json.dumps(_peer_seconds(arguments.as_peer)))
        return
    for size_mm in arguments.size:
        _compare(size_mm, arguments.peer)


def _compare(size_mm: int, peer: str | None) -> None:
    images, labels = _patient(size_mm)
    own = _own_seconds(images, labels)
    print(f"{size_mm} mm, {np.count_nonzero(labels)} voxels at 1 mm:")
    print(f"  first call of this process    {own['first']:8.3f} s")
    print(f"  RadHabitat, warm              {own['warm']:8.3f} s CPU")
    if peer is None:
        print(f"  PyRadiomics not measured: {INSTALL}; then --peer env/bin/python")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patient.npz"
        np.savez(path, labels=labels, **images)
        command = [peer, __file__, "--as-peer", str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        sys.exit(f"{peer} cannot run PyRadiomics: {INSTALL}\n{run.stderr[-400:]}")
    for name, seconds in json.loads(run.stdout.splitlines()[-1]).items():
        ratio = seconds / own["warm"]
        print(f"  PyRadiomics, {name:16} {seconds:8.3f} s CPU, {ratio:6.1f} times")


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


def _own_seconds(images: dict[str, np.ndarray], labels: np.ndarray) -> dict[str, float]:
    from radhabitat.features import extract
    from radhabitat.settings import FeatureSettings
    from radhabitat.types import AlignedSubject, Grid, HabitatMap, Mask, Volume

    grid = Grid(IMAGE_SHAPE, np.eye(4))
    volumes = {name: Volume(image, grid) for name, image in images.items()}
    subject = AlignedSubject("0001", volumes, "PVP", Mask(labels > 0, grid))
    habitats = HabitatMap("0001", labels, grid, 3, np.zeros((3, 4)), SEQUENCES)
    settings = FeatureSettings(bin_width=BIN_WIDTH)
    begin = time.perf_counter()
    extract(subject, habitats, settings)
    first = time.perf_counter() - begin
    warm = []
    for _ in range(5):
        begin = time.process_time()
        extract(subject, habitats, settings)
        warm.append(time.process_time() - begin)
    return {"first": first, "warm": float(np.median(warm))}


def _peer_seconds(path: Path) -> dict[str, float]:
    import logging

    import SimpleITK
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    stored = np.load(path)
    labels = stored["labels"]
    where = np.argwhere(labels)
    low, high = where.min(axis=0) - 1, where.max(axis=0) + 2
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))

    def seconds(part, extractor) -> float:
        images = [
            SimpleITK.GetImageFromArray(stored[name][part].T) for name in SEQUENCES
        ]
        regions = [labels[part] > 0] + [labels[part] == h for h in (1, 2, 3)]
        masks = [SimpleITK.GetImageFromArray(r.T.astype(np.uint8)) for r in regions]
        begin = time.process_time()
        for image in images:
            for number, mask in enumerate(masks):
                extractor.enableFeatureClassByName("shape", enabled=number == 0)
                extractor.execute(image, mask)
        return time.process_time() - begin

    bare = RadiomicsFeatureExtractor(binWidth=BIN_WIDTH, additionalInfo=False)
    full = RadiomicsFeatureExtractor(binWidth=BIN_WIDTH)
    everywhere = (slice(None),) * 3
    return {
        "cropped by hand": seconds(box, bare),
        "as documented": seconds(everywhere, full),
    }


if __name__ == "__main__":
    main()
