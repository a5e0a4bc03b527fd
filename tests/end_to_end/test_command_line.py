"""The commands as a user types them: what they print and their exit codes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from radhabitat.cli import main; main()"]


def radhabitat(*words, code=0):
    done = subprocess.run(  # noqa: S603 (our own program)
        [*COMMAND, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def study(phantom_study, tmp_path):
    """Three phantom patients, without models; free to be changed."""
    folder = tmp_path / "study"
    shutil.copytree(phantom_study.parent, folder)
    table = folder / "subjects.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:4]) + "\n")
    file = folder / "study.toml"
    file.write_text(
        '[data]\nclinical = ""\noutcome = ""\n[habitats]\nk = 3\n'
        "[reliability]\npatients = 0\n"
    )
    return file


def test_features_are_printed_under_the_names_of_pyradiomics(phantom_study, tmp_path):
    folder = phantom_study.parent / "images" / "P0001"
    words = ("features", folder / "PVP.nii.gz", folder / "mask.nii.gz")
    printed, _ = radhabitat(*words, "--bin-count", 32)
    values = dict(line.split(",") for line in printed.splitlines())
    assert (values["case"], values["label"]) == ("PVP.nii.gz", "1")
    assert sum(name.startswith("original_") for name in values) == 107
    assert 0 < float(values["original_shape_Sphericity"]) < 1
    out = tmp_path / "row.csv"
    _, said = radhabitat(*words, "--bin-count", 8, "--out", out)
    assert "16 to 128 are sensible for texture): original 8" in said
    row = pd.read_csv(out, index_col="case").loc["PVP.nii.gz"]
    assert row["original_shape_Sphericity"] == float(
        values["original_shape_Sphericity"]
    )


def test_many_cases_run_on_workers_and_a_bad_one_is_named(phantom_study, tmp_path):
    images = phantom_study.parent / "images"
    table = pd.DataFrame(
        {"image": [images / name / "PVP.nii.gz" for name in ("P0001", "none", "P0002")]}
    )
    table["mask"] = images / "P0001" / "mask.nii.gz"
    table.insert(0, "case", ["A", "B", "C"])
    table.to_csv(tmp_path / "cases.csv", index=False)
    out = tmp_path / "features.xlsx"
    words = ("features", "--cases", tmp_path / "cases.csv", "--bin-count", 32)
    _, said = radhabitat(*words, "--out", out, "--workers", 2, code=1)
    assert "Set aside B: PVP.nii.gz does not exist" in said
    found = pd.read_excel(out)
    assert list(found["case"]) == ["A", "C"]
    printed, _ = radhabitat(*words, "--workers", 1, code=1)
    assert printed.splitlines()[0] == "case,A,C"
    table.iloc[[1, 1]].assign(case=["X", "Y"]).to_csv(tmp_path / "cases.csv")
    _, said = radhabitat(*words, "--out", tmp_path / "no.csv", "--workers", 1, code=2)
    assert "No region could be measured" in said
    assert not (tmp_path / "no.csv").exists()


def test_a_label_that_cannot_be_measured_is_named_and_the_others_are_written(
    phantom_study, tmp_path
):
    folder = phantom_study.parent / "images" / "P0001"
    words = ("features", folder / "PVP.nii.gz", folder / "mask.nii.gz")
    out = tmp_path / "rows.csv"
    _, said = radhabitat(*words, "--labels", "7,1", "--out", out, code=1)
    assert "Set aside PVP.nii.gz, label 7: The mask has no label 7" in said
    assert list(pd.read_csv(out)["label"]) == [1]
    _, said = radhabitat(*words, "--labels", "7", code=2)
    assert "The mask has no label 7; found: 1" in said


def test_the_self_test_prints_all_deviations():
    printed, _ = radhabitat("selftest")
    assert printed.count(" ok ") == 102
    assert "102 of 102 features" in printed


def test_contradicting_options_are_refused(tmp_path):
    _, said = radhabitat("features", code=2)
    assert "give IMAGE and MASK, or --cases" in said
    file = tmp_path / "p.yaml"
    file.write_text("setting: {binWidth: 3}")
    words = ("features", "a.nii", "b.nii", "--params", file, "--bin-count", 8)
    _, said = radhabitat(*words, code=2)
    assert "Gray levels are set twice" in said
    _, said = radhabitat("features", "a.nii", "b.nii", "--out", "x.doc", code=2)
    assert "x.doc does not say how to write it" in said
    _, said = radhabitat("features", "a", "b", "--bin-count", 1, code=2)
    assert "bin_count" in said


def test_features_with_one_bin_say_what_to_set(phantom_study):
    folder = phantom_study.parent / "images" / "P0001"
    _, said = radhabitat(
        "features", folder / "PVP.nii.gz", folder / "mask.nii.gz",
        "--bin-width", 99999, code=2,
    )  # fmt: skip
    assert "bin" in said
    assert "To fix it" in said


def test_a_run_names_who_was_lost_and_ends_with_the_report(study):
    (study.parent / "images" / "P0002" / "DP.nii.gz").unlink()
    printed, said = radhabitat("run", study, "--workers", 1, code=1)
    assert re.search(r"Set aside P0002.*DP\.nii\.gz does not exist", said)
    assert printed.splitlines()[-1].endswith("report.html")


def test_check_tells_what_a_run_would_lose(study):
    (study.parent / "images" / "P0002" / "DP.nii.gz").write_bytes(b"no image")
    printed, _ = radhabitat("check", study, "--workers", 1, code=1)
    assert "P0002" in printed
    assert "loses a patient" in re.sub(r"\s+", " ", printed.replace("│", " "))


def test_a_study_that_cannot_run_exits_with_two(study):
    study.write_text("[habitat]\nk = 3\n")
    _, said = radhabitat("run", study, code=2)
    assert "did you mean 'habitats'?" in said
    radhabitat("check", study, code=2)


def test_a_table_is_modeled_from_the_command_line(tmp_path):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(40, 12)), columns=list("abcdefghijkl"))
    table["y"] = np.where(table["a"] + rng.normal(size=40) > 0, "OR", "nOR")
    table.insert(0, "patient", [f"S{i}" for i in range(40)])
    path = tmp_path / "table.xlsx"
    table.to_excel(path, index=False)
    out = tmp_path / "out"
    words = ("model", path, "--outcome", "y", "--clinical", "a,b", "--out", out)
    _, said = radhabitat(*words, "--bootstraps", 20, "--workers", 1, code=2)
    assert "OR" in said
    assert "nOR" in said
    more = ("--positive", "OR", "--bootstraps", 20, "--workers", 1)
    printed, _ = radhabitat(*words, *more)
    assert "Research use only" in printed
    models = json.loads((out / "evaluation.json").read_text())["models"]
    assert list(models) == ["clinical", "cr"]
    assert models["clinical"]["auc"]["out_of_bag"]["value"] > 0.6


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent otherwise on Windows")
def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(
    study, phantom_study
):
    table = study.parent / "subjects.csv"
    three = table.read_text()
    # ten patients, so that there is work left when the first is finished
    shutil.copy(phantom_study.parent / "subjects.csv", table)
    words = [*COMMAND, "run", str(study), "--workers", "2"]
    running = subprocess.Popen(  # noqa: S603 (our own program)
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    derivatives = study.parent / "derivatives"
    for _ in range(600):
        if list(derivatives.rglob("*desc-align_record.json")):
            break
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "same command goes on" in said
    finished = {p: p.stat().st_mtime_ns for p in derivatives.rglob("*_record.json")}
    assert finished
    table.write_text(three)
    radhabitat("run", study, "--workers", 1)
    assert all(p.stat().st_mtime_ns == age for p, age in finished.items())
