from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radhabitat.clinical import encode
from radhabitat.clinical.columns import read_column
from radhabitat.clinical.comparison import Comparison, compare, fisher_exact
from radhabitat.clinical.tables import ClinicalTables
from radhabitat.errors import SettingsError, TableError
from radhabitat.settings import DataSettings
from radhabitat.tabulation import clinical_tables

RNG = np.random.default_rng(5)
N = 60
OUTCOME = pd.Series(([1, 0] * N)[:N], index=[f"p{i:02d}" for i in range(N)])


def tables_of(
    references: tuple[str, ...] = (), **columns: list[object]
) -> ClinicalTables:
    candidates = pd.DataFrame(columns, index=OUTCOME.index)
    return clinical_tables(
        candidates, OUTCOME, event="response = OR", references=references
    )


def compared(cells: list[object], outcome: list[int]) -> Comparison:
    column = read_column("x", pd.Series(cells), coded=True)
    return compare(column, np.array(outcome, dtype=np.int8))


def cells(counts: list[tuple[int, int]]) -> tuple[list[object], list[int]]:
    found = [
        (f"L{n}", e)
        for n, row in enumerate(counts)
        for e in (1, 0)
        for _ in range(row[1 - e])
    ]
    return [level for level, _ in found], [event for _, event in found]


@pytest.mark.parametrize(
    ("counts", "test"),
    [
        ([(2, 4), (55, 44)], "chi-square"),  # more than 40 patients
        ([(2, 8), (9, 6)], "Fisher's exact"),  # 25 patients, 4.4 expected
        ([(9, 6), (8, 7)], "chi-square"),
        ([(0, 1), (30, 30)], "Fisher's exact"),  # 0.5 expected
        ([(3, 1), (24, 22), (30, 25)], "Fisher's exact"),  # 2 of 6 below 5
        ([(9, 8), (24, 22), (30, 25)], "chi-square"),
    ],
)
def test_the_exact_test_is_used_where_cochrans_conditions_fail(
    counts: list[tuple[int, int]], test: str
) -> None:
    found = compared(*cells(counts))
    assert found.test == test
    wanted = stats.chi2_contingency(counts, correction=False).pvalue
    assert found.p_chi2 == pytest.approx(wanted, rel=1e-9)
    assert found.p == (found.p_chi2 if test == "chi-square" else found.p_exact)
    assert bool(found.note) == (found.min_expected < 5)


def test_the_exact_p_of_two_levels_is_that_of_scipy() -> None:
    for _ in range(30):
        table = RNG.integers(0, 15, (2, 2)) + np.eye(2, dtype=int)
        wanted = stats.fisher_exact(table).pvalue
        assert fisher_exact(table) == pytest.approx(wanted, rel=1e-7)


def test_the_exact_p_does_not_depend_on_the_order_of_levels_and_outcomes() -> None:
    table = np.array([[3, 1], [10, 22], [7, 2], [0, 4]])
    turned = table[[2, 0, 3, 1]][:, ::-1]
    assert fisher_exact(table) == pytest.approx(fisher_exact(turned), rel=1e-12)


def test_an_exact_p_out_of_reach_is_said_and_chi_square_takes_its_place() -> None:
    table = [(30, 30), (29, 31), (33, 28), (31, 31), (30, 35), (2, 1), (1, 2), (1, 2)]
    found = compared(*cells(table))
    assert np.isnan(found.p_exact)
    assert found.test == "chi-square"
    assert "out of reach" in found.note


def test_normal_numbers_are_compared_by_welch_and_others_by_ranks() -> None:
    normal, skewed = RNG.normal(60, 10, N), np.exp(RNG.normal(0, 2, N))
    tables = tables_of(age=list(normal), afp=list(skewed))
    age, afp = tables.comparisons
    event = OUTCOME.to_numpy() == 1
    assert (age.test, afp.test) == ("Welch's t", "Mann-Whitney")
    welch = stats.ttest_ind(normal[event], normal[~event], equal_var=False)
    assert age.p == pytest.approx(welch.pvalue)
    ranks = stats.mannwhitneyu(skewed[event], skewed[~event])
    assert afp.p == pytest.approx(ranks.pvalue)
    assert afp.numbers[0].median == pytest.approx(np.median(skewed))


def test_missing_cells_are_counted_and_left_out_of_each_model() -> None:
    age = [str(x) for x in RNG.normal(60, 10, N).round(1)]
    sex = (["male", "female", "male"] * N)[:N]
    tables = tables_of(age=["", "NA", *age[2:]], sex=["?", *sex[1:]])
    assert [c.missing for c in tables.comparisons] == [2, 1]
    assert [row.patients for row in tables.univariable] == [58, 59]
    assert tables.univariable[0].events == 29
    assert any("age 2, sex 1" in note for note in tables.notes)


