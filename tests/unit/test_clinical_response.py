from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from radhabitat.clinical.diameters import longest_diameters
from radhabitat.clinical.response import cohen_kappa, respond, target_response
from radhabitat.errors import MaskError, TableError

Row = tuple[str, str, str, str, str]


def lesions(*rows: Row, **more: list[str]) -> pd.DataFrame:
    names = ["patient", "lesion", "kind", "baseline_mm", "followup_mm"]
    return pd.DataFrame(rows, columns=names).assign(**more)


@pytest.mark.parametrize(
    ("before", "nadir", "after", "response"),
    [
        (100, 100, 0, "CR"),
        (100, 100, 70, "PR"),
        (100, 100, 70.1, "SD"),
        (100, 100, 119.9, "SD"),
        (100, 100, 120, "PD"),
        (100, 40, 48, "PD"),
        (100, 40, 47, "PR"),
        (0.3, 0.3, 0.21, "PR"),
    ],
)
def test_limits_are_30_percent_of_baseline_and_20_percent_of_the_smallest(
    before: float, nadir: float, after: float, response: str
) -> None:
    assert target_response(before, nadir, after) == response


@pytest.mark.parametrize(
    ("others", "after", "response"),
    [
        ((), "0", "CR"),
        ((("nontarget", "gone"),), "0", "CR"),
        ((("Non-target", "present"),), "0", "PR"),
        ((("nontarget", "present"),), "30", "PR"),
        ((("nontarget", "progress"),), "0", "PD"),
        ((("new", ""),), "0", "PD"),
        ((("nontarget", "present"),), "90", "SD"),
        ((("nontarget", "gone"),), "130", "PD"),
    ],
)
def test_target_nontarget_and_new_lesions_combine_as_published(
    others: tuple[tuple[str, str], ...], after: str, response: str
) -> None:
    rows: list[Row] = [("p", "1", "target", "100", after)]
    rows += [("p", str(n), kind, "", state) for n, (kind, state) in enumerate(others)]
    table = respond(lesions(*rows)).table
    assert table.loc["p", "response"] == response
    assert table.loc["p", "objective"] == ("OR" if response in "CR PR" else "nOR")
    assert table.loc["p", "decided_by"] == "one reader"


def test_diameters_of_several_targets_are_summed_and_the_nadir_counts() -> None:
    rows: list[Row] = [
        ("p", "1", "target", "60", "30"),
        ("p", "2", "target", "40", "30"),
    ]
    assert respond(lesions(*rows)).table.loc["p", "response"] == "PR"
    later = respond(lesions(*rows, nadir_mm=["25", "25"]))
    assert later.table.loc["p", "response"] == "PD"


def test_readers_are_compared_and_the_third_decides_where_they_differ() -> None:
    follow = {
        "1": ("0", "60", "90", "130"),
        "2": ("0", "80", "90", "130"),
        "3": ("", "65"),
    }
    rows, readers = [], []
    for reader, values in follow.items():
        for patient, value in zip("abcd", values, strict=False):
            if value:
                rows.append((patient, "1", "target", "100", value))
                readers.append(reader)
    found = respond(lesions(*rows, reader=readers))
    assert found.disagreements == ("b",)
    assert found.table["response"].to_list() == ["CR", "PR", "SD", "PD"]
    assert found.table.loc["b", "decided_by"] == "reader 3"
    assert found.table.loc["b", "reader 2"] == "SD"
    assert found.kappa is not None
    assert found.kappa[1].value == pytest.approx(0.5)
    keep = [reader != "3" for reader in readers]
    open_one = respond(lesions(*rows, reader=readers)[keep])
    assert open_one.table.loc["b"].to_list()[2:] == ["", "", "to be decided"]


def test_kappa_and_its_interval_are_those_of_the_textbook() -> None:
    # Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions,
    # Table 18.1: kappa 0.68; its variance here by the delta method, numerically
    counts = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
    pairs = [(str(i), str(j)) for i, j in np.ndindex(3, 3) for _ in range(counts[i, j])]
    found = cohen_kappa([a for a, _ in pairs], [b for _, b in pairs])
    assert found.value == pytest.approx(0.68, abs=0.005)
    p = counts.ravel() / 100
    slopes = [(kappa(p + h) - kappa(p - h)) / 2e-6 for h in 1e-6 * np.eye(9)]
    variance = (p @ np.square(slopes) - (p @ slopes) ** 2) / 100
    error = (found.high - found.low) / 2 / 1.959964
    assert error == pytest.approx(np.sqrt(variance), rel=1e-5)


