from __future__ import annotations

import contextlib
import os
import tarfile
from pathlib import Path

import dicom_samples as samples
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from radhabitat.dicom import is_segmentation, read_segmentation, read_volumes
from radhabitat.dicom.frames import seconds
from radhabitat.errors import ImageError, MaskError, RadHabitatError
from radhabitat.files.importing import import_folder
from radhabitat.files.masks import read_mask
from radhabitat.files.volumes import read_volume

DATA = Path(
    os.environ.get(
        "RADHABITAT_DATA", Path(__file__).parents[2].parent / "shared" / "data"
    )
)


def assert_is(volume, phase: int = 0) -> None:
    read = volume.read()
    np.testing.assert_array_equal(read.array, samples.picture(phase))
    np.testing.assert_allclose(read.grid.affine, samples.affine_ras(), atol=1e-6)


def test_a_series_in_any_file_order_gives_the_voxels_in_ras(tmp_path):
    (volume,) = read_volumes(samples.series(tmp_path))
    assert (volume.description, volume.series_uid) == ("Ax LAVA", "1.2.3")
    assert (volume.problem, volume.warnings) == ("", ())
    assert_is(volume)


def test_slope_and_intercept_of_each_slice_are_applied(tmp_path):
    def scale(file, k, phase):
        file.RescaleSlope, file.RescaleIntercept = str(k + 1), "-5"

    (volume,) = read_volumes(samples.series(tmp_path, edit=scale))
    wanted = samples.picture() * np.arange(1, 7) - 5
    np.testing.assert_array_equal(volume.read().array, wanted)


def test_an_oblique_series_has_its_corners_where_the_header_says(tmp_path):
    angle = np.radians(20)
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([-np.sin(angle), np.cos(angle), 0])

    def turn(file, k, phase):
        file.ImageOrientationPatient = [*row, *column]

    (volume,) = read_volumes(samples.series(tmp_path, edit=turn))
    lps = np.array(samples.ORIGIN) + row * 4 * 2.0 + column * 3 * 2.2
    lps[2] += 5 * 3.0
    corner = volume.grid.to_mm(np.array([4.0, 3.0, 5.0]))
    np.testing.assert_allclose(corner, lps * (-1, -1, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("TemporalPositionIdentifier", lambda k, phase: phase + 1),
        ("TriggerTime", lambda k, phase: str(phase * 30000 + k)),
        ("AcquisitionTime", lambda k, phase: f"0930{phase * 10 + k:02d}.5"),
        ("ContentTime", lambda k, phase: f"09{phase:02d}00"),
    ],
)
def test_phases_of_one_series_are_told_apart_by(tmp_path, tag, value):
    def edit(file, k, phase):
        setattr(file, tag, value(k, phase))
        file.InstanceNumber = k * 3 + (2 - phase) + 1  # says the opposite

    volumes = read_volumes(samples.series(tmp_path, phases=3, edit=edit))
    assert [(v.moment, v.moments) for v in volumes] == [(1, 3), (2, 3), (3, 3)]
    assert [v.warnings for v in volumes] == [(), (), ()]
    for phase, volume in enumerate(volumes):
        assert_is(volume, phase)


def test_a_trigger_time_counts_from_an_acquisition_time_that_phases_share(tmp_path):
    def ge(file, k, phase):
        file.AcquisitionTime, file.TriggerTime = "100000", str(phase * 30000)

    def philips(file, k, phase):
        file.AcquisitionTime = f"10{phase:02d}00"
        file.TriggerTime = str(phase * 60000)

    shared = read_volumes(samples.series(tmp_path / "ge", phases=2, edit=ge))
    own = read_volumes(samples.series(tmp_path / "philips", phases=2, edit=philips))
    assert [v.time_s for v in shared] == [36000, 36030]
    assert [v.time_s for v in own] == [36000, 36060]


def test_phases_told_apart_by_instance_number_only_carry_a_warning(tmp_path):
    volumes = read_volumes(samples.series(tmp_path, phases=2))
    assert_is(volumes[0], 0)
    assert_is(volumes[1], 1)
    assert "check their order" in volumes[0].warnings[0]


