from itertools import product

import numpy as np
import pytest

from radhabitat.features.spatial import map_features
from radhabitat.modeling import block_of
from radhabitat.types import AlignedSubject, Block, Grid, HabitatMap, Mask, Volume

ALL = ("interaction", "ith", "fragmentation", "boundary", "position")


def features_of(
    labels, *, spacing=(1.0, 1.0, 1.0), image=None, families=ALL, count=None
):
    labels = np.asarray(labels, dtype=np.uint8)
    grid = Grid(labels.shape, np.diag([*spacing, 1.0]))
    picture = labels.astype(np.float32) if image is None else image
    subject = AlignedSubject("P", {"T1": Volume(picture, grid)}, "T1",
                             Mask(labels > 0, grid))  # fmt: skip
    count = int(labels.max()) if count is None else count
    habitats = HabitatMap("P", labels, grid, count, np.zeros((count, 1)), ("T1",))
    return map_features(subject, habitats, families)


def halves():
    """A 4 x 4 x 4 cube in air: habitat 1 below, habitat 2 above."""
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[2:6, 2:6, 2:4] = 1
    labels[2:6, 2:6, 4:6] = 2
    return labels


def brute_pairs(labels, count):
    """Count neighboring pairs voxel by voxel."""
    matrix = np.zeros((count + 1, count + 1))
    steps = [s for s in product((-1, 0, 1), repeat=3) if any(s)]
    inner = np.pad(labels, 2)
    for place in np.argwhere(np.ones(np.array(labels.shape) + 2)) + 1:
        for step in steps:
            matrix[inner[tuple(place)], inner[tuple(place + step)]] += 1
    matrix[0, 0] = 0
    return matrix / matrix.sum()


def test_the_interaction_matrix_counts_all_26_neighbors():
    labels = np.random.default_rng(1).integers(0, 4, (5, 6, 4)).astype(np.uint8)
    expected = brute_pairs(labels, 3)
    row = features_of(labels, families=("interaction",))
    own = {n.removeprefix("ALL_Habitats_interaction_"): v for n, v in row.items()}
    for a in range(4):
        for b in range(a + 1, 4):
            assert own[f"Border_{a}_{b}"] == pytest.approx(2 * expected[a, b])
    assert own["Inside_2"] == pytest.approx(expected[2, 2])
    i, j = np.indices((4, 4))
    assert own["Contrast"] == pytest.approx(((i - j) ** 2 * expected).sum())
    assert own["Energy"] == pytest.approx((expected**2).sum())
    shares = sum(v for n, v in own.items() if n.startswith(("Border", "Inside")))
    assert shares == pytest.approx(1.0)


def test_whole_habitats_have_an_ith_score_of_zero_and_pieces_raise_it():
    assert features_of(halves())["ALL_Habitats_ith_Score"] == pytest.approx(0.0)
    split = halves()
    split[2:6, 2:6, 2] = 2  # habitat 2: 16 below, 32 above, in two pieces
    score = features_of(split)["ALL_Habitats_ith_Score"]
    assert score == pytest.approx(1 - (16 + 32 / 2) / 64)


def test_fragmentation_counts_pieces_and_faces_in_millimeters():
    labels = np.zeros((9, 5, 5), np.uint8)
    labels[1:3, 1:3, 1:3] = 1
    labels[6, 1, 1] = 1
    row = features_of(labels, spacing=(1.0, 2.0, 3.0))
    own = {n.rsplit("_", 1)[1]: v for n, v in row.items() if "fragmentation" in n}
    assert own["Pieces"] == 2
    assert own["LargestShare"] == pytest.approx(8 / 9)
    # 2 x 2 x 2 voxels of 1 x 2 x 3 mm: 2 (4 x 6 + 2 x 6 + 2 x 4) mm2; one voxel: 22
    assert own["SurfaceToVolume"] == pytest.approx((88 + 22) / (9 * 6))


def test_position_is_measured_in_radii_and_depth_in_the_deepest():
    row = features_of(halves())
    radius = (0.75 * 64 / np.pi) ** (1 / 3)
    for habitat in (1, 2):
        distance = row[f"ALL_Habitat_{habitat}_position_CenterDistance"]
        assert distance == pytest.approx(1.0 / radius)
    shell = np.zeros((9, 9, 9), np.uint8)
    shell[1:8, 1:8, 1:8] = 1
    shell[4, 4, 4] = 2
    row = features_of(shell)
    assert row["ALL_Habitat_2_position_Depth"] == pytest.approx(1.0)
    assert row["ALL_Habitat_2_position_CenterDistance"] == pytest.approx(0.0)
    assert row["ALL_Habitat_1_position_Depth"] < 0.5


def test_a_step_between_habitats_is_as_sharp_as_its_size_in_spreads():
    row = features_of(halves())  # the picture is the labels: a step of 1, spread 0.5
    assert row["T1_Habitat_1_boundary_Sharpness"] == pytest.approx(2.0)
    assert row["T1_Habitat_2_boundary_Sharpness"] == pytest.approx(2.0)


def test_an_absent_habitat_has_no_pieces_and_everything_else_is_missing():
    row = features_of(np.where(halves() > 0, 1, 0), count=2)
    absent = {n: v for n, v in row.items() if "_Habitat_2_" in n}
    assert absent.pop("ALL_Habitat_2_fragmentation_Pieces") == 0
    assert len(absent) == 5
    assert np.isnan(list(absent.values())).all()
    assert np.isfinite(row["ALL_Habitats_ith_Score"])


def test_families_that_nobody_named_are_not_computed():
    assert features_of(halves(), families=()) == {}
    row = features_of(halves(), families=("ith",))
    assert list(row) == ["ALL_Habitats_ith_Score"]


def test_features_of_the_map_belong_to_the_habitat_block_and_rings_to_radiomics():
    assert {block_of(n) for n in features_of(halves())} == {Block.HABITAT}
    ring = "PVP_Ring5mm_Original_original_firstorder_Mean"
    assert block_of(ring) is Block.RADIOMICS
    inside = "PVP_Ring5mm_Habitat_2_original_firstorder_Mean"
    assert block_of(inside) is Block.HABITAT
