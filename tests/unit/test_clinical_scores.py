from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radhabitat.clinical import scores
from radhabitat.clinical.derive import Source, cut_columns, derive, parse_sources
from radhabitat.clinical.flow import cohort_flow
from radhabitat.errors import RadHabitatError, SettingsError, TableError


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_albi_grades_change_at_the_published_limits() -> None:
    score = floats(-2.61, -2.60, -2.59, -1.39, -1.38, np.nan)
    np.testing.assert_array_equal(scores.albi_grade(score), [1, 1, 2, 2, 3, np.nan])


def test_child_pugh_points_follow_the_published_table() -> None:
    bilirubin = floats(1.9, 2.0, 3.0, 3.1) * 17.104
    albumin = floats(36, 35, 28, 27)
    inr = floats(1.6, 1.7, 2.3, 2.4)
    others = floats(1, 2, 2, 3)
    points = scores.child_pugh_points((bilirubin, albumin, inr), others, others)
    np.testing.assert_array_equal(points, [5, 10, 10, 15])
    seconds = floats(3.9, 4, 6, 6.1)
    same = scores.child_pugh_points(
        (bilirubin, albumin, seconds), others, others, seconds=True
    )
    np.testing.assert_array_equal(same, points)
    assert scores.child_pugh_class(floats(5, 6, 7, 9, 10, np.nan)) == [
        *"AABBC",
        "",
    ]


def test_crafity_counts_afp_and_crp_from_their_limits_on() -> None:
    found = scores.crafity(floats(99, 100, 100, np.nan), floats(9.9, 9.9, 10, 20))
    np.testing.assert_array_equal(found, [0, 1, 2, np.nan])


@pytest.mark.parametrize(
    ("ecog", "liver", "spread", "tumors", "stage"),
    [
        (0, "A", (0, 0), (1, 20), "0"),
        (0, "A", (0, 0), (1, 21), "A"),
        (0, "B", (0, 0), (1, np.nan), "A"),
        (0, "A", (0, 0), (3, 30), "A"),
        (0, "A", (0, 0), (3, 31), "B"),
        (0, "A", (0, 0), (4, np.nan), "B"),
        (0, "A", (0, 0), (1.5, 80), "B"),
        (1, "B", (np.nan, np.nan), (np.nan, np.nan), "C"),
        (0, "A", (1, np.nan), (np.nan, np.nan), "C"),
        (3, "", (np.nan, np.nan), (np.nan, np.nan), "D"),
        (0, "C", (0, 0), (1, 20), "D"),
        (0, "A", (0, 0), (1.5, 20), "number of tumors"),
        (0, "A", (0, 0), (1, np.nan), "diameter"),
        (0, "A", (0, np.nan), (1, 20), "metastasis"),
        (np.nan, "", (1, 1), (1, 20), "performance status and Child-Pugh class"),
    ],
)
def test_bclc_is_given_once_no_other_stage_is_left(
    ecog: float,
    liver: str,
    spread: tuple[float, float],
    tumors: tuple[float, float],
    stage: str,
) -> None:
    pairs = [(floats(a), floats(b)) for a, b in (spread, tumors)]
    found = scores.bclc_stage((floats(ecog), [liver]), pairs[0], pairs[1])
    assert stage in found[0]
    assert "" in found[0]


def test_limits_belong_to_the_lower_or_the_upper_category() -> None:
    values = floats(20, 20.5, 200, 201, np.nan)
    assert scores.cut(values, (20, 200)) == ["<=20", "(20,200]", "(20,200]", ">200", ""]
    assert scores.cut(floats(2.9, 3), (3,), below=True) == ["<3", ">=3"]
    table = pd.DataFrame({"AFP": ["20", "300"], "Age=y": ["59", "60"]})
    found = cut_columns(table, ("AFP=20,200", "Age=y=<60"))
    assert found["AFP group"].to_list() == ["<=20", ">200"]
    assert found["Age=y group"].to_list() == ["<60", ">=60"]


PATIENTS = pd.DataFrame(
    {
        "TBIL": ["17.1", "8.6", "40", "?"],
        "ALB": ["40", "45", "30", "38"],
        "INR": ["1.1", "1.0", "1.8", "1.2"],
        "Ascites": ["none", "none", "mild", "moderate"],
        "HE": ["0", "0", "1", "0"],
        "AFP": ["400", "3", "99", "100"],
        "CRP": ["12", "3", "12", "NA"],
        "N": ["6", "3", "4", "2"],
        "L": ["2", "2", "0", "1"],
        "ECOG": ["0", "0", "0", "2"],
        "PVTT": ["No", "no", "Yes", "No"],
        "EHS": ["No", "No", "No", "No"],
        "Tumors": ["Single", "Multiple", "Multiple", "2"],
        "Size": ["1.8", "12", "5", "2"],
    },
    index=["a", "b", "c", "d"],
)
SOURCES = parse_sources(
    (
        "bilirubin=TBIL:umol/L",
        "albumin=ALB:g/L",
        "coagulation=INR:INR",
        "ascites=Ascites",
        "encephalopathy=HE:grade",
        "afp=AFP:ng/mL",
        "crp=CRP:mg/L",
        "neutrophils=N",
        "lymphocytes=L",
        "ecog=ECOG",
        "vascular_invasion=PVTT",
        "metastasis=EHS",
        "nodules=Tumors",
        "diameter=Size:cm",
    )
)


