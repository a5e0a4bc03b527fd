"""Scores of every patient of a clinical table, from the columns that hold them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from radhabitat.clinical import scores
from radhabitat.clinical.columns import (
    MISSING,
    POSITIVE,
    UNKNOWN,
    listed,
    near,
    not_a_number,
)
from radhabitat.clinical.scores import UNITS, Floats, to_first_unit
from radhabitat.errors import SettingsError, TableError

_YES_NO = {
    **dict.fromkeys(("no", "n", "negative", "neg", "absent", "false", "0"), 0.0),
    **dict.fromkeys(("none", "-", "无", "否", "阴性"), 0.0),
    **dict.fromkeys(POSITIVE, 1.0),
}


def _ranked(*groups: str) -> dict[str, float]:
    """Return word -> 1, 2, 3 ... by the group it stands in."""
    places = enumerate(groups, start=1)
    return {word: float(n) for n, group in places for word in group.split(",")}


WORDS: Mapping[str, Mapping[str, float]] = {
    "ascites": _ranked(
        "none,no,absent,negative,0,无",
        "slight,mild,small,少量,轻度",
        "moderate,severe,large,massive,tense,中度,中量,重度,大量",
    ),
    "encephalopathy": _ranked(
        "none,no,absent,negative,0,无",
        "grade 1,grade 2,1-2,i,ii,mild,轻度",
        "grade 3,grade 4,3-4,iii,iv,重度",
    ),
    "vascular_invasion": _YES_NO,
    "metastasis": _YES_NO,
    "nodules": {"single": 1.0, "solitary": 1.0, "单发": 1.0}
    | {"multiple": 1.5, "多发": 1.5},
    "child_pugh": _ranked("a", "b", "c"),
}
"""Role -> word -> what it counts."""

CODES: Mapping[tuple[str, str], Mapping[int, int]] = {
    ("ascites", "points"): {1: 1, 2: 2, 3: 3},
    ("ascites", "grade"): {0: 1, 1: 2, 2: 3, 3: 3},
    ("encephalopathy", "points"): {1: 1, 2: 2, 3: 3},
    ("encephalopathy", "grade"): {0: 1, 1: 2, 2: 2, 3: 3, 4: 3},
    ("ecog", ""): {n: n for n in range(6)},
}
"""(Role, unit) -> code -> what it counts."""

ROLES = (*UNITS, *WORDS, "neutrophils", "lymphocytes", "ecog")

_Cells = Floats | list[str]


class Source(NamedTuple):
    """Where a quantity stands: column and unit (empty for words and counts)."""

    column: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Derived:
    """New columns, and what could not be computed.

    Attributes:
        table: One row per patient; NaN or "" where not computable.
        notes: Per score: how many patients have it, and what the others lack.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def parse_sources(texts: Sequence[str]) -> dict[str, Source]:
    """Return role -> source from texts like "bilirubin=TBIL:umol/L".

    Raises:
        SettingsError: Not of this form, an unknown role, or a role twice.
    """
    found: dict[str, Source] = {}
    for text in texts:
        role, sign, rest = (part.strip() for part in text.partition("="))
        if not sign or not rest or role not in ROLES:
            raise SettingsError(
                f"{text!r} does not say what a column is",
                'write it like "bilirubin=TBIL:umol/L"; known are: ' + ", ".join(ROLES),
            )
        if role in found:
            raise SettingsError(f"{role} is given twice", "keep one of the columns")
        column, mark, unit = rest.rpartition(":")
        found[role] = Source(column, unit) if mark else Source(rest)
    return found


def derive(table: pd.DataFrame, sources: Mapping[str, Source]) -> Derived:
    """Return ALBI, Child-Pugh, CRAFITY, NLR and BCLC of each patient.

    Args:
        table: Cells as typed, one row per patient, the index.
        sources: Role -> where it stands; scores whose inputs are not named are left
            out, and said.

    Raises:
        TableError: A cell that cannot be read, or a unit that cannot be right.
    """
    read = {role: _read(role, table, source) for role, source in sources.items()}
    made: dict[str, _Cells] = {}
    notes: list[str] = []
    if have := _inputs("ALBI", ("bilirubin", "albumin"), read, notes):
        score = scores.albi_score(*have)
        made |= {"ALBI score": score.round(4), "ALBI grade": scores.albi_grade(score)}
    lab = ("bilirubin", "albumin", "coagulation", "ascites", "encephalopathy")
    if have := _inputs("Child-Pugh", lab, read, notes):
        seconds = sources["coagulation"].unit == "s"
        points = scores.child_pugh_points(
            (have[0], have[1], have[2]), have[3], have[4], seconds=seconds
        )
        classes = scores.child_pugh_class(points)
        made |= {"Child-Pugh points": points, "Child-Pugh class": classes}
        read.setdefault("child_pugh", _words_to_numbers("child_pugh", classes))
    if have := _inputs("CRAFITY", ("afp", "crp"), read, notes):
        made["CRAFITY score"] = scores.crafity(*have)
    if have := _inputs("NLR", ("neutrophils", "lymphocytes"), read, notes):
        ratio = scores.neutrophil_lymphocyte_ratio(*have)
        made |= {
            "NLR": ratio.round(4),
            "NLR group": scores.cut(ratio, (3,), below=True),
        }
    if "ecog" in read:
        made["BCLC stage"] = _bclc(read, [str(p) for p in table.index], notes)
    else:
        notes.append("BCLC: not computable; not named: ecog")
    return Derived(pd.DataFrame(made, index=table.index), tuple(notes))


