from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from radhabitat.cli import app
from radhabitat.errors import RadHabitatError, SettingsError, TableError

PATIENTS = pd.DataFrame(
    {
        "Patient ID": [f"{n:03d}" for n in range(1, 25)],
        "Ascites": ["Yes", "no", "No", "yes"] * 6,
        "Age": [str(50 + 7 * n % 31) for n in range(24)],
        "TBIL": [str(10 + n) for n in range(24)],
        "ALB": [str(35 + n % 9) for n in range(24)],
        "note": ["=1+1", "<b>x</b>"] * 12,
        "response": ["OR", "nOR", "nOR"] * 8,
    }
)


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(done.exception, RadHabitatError):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def clinical(tmp_path: Path) -> Path:
    PATIENTS.to_csv(tmp_path / "clinical.csv", index=False)
    return tmp_path / "clinical.csv"


def tables(clinical: Path, *more: str) -> tuple[int, str]:
    outcome = ("--outcome", "response", "--positive", "OR")
    return run("tables", clinical, *outcome, "--out", clinical.parent / "out", *more)


def test_tables_are_written_in_the_order_of_the_columns(clinical: Path) -> None:
    code, said = tables(clinical, "--reference", "Ascites=Yes")
    assert code == 0
    assert "24 patients, 8 with response = OR" in said
    out = clinical.parent / "out"
    written = json.loads((out / "tables.json").read_text())
    assert list(written["table2"]) == ["Ascites", "Age", "TBIL", "ALB", "note"]
    assert list(written["table3"]["univariable"]["Ascites"]) == ["No"]
    assert set(written["table2"]["Ascites"]) >= {"p", "test"}
    sheets = openpyxl.load_workbook(out / "tables.xlsx")
    assert sheets.sheetnames == ["table1", "table2", "table3", "notes"]
    rows = list(sheets["table1"].iter_rows(values_only=True))
    assert rows[1][:3] == ("Ascites", 0, "No")
    assert rows[1][3:5] == (12, 50)
    formula = [c for r in sheets["table1"].iter_rows() for c in r if c.value == "=1+1"]
    assert [cell.data_type for cell in formula] == ["s"]
    assert pd.read_csv(out / "table3.csv")["or"].notna().any()


def test_the_page_is_whole_and_escapes_what_the_table_holds(clinical: Path) -> None:
    tables(clinical)
    page = (clinical.parent / "out" / "tables.html").read_text()
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x" not in page
    assert page.count("<table>") == 3
    assert "http" not in page.replace("http-equiv", "")
    assert "Research use only" in page


def test_the_same_table_gives_the_same_bytes(clinical: Path) -> None:
    out = clinical.parent / "out"
    tables(clinical)
    first = {file.name: file.read_bytes() for file in out.iterdir()}
    tables(clinical)
    assert first == {file.name: file.read_bytes() for file in out.iterdir()}
    assert len(first) == 6


def test_a_patient_who_is_left_out_is_named_and_ends_with_1(clinical: Path) -> None:
    spoiled = PATIENTS.copy()
    spoiled.loc[3, "Age"] = "about 60"
    spoiled.loc[4, "response"] = ""
    spoiled.to_csv(clinical, index=False)
    code, said = tables(clinical)
    assert code == 1
    assert "22 patients" in said
    assert "Left out: Patient 004: Age is 'about 60'" in said
    assert "Left out: Patient 005 has no response" in said


def test_a_wrong_reference_variable_or_event_is_named(clinical: Path) -> None:
    with pytest.raises(TableError, match="did you mean 'Ascites'"):
        tables(clinical, "--reference", "Ascitis=Yes")
    with pytest.raises(TableError, match=r"No \(12 patients\), Yes \(12 patients\)"):
        tables(clinical, "--reference", "Ascites=much")
    with pytest.raises(SettingsError, match="does not name a variable and a level"):
        tables(clinical, "--reference", "Ascites")
    with pytest.raises(TableError, match="has no column 'age'"):
        tables(clinical, "--variables", "age")
    with pytest.raises(SettingsError, match=r"is not said(.|\n)*give --positive"):
        run("tables", clinical, "--outcome", "response", "--out", clinical.parent)


def test_scores_are_added_to_the_table_as_it_was(clinical: Path) -> None:
    out = clinical.parent / "scores.xlsx"
    units = ("--column", "bilirubin=TBIL:umol/L", "--column", "albumin=ALB:g/L")
    code, said = run("derive", clinical, *units, "--group", "Age=<60", "--out", out)
    assert code == 0
    assert "ALBI: 24 of 24 patients" in said
    rows = list(openpyxl.load_workbook(out)["Sheet1"].iter_rows(values_only=True))
    new = ("ALBI score", "ALBI grade", "Age group")
    assert rows[0] == (*PATIENTS.columns, *new)
    assert rows[1][0] == "001"
    assert rows[1][2:5] == (50, 10, 35)
    assert rows[1][7] == pytest.approx(0.66 * 1 - 0.085 * 35)
    assert rows[1][9] == "<60"


def test_a_score_that_the_table_holds_already_gets_another_name(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    PATIENTS.assign(**{"ALBI grade": "1"}).to_csv(file, index=False)
    units = ("--column", "bilirubin=TBIL:umol/L", "--column", "albumin=ALB:g/L")
    run("derive", file, *units, "--out", tmp_path / "d.csv")
    found = pd.read_csv(tmp_path / "d.csv", dtype=str)
    assert found["ALBI grade"].eq("1").all()
    assert "ALBI grade (computed)" in found
    assert found["Patient ID"][0] == "001"


def test_responses_are_written_and_open_disagreements_end_with_1(
    tmp_path: Path,
) -> None:
    file = tmp_path / "lesions.csv"
    rows = [
        ("a", "1", "target", "50", "0", "1"),
        ("a", "1", "target", "50", "0", "2"),
        ("b", "1", "target", "50", "30", "1"),
        ("b", "1", "target", "50", "40", "2"),
    ]
    names = ["patient", "lesion", "kind", "baseline_mm", "followup_mm", "reader"]
    pd.DataFrame(rows, columns=names).to_csv(file, index=False)
    code, said = run("response", file, "--out", tmp_path / "r.csv")
    assert code == 1
    assert "Seen differently: b" in said
    assert "to be decided: 1 patients" in said
    found = pd.read_csv(tmp_path / "r.csv", keep_default_na=False)
    assert found["objective"].to_list() == ["OR", ""]


def test_a_screening_log_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    pd.DataFrame({"patient": list("abcd"), "reason": ["", "late", "", "poor"]}).to_csv(
        file, index=False
    )
    code, said = run("flow", file, "--order", "poor")
    assert code == 0
    assert [" ".join(line.split()) for line in said.strip().splitlines()] == [
        "4 screened",
        "1 excluded: poor",
        "1 excluded: late",
        "2 included",
    ]
