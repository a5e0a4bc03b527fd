"""The main job on the phantom cohort: images to report, resumed, and with faults."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest

from radhabitat.errors import TableError
from radhabitat.features import column_names
from radhabitat.study import Study

pytestmark = pytest.mark.slow

QUICK = """
[reliability]
patients = 4
repeats = 2

[evaluation]
bootstraps = 40
"""


@pytest.fixture(scope="module")
def finished(phantom_study, tmp_path_factory):
    """The phantom study after a run on two processes."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    shutil.copytree(phantom_study.parent, folder)
    file = folder / "study.toml"
    file.write_text(file.read_text() + QUICK)
    return file, Study.load(file).run(workers=2)


def copy_of(finished, tmp_path):
    """Another copy of the finished study, free to be changed."""
    folder = tmp_path / "study"
    shutil.copytree(finished[0].parent, folder)
    return folder / "study.toml"


def results_of(file: Path) -> dict[str, bytes]:
    folder = file.parent / "results"
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def age_of(file: Path) -> dict[str, int]:
    """When each step of each patient, and each block of resamples, was computed."""
    computed = [
        *(file.parent / "derivatives").rglob("*_record.json"),
        *(file.parent / "results" / "resamples").rglob("*.npz"),
    ]
    return {p.name: p.stat().st_mtime_ns for p in computed}


def test_nobody_is_lost_and_every_result_has_its_fixed_name(finished):
    file, result = finished
    assert result.set_aside == ()
    names = {p.relative_to(file.parent).as_posix()
             for p in (file.parent / "results").rglob("*")}  # fmt: skip
    assert {
        "results/features.csv",
        "results/evaluation.json",
        "results/report.html",
        "results/models/clinical.json",
        "results/models/cr.json",
        "results/models/crh.json",
    } <= names


def test_the_feature_table_has_the_published_1568_columns(finished):
    file, _ = finished
    table = pd.read_csv(file.parent / "results" / "features.csv", index_col="patient")
    assert table.shape == (10, 428 + 1140)
    assert tuple(table.columns) == column_names(("PRE", "LAP", "PVP", "DP"), 3)
    assert "DP_Habitat_3_original_firstorder_Kurtosis" in table
    assert table.notna().to_numpy().all()
    share = table.filter(regex=r"^PVP_Habitat_\d_proportion$").sum(axis=1)
    np.testing.assert_allclose(share, 1.0)


def test_the_evaluation_has_both_estimates_with_intervals(finished):
    file, _ = finished
    evaluation = json.loads((file.parent / "results" / "evaluation.json").read_text())
    for model in ("clinical", "cr", "crh"):
        for estimate in ("apparent", "out_of_bag"):
            auc = evaluation["models"][model]["auc"][estimate]
            assert 0 <= auc["low"] <= auc["value"] <= auc["high"] <= 1
            assert auc["method"]


def test_the_derivatives_are_on_one_grid_of_1_mm(finished):
    file, _ = finished
    folder = file.parent / "derivatives" / "sub-P0001"
    names = [p for p in sorted(folder.glob("*.nii.gz")) if "_xfm" not in p.name]
    images = [nibabel.load(p) for p in names]
    assert len(images) == 4 + 2 + 1 + 1  # sequences, readers, body, habitats
    assert {image.shape for image in images} == {images[0].shape}
    np.testing.assert_allclose(images[0].header.get_zooms(), 1.0, rtol=1e-5)


def test_habitats_are_the_true_tissues_in_most_patients(finished):
    """Habitat 3 is the hypervascular tissue and habitat 1 the necrotic one."""
    file, _ = finished
    overlaps = [
        overlap
        for folder in sorted((file.parent / "derivatives").glob("sub-*"))
        for overlap in overlaps_with_truth(file.parent, folder)
    ]
    assert len(overlaps) == 20
    assert np.mean(np.array(overlaps) > 0.8) >= 0.8
    assert np.median(overlaps) > 0.9