def test_water_and_fat_of_one_series_are_two_volumes(tmp_path):
    def edit(file, k, phase):
        file.ImageType = ["ORIGINAL", "PRIMARY", "WF"[phase], "DIXON"]

    volumes = read_volumes(samples.series(tmp_path, phases=2, edit=edit))
    kinds = {v.frames[0].kind.split("\\")[2] for v in volumes}
    assert kinds == {"W", "F"}
    assert [v.moments for v in volumes] == [1, 1]


def test_enhanced_multi_frame_files_are_split_and_rescaled(tmp_path):
    volumes = read_volumes(samples.enhanced(tmp_path / "a.dcm"))
    assert [v.moment for v in volumes] == [1, 2]
    wanted = samples.picture(1) * 2.5 - 7
    np.testing.assert_array_equal(volumes[1].read().array, wanted)
    np.testing.assert_allclose(volumes[0].grid.affine, samples.affine_ras(), atol=1e-6)


def refusal(folder: Path) -> str:
    volumes = read_volumes(folder)
    with pytest.raises(ImageError) as caught:
        volumes[0].read()
    return str(caught.value)


def test_a_missing_slice_is_refused_with_the_numbers_around_it(tmp_path):
    folder = samples.series(tmp_path, edit=lambda file, k, phase: k != 3)
    assert "1 missing between slices 3 and 5" in refusal(folder)


def test_a_slice_missing_from_one_phase_is_refused(tmp_path):
    def edit(file, k, phase):
        file.TemporalPositionIdentifier = phase + 1
        return (k, phase) != (2, 1)

    text = refusal(samples.series(tmp_path, phases=2, edit=edit))
    assert "the places of slices 3" in text


def test_two_different_slices_at_one_place_are_refused(tmp_path):
    files = [samples.slice_file(k) for k in range(6)]
    files.append(samples.slice_file(2))
    files[-1].InstanceNumber = 77
    assert "same place: slices 3, 77" in refusal(samples.save(tmp_path, files))


def test_copies_of_the_same_image_are_left_out_with_a_word(tmp_path):
    folder = samples.series(tmp_path)
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "002.dcm").read_bytes())
    (volume,) = read_volumes(folder)
    assert_is(volume)
    assert "1 files were copies" in volume.warnings[0]


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path):
    def tilt(file, k, phase):
        file.ImagePositionPatient[1] += k * 3.0 * np.tan(np.radians(12))

    assert "shifted by 12.0 degrees" in refusal(samples.series(tmp_path, edit=tilt))


def test_slices_shifted_sideways_are_refused(tmp_path):
    def shift(file, k, phase):
        file.ImagePositionPatient[0] += 4.0 if k == 3 else 0.0

    assert "distance between slices varies" in refusal(
        samples.series(tmp_path, edit=shift)
    )


def test_mixed_orientations_are_refused(tmp_path):
    def turn(file, k, phase):
        if k > 2:
            file.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    assert "2 different orientations" in refusal(samples.series(tmp_path, edit=turn))


def test_rounding_in_the_headers_does_not_tear_a_series(tmp_path):
    draw = np.random.default_rng(1)

    def jitter(file, k, phase):
        noisy = np.array(samples.AXIAL) + draw.normal(0, 2e-5, 6)
        file.ImageOrientationPatient = [round(float(v), 6) for v in noisy]
        place = np.array(file.ImagePositionPatient, float) + draw.normal(0, 0.003, 3)
        file.ImagePositionPatient = [round(float(v), 2) for v in place]

    (volume,) = read_volumes(samples.series(tmp_path, edit=jitter))
    np.testing.assert_array_equal(volume.read().array, samples.picture())


def test_a_mosaic_is_refused_by_name(tmp_path):
    def mosaic(file, k, phase):
        file.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]

    with pytest.raises(ImageError, match="6 x mosaic"):
        read_volumes(samples.series(tmp_path, edit=mosaic))


