import pickle

import numpy as np
import pandas as pd
import pytest

from radhabitat.errors import (
    ImageError,
    InputError,
    MaskError,
    RadHabitatError,
    TableError,
)
from radhabitat.types import (
    AlignedSubject,
    Block,
    Cohort,
    FeatureName,
    Grid,
    HabitatMap,
    Mask,
    RiskModel,
    Subject,
    Volume,
)

OBLIQUE = np.array(
    [[0.0, -2.0, 0.5, 10.0], [1.5, 0.0, 0.2, -4.0], [0.1, 0.3, 4.0, 7.0], [0, 0, 0, 1]]
)


def cube(size=6, affine=None):
    return Grid((size, size, size), np.eye(4) if affine is None else affine)


def ramp(grid):
    return Volume(np.arange(np.prod(grid.shape), dtype=float).reshape(grid.shape), grid)


def test_points_survive_the_way_to_patient_space_and_back():
    grid = cube(affine=OBLIQUE)
    indices = np.array([[0.0, 0, 0], [1.5, 2.25, 3.0]])
    np.testing.assert_allclose(grid.to_index(grid.to_mm(indices)), indices, atol=1e-12)


def test_the_voxel_volume_of_an_oblique_grid_is_its_determinant():
    grid = cube(affine=OBLIQUE)
    assert grid.voxel_volume_mm3 == pytest.approx(abs(np.linalg.det(OBLIQUE[:3, :3])))


@pytest.mark.parametrize("bad", [np.zeros((4, 4)), np.eye(3), np.full((4, 4), np.nan)])
def test_a_grid_without_valid_geometry_is_refused(bad):
    with pytest.raises(ImageError, match="cannot be used"):
        Grid((2, 2, 2), bad)


def test_a_grid_cannot_be_changed_through_its_affine():
    affine = np.eye(4)
    grid = Grid((2, 2, 2), affine)
    affine[0, 3] = 99
    assert grid.affine[0, 3] == 0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 3] = 1


def test_grids_that_differ_by_rounding_are_the_same_and_others_are_not():
    shifted, far = np.eye(4), np.eye(4)
    shifted[0, 3], far[0, 3] = 1e-5, 0.1
    assert cube().same_as(cube(affine=shifted))
    assert not cube().same_as(cube(affine=far))
    assert not cube().same_as(cube(7))


def test_a_volume_does_not_let_its_voxels_be_changed():
    volume = ramp(cube())
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1


def test_a_4d_image_is_refused():
    with pytest.raises(ImageError, match="one 3D image per file"):
        Volume(np.zeros((6, 6, 6, 2)), cube())


def tumor(grid):
    inside = np.zeros(grid.shape, bool)
    inside[2:4, 2:4, 2:4] = True
    return Mask(inside, grid)


def test_a_subject_without_its_reference_names_what_it_has():
    with pytest.raises(ImageError, match=r"P7 has no PVP.*found: PRE"):
        Subject("P7", {"PRE": ramp(cube())}, "PVP", tumor(cube()))


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "1 voxels that are not numbers"), (0.0, "constant")]
)
def test_a_subject_with_unusable_intensities_is_refused(value, words):
    array = np.zeros((6, 6, 6))
    array[0, 0, 0] = value
    with pytest.raises(ImageError, match=words):
        Subject("P7", {"PVP": Volume(array, cube())}, "PVP", tumor(cube()))


def test_a_subject_with_an_empty_mask_is_refused():
    empty = Mask(np.zeros((6, 6, 6), bool), cube())
    with pytest.raises(MaskError, match="P7 is empty"):
        Subject("P7", {"PVP": ramp(cube())}, "PVP", empty)


def test_a_mask_outside_the_reference_is_refused_with_the_share():
    affine = np.eye(4)
    affine[0, 3] = 4.0
    with pytest.raises(MaskError, match="50 % of the tumor mask of patient P7"):
        Subject("P7", {"PVP": ramp(cube(7))}, "PVP", tumor(cube(affine=affine)))


