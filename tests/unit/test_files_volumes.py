from __future__ import annotations

import errno
import gzip
from pathlib import Path

import dicom_samples as samples
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name its documentation uses)

from radhabitat.errors import ImageError, MaskError, StorageError
from radhabitat.files import store
from radhabitat.files.masks import read_mask
from radhabitat.files.volumes import (
    read_volume,
    read_volume_and_notes,
    write_labels,
    write_mask,
    write_volume,
)
from radhabitat.types import Grid, Mask, Volume

OBLIQUE = np.array(
    [[1.8, 0.3, 0.0, -5.0], [-0.3, 1.8, 0.0, 7.0], [0.0, 0.0, 3.0, 9.0], [0, 0, 0, 1]]
)


def some_volume(shape=(4, 5, 6)) -> Volume:
    values = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    return Volume(values, Grid(shape, OBLIQUE))


def save_nifti(path: Path, array, affine=OBLIQUE) -> Path:
    nibabel.save(nibabel.Nifti1Image(np.asarray(array), affine), path)
    return path


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_a_written_image_is_read_back_exactly(tmp_path, name):
    volume = some_volume()
    write_volume(tmp_path / "sub" / name, volume)
    again = read_volume(tmp_path / "sub" / name)
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid.same_as(volume.grid)


def test_the_same_image_gives_the_same_bytes(tmp_path):
    write_volume(tmp_path / "a.nii.gz", some_volume())
    write_volume(tmp_path / "b.nii.gz", some_volume())
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert (tmp_path / "a.nii.gz").read_bytes()[4:8] == b"\0\0\0\0"  # time of gzip


def test_both_forms_of_the_header_are_set_and_agree(tmp_path):
    write_volume(tmp_path / "a.nii.gz", some_volume())
    header = nibabel.load(tmp_path / "a.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)


def test_other_software_finds_the_same_place(tmp_path):
    volume = some_volume()
    write_volume(tmp_path / "a.nii.gz", volume)
    image = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    point = image.TransformIndexToPhysicalPoint((1, 2, 3))
    wanted = volume.grid.to_mm(np.array([1.0, 2.0, 3.0])) * (-1, -1, 1)
    np.testing.assert_allclose(point, wanted, atol=1e-4)
    assert image[1, 2, 3] == pytest.approx(volume.array[1, 2, 3])


def test_a_mask_and_labels_are_written_and_read_back(tmp_path):
    labels = np.zeros((4, 5, 6), dtype=np.uint8)
    labels[1, 1, 1], labels[2, 2, 2] = 1, 3
    grid = Grid((4, 5, 6), OBLIQUE)
    write_labels(tmp_path / "labels.nii.gz", labels, grid)
    write_mask(tmp_path / "mask.nii.gz", Mask(labels > 0, grid))
    mask, found = read_mask(tmp_path / "labels.nii.gz")
    assert (mask.voxels, found) == (2, (1, 3))
    assert read_mask(tmp_path / "mask.nii.gz")[1] == (1,)
    assert read_mask(tmp_path / "labels.nii.gz", labels=(3,))[0].array[2, 2, 2]


@pytest.mark.parametrize("space", ["left-posterior-superior", "RAS", "LAS"])
def test_every_space_of_nrrd_gives_the_same_place(tmp_path, space):
    signs = {"l": (-1, -1, 1), "R": (1, 1, 1), "L": (-1, 1, 1)}[space[0]]
    volume = some_volume()
    turn = np.array(signs, dtype=float)
    header = {
        "space": space,
        "space directions": (OBLIQUE[:3, :3] * turn[:, None]).T,
        "space origin": OBLIQUE[:3, 3] * turn,
    }
    nrrd.write(str(tmp_path / "a.nrrd"), np.array(volume.array), header)
    again = read_volume(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(again.array, volume.array)
    np.testing.assert_allclose(again.grid.affine, OBLIQUE, atol=1e-9)


@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd"])
def test_what_simpleitk_writes_is_read_at_the_same_place(tmp_path, name):
    volume = some_volume()
    image = sitk.GetImageFromArray(volume.array.transpose(2, 1, 0))
    flip = np.diag([-1.0, -1.0, 1.0])
    image.SetOrigin((flip @ OBLIQUE[:3, 3]).tolist())
    image.SetSpacing(volume.grid.spacing_mm.tolist())
    directions = flip @ (OBLIQUE[:3, :3] / volume.grid.spacing_mm)
    image.SetDirection(directions.ravel().tolist())
    sitk.WriteImage(image, str(tmp_path / name))
    again = read_volume(tmp_path / name)
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid.same_as(volume.grid)


def test_the_sform_wins_over_the_qform(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 3, 3), dtype=np.float32), None)
    image.set_sform(OBLIQUE, code=2)
    image.set_qform(np.eye(4), code=1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(
        read_volume(tmp_path / "a.nii.gz").grid.affine, OBLIQUE, atol=1e-6
    )


def test_the_qform_is_taken_when_the_sform_is_not_valid(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 3, 3), dtype=np.float32), None)
    image.set_qform(OBLIQUE, code=1)
    image.set_sform(np.eye(4), code=0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(
        read_volume(tmp_path / "a.nii.gz").grid.affine, OBLIQUE, atol=1e-5
    )


def test_a_header_in_meters_is_turned_into_mm(tmp_path):
    image = nibabel.Nifti1Image(np.ones((3, 3, 3), dtype=np.float32), OBLIQUE / 1000)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "a.nii.gz")
    found = read_volume(tmp_path / "a.nii.gz").grid.affine
    np.testing.assert_allclose(found[:3], OBLIQUE[:3], atol=1e-4)


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    path = save_nifti(tmp_path / "a.nii.gz", np.ones((3, 4, 5, 1), dtype=np.int16))
    assert read_volume(path).grid.shape == (3, 4, 5)