@pytest.mark.parametrize("mark", ["VFRAME", "private"])
def test_a_grid_of_united_imaging_is_refused_by_name(tmp_path, mark):
    def grid(file, k, phase):
        if mark == "VFRAME":
            file.ImageType = ["ORIGINAL", "PRIMARY", "M", "VFRAME"]
        else:
            block = file.private_block(0x0065, "Image Private Header", create=True)
            block.add_new(0x51, "LO", "GRID")

    with pytest.raises(ImageError, match="6 x mosaic"):
        read_volumes(samples.series(tmp_path, edit=grid))


def test_a_damaged_slice_is_said_and_its_gap_refused(tmp_path):
    folder = samples.series(tmp_path)
    victim = next(f.path for f in read_volumes(folder)[0].frames if f.instance == 4)
    victim.write_bytes(victim.read_bytes()[:200])
    (volume,) = read_volumes(folder)
    assert "left out" in volume.warnings[0]
    assert "missing between slices 3 and 5" in volume.problem


def test_truncated_pixels_are_refused(tmp_path):
    folder = samples.series(tmp_path)
    path = folder / "001.dcm"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ImageError, match=r"pixels of 001\.dcm .* cannot be decoded"):
        read_volumes(folder)[0].read()


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    (tmp_path / "readme.txt").write_text("no picture")
    with pytest.raises(ImageError, match="found: 1 x not DICOM"):
        read_volumes(tmp_path)


def test_random_bytes_in_headers_always_give_our_error_or_a_volume(tmp_path):
    source = samples.series(tmp_path / "good")
    good = (source / "000.dcm").read_bytes()
    for seed in range(60):
        draw = np.random.default_rng(seed)
        bad = bytearray(good)
        places = draw.integers(132, len(bad), size=12)
        for place in places:
            bad[place] = draw.integers(0, 256)
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "a.dcm").write_bytes(bytes(bad[: draw.integers(100, len(bad) + 1)]))
        with contextlib.suppress(ImageError):
            arrays = [v.read().array for v in read_volumes(folder)]
            assert all(a.ndim == 3 for a in arrays)


# picture(), slice by slice, as DCMTK's dcmcjpeg +e1 writes it, behind its JFIF header
JPEG_HEAD = "ffd8ffe000104a46494600010100000100010000"
JPEG_LOSSLESS = (
    "ffc3000b100004000501011100ffc400160001010100000000000000000000000000050310ffda0008010100010000cc30c316618618b30c30c59861863fffd9",
    "ffc3000b100004000501011100ffc40016000101010000000000000000000000000005030fffda0008010100010000c0001861862cc30c316618618b30c30c7fffd9",
    "ffc3000b100004000501011100ffc40016000101010000000000000000000000000005030fffda0008010100010000c0005861862cc30c316618618b30c30c7fffd9",
    "ffc3000b100004000501011100ffc40016000101010000000000000000000000000005030fffda0008010100010000c0009861862cc30c316618618b30c30c7fffd9",
    "ffc3000b100004000501011100ffc40016000101010000000000000000000000000005030fffda0008010100010000c000d861862cc30c316618618b30c30c7fffd9",
    "ffc3000b100004000501011100ffc40016000101010000000000000000000000000005030fffda0008010100010000c0011861862cc30c316618618b30c30c7fffd9",
)


def jpeg_lossless(file, k, phase):
    file.PixelData = encapsulate([bytes.fromhex(JPEG_HEAD + JPEG_LOSSLESS[k])])
    file["PixelData"].VR = "OB"
    file.file_meta.TransferSyntaxUID = JPEGLosslessSV1


def rle(file, k, phase):
    file.compress(RLELossless, generate_instance_uid=False)


def jpeg_ls(file, k, phase):
    file.compress(JPEGLSLossless, generate_instance_uid=False)


def deflated(file, k, phase):
    file.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian


@pytest.mark.parametrize("edit", [jpeg_lossless, rle, jpeg_ls, deflated])
def test_every_transfer_syntax_keeps_every_voxel(tmp_path, edit):
    (volume,) = read_volumes(samples.series(tmp_path, edit=edit))
    assert_is(volume)


