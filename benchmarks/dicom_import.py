"""Voxel agreement and speed of the DICOM reader against dcm2niix, on real samples.

dcm2niix is a wheel on PyPI (BSD-3): python -m venv VENV; VENV/bin/pip install dcm2niix;
python benchmarks/dicom_import.py VENV/bin/dcm2niix. It is called with `-p n` (rescale
slope) and `-p y` (its default: Philips' private scaling; but `-p n` ignores slopes that
vary from slice to slice, as in PET); the better agreement counts.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np
import pydicom

from radhabitat.dicom import read_volumes
from radhabitat.errors import ImageError
from radhabitat.files.importing import import_folder

DATA = Path(
    os.environ.get(
        "RADHABITAT_DATA", Path(__file__).parents[1].parent / "shared" / "data"
    )
)


def places(work):
    """Name -> files of one examination."""
    samples = DATA / "dicom_import_samples"
    for folder in sorted((samples / "enhanced_and_vendor_mr").iterdir()):
        yield folder.name, sorted(folder.iterdir())
    for kind in ("compressed", "bad_geometry"):
        for folder in sorted((samples / kind).iterdir()):
            yield folder.name, sorted(folder.iterdir())
    for file in sorted((samples / "multiframe_ct").iterdir()):
        yield file.stem, [file]
    label = samples / "seg_labelmap_and_overlap"
    yield "labelmap_ct", sorted((label / "24x38x3/image").iterdir())
    yield "labelmap_ct_multiframe", [label / "24x38x3/multiframe/mf.dcm"]
    yield "highdicom_ct", [label / "ct_image.dcm"]
    prostate = samples / "prostate_adc_with_lesion_seg/ADC"
    yield "prostate_adc", sorted(prostate.glob("*"))
    yield "liver_ct", sorted((samples / "seg_liver_ct_3slice").glob("0*.dcm"))
    yield "phantom_ct", sorted((samples / "rtstruct_phantom_ct").glob("ct*.dcm"))
    yield "breast_3_phases", [f for f in (work / "breast").rglob("*") if f.is_file()]
    for kind in ("MR_T1", "CT", "PET"):
        folder = DATA / "sts_ibsi_multimodal/dicom/STS_002" / kind / "image"
        yield f"sarcoma_{kind}", sorted(folder.iterdir())


def peer(program, folder, out):
    """Return every 3D volume of dcm2niix: (affine, array)."""
    out.mkdir()
    found = []
    for scaling in ("n", "y"):
        name = ["-f", f"%s_{scaling}"]
        command = [
            program,
            "-p",
            scaling,
            *name,
            "-z",
            "n",
            "-b",
            "n",
            "-o",
            out,
            folder,
        ]
        subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    for file in sorted(out.glob("*.nii")):
        image = nibabel.load(file)
        array = np.asarray(image.dataobj)
        if array.ndim in (3, 4):
            array = array.reshape(*array.shape[:3], -1)
            found += [(image.affine, array[..., t]) for t in range(array.shape[3])]
    return found


def agreement(volume, others):
    """Share of our voxels that the best peer volume has at the same world place."""
    read = volume.read()
    index = np.argwhere(np.ones(read.grid.shape, dtype=bool))
    world = read.grid.to_mm(index.astype(float))
    best = 0.0
    for affine, array in others:
        there = nibabel.affines.apply_affine(np.linalg.inv(affine), world)
        near = np.rint(there).astype(int)
        close = np.abs(there - near).max(axis=1) < 0.02
        inside = close & ((near >= 0) & (near < array.shape)).all(axis=1)
        same = np.zeros(len(index), dtype=bool)
        theirs = array[tuple(near[inside].T)]
        ours = read.array.reshape(-1)[inside]
        same[inside] = np.isclose(theirs, ours, rtol=1e-5, atol=1e-4)
        best = max(best, float(same.mean()))
    return best


def compare(program, work):
    print(f"{'sample':34}{'volumes':>8}{'equal voxels':>14}{'ours s':>8}{'peer s':>8}")
    for number, (name, files) in enumerate(places(work)):
        folder = work / f"in{number}"
        folder.mkdir()
        for n, file in enumerate(files):
            shutil.copy(file, folder / f"{n:04d}.dcm")
        start = time.perf_counter()
        others = peer(program, folder, work / f"out{number}")
        peer_s, start = time.perf_counter() - start, time.perf_counter()
        try:
            volumes = read_volumes(folder)
        except ImageError as error:
            print(f"{name:34} refused: {error.problem} (peer: {len(others) // 2})")
            continue
        good = [v for v in volumes if not v.problem]
        for volume in good:
            volume.read()
        ours_s = time.perf_counter() - start
        for volume in volumes:
            if volume.problem:
                print(f"{name:34} refused: {volume.problem} (peer: {len(others) // 2})")
        if good:
            shares = [agreement(v, others) for v in good]
            text = f"{len(good)} / {len(others) // 2}"
            print(
                f"{name:34}{text:>8}{min(shares):14.4f}{ours_s:8.2f}{peer_s / 2:8.2f}"
            )


def speed(work):
    """Import 960 slices with de-identification."""
    source = work / "many"
    source.mkdir()
    files = [f for f in (work / "breast").rglob("*.dcm") if f.stat().st_size > 1000]
    for n in range(960):
        data = pydicom.dcmread(files[n % len(files)])
        data.SOPInstanceUID = f"1.2.3.{n}"
        data.SeriesInstanceUID = f"1.2.4.{n // len(files)}"
        data.save_as(source / f"{n:04d}.dcm")
    start = time.perf_counter()
    read_volumes(source)
    header_s, start = time.perf_counter() - start, time.perf_counter()
    import_folder(source, work / "imported", key=work / "key")
    print(f"headers of 960 slices: {header_s:.1f} s")
    print(f"de-identified: {960 / (time.perf_counter() - start):.0f} images a second")


def main():
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        archive = next((DATA / "breast_dce_3phase/dicom").glob("*.tar.xz"))
        with tarfile.open(archive) as tar:
            tar.extractall(work / "breast", filter="data")
        if len(sys.argv) > 1:
            compare(sys.argv[1], work)
        speed(work)


if __name__ == "__main__":
    main()
