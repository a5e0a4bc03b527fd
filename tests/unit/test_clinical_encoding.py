from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radhabitat.clinical import encode
from radhabitat.errors import TableError


def table(**columns: list[object]) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=[f"{i:04d}" for i in range(1, rows + 1)])


def test_numbers_stay_and_marks_for_unknown_become_missing() -> None:
    cells = ["12.5", " 7 ", "NA", "", "-", "n/a", "缺失", "none", "1e3"]
    encoded = encode(table(afp=cells))
    expected = [12.5, 7.0, *[np.nan] * 6, 1000.0]
    np.testing.assert_array_equal(encoded.table["afp"], expected)
    assert encoded.legend == (("afp", "number, as given"),)
    assert encoded.origin == {"afp": "afp"}
    assert list(encoded.table.index[:2]) == ["0001", "0002"]


def test_infinite_numbers_are_refused_like_other_cells_that_are_no_numbers() -> None:
    with pytest.raises(TableError, match=r"'afp'.*0002: 'inf'"):
        encode(table(afp=["1", "inf", "2", "3"]))


@pytest.mark.parametrize(
    ("levels", "one"),
    [
        (("yes", "no"), "yes"),
        (("female", "male"), "male"),
        (("Positive", "negative"), "Positive"),
        (("+", "-"), "+"),
        (("是", "否"), "是"),
        (("A", "B"), "B"),
        (("single", "multiple"), "single"),
    ],
)
def test_two_levels_become_one_column_named_by_the_level_that_is_one(
    levels: tuple[str, str], one: str
) -> None:
    encoded = encode(table(x=[*levels, levels[0], ""]))
    other = levels[0] if one == levels[1] else levels[1]
    assert list(encoded.table.columns) == [f"x={one}"]
    expected = [float(cell == one) for cell in (*levels, levels[0])]
    np.testing.assert_array_equal(encoded.table[f"x={one}"], [*expected, np.nan])
    assert encoded.legend == ((f"x={one}", f"1 = {one}; reference: {other}"),)
    assert encoded.origin == {f"x={one}": "x"}


def test_more_levels_become_dummies_against_the_most_frequent_one() -> None:
    encoded = encode(table(bclc=["B", "C", "A", "C", "?"]))
    assert list(encoded.table.columns) == ["bclc=A", "bclc=B"]
    np.testing.assert_array_equal(encoded.table["bclc=A"], [0, 0, 1, 0, np.nan])
    assert encoded.legend[1] == ("bclc=B", "1 = B; reference: C")
    assert set(encoded.origin.values()) == {"bclc"}


def test_the_first_of_equally_frequent_levels_is_the_reference() -> None:
    encoded = encode(table(bclc=["C", "B", "A"]))
    assert list(encoded.table.columns) == ["bclc=B", "bclc=C"]


def test_capitals_and_the_order_of_rows_make_no_difference() -> None:
    cells = ["Yes", "yes", "yes", "NO", "no"]
    first, second = table(x=cells), table(x=cells).iloc[::-1]
    encoded, turned = encode(first), encode(second)
    assert list(encoded.table.columns) == list(turned.table.columns) == ["x=yes"]
    np.testing.assert_array_equal(encoded.table["x=yes"], [1, 1, 1, 0, 0])
    pd.testing.assert_frame_equal(encoded.table, turned.table.loc[first.index])


def test_none_is_a_level_where_the_others_are_words() -> None:
    encoded = encode(table(ascites=["none", "mild", "none", "severe"]))
    assert list(encoded.table.columns) == ["ascites=mild", "ascites=severe"]


def test_columns_that_say_nothing_are_dropped_and_named() -> None:
    encoded = encode(
        table(
            hospital=["East"] * 14,
            year=["2020"] * 14,
            empty=[""] * 14,
            remark=[f"text {i}" for i in range(14)],
            age=[str(i) for i in range(14)],
        )
    )
    assert list(encoded.table.columns) == ["age"]
    assert dict(encoded.legend) == {
        "hospital": "not used: the same for every patient (East)",
        "year": "not used: the same for every patient (2020)",
        "empty": "not used: no value is known",
        "remark": "not used: 14 different texts; group them into a few categories",
        "age": "number, as given",
    }


def test_a_few_texts_among_numbers_are_named_with_their_patients() -> None:
    with pytest.raises(TableError) as caught:
        encode(table(afp=["1", "2", ">1000", "4", "5", "high"]))
    assert "'afp'" in caught.value.problem
    assert "0003: '>1000', 0006: 'high'" in caught.value.problem
    assert "empty" in caught.value.fix


def test_a_name_that_two_columns_would_get_is_refused() -> None:
    cells = {"x": ["yes", "no"], "x=yes": ["1", "2"]}
    with pytest.raises(TableError, match="'x=yes' twice"):
        encode(pd.DataFrame(cells))


def test_columns_of_numbers_are_taken_as_they_are() -> None:
    given = pd.DataFrame({"a": [1, 2, 3], "b": [0.0, 1.0, np.nan], "c": [True, 0, 1]})
    encoded = encode(given)
    np.testing.assert_array_equal(encoded.table["a"], [1, 2, 3])
    assert encoded.table.dtypes.eq(np.float64).all()
    assert dict(encoded.legend)["b"] == "0 or 1, as given"


def test_a_table_without_columns_gives_a_table_without_columns() -> None:
    encoded = encode(pd.DataFrame(index=["1", "2"]))
    assert encoded.table.shape == (2, 0)
    assert encoded.legend == ()
