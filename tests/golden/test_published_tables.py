"""Tables 2 and 3 of the published study (doi 10.3389/fonc.2026.1764150).

Its counts are expanded to one row per patient and given to the command line. Which
entries can be reproduced, and how closely, is said by the data's own file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from radhabitat.cli import app

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def paper(data_folder: Path) -> dict[str, Any]:
    file = data_folder / "paper_haic2026" / "paper_tables.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tables(paper: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("paper")
    expanded(paper).to_csv(folder / "patients.csv", index=False)
    references = [
        part
        for name, entry in paper["table3_univariable"].items()
        if "reference" in entry
        for part in ("--reference", f"{name}={entry['reference']}")
    ]
    outcome = ["--outcome", "response", "--positive", "OR", "--out", str(folder)]
    command = ["tables", str(folder / "patients.csv"), *outcome, *references]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return json.loads((folder / "tables.json").read_text(encoding="utf-8"))


def expanded(paper: dict[str, Any]) -> pd.DataFrame:
    """One row per patient; invasion and diameter together as Table 3 allows."""
    both = paper["table3_multivariable"]["solutions"][4]
    invasion = column_of(both["OR"], both["nOR"])
    columns = {
        "patient": [f"{n:03d}" for n in range(paper["n"])],
        "response": ["OR"] * paper["n_OR"] + ["nOR"] * paper["n_nOR"],
    }
    for name, entry in paper["table2"].items():
        if "levels" in entry:
            counts = [
                dict(zip(entry["levels"], entry[k], strict=True)) for k in ("OR", "nOR")
            ]
            columns[name] = column_of(*counts)
    for name in ("Sex", "Age"):
        entry = paper["table3_univariable"][name]
        names = [*entry["levels"], entry["reference"]]
        solved = entry["solved_counts"]
        pairs = zip(solved["level"], solved["reference"], strict=True)
        columns[name] = column_of(
            *(dict(zip(names, pair, strict=True)) for pair in pairs)
        )
    columns["Vascular Invasion"] = [cell.rstrip("0123456789<>=") for cell in invasion]
    columns["d_tumor (cm)"] = [cell.lstrip("NoYes") for cell in invasion]
    return pd.DataFrame(columns)


def column_of(event: dict[str, int], other: dict[str, int]) -> list[str]:
    return [
        level
        for group in (event, other)
        for level, n in group.items()
        for _ in range(n)
    ]


def test_every_p_value_of_table_2_that_can_be_reproduced_is(
    paper: dict[str, Any], tables: Any
) -> None:
    wanted = {k: v for k, v in paper["table2"].items() if v["reproducible"]}
    assert len(wanted) == 8
    for name, entry in wanted.items():
        found = tables["table2"][name]
        assert found["test"] == "chi-square", name
        assert abs(found["p"] - float(entry["p_printed"])) <= entry["tol"] + 1e-9, name


def test_chi_square_and_exact_p_values_agree_with_those_recomputed_elsewhere(
    paper: dict[str, Any], tables: Any
) -> None:
    for name, entry in paper["table2"].items():
        if "levels" in entry:
            found, recomputed = tables["table2"][name], entry["recomputed"]
            assert found["p_chi2"] == pytest.approx(recomputed["chi2"], abs=1e-9), name
            assert found["p_exact"] == pytest.approx(recomputed["fisher"], abs=1e-9)
            assert found["min_expected"] == pytest.approx(entry["min_expected"])


def test_small_expected_counts_in_larger_tables_take_the_exact_test(
    tables: Any,
) -> None:
    tests = {name: entry["test"] for name, entry in tables["table2"].items()}
    exact = {name for name, test in tests.items() if test == "Fisher's exact"}
    assert exact == {"BCLC stage", "ALBI grade", "CRAFITY Score", "PIVKA-II (mAU/mL)"}
    assert "2.7" in tables["table2"]["HBV Infection"]["note"]


def test_every_univariable_odds_ratio_that_can_be_reproduced_is(
    paper: dict[str, Any], tables: Any
) -> None:
    entries = list(printed(paper["table3_univariable"]))
    assert len(entries) == 4 * 20
    for name, level, key, value, tolerance in entries:
        found = tables["table3"]["univariable"][name][level]
        assert abs(found[key] - value) <= tolerance + 1e-9, (name, level, key)


def test_the_two_significant_variables_make_the_published_multivariable_model(
    paper: dict[str, Any], tables: Any
) -> None:
    found = tables["table3"]["multivariable"]
    assert set(found) == {"Vascular Invasion", "d_tumor (cm)"}
    published = paper["table3_multivariable"]
    for row, entry in (
        (found["Vascular Invasion"]["No"], published["VI=No"]),
        (found["d_tumor (cm)"][">10"], published["d>10"]),
    ):
        values = [row[key] for key in ("or", "low", "high", "p")]
        assert values == pytest.approx(entry["recomputed"], rel=1e-7)
        for value, text in zip(values, entry["printed"], strict=True):
            close = abs(value - float(text.strip("<"))) <= entry["tol"] + 1e-9
            assert close or (text == "<0.001" and value < 0.001)


def printed(
    table: dict[str, Any],
) -> Iterator[tuple[str, str, str, float, float]]:
    keys = {"OR": "or", "lo": "low", "hi": "high", "p": "p"}
    for name, entry in table.items():
        for level, of_level in entry.get("levels", {}).items():
            if of_level["reproducible"]:
                for theirs, ours in keys.items():
                    value = float(of_level["printed"][theirs])
                    yield name, level, ours, value, of_level["tol"]