def test_every_habitat_is_the_same_tissue_in_every_patient(finished):
    """Habitat 1 is necrotic (3), habitat 2 infiltrative (2), habitat 3 viable (1).

    But for a patient of whom a sequence could not be registered, and who says so.
    """
    file, _ = finished
    every = sorted((file.parent / "derivatives").glob("sub-*"))
    folders = [folder for folder in every if not unregistered(folder)]
    wrong = [
        (folder.name, habitat)
        for folder in folders
        for tissue, found in [tissues_and_habitats(file.parent, folder)]
        for habitat in (1, 2, 3)
        if np.bincount(tissue[found == habitat]).argmax() != 4 - habitat
    ]
    assert len(folders) >= 9
    assert len(every) == 10
    assert wrong == []


def unregistered(folder: Path) -> bool:
    record = json.loads(next(folder.glob("*desc-align_record.json")).read_text("utf-8"))
    return any("not registered" in note for note in record["result"]["notes"])


def overlaps_with_truth(study: Path, folder: Path) -> list[float]:
    """Dice of tissue 1 (viable) with habitat 3, and of 3 (necrotic) with 1."""
    tissue, found = tissues_and_habitats(study, folder)
    pairs = [(tissue == t, found == 4 - t) for t in (1, 3)]
    return [2 * (t & h).sum() / (t.sum() + h.sum()) for t, h in pairs]