def kappa(p: np.ndarray) -> float:
    table = p.reshape(3, 3) / p.sum()
    chance = table.sum(axis=0) @ table.sum(axis=1)
    return float((np.trace(table) - chance) / (1 - chance))


def test_kappa_of_readers_who_say_one_thing_only_is_not_computable() -> None:
    assert np.isnan(cohen_kappa(["SD", "SD"], ["SD", "SD"]).value)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("p", "1", "Target lesion", "10", "5"), "kind is 'Target lesion'.*target,"),
        (("p", "1", "target", "ten", "5"), "Patient p: baseline_mm is 'ten'"),
        (("p", "1", "target", "0", "5"), "baseline_mm is '0'.*more than 0 mm"),
        (("p", "1", "target", "10", ""), "followup_mm is ''"),
        (("p", "1", "nontarget", "", "gone"), "Patient p has no target lesion"),
    ],
)
def test_cells_of_the_lesion_table_that_cannot_be_read_are_named(
    row: Row, words: str
) -> None:
    with pytest.raises(TableError, match=words):
        respond(lesions(row))


def test_a_state_that_is_no_state_is_named() -> None:
    rows = [("p", "1", "target", "10", "5"), ("p", "2", "nontarget", "", "smaller")]
    with pytest.raises(TableError, match=r"'smaller'.*gone / present / progress"):
        respond(lesions(*rows))


def test_columns_and_readers_that_are_missing_are_named() -> None:
    table = lesions(("a", "1", "target", "10", "5"), ("b", "1", "target", "10", "5"))
    with pytest.raises(TableError, match="no column kind, followup_mm"):
        respond(table.drop(columns=["kind", "followup_mm"]))
    with pytest.raises(TableError, match="Reader 1 measured no lesion of b"):
        respond(table.assign(reader=["1", "2"]))
    with pytest.raises(TableError, match="4 readers: 1, 2, 3, 4"):
        respond(pd.concat([table.assign(reader=n) for n in "1234"]))


def brute(mask: np.ndarray, affine: np.ndarray) -> float:
    offsets = np.indices((2, 2, 2)).reshape(3, -1).T - 0.5
    corners = (np.argwhere(mask)[:, None] + offsets).reshape(-1, 3)
    return float(pdist(corners @ affine[:3, :3].T).max())


def test_a_box_has_the_diagonals_of_a_box() -> None:
    mask = np.zeros((20, 20, 20), bool)
    mask[2:12, 3:8, 4:6] = True
    found = longest_diameters(mask, np.diag([1.0, 2.0, 5.0, 1.0]))
    assert found.axial_mm == pytest.approx(np.hypot(10, 10))
    assert found.feret_mm == pytest.approx(np.sqrt(300))
    assert (found.axis, found.slice_index) == (2, 4)


def test_diameters_are_those_of_all_pairs_of_corners() -> None:
    rng = np.random.default_rng(3)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * [0.8, 1.2, 3.0]
    mask = rng.random((7, 6, 5)) < 0.1
    found = longest_diameters(mask, affine)
    assert found.feret_mm == pytest.approx(brute(mask, affine))
    planes = []
    for place in range(mask.shape[found.axis]):
        plane = np.zeros_like(mask)
        index = [slice(None)] * 3
        index[found.axis] = place
        plane[tuple(index)] = mask[tuple(index)]
        flat = affine.copy()
        flat[:3, found.axis] = 0
        planes.append(brute(plane, flat) if plane.any() else 0.0)
    assert found.axial_mm == pytest.approx(max(planes))
    assert found.slice_index == int(np.argmax(planes))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_axial_slice_is_found_in_any_order_of_axes(axis: int) -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[2:6, 2:5, 3:11] = True  # 4 x 3 in the slice, 8 slices
    steps = np.eye(4)
    order = np.roll([0, 1, 2], axis)
    turned = mask.transpose(order)
    steps[:3, :3] = np.eye(3)[:, order]
    found = longest_diameters(turned, steps)
    assert found.axis == int(np.flatnonzero(order == 2)[0])
    assert found.axial_mm == pytest.approx(5.0)
    assert found.feret_mm == pytest.approx(np.sqrt(25 + 64))


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(MaskError, match="empty"):
        longest_diameters(np.zeros((3, 3, 3), bool), np.eye(4))
