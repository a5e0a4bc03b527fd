from __future__ import annotations

import gzip

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radhabitat.errors import SettingsError, TableError
from radhabitat.files.clinical_table import read_clinical
from radhabitat.files.tables import (
    near_ids,
    normalize_id,
    read_table,
    write_table,
)
from radhabitat.settings import DataSettings

TEXT = "patient,age,疗效\nP1,61,有效\nP2,,无效\n,,\n\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_tables_are_read_in_every_usual_encoding(tmp_path, encoding):
    path = tmp_path / "c.csv"
    path.write_bytes(TEXT.encode(encoding))
    table = read_table(path)
    assert list(table.columns) == ["patient", "age", "疗效"]
    assert table.to_numpy().tolist() == [["P1", "61", "有效"], ["P2", "", "无效"]]


def test_semicolons_with_decimal_commas_and_tabs_are_read(tmp_path):
    (tmp_path / "a.csv").write_text('id;"a;b";x\n1;-3,5;"4,2,1"\n')
    assert read_table(tmp_path / "a.csv").iloc[0].tolist() == ["1", "-3.5", "4,2,1"]
    (tmp_path / "b.tsv").write_text("id\tx\n1\t3,5\n")
    assert read_table(tmp_path / "b.tsv").iloc[0].tolist() == ["1", "3,5"]


def test_a_workbook_gives_its_first_sheet_with_cells(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("data")
    sheet.append([" patient ", "age", None, "ok"])
    sheet.append([17.0, 61.5, None, True])
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert list(table.columns) == ["patient", "age", "ok"]
    assert table.iloc[0].tolist() == ["17", "61.5", "1"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"a,a\n1,2\n", "more than one column 'a'"),
        (b"a,b\n1,2,3\n", "Row 2 of t.csv has more cells"),
        (b"\x00\x01\xff\xfe" * 20, "not text"),
    ],
)
def test_tables_that_cannot_be_used_say_why(tmp_path, content, says):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TableError, match=says):
        read_table(tmp_path / "t.csv")


def test_a_missing_table_and_a_damaged_workbook_are_named(tmp_path):
    with pytest.raises(TableError, match=r"no\.csv does not exist"):
        read_table(tmp_path / "no.csv")
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(TableError, match=r"a\.xlsx cannot be read"):
        read_table(tmp_path / "a.xlsx")


@given(data=st.binary(max_size=300))
def test_random_bytes_are_a_table_or_our_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(data)
    try:
        table = read_table(path)
    except TableError as error:
        assert "t.csv" in error.problem  # noqa: PT017 (either is fine)
    else:
        assert all(isinstance(c, str) for c in table.to_numpy().ravel())


def clinical(tmp_path, text, **settings):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    return read_clinical(tmp_path / "c.csv", DataSettings(**settings))


def test_zero_and_one_need_no_word_on_which_is_the_event(tmp_path):
    table = clinical(tmp_path, "patient,age,response\nA,60,1\nB,70,0.0\nC,,\n")
    assert table.outcome.to_dict() == {"A": 1, "B": 0}
    assert table.event == "response = 1"
    assert list(table.unusable) == ["C"]
    assert table.candidates.to_dict() == {"age": {"A": "60", "B": "70"}}


def test_yes_and_no_speak_for_themselves(tmp_path):
    table = clinical(tmp_path, "patient,response\nA,Yes\nB,no\n")
    assert table.outcome.tolist() == [1, 0]


def test_words_need_the_event_to_be_named(tmp_path):
    text = "patient,response\nA,OR\nB,nOR\nC,or \n"
    table = clinical(tmp_path, text, positive="OR")
    assert table.outcome.tolist() == [1, 0, 1]
    assert table.event == "response = OR"
    with pytest.raises(SettingsError, match=r"OR \(2 patients\), nOR \(1 patients\)"):
        clinical(tmp_path, text)
    with pytest.raises(SettingsError, match=r"data\.positive is 'CR'"):
        clinical(tmp_path, text, positive="CR")