def test_4d_is_refused_with_patient_and_file_name(tmp_path):
    path = save_nifti(tmp_path / "dyn.nii.gz", np.ones((3, 4, 5, 2), dtype=np.int16))
    with pytest.raises(ImageError) as caught:
        read_volume(path, patient="P7")
    assert caught.value.problem == (
        "Patient P7: dyn.nii.gz is 4D where 3D is expected (shape 3 x 4 x 5 x 2)"
    )
    assert "one 3D volume per file" in caught.value.fix


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(ImageError) as caught:
        read_volume(tmp_path / "pvp.nii.gz", patient="P7")
    assert caught.value.problem == "Patient P7: pvp.nii.gz does not exist"
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 20, 200, -100])
def test_a_truncated_gzip_is_refused(tmp_path, kept):
    write_volume(tmp_path / "a.nii.gz", some_volume((20, 20, 20)))
    data = (tmp_path / "a.nii.gz").read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(data[:kept])
    with pytest.raises(ImageError, match=r"Patient P1: a\.nii\.gz cannot be read") as e:
        read_volume(tmp_path / "a.nii.gz", patient="P1")
    assert str(tmp_path) not in str(e.value)


def test_a_header_that_promises_more_than_the_file_is_refused(tmp_path):
    image = nibabel.Nifti1Image(np.ones((2, 2, 2), dtype=np.float32), OBLIQUE)
    data = bytearray(image.to_bytes())
    data[42:48] = np.array([32767, 32767, 32767], dtype="<i2").tobytes()
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with pytest.raises(ImageError, match="the header promises"):
        read_volume(tmp_path / "a.nii.gz")


def test_colors_are_refused(tmp_path):
    colors = np.zeros((3, 3, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    path = save_nifti(tmp_path / "a.nii.gz", colors)
    with pytest.raises(ImageError, match="not one gray value per voxel"):
        read_volume(path)


@pytest.mark.parametrize("kind", ["nii", "nii.gz", "nrrd", "mha", "seg.nrrd", "dcm"])
def test_random_and_damaged_files_always_give_our_errors(tmp_path, kind):
    good = tmp_path / f"good.{kind}"
    if kind == "dcm":
        good = samples.enhanced(good)
    elif kind in ("mha", "nrrd", "seg.nrrd"):
        image = sitk.GetImageFromArray(np.arange(27, dtype=np.uint8).reshape(3, 3, 3))
        sitk.WriteImage(image, str(good))
    else:
        write_volume(good, some_volume())
    data = good.read_bytes()
    for seed in range(40):
        draw = np.random.default_rng(seed)
        bad = bytearray(data)
        for place in draw.integers(0, min(len(bad), 400), size=6):
            bad[place] = draw.integers(0, 256)
        pieces = [bytes(bad), data[: draw.integers(0, len(data))], draw.bytes(500)]
        path = tmp_path / f"bad.{kind}"
        path.write_bytes(pieces[seed % 3])
        for read, errors in ((read_volume, ImageError), (read_mask, MaskError)):
            try:
                read(path, patient="P1")
            except errors as error:
                assert "P1" in error.problem  # noqa: PT017 (either is fine)
                assert str(tmp_path) not in str(error)  # noqa: PT017


def test_labels_that_are_not_there_are_answered_with_those_found(tmp_path):
    labels = np.zeros((3, 3, 3), dtype=np.uint8)
    labels[0, 0, 0], labels[1, 1, 1] = 1, 2
    path = save_nifti(tmp_path / "mask.nii.gz", labels)
    with pytest.raises(MaskError) as caught:
        read_mask(path, labels=(5,), patient="P3")
    assert caught.value.problem == (
        "Patient P3: mask.nii.gz has none of the labels 5; found: 1, 2"
    )
    assert "data.mask_labels" in caught.value.fix


def test_a_probability_mask_is_cut_at_one_half(tmp_path):
    values = np.zeros((3, 3, 3), dtype=np.float32)
    values[0, 0, :3] = 0.4, 0.5, 0.6
    mask, found = read_mask(save_nifti(tmp_path / "p.nii.gz", values))
    assert (mask.array[0, 0].tolist(), found) == ([False, False, True], (1,))


def test_a_mask_of_255_and_missing_numbers_is_read(tmp_path):
    values = np.full((3, 3, 3), np.nan, dtype=np.float32)
    values[1, 1, 1] = 255
    mask, found = read_mask(save_nifti(tmp_path / "p.nii.gz", values))
    assert (mask.voxels, found) == (1, (255,))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.arange(1000, dtype=np.int16).reshape(10, 10, 10), "1000 different"),
        (np.full((3, 3, 3), -1024, dtype=np.int16), "negative"),
        (np.linspace(0, 90, 27, dtype=np.float32).reshape(3, 3, 3), "fractions"),
    ],
)
def test_an_image_given_as_mask_is_refused(tmp_path, values, says):
    with pytest.raises(MaskError, match=f"P1: a.nii.gz is not a mask: it .*{says}"):
        read_mask(save_nifti(tmp_path / "a.nii.gz", values), patient="P1")