@pytest.mark.parametrize("edit", [jpeg_lossless, rle, jpeg_ls])
def test_damaged_compressed_slices_never_end_the_process(tmp_path, edit):
    folder = samples.series(tmp_path / "good", edit=edit)
    good = (folder / "000.dcm").read_bytes()
    start = good.index(b"\xe0\x7f\x10\x00") + 12
    for seed in range(150):
        draw = np.random.default_rng(seed)
        bad = bytearray(good)
        for place in draw.integers(start, len(bad), size=draw.integers(1, 30)):
            bad[place] = draw.integers(0, 256)
        path = tmp_path / f"{seed}.dcm"
        path.write_bytes(bytes(bad))
        with contextlib.suppress(ImageError):
            assert read_volumes(path)[0].read().array.ndim == 3


def spoiled(folder: Path, good: list[bytes], seed: int) -> Path:
    """Write files truncated, doubled, mixed, or with random bytes in their headers."""
    draw = np.random.default_rng(seed)
    folder.mkdir()
    for n, content in enumerate(good):
        bad = bytearray(content)
        if draw.random() < 0.6:
            start = 0 if draw.random() < 0.2 else 132
            for place in draw.integers(start, len(bad), size=draw.integers(1, 20)):
                bad[place] = draw.integers(0, 256)
        if draw.random() < 0.3:
            a, b = sorted(draw.integers(132, len(bad), size=2))
            bad[a:b] = bad[a:b][::-1] if draw.random() < 0.5 else b""
        if draw.random() < 0.3:
            bad = bad[: draw.integers(0, len(bad) + 1)]
        (folder / f"{n}.dcm").write_bytes(bytes(bad))
        if draw.random() < 0.2:
            (folder / f"{n}-again.dcm").write_bytes(bytes(bad))
    return folder


def kinds_of_files(folder: Path) -> dict[str, list[bytes]]:
    values = np.zeros(samples.SHAPE, dtype=np.uint8)
    values[1:4, 1:3, 1:5] = 1
    series = samples.series(folder / "series", phases=2)
    return {
        "series": [p.read_bytes() for p in sorted(series.iterdir())],
        "enhanced": [samples.enhanced(folder / "e.dcm").read_bytes()],
        "seg": [samples.segmentation(folder / "s.dcm", {1: values}).read_bytes()],
    }


@pytest.mark.parametrize("kind", ["series", "enhanced", "seg"])
def test_spoiled_files_always_give_our_error_or_a_result(tmp_path, kind):
    good = kinds_of_files(tmp_path / "good")[kind]
    for seed in range(12 if kind == "series" else 60):
        folder = spoiled(tmp_path / str(seed), good, seed)
        with contextlib.suppress(RadHabitatError):
            for volume in read_volumes(folder):
                with contextlib.suppress(RadHabitatError):
                    assert volume.read().array.ndim == 3
        with contextlib.suppress(RadHabitatError):
            assert read_mask(folder)[0].array.ndim == 3
        with contextlib.suppress(RadHabitatError):
            import_folder(folder, tmp_path / f"out{seed}", key=tmp_path / "key")


def test_times_are_read_with_and_without_colons():
    assert seconds("10:25:51") == seconds("102551") == 37551
    assert seconds("25") is None


def test_segments_are_found_where_they_were_drawn(tmp_path):
    one = np.zeros(samples.SHAPE, dtype=np.uint8)
    one[1:3, 1:3, 1:4] = 1
    two = np.zeros(samples.SHAPE, dtype=np.uint8)
    two[3, 2, 4] = 1
    path = samples.segmentation(tmp_path / "seg.dcm", {1: one, 2: two})
    assert is_segmentation(path)
    first, second = read_segmentation(path)
    assert (first.number, first.name, first.mask.voxels) == (1, "part 1", 12)
    image = samples.affine_ras()
    offset = np.linalg.inv(image) @ first.mask.grid.affine
    np.testing.assert_allclose(offset[:3, 3], (0, 0, 1), atol=1e-6)
    np.testing.assert_array_equal(first.mask.array, one[:, :, 1:5] > 0)
    assert second.mask.array[3, 2, 3]


def test_a_fractional_segment_counts_from_one_half(tmp_path):
    values = np.zeros(samples.SHAPE, dtype=np.uint8)
    values[0, 0, 0], values[1, 0, 0], values[2, 0, 0] = 99, 100, 200  # of 200
    path = samples.segmentation(tmp_path / "seg.dcm", {1: values}, fractional=True)
    (segment,) = read_segmentation(path)
    assert segment.mask.array[:3, 0, 0].tolist() == [False, True, True]