def _inputs(
    title: str, roles: Sequence[str], read: Mapping[str, Floats], notes: list[str]
) -> list[Floats]:
    """Return the inputs of a score, none when some are not named; note how many."""
    lacking = [role for role in roles if role not in read]
    if lacking:
        notes.append(f"{title}: not computable; not named: {', '.join(lacking)}")
        return []
    unknown = {role: np.isnan(read[role]) for role in roles}
    whole = ~np.any(list(unknown.values()), axis=0)
    gaps = [f"{role} {gone.sum()}" for role, gone in unknown.items() if gone.any()]
    words = f"{title}: {whole.sum()} of {len(whole)} patients"
    notes.append(words + (f"; unknown: {', '.join(gaps)}" if gaps else ""))
    return [read[role] for role in roles]


def _bclc(
    read: Mapping[str, Floats], patients: list[str], notes: list[str]
) -> list[str]:
    unknown = np.full(len(patients), np.nan)
    roles = ("ecog", "child_pugh", "vascular_invasion", "metastasis", "nodules")
    ecog, liver, vessel, spread, count = (read.get(role, unknown) for role in roles)
    letters = ["" if np.isnan(n) else " ABC"[int(n)] for n in liver]
    found = scores.bclc_stage(
        (ecog, letters), (vessel, spread), (count, read.get("diameter", unknown))
    )
    lacking: dict[str, list[str]] = {}
    for patient, (_, missing) in zip(patients, found, strict=True):
        if missing:
            lacking.setdefault(missing, []).append(patient)
    words = f"BCLC: {sum(bool(s) for s, _ in found)} of {len(patients)} patients"
    gaps = [f"{missing} ({listed(who)})" for missing, who in lacking.items()]
    notes.append(words + f"; not computable without {'; '.join(gaps)}" * bool(gaps))
    return [stage for stage, _ in found]


def _read(role: str, table: pd.DataFrame, source: Source) -> Floats:
    names = [str(name) for name in table.columns]
    if source.column not in names:
        raise TableError(
            f"The table has no column {source.column!r} for {role}; found: "
            f"{listed(names)}",
            near(source.column, names) + "correct the name",
        )
    cells = table[source.column].astype(str).str.strip()
    if role in WORDS and not source.unit:
        return _words(role, cells)
    values = np.array(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)
    odd = cells[np.isnan(values) & ~cells.str.casefold().isin(MISSING).to_numpy()]
    if len(odd):
        raise not_a_number(source.column, odd)
    if role in UNITS:
        patients = [str(patient) for patient in table.index]
        return to_first_unit(
            role, values, source.unit, column=source.column, patients=patients
        )
    return _codes(role, values, source)


def _codes(role: str, values: Floats, source: Source) -> Floats:
    """Return what codes count; other numbers stay."""
    codes = CODES.get((role, source.unit))
    if codes is None and not source.unit:
        return values
    if codes is None:
        known = [unit for of, unit in CODES if of == role and unit]
        raise SettingsError(
            f"{role} in the column {source.column!r} has the unit {source.unit!r}",
            f"known for it: {', '.join(known) or 'no unit'}",
        )
    counts = np.full(len(values), np.nan)
    for code, worth in codes.items():
        counts[values == code] = worth
    bad = values[~np.isnan(values) & np.isnan(counts)]
    if len(bad):
        raise TableError(
            f"{role} in the column {source.column!r} holds {bad[0]:g}; wanted: "
            f"{min(codes)} to {max(codes)}",
            "correct this cell, or name another column or coding",
        )
    return counts


def _words(role: str, cells: pd.Series[str]) -> Floats:
    values = _words_to_numbers(role, list(cells))
    if role == "nodules":
        numbers = np.array(pd.to_numeric(cells, errors="coerce"), dtype=np.float64)
        values = np.where(np.isnan(values), numbers, values)
    odd = cells[np.isnan(values) & ~cells.str.casefold().isin(UNKNOWN).to_numpy()]
    if len(odd):
        kinds = [f"{cell!r} ({n} patients)" for cell, n in Counter(odd).items()]
        raise TableError(
            f"The column {cells.name!r} does not say how much {role} there is: "
            f"{', '.join(kinds[:5])} (e.g. patient {odd.index[0]})",
            f"write one of: {', '.join(WORDS[role])}"
            + f'; or name its codes, like "{role}={cells.name}:grade"'
            * ((role, "grade") in CODES),
        )
    return values


def _words_to_numbers(role: str, cells: Sequence[str]) -> Floats:
    words = WORDS[role]
    folded = [str(cell).casefold().strip() for cell in cells]
    if role == "child_pugh":
        found = [re.search(r"(?<![a-z])([abc])\d*(?![a-z\d])", c) for c in folded]
        folded = [match[1] if match else "" for match in found]
    return np.array([words.get(cell, np.nan) for cell in folded])


def cut_columns(table: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Return categories of numbers, one column "... group" for each text.

    Args:
        table: Cells as typed.
        texts: Like "AFP=20,200" (<=20, (20,200], >200) or "Age=<60" (<60, >=60).

    Raises:
        SettingsError: Not of this form.
        TableError: No such column, or cells that are no numbers.
    """
    made = {}
    for text in texts:
        name, _, limits = (part.strip() for part in text.rpartition("="))
        below = limits.startswith("<")
        try:
            values = sorted({float(limit) for limit in limits.lstrip("<").split(",")})
        except ValueError as error:
            raise SettingsError(
                f"{text!r} does not say where to cut",
                'write it like "AFP=20,200", or "Age=<60" for <60 and >=60',
            ) from error
        numbers = _read("--group", table, Source(name))
        made[f"{name} group"] = scores.cut(numbers, values, below=below)
    return pd.DataFrame(made, index=table.index)
