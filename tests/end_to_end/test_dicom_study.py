"""From a hospital's DICOM to objects for its PACS, on phantom patients."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pydicom
import pytest

from radhabitat.dicom import read_volumes
from radhabitat.dicom.slicer import slicer_segmentation
from radhabitat.exporting import export_study
from radhabitat.files.discovery import init_study
from radhabitat.files.importing import import_folder
from radhabitat.files.masks import read_mask, read_segments
from radhabitat.files.volumes import decode_layers
from radhabitat.phantom import write_phantom
from radhabitat.study import Study

pytestmark = pytest.mark.slow

QUICK = """
[preprocessing]
registration = "none"
bias_correction = false

[habitats]
k = 3

[reliability]
patients = 0
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two patients, imported without identifiers, named by their headers, run."""
    work = tmp_path_factory.mktemp("dicom")
    raw = work / "raw"
    write_phantom(raw, patients=2, seed=3, effect=1.0, small=True, file_format="dicom")
    images, out = raw / "images", work / "study"
    links = work / "links.csv"
    import_folder(images, out, key=work / "key", links=links)
    for row in pd.read_csv(links).itertuples():
        mask = images / str(row.original) / "mask.nii.gz"
        shutil.copy(mask, out / str(row.pseudonym) / "mask.nii.gz")
    file = init_study(out).file
    file.write_text(file.read_text() + QUICK)
    result = Study.load(file).run()
    assert result.set_aside == ()
    return file


def test_phases_of_imported_patients_are_told_with_certainty(finished):
    table = pd.read_csv(finished.with_name("subjects.csv"))
    assert list(table.columns[:5]) == ["patient", "PRE", "LAP", "PVP", "DP"]
    assert table.patient.str.startswith("RH").all()
    kept = json.loads(finished.with_name("phases.json").read_text())
    sure = [x["certainty"] for phases in kept.values() for x in phases.values()]
    assert sure == ["high"] * 8
    assert not any(f.level == "cannot run" for f in Study.load(finished).check())


def test_habitats_come_back_from_every_object(finished, tmp_path):
    study = Study.load(finished)
    done = export_study(study, tmp_path / "a")
    assert (len(done.files), done.notes) == (6, ())
    again = export_study(study, tmp_path / "b").files
    assert [f.read_bytes() for f in done.files] == [f.read_bytes() for f in again]
    slicer, seg, report = done.files[:3]
    patient = pd.read_csv(finished.with_name("subjects.csv")).iloc[0]
    paths = study.layout.patient(patient.patient, "PVP")
    labels, grid = decode_layers(paths.habitats())
    segments, _ = read_segments(slicer)
    assert segments.grid.same_as(grid)
    for number in segments.names:
        mask = segments.union((number,))
        np.testing.assert_array_equal(mask.array, labels[..., 0] == number)
    (volume,) = read_volumes(finished.parent / patient.PVP)
    on = volume.read()
    tumor, _ = read_mask(seg, on=on, labels=("Tumor",))
    drawn, _ = read_mask(finished.parent / patient["mask"])
    assert tumor.volume_mm3 == pytest.approx(drawn.volume_mm3, rel=0.05)
    assert pydicom.dcmread(report).PatientID == patient.patient
    if shutil.which("dciodvfy"):
        for file in (seg, report):
            told = subprocess.run(  # noqa: S603
                ["dciodvfy", str(file)],  # noqa: S607
                capture_output=True,
                text=True,
                check=False,
            )
            lines = (told.stdout + told.stderr).splitlines()
            assert [line for line in lines if line.startswith("Error")] == []


def test_a_mask_corrected_in_slicer_recomputes_only_its_patient(finished, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(finished.parent, folder)
    table = pd.read_csv(folder / "subjects.csv")
    path = folder / table["mask"][0]
    image = nibabel.load(path)
    labels = np.asarray(image.dataobj).astype(np.uint8)
    labels[tuple(np.argwhere(labels)[0])] = 0
    corrected = path.with_name("corrected.seg.nrrd")
    grid = read_mask(path)[0].grid
    names = [("HCC", "SCT^4147007^Mass", (1, 2, 3))]
    corrected.write_bytes(slicer_segmentation(labels, grid, names))
    table.loc[0, "mask"] = str(corrected.relative_to(folder))
    table.to_csv(folder / "subjects.csv", index=False)

    def records(patient: str) -> dict[Path, int]:
        own = folder / "derivatives" / f"sub-{patient}"
        return {p: p.stat().st_mtime_ns for p in own.glob("*_record.json")}

    one, two = records(table.patient[0]), records(table.patient[1])
    assert Study.load(folder / "study.toml").run().set_aside == ()
    assert records(table.patient[0]) != one
    # the other patient's alignment stands; its habitats belong to the cohort
    align = {p: t for p, t in two.items() if "desc-align" in p.name}
    assert align
    assert align.items() <= records(table.patient[1]).items()