def tissues_and_habitats(study: Path, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The true tissue and the habitat of the voxels that have both."""
    patient = folder.name.removeprefix("sub-")
    habitats = nibabel.load(next(folder.glob("*desc-habitats_dseg.nii.gz")))
    truth = nibabel.load(study / "truth" / f"{patient}_tissues.nii.gz")
    tissues = np.asarray(truth.dataobj)
    voxels = np.argwhere(tissues > 0)
    where = nibabel.affines.apply_affine(
        np.linalg.inv(habitats.affine) @ truth.affine, voxels
    )
    found = np.asarray(habitats.dataobj)[tuple(np.rint(where).astype(int).T)]
    tissue = tissues[tuple(voxels.T)]
    return tissue[found > 0], found[found > 0]


def test_a_second_run_computes_nothing_and_leaves_the_same_bytes(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    before, ages = results_of(file), age_of(file)
    seen = []
    Study.load(file).run(workers=1, progress=lambda *step: seen.append(step))
    assert ("Learning in resamples", 40, 40) in seen
    assert age_of(file) == ages
    assert results_of(file) == before


def test_one_worker_gives_the_bytes_of_two(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    keep_two_patients(file)
    shutil.rmtree(file.parent / "derivatives")
    Study.load(file).run(workers=1)
    for image in (file.parent / "derivatives").rglob("*.nii.gz"):
        twin = finished[0].parent / image.relative_to(file.parent)
        assert image.read_bytes() == twin.read_bytes(), image.name


def test_a_changed_feature_setting_keeps_the_aligned_images(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    keep_two_patients(file)
    ages = age_of(file)
    file.write_text(file.read_text() + "\n[features]\nbin_width = 0.03125\n")
    Study.load(file).run(workers=1)
    records = {n: age for n, age in age_of(file).items() if n.endswith(".json")}
    changed = {n for n, age in records.items() if ages[n] != age}
    assert changed == {f"sub-P000{i}_desc-features_record.json" for i in (1, 2)}


def test_a_damaged_result_is_computed_again(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    keep_two_patients(file)
    image = next((file.parent / "derivatives" / "sub-P0001").glob("*acq-DP*.nii.gz"))
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    Study.load(file).run(workers=1)
    assert image.read_bytes() == whole


def test_a_study_without_a_clinical_table_ends_with_features(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    shutil.rmtree(file.parent / "results")
    text = file.read_text()
    start, end = text.index("[data]"), text.index("[habitats]")
    file.write_text(text[:start] + "[data]\nclinical = ''\n" + text[end:])
    (file.parent / "clinical.csv").unlink()
    result = Study.load(file).run(workers=1)
    assert result.evaluation is None
    assert "features" in result.report.read_text()


BAD = {
    "missing file": "does not exist",
    "truncated gzip": "truncated|damaged|cut off|cannot be read",
    "4D": "4D|3D",
    "mask elsewhere": "lies outside",
    "empty mask": "is empty",
    "NaN voxels": "not numbers",
    "constant image": "constant",
    "tiny tumor": "voxels",
    "not an image": "read",
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_patient_is_named_with_its_fix_and_costs_no_other(
    finished, tmp_path, fault
):
    file = copy_of(finished, tmp_path)
    spoil(file.parent / "images" / "P0002", fault)
    keep_two_patients(file)
    result = Study.load(file).run(workers=1)
    assert [lost.patient for lost in result.set_aside] == ["P0002"]
    lost = result.set_aside[0]
    assert any(w.lower() in lost.problem.lower() for w in BAD[fault].split("|")), lost
    assert "P0002" in lost.problem
    assert lost.fix
    table = pd.read_csv(file.parent / "results" / "features.csv")
    assert list(table["patient"]) == ["P0001"]
    assert "P0002" in result.report.read_text()


def test_faults_in_the_tables_cost_only_their_patients(finished, tmp_path):
    file = copy_of(finished, tmp_path)
    clinical = file.parent / "clinical.csv"
    rows = clinical.read_text().splitlines()
    word, twice = [n for n, row in enumerate(rows) if ",OR," in row and n > 1][:2]
    age = rows[word].split(",")[1]
    rows[word] = rows[word].replace(f",{age},", ",about 60,", 1)
    clinical.write_text("\n".join([*rows, rows[twice]]) + "\n")
    mask = file.parent / "images" / "P0001" / "mask.nii.gz"
    rewrite(mask, lambda a: a + (a > 0) * (np.indices(a.shape)[0] % 2))
    result = Study.load(file).run(workers=2)
    lost = {one.patient: one.problem for one in result.set_aside}
    assert set(lost) == {f"P{word:04d}", f"P{twice:04d}"}
    assert "age is 'about 60'" in lost[f"P{word:04d}"]
    assert "more than one row in clinical.csv" in lost[f"P{twice:04d}"]
    assert result.evaluation is not None
    assert len(result.evaluation.patients) == 8
    assert "labels 1, 2: their union is the tumor" in result.report.read_text()


def test_an_outcome_of_one_class_is_refused_before_anything_is_computed(
    finished, tmp_path
):
    file = copy_of(finished, tmp_path)
    ages = age_of(file)
    clinical = file.parent / "clinical.csv"
    clinical.write_text(clinical.read_text().replace("nOR", "OR"))
    with pytest.raises(TableError, match="1 different values instead of two"):
        Study.load(file).run(workers=1)
    assert age_of(file) == ages


def keep_two_patients(file: Path) -> None:
    """Shorten the cohort; without an outcome, so that nothing is modeled."""
    table = file.parent / "subjects.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:3]) + "\n")
    text = file.read_text()
    start, end = text.index("[data]"), text.index("[habitats]")
    head = '[data]\nsequences = ["PRE", "LAP", "PVP", "DP"]\noutcome = ""\n'
    file.write_text(text[:start] + head + text[end:])


def spoil(folder: Path, fault: str) -> None:
    """Damage one patient's input in one way."""
    image, mask = folder / "LAP.nii.gz", folder / "mask.nii.gz"
    letter = gzip.compress(b"this is a letter, not an image")
    damage = {
        "missing file": lambda: image.unlink(),
        "truncated gzip": lambda: image.write_bytes(image.read_bytes()[:5000]),
        "not an image": lambda: image.write_bytes(letter),
        "4D": lambda: rewrite(image, lambda a: np.stack([a, a], axis=-1)),
        "NaN voxels": lambda: rewrite(image, lambda a: np.where(a > 9, np.nan, a)),
        "constant image": lambda: rewrite(image, np.zeros_like),
        "empty mask": lambda: rewrite(mask, np.zeros_like),
        "tiny tumor": lambda: rewrite(mask, only_one_voxel),
        "mask elsewhere": lambda: rewrite(mask, np.copy, move_mm=500.0),
    }
    damage[fault]()


def only_one_voxel(mask: np.ndarray) -> np.ndarray:
    one = np.zeros_like(mask)
    one[tuple(np.argwhere(mask)[len(np.argwhere(mask)) // 2])] = 1
    return one


def rewrite(path: Path, change, *, move_mm: float = 0.0) -> None:
    image = nibabel.load(path)
    affine = image.affine.copy()
    affine[0, 3] += move_mm
    array = change(np.asarray(image.dataobj, dtype=np.float32))
    nibabel.Nifti1Image(array, affine).to_filename(path)
