import errno
import os
from pathlib import Path

import pytest

from radhabitat.errors import InputError, StorageError
from radhabitat.files.layout import StudyLayout, bids_label, check_labels, sidecar
from radhabitat.files.store import (
    read_json,
    remember,
    sha256_of,
    write_bytes,
    write_json,
    write_text,
)


def counted(path, calls):
    def compute():
        calls.append(1)
        write_text(path, "voxels")
        return [path], {"value": float("nan"), "n": 3}

    return compute


def test_a_step_is_computed_once_and_then_remembered(tmp_path):
    calls = []
    compute = counted(tmp_path / "a.txt", calls)
    first = remember(tmp_path / "r.json", {"k": 3}, compute)
    second = remember(tmp_path / "r.json", {"k": 3}, compute)
    assert len(calls) == 1
    assert first == second
    assert first.result == {"value": None, "n": 3}


@pytest.mark.parametrize(
    "damage", ["setting", "altered", "truncated", "gone", "record"]
)
def test_a_step_is_computed_again_when_something_changed(tmp_path, damage):
    calls = []
    file, record = tmp_path / "a.txt", tmp_path / "r.json"
    remember(record, {"k": 3}, counted(file, calls))
    match damage:
        case "altered":
            file.write_text("voxelz")
        case "truncated":
            file.write_text("vox")
        case "gone":
            file.unlink()
        case "record":
            record.write_text(record.read_text()[:20])
    remember(record, {"k": 4 if damage == "setting" else 3}, counted(file, calls))
    assert len(calls) == 2
    assert file.read_text() == "voxels"


def test_the_same_object_has_the_same_hash_in_any_order():
    assert sha256_of({"a": 1, "b": (2, 3)}) == sha256_of({"b": [2, 3], "a": 1})
    assert sha256_of({"a": 1}) != sha256_of({"a": 2})


def test_a_full_disk_is_named_and_leaves_no_partial_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"disk is full: x\.nii\.gz"):
        write_bytes(tmp_path / "x.nii.gz", b"abc")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(StorageError, match=r"report\.html could not be written"):
        write_text(tmp_path / "results" / "report.html", "x")


def test_a_damaged_json_file_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[1]")
    with pytest.raises(StorageError, match="JSON object"):
        read_json(path)
    write_json(path, {"a": float("inf")})
    assert read_json(path) == {"a": None}


def test_a_patient_gets_a_bids_folder_and_file_names():
    paths = StudyLayout(Path("study")).patient("P0001", "PVP")
    assert paths.aligned("DP").as_posix() == (
        "study/derivatives/sub-P0001/sub-P0001_acq-DP_space-PVP_desc-preproc_T1w.nii.gz"
    )
    assert paths.habitats().name == "sub-P0001_space-PVP_desc-habitats_dseg.nii.gz"
    assert paths.transform("DP").name == "sub-P0001_from-DP_to-PVP_mode-image_xfm.json"
    assert sidecar(paths.habitats()).name.endswith("_dseg.json")


def test_an_identifier_that_is_no_label_is_hashed_not_shown():
    assert "张" not in bids_label("张三")
    assert bids_label("张三") == bids_label("张三") != bids_label("李四")


def test_two_patients_who_would_share_a_folder_are_refused():
    with pytest.raises(InputError, match=r"'A-1' and 'a1' would share"):
        check_labels(["A-1", "B2", "a1"])