def test_the_variables_significant_alone_make_the_joint_model_or_all_do() -> None:
    marker = OUTCOME.to_numpy() + RNG.normal(0, 1, N)
    noise = list(np.tile(RNG.normal(0, 1, N // 2), (2, 1)).T.ravel())
    tables = tables_of(marker=list(marker), noise=noise)
    assert [row.variable for row in tables.multivariable] == ["marker"]
    candidates = pd.DataFrame({"marker": marker, "noise": noise}, index=OUTCOME.index)
    both = clinical_tables(candidates, OUTCOME, event="x", multivariable="all")
    assert [row.variable for row in both.multivariable] == ["marker", "noise"]
    assert both.multivariable[0].ratio != tables.multivariable[0].ratio


def test_an_odds_ratio_per_unit_follows_the_unit() -> None:
    size = OUTCOME.to_numpy() + RNG.normal(5, 2, N)
    cm, mm = tables_of(d=list(size)), tables_of(d=list(10 * size))
    one, ten = cm.univariable[0], mm.univariable[0]
    assert one.level == ten.level == "per 1"
    assert one.ratio == pytest.approx(ten.ratio**10, rel=1e-6)
    assert one.p == pytest.approx(ten.p, rel=1e-6)


def test_a_level_with_one_outcome_is_called_separated_and_spares_the_others() -> None:
    stage = ["A" if y else ("C" if n % 4 else "B") for n, y in enumerate(OUTCOME)]
    stage[:8] = ["B", "B", "C", "C", "B", "C", "C", "B"]
    tables = tables_of(stage=stage, references=("stage=C",))
    a, b = tables.univariable
    assert (a.level, a.problem) == ("A", "separated")
    assert a.method == "Firth"
    assert 1 < a.low < a.ratio < a.high < np.inf
    assert (b.level, b.problem) == ("B", "")
    at_c = [y for s, y in zip(stage, OUTCOME, strict=True) if s == "C"]
    at_b = [y for s, y in zip(stage, OUTCOME, strict=True) if s == "B"]
    odds = [sum(ys) / (len(ys) - sum(ys)) for ys in (at_b, at_c)]
    assert b.ratio == pytest.approx(odds[0] / odds[1])
    assert any(note.startswith("Separated: stage A") for note in tables.notes)
    assert any("separated by stage" in note for note in tables.notes)
    assert {row.problem for row in tables.multivariable} == {"separated"}


def test_a_variable_known_from_another_is_called_collinear() -> None:
    marker = OUTCOME.to_numpy() + RNG.normal(0, 1, N)
    tables = tables_of(cm=list(marker), mm=list(10 * marker))
    assert {row.problem for row in tables.multivariable} == {"collinear"}
    assert any("mm can be computed" in note for note in tables.notes)


def test_more_coefficients_than_patients_give_no_odds_ratio_under_separation() -> None:
    columns = {f"x{n}": list(RNG.normal(0, 1, N)) for n in range(45)}
    candidates = pd.DataFrame(columns, index=OUTCOME.index)
    found = clinical_tables(candidates, OUTCOME, event="x", multivariable="all")
    assert {row.problem for row in found.multivariable} == {"separated"}
    assert np.isnan([row.ratio for row in found.multivariable]).all()


def test_a_constant_variable_stands_in_table_1_only() -> None:
    tables = tables_of(ecog=[0] * N, sex=(["m", "f", "f"] * N)[:N])
    written = tables.to_json()
    assert written["table1"]["ecog"]["levels"] == {"0": {"n": N, "percent": 100.0}}
    assert "ecog" not in written["table2"]
    assert written["not_compared"] == {"ecog": "the same for every patient (0)"}
    assert set(written["table3"]["univariable"]) == {"sex"}


def test_small_whole_numbers_are_categories_and_more_of_them_numbers() -> None:
    grade = ([1, 2, 3] * N)[:N]
    sessions = ([1, 2, 3, 4] * N)[:N]
    tables = tables_of(grade=grade, sessions=sessions)
    assert [c.levels for c in tables.comparisons] == [("1", "2", "3"), ()]
    named = tables_of(("sessions=4",), sessions=sessions)
    assert named.univariable[0].reference == "4"


def test_one_outcome_only_is_refused() -> None:
    one = pd.Series([1, 1], index=["a", "b"])
    with pytest.raises(TableError, match="2 of 2 patients have the event"):
        clinical_tables(pd.DataFrame({"x": [1, 2]}, ["a", "b"]), one, event="y")


def test_reference_levels_change_what_models_get() -> None:
    table = pd.DataFrame({"ascites": ["No", "Yes", "No"], "grade": ["1", "2", "3"]})
    assert list(encode(table).table) == ["ascites=Yes", "grade"]
    encoded = encode(table, ("ascites=yes", "grade=2.0"))
    assert list(encoded.table) == ["ascites=No", "grade=1", "grade=3"]
    assert encoded.legend[0] == ("ascites=No", "1 = No; reference: Yes")


@pytest.mark.parametrize(
    ("reference", "error", "words"),
    [
        ("ascitis=Yes", TableError, "did you mean 'ascites'"),
        ("ascites=Yess", TableError, r"No \(2 patients\), Yes \(1 patients\)"),
        ("ascites", SettingsError, 'like "Ascites=Yes"'),
    ],
)
def test_a_reference_that_is_not_there_is_named_with_what_is(
    reference: str, error: type[Exception], words: str
) -> None:
    table = pd.DataFrame({"ascites": ["No", "Yes", "No"]})
    with pytest.raises(error, match=words):
        encode(table, (reference,))


def test_a_reference_given_twice_is_refused() -> None:
    table = pd.DataFrame({"x": ["a", "b"]})
    with pytest.raises(SettingsError, match="given twice: 'a' and 'b'"):
        encode(table, ("x=a", "x=b"))


def test_settings_refuse_a_reference_without_a_level() -> None:
    with pytest.raises(ValueError, match='not like "Ascites=Yes"'):
        DataSettings(reference_levels=("Ascites",))