def test_an_empty_mask_is_read_as_empty(tmp_path):
    path = save_nifti(tmp_path / "m.nii.gz", np.zeros((3, 3, 3), dtype=np.uint8))
    mask, found = read_mask(path, labels=(1,))
    assert (mask.voxels, found) == (0, ())


def test_overlapping_layers_of_a_slicer_file_are_refused(tmp_path):
    directions = np.array([[np.nan] * 3, [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    header = {"space": "LPS", "space directions": directions}
    path = tmp_path / "a.seg.nrrd"
    nrrd.write(str(path), np.ones((2, 3, 4, 5), dtype=np.uint8), header)
    with pytest.raises(MaskError, match="overlapping layers"):
        read_mask(path)


def test_the_nth_volume_of_a_dicom_folder_is_read(tmp_path):
    folder = samples.series(tmp_path / "P1", phases=3)
    np.testing.assert_array_equal(read_volume(f"{folder}#2").array, samples.picture(1))
    notes = read_volume_and_notes(f"{folder}#1")[1]
    assert "instance number only" in notes[0]
    with pytest.raises(ImageError, match=r"P1 holds 3 volumes: 1: series 4 'Ax LAVA'"):
        read_volume(folder)
    with pytest.raises(ImageError, match="holds 3 volumes; number 4 was asked for"):
        read_volume(f"{folder}#4")


def test_a_refused_series_names_the_patient(tmp_path):
    folder = samples.series(tmp_path / "dcm", edit=lambda f, k, p: k != 2)
    with pytest.raises(ImageError, match=r"Patient P9: dcm: .* 1 missing between"):
        read_volume(folder, patient="P9")


def test_a_file_with_a_number_sign_in_its_name_is_itself(tmp_path):
    write_volume(tmp_path / "a#1.nii.gz", some_volume())
    (tmp_path / "b#2").mkdir()
    assert read_volume(tmp_path / "a#1.nii.gz").grid.shape == (4, 5, 6)
    with pytest.raises(ImageError, match="b#2"):
        read_volume(tmp_path / "b#2")


def test_a_full_disk_is_said_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def no_space(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", no_space)
    with pytest.raises(StorageError, match=r"The disk is full: a\.nii\.gz"):
        write_volume(tmp_path / "a.nii.gz", some_volume())
    assert list(tmp_path.iterdir()) == []


def test_a_border_without_values_is_cut_and_said(tmp_path):
    values = np.random.default_rng(0).normal(100, 20, (8, 7, 6)).astype(np.float32)
    values[:2] = values[:, :, -1:] = np.nan
    path = save_nifti(tmp_path / "a.nii.gz", values)
    volume, notes = read_volume_and_notes(path)
    assert volume.grid.shape == (6, 7, 5)
    np.testing.assert_array_equal(volume.array, values[2:, :, :-1])
    np.testing.assert_allclose(
        volume.grid.to_mm(np.zeros(3)), OBLIQUE[:3, :3] @ [2, 0, 0] + OBLIQUE[:3, 3]
    )
    assert notes == ("its border of 126 voxels without values was cut",)


def test_values_that_overflowed_16_bits_are_refused(tmp_path):
    true = np.linspace(0, 50000, 10**3).reshape(10, 10, 10).astype(np.uint16)
    path = save_nifti(tmp_path / "a.nii", true.view(np.int16))
    with pytest.raises(
        ImageError, match=r"a\.nii overflowed 16 bits: they reach from -32"
    ):
        read_volume(path)


def test_large_slopes_do_not_overflow(tmp_path):
    image = nibabel.Nifti1Image(np.full((3, 4, 5), 30000, np.int16), OBLIQUE)
    image.header.set_slope_inter(50.0, 0.0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert read_volume(tmp_path / "a.nii.gz").array.max() == pytest.approx(1.5e6)


def test_an_image_too_large_for_a_worker_is_refused_before_it_is_read(tmp_path):
    header = nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), OBLIQUE).header
    header.set_data_shape((1024, 1024, 400))
    header["vox_offset"] = 352
    path = tmp_path / "huge.nii"
    with path.open("wb") as file:
        file.write(header.binaryblock + b"\0" * 4)
        file.truncate(352 + 1024 * 1024 * 400 * 2)  # a hole, no bytes on disk
    with pytest.raises(ImageError, match=r"huge.nii is too large: it has 419 million"):
        read_volume(path)