def test_a_mask_on_a_finer_grid_inside_the_reference_is_accepted():
    fine = np.diag([0.5, 0.5, 0.5, 1.0])
    subject = Subject("P7", {"PVP": ramp(cube())}, "PVP", tumor(cube(affine=fine)))
    assert subject.tumor.volume_mm3 == pytest.approx(1.0)


def test_an_aligned_subject_refuses_volumes_on_different_grids():
    with pytest.raises(ImageError, match="DP of patient P7 is not on the grid"):
        AlignedSubject(
            "P7", {"PVP": ramp(cube()), "DP": ramp(cube(7))}, "PVP", tumor(cube())
        )


def test_tumor_intensities_have_one_column_per_sequence():
    grid = cube()
    subject = AlignedSubject(
        "P7", {"PRE": ramp(grid), "PVP": ramp(grid)}, "PVP", tumor(grid)
    )
    assert subject.tumor_intensities().shape == (8, 2)


def test_a_habitat_map_with_more_labels_than_habitats_is_refused():
    with pytest.raises(MaskError, match="labels up to 4"):
        HabitatMap(
            "P7", np.full((6, 6, 6), 4, np.uint8), cube(), 3, np.zeros((3, 1)), ("PVP",)
        )


@pytest.mark.parametrize(
    "name",
    [
        "DP_Original_original_firstorder_10Percentile",
        "MR_T1_Habitat_3_original_firstorder_Kurtosis",
        "PVP_Habitat_10_proportion",
    ],
)
def test_a_feature_name_survives_reading_and_writing(name):
    assert str(FeatureName.parse(name)) == name


def test_a_name_that_is_no_feature_is_refused():
    with pytest.raises(TableError, match="'age' is not a feature"):
        FeatureName.parse("age")


def tables(ids=("a", "b", "c")):
    features = pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=list(ids))
    return features, pd.Series([0, 1, 1], index=["a", "b", "c"])


def test_a_cohort_refuses_a_patient_who_occurs_twice():
    with pytest.raises(TableError, match="Patient a occurs 2 times"):
        Cohort.from_tables(
            *tables(("a", "b", "a")), {"x": Block.RADIOMICS}, event="response = 1"
        )


def test_a_cohort_refuses_outcomes_in_another_order():
    with pytest.raises(TableError, match="same order"):
        Cohort.from_tables(
            *tables(("b", "a", "c")), {"x": Block.RADIOMICS}, event="response = 1"
        )


def test_a_resample_may_take_a_patient_twice_with_all_that_is_theirs():
    cohort = Cohort.from_tables(*tables(), {"x": Block.RADIOMICS}, event="e")
    twice = cohort.take(np.array([2, 2, 0]))
    assert twice.patients == ("c", "c", "a")
    assert twice.values[:, 0].tolist() == [3.0, 3.0, 1.0]
    assert twice.outcome.tolist() == [1, 1, 0]


def test_a_risk_model_treats_a_missing_value_as_the_center():
    model = RiskModel(
        "crh", "e", ("x",), np.array([2.0]), -1.0, np.array([2.0]), np.array([0.5])
    )
    cohort = Cohort.from_tables(*tables(), {"x": Block.RADIOMICS}, event="e")
    assert model.log_odds(cohort).tolist() == [-5.0, -1.0, 3.0]
    missing = Cohort(("a",), ("x",), cohort.blocks, np.array([[np.nan]]),
                     np.array([1], np.int8), "e")  # fmt: skip
    assert model.log_odds(missing).tolist() == [-1.0]


def test_a_risk_model_names_the_variable_that_a_table_lacks():
    model = RiskModel("cr", "e", ("y",), np.ones(1), 0.0, np.zeros(1), np.ones(1))
    cohort = Cohort.from_tables(*tables(), {"x": Block.RADIOMICS}, event="e")
    with pytest.raises(TableError, match="'y' is not in the table"):
        model.risk(cohort)


def test_errors_keep_problem_and_fix_on_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(InputError("P7 is odd", "mend it")))  # noqa: S301
    assert isinstance(error, RadHabitatError)
    assert (error.problem, error.fix) == ("P7 is odd", "mend it")
    assert str(error) == "P7 is odd\n  To fix it: mend it"