@pytest.mark.parametrize(
    ("cells", "says"),
    [("1\n1", "1 different values instead of two"), ("1\n2\n3", "3 different values")],
)
def test_an_outcome_needs_exactly_two_values(tmp_path, cells, says):
    rows = "\n".join(f"P{n},{c}" for n, c in enumerate(cells.split("\n")))
    with pytest.raises(TableError, match=says):
        clinical(tmp_path, f"patient,response\n{rows}\n")


def test_patients_with_two_rows_are_set_aside_and_the_others_stay(tmp_path):
    text = "patient,response\nP1,1\n1.0,0\n 1,1\nP1,0\nP2,1\nP3,0\n"
    table = clinical(tmp_path, text)
    assert table.unusable["P1"][0] == "Patient P1 has more than one row in c.csv"
    assert list(table.unusable) == ["P1", "1"]
    assert table.outcome.to_dict() == {"P2": 1, "P3": 0}


def test_a_word_among_numbers_sets_its_patient_aside(tmp_path):
    text = "patient,age,stage,response\nA,60,II,1\nB,about 70,I,0\nC,50,I,0\nD,,?,1\n"
    table = clinical(tmp_path, text)
    assert list(table.unusable) == ["B"]
    assert "Patient B: age is 'about 70' in c.csv" in table.unusable["B"][0]
    assert list(table.candidates.index) == ["A", "C", "D"]


def test_a_row_without_patient_is_named(tmp_path):
    with pytest.raises(TableError, match=r"Row 3 of c\.csv has no patient"):
        clinical(tmp_path, "patient,response\nP1,1\n,0\n")


def test_a_missing_column_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(TableError) as caught:
        clinical(tmp_path, "patient,Response,age\nP1,1,3\nP2,0,4\n")
    assert "no column 'response'; found: Response, age" in caught.value.problem
    assert "did you mean 'Response'?" in caught.value.fix
    with pytest.raises(TableError, match="no column 'alp'"):
        clinical(tmp_path, "patient,response\nP1,1\nP2,0\n", variables=("alp",))


def test_survival_columns_are_numbers_and_no_candidates(tmp_path):
    settings = {"survival_time": "os", "survival_event": "died"}
    text = "patient,response,age,os,died\nA,1,60,12.5,1\nB,0,70,,\n"
    table = clinical(tmp_path, text, **settings)
    assert list(table.candidates.columns) == ["age"]
    assert table.survival.loc["A"].tolist() == [12.5, 1.0]
    assert table.survival.loc["B"].isna().all()
    with pytest.raises(TableError, match="not so for B"):
        clinical(tmp_path, text.replace(",,", ",3,2"), **settings)


def test_a_study_without_outcome_has_candidates_only(tmp_path):
    table = clinical(tmp_path, "patient,age\nA,60\n", outcome=None)
    assert table.outcome is None
    assert table.candidates.loc["A", "age"] == "60"


def test_ids_are_compared_as_text_and_near_misses_are_found():
    assert normalize_id(" 17.00 ") == "17"
    assert normalize_id("001") == "001"
    near = near_ids(["sub-001", "HCC_02", "X"], ["1", "hcc2", "Y"])
    assert near == {"sub-001": "1", "HCC_02": "hcc2"}


def test_a_written_table_keeps_every_digit(tmp_path):
    rows = {"a.nii": {"mean": 1 / 3, "missing": float("nan")}, "b.nii": {"mean": 2.0}}
    write_table(tmp_path / "f.csv", rows, index="image")
    assert (tmp_path / "f.csv").read_text() == (
        "image,mean,missing\na.nii,0.3333333333333333,\nb.nii,2.0,\n"
    )


def test_a_gzipped_table_is_read_and_a_cut_one_is_refused(tmp_path):
    data = gzip.compress(b"patient,x\nP1,2\nP2,3\n")
    whole, cut = tmp_path / "t.csv.gz", tmp_path / "cut.gz"
    whole.write_bytes(data)
    cut.write_bytes(data[:20])
    assert read_table(whole)["x"].tolist() == ["2", "3"]
    with pytest.raises(TableError, match=r"cut\.gz cannot be read"):
        read_table(cut)