def test_a_damaged_segmentation_is_named(tmp_path):
    values = np.ones(samples.SHAPE, dtype=np.uint8)
    path = samples.segmentation(tmp_path / "seg.dcm", {1: values})
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(MaskError, match=r"seg\.dcm cannot be read"):
        read_segmentation(path)


def test_dicom_masks_are_chosen_by_segment_number(tmp_path):
    one = np.zeros(samples.SHAPE, dtype=np.uint8)
    one[1, 1, 1] = 1
    path = samples.segmentation(tmp_path / "seg.dcm", {1: one, 2: 1 - one})
    assert read_mask(path)[0].voxels == np.prod(samples.SHAPE)
    assert read_mask(path, labels=(1,))[0].voxels == 1
    with pytest.raises(MaskError, match="none of the labels 7; found: 1 part 1, 2"):
        read_mask(path, labels=(7,))


@pytest.fixture(scope="module")
def breast(tmp_path_factory) -> Path:
    archive = DATA / "breast_dce_3phase/dicom/UCSF-BR-06_3phase_series_and_SEG.tar.xz"
    if not archive.exists():
        pytest.skip("RADHABITAT_DATA has no breast_dce_3phase")
    folder = tmp_path_factory.mktemp("breast")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.mark.data
def test_three_real_phases_in_one_series_equal_the_published_nifti(breast):
    volumes = read_volumes(breast)
    assert len(volumes) == 3
    cropped = DATA / "breast_dce_3phase/nifti_cropped/UCSF-BR-06"
    for volume, name in zip(
        volumes, ("t1_pre", "t1_post1_early", "t1_post2_late"), strict=True
    ):
        wanted = read_volume(cropped / f"{name}.nii.gz")
        indices = np.argwhere(np.ones(wanted.grid.shape, dtype=bool))
        places = volume.grid.to_index(wanted.grid.to_mm(indices.astype(float)))
        nearest = np.rint(places).astype(int)
        assert np.abs(places - nearest).max() < 1e-4
        found = volume.read().array[tuple(nearest.T)]
        np.testing.assert_array_equal(found, wanted.array.ravel())


@pytest.mark.data
def test_the_real_fractional_segmentation_equals_the_published_mask(breast):
    path = next(p for p in sorted(breast.rglob("*.dcm")) if is_segmentation(p))
    (segment,) = read_segmentation(path)
    name = "breast_dce_3phase/nifti_cropped/UCSF-BR-06/voi_tissue_mask.nii.gz"
    wanted, _ = read_mask(DATA / name)
    assert segment.mask.voxels == wanted.voxels == 82527
    nearest = np.rint(wanted.grid.to_index(segment.mask.points_mm())).astype(int)
    assert wanted.array[tuple(nearest.T)].all()


@pytest.mark.data
@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("ct_gantry_tilt", "shifted by 14.0 degrees"),
        ("ct_slice_increment_inconsistent", "1 missing between slices 9 and 10"),
    ],
)
def test_real_bad_geometry_is_refused(folder, says):
    place = DATA / "dicom_import_samples/bad_geometry" / folder
    if not place.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    assert says in refusal(place)


@pytest.mark.data
def test_real_lesion_segment_has_the_published_size():
    path = DATA / "dicom_import_samples/prostate_adc_with_lesion_seg/seg/1-1.dcm"
    if not path.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    sizes = [s.mask.voxels for s in read_segmentation(path)]
    assert sizes == [140, 2158, 118, 15306]


@pytest.mark.data
@pytest.mark.parametrize(
    "kind", ["compressed_001", "compressed_j2k_001", "compressed_jpegls_001"]
)
def test_real_compressed_slices_are_decoded(kind):
    place = DATA / "dicom_import_samples/compressed" / kind
    if not place.exists():
        pytest.skip("RADHABITAT_DATA has no dicom_import_samples")
    (volume,) = read_volumes(place)
    assert volume.read().array.max() == 254
