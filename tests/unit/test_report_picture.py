import io

import numpy as np
import pytest
from PIL import Image

from radhabitat.report import checkerboard_picture, habitat_picture
from radhabitat.report.figures.axial import AxialView
from radhabitat.report.palette import HABITAT_COLORS, habitat_color
from radhabitat.types import AlignedSubject, Grid, HabitatMap, Mask, Volume

SHAPE = (40, 50, 30)


def patient_of(*, sequences=("PRE", "LAP", "PVP", "DP"), habitats=3, patient="P1"):
    """A box-shaped tumor on the patient's left; habitats are layers along x."""
    rng = np.random.default_rng(3)
    grid = Grid(SHAPE, np.diag([1.0, 1.0, 1.0, 1.0]))
    tumor = np.zeros(SHAPE, dtype=bool)
    tumor[6:26, 10:40, 5:25] = True
    labels = np.zeros(SHAPE, dtype=np.uint8)
    layer = 1 + np.arange(20) * habitats // 20
    labels[6:26, 10:40, 5:25] = layer[:, None, None]
    images = {
        name: Volume(rng.normal(0.4, 0.1, SHAPE) + 0.4 * tumor, grid)
        for name in sequences
    }
    subject = AlignedSubject(patient, images, sequences[-1], Mask(tumor, grid))
    centers = np.zeros((habitats, len(sequences)))
    return subject, HabitatMap(patient, labels, grid, habitats, centers, sequences)


def pixels_of(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def where(pixels, color):
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return np.argwhere((pixels == rgb).all(axis=2))


def test_the_same_patient_gives_the_same_bytes_without_metadata():
    first, second = (habitat_picture(*patient_of()) for _ in range(2))
    assert first == second
    with Image.open(io.BytesIO(first)) as image:
        assert not {"Software", "Creation Time", "date:create"} & set(image.info)


def test_a_picture_of_four_sequences_is_small():
    assert len(habitat_picture(*patient_of())) < 80_000


@pytest.mark.parametrize("habitats", [1, 3, 10])
def test_every_habitat_has_its_own_exact_color(habitats):
    pixels = pixels_of(habitat_picture(*patient_of(habitats=habitats)))
    for habitat in range(1, habitats + 1):
        assert len(where(pixels, habitat_color(habitat))) > 100
    for habitat in range(habitats + 1, 7):
        assert len(where(pixels, habitat_color(habitat))) == 0


def test_colors_repeat_only_after_ten_habitats():
    assert len(set(HABITAT_COLORS)) == 10
    assert habitat_color(11) == habitat_color(1)


def test_the_right_side_of_the_patient_is_on_the_left_of_the_picture():
    # x rises to the patient's right, so habitat 3 (large x) must be on the left
    pixels = pixels_of(habitat_picture(*patient_of()))
    upper = pixels[: int(0.8 * len(pixels))]
    columns = [where(upper, habitat_color(h))[:, 1].mean() for h in (1, 2, 3)]
    assert columns[0] > columns[1] > columns[2]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_any_number_of_sequences_gives_a_picture(count):
    names = tuple(f"S{i}" for i in range(count))
    height, width, _ = pixels_of(habitat_picture(*patient_of(sequences=names))).shape
    assert width == min(count + 1, 6) * 190
    assert height > 150


@pytest.mark.parametrize("patient", ["$x^2$ & <b>", "患者甲", "a\\b%c"])
def test_any_identifier_can_be_drawn(patient):
    png = habitat_picture(*patient_of(patient=patient))
    assert len(where(pixels_of(png), habitat_color(1))) > 100


def test_a_tumor_that_fills_the_grid_and_a_constant_background_are_drawn():
    grid = Grid((8, 8, 4), np.eye(4))
    labels = np.ones(grid.shape, dtype=np.uint8)
    subject = AlignedSubject(
        "P1",
        {"T1": Volume(np.full(grid.shape, 0.5), grid)},
        "T1",
        Mask(labels == 1, grid),
    )
    habitats = HabitatMap("P1", labels, grid, 1, np.zeros((1, 1)), ("T1",))
    pixels = pixels_of(habitat_picture(subject, habitats))
    assert len(where(pixels, habitat_color(1))) > 10_000


AFFINES = {
    "RAS": np.diag([1.0, 1.0, 1.0, 1.0]),
    "LPS": np.diag([-1.0, -1.0, 1.0, 1.0]),
    "LAI": np.diag([-1.0, 1.0, -1.0, 1.0]),
    "sagittal": np.array(
        [[0, 0, 1.0, 0], [1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1]]
    ),
    "oblique": np.array(
        [[0.96, -0.28, 0, 0], [0.28, 0.96, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]
    ),
}


@pytest.mark.parametrize("name", AFFINES)
def test_an_axial_slice_has_right_on_the_left_and_anterior_on_top(name):
    grid = Grid((9, 11, 13), AFFINES[name])
    center = np.array([4.0, 5.0, 6.0])
    index = np.stack(np.indices(grid.shape), axis=-1).astype(float)
    x, y, z = np.moveaxis(grid.to_mm(index) - grid.to_mm(center), -1, 0)
    view = AxialView.of(grid)
    middle = int(center[view.axes[2]])
    right, front = view.slice(x, middle), view.slice(y, middle)
    assert right[:, 0].mean() > 2 > -2 > right[:, -1].mean()
    assert front[0].mean() > 2 > -2 > front[-1].mean()
    assert view.largest_slice(np.abs(z) < 0.5) == middle


def test_the_aspect_of_anisotropic_voxels_is_kept():
    view = AxialView.of(Grid((4, 5, 6), np.diag([0.5, 2.0, 3.0, 1.0])))
    assert view.spacing_mm == (0.5, 2.0, 3.0)


def test_a_checkerboard_shows_each_moved_sequence_before_and_after():
    subject, _ = patient_of()
    one, again = (checkerboard_picture(subject, subject.images) for _ in range(2))
    assert one == again
    alone, _ = patient_of(sequences=("PRE", "PVP"))
    narrow = pixels_of(checkerboard_picture(alone, alone.images)).shape
    wide = pixels_of(one).shape
    assert wide[1] == pytest.approx(3 * narrow[1], rel=0.05)
    assert len(one) < 120_000