def test_scores_of_a_table_are_those_of_its_patients() -> None:
    found = derive(PATIENTS, SOURCES)
    table = found.table
    assert table["ALBI score"].to_list()[:1] == [-2.5862]
    np.testing.assert_array_equal(table["ALBI grade"], [2, 1, 2, np.nan])
    np.testing.assert_array_equal(table["Child-Pugh points"], [5, 5, 10, np.nan])
    assert table["Child-Pugh class"].to_list() == ["A", "A", "C", ""]
    np.testing.assert_array_equal(table["CRAFITY score"], [2, 0, 1, np.nan])
    np.testing.assert_array_equal(table["NLR"], [3.0, 1.5, np.nan, 2.0])
    assert table["NLR group"].to_list() == [">=3", "<3", "", "<3"]
    assert table["BCLC stage"].to_list() == ["0", "B", "D", ""]
    assert "ALBI: 3 of 4 patients; unknown: bilirubin 1" in found.notes
    assert (
        "BCLC: 3 of 4 patients; not computable without Child-Pugh class (d)"
        in found.notes
    )


def test_scores_whose_inputs_are_not_named_are_said() -> None:
    found = derive(PATIENTS, {"albumin": Source("ALB", "g/L")})
    assert "ALBI: not computable; not named: bilirubin" in found.notes
    assert found.table.empty


@pytest.mark.parametrize(
    ("role", "source", "words"),
    [
        ("bilirubin", Source("TBIL", ""), r"no unit; wanted: umol/L or mg/dL"),
        ("bilirubin", Source("TBIL", "mg/l"), r"the unit 'mg/l'; wanted: umol/L"),
        (
            "bilirubin",
            Source("TBIL", "mg/dL"),
            "median 17.1, which is not in mg/dL but looks like umol/L .e.g. patient a",
        ),
        (
            "albumin",
            Source("ALB", "g/dL"),
            r"g/dL for a: 40, b: 45, c: 30, d: 38 \(4 of",
        ),
        ("albumin", Source("Alb", "g/L"), "did you mean 'ALB'"),
        ("ecog", Source("Ascites"), "numbers, but not for 2 patients"),
        ("ascites", Source("PVTT"), "does not say how much ascites.*'Yes'"),
        ("ascites", Source("TBIL", "grade"), "holds 17.1; wanted: 0 to 3"),
        ("ecog", Source("TBIL"), "holds 17.1; wanted: 0 to 5"),
        ("ecog", Source("ECOG", "x"), "known for it: no unit"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_column(
    role: str, source: Source, words: str
) -> None:
    with pytest.raises(RadHabitatError, match=words):
        derive(PATIENTS, {role: source})


def test_milligrams_given_as_micromoles_are_caught_by_the_cohort() -> None:
    table = pd.DataFrame({"b": ["1.1", "1.9", "2.4"]}, index=["a", "b", "c"])
    with pytest.raises(TableError, match=r"median 1\.9.*looks like mg/dL"):
        derive(table, {"bilirubin": Source("b", "umol/L")})


@pytest.mark.parametrize("text", ["bilirubin", "bilirubine=TBIL:umol/L", "ecog="])
def test_what_a_column_is_must_be_said_in_full(text: str) -> None:
    with pytest.raises(SettingsError, match="does not say what a column is"):
        parse_sources((text,))


def test_a_name_with_a_colon_is_cut_at_the_last_one() -> None:
    assert parse_sources(("afp=AFP: first:ng/mL",))["afp"] == ("AFP: first", "ng/mL")


def test_the_published_cohort_flows_from_218_to_105() -> None:
    reasons = ["other malignancy"] * 47 + ["poor images or missing data"] * 21
    reasons += [""] * 105 + ["Incomplete  follow-up"] + ["incomplete follow-up "] * 44
    flow = cohort_flow(reasons)
    assert [step.left for step in flow.steps] == [171, 150, 105]
    assert flow.counts()[0] == ("screened", 218)
    assert flow.counts()[-1] == ("included", 105)
    turned = cohort_flow(reasons, ["incomplete follow-up"])
    assert [step.excluded for step in turned.steps] == [45, 47, 21]


def test_a_reason_that_does_not_occur_is_refused() -> None:
    with pytest.raises(TableError, match="No patient was excluded for 'age'; found: x"):
        cohort_flow(["", "x"], ["age"])
    with pytest.raises(TableError, match="empty"):
        cohort_flow([])
