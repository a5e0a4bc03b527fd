"""Tables 1 to 3 of a clinical paper as data: for JSON, for sheets, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import pandas as pd

from radhabitat.clinical.comparison import RULES, Comparison

PER_UNIT = "per 1"
"""The "level" of a variable that is a number: its odds ratio is per unit."""

Cell = str | int | float | None


@dataclass(frozen=True)
class OddsRow:
    """The odds ratio of one level of a variable, in one model.

    Attributes:
        variable: Its name.
        level: A category, or `PER_UNIT`.
        reference: The category it is compared with; empty for numbers.
        ratio, low, high, p: Odds ratio, 95 % interval, p; NaN where there is none.
        problem: "separated": infinite by maximum likelihood, given with Firth's
            penalty where that is possible; "collinear": known from other variables;
            "absent": no patient of the model has this level.
        patients: With all values known, in the model.
        events: Of them.
    """

    variable: str
    level: str
    reference: str
    ratio: float
    low: float
    high: float
    p: float
    problem: Literal["", "separated", "collinear", "absent"]
    patients: int
    events: int

    @property
    def method(self) -> str:
        """How it was obtained."""
        if self.p != self.p:
            return ""
        return "Firth" if self.problem == "separated" else "Wald"

    def to_json(self) -> dict[str, Cell]:
        """Return a JSON object."""
        return {
            "or": self.ratio,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "problem": self.problem,
            "method": self.method,
            "reference": self.reference,
            "patients": self.patients,
            "events": self.events,
        }


@dataclass(frozen=True)
class ClinicalTables:
    """Who the patients are, and what goes along with the event.

    Attributes:
        event: What the event is ("response = OR").
        patients: With a known outcome.
        events: Of them.
        comparisons: Tables 1 and 2, one per variable.
        univariable: Table 3, each variable alone.
        multivariable: Table 3, the chosen variables together.
        notes: What a reader must know: rules, missing values, separation.
    """

    event: str
    patients: int
    events: int
    comparisons: tuple[Comparison, ...]
    univariable: tuple[OddsRow, ...]
    multivariable: tuple[OddsRow, ...]
    notes: tuple[str, ...]

    @property
    def groups(self) -> tuple[str, str]:
        """Headers of the patients with and without the event."""
        event = self.event.rpartition(" = ")[2]
        if event == "1":
            return self.event, self.event.replace(" = ", " not ")
        return event, f"not {event}"

    def to_json(self) -> dict[str, object]:
        """Return a JSON object: table1 to table3 by variable, then by level."""
        return {
            "event": self.event,
            "patients": self.patients,
            "events": self.events,
            "table1": {c.name: _described(c) for c in self.comparisons},
            "table2": {c.name: _compared(c) for c in self.comparisons if c.test},
            "table3": {
                "univariable": _by_variable(self.univariable),
                "multivariable": _by_variable(self.multivariable),
            },
            "not_compared": {c.name: c.unused for c in self.comparisons if c.unused},
            "rules": list(RULES),
            "notes": list(self.notes),
        }

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return Tables 1 to 3 and the notes; what is a number is one."""
        first: list[dict[str, Cell]] = []
        second: list[dict[str, Cell]] = []
        third: list[dict[str, Cell]] = []
        for found in self.comparisons:
            first += _sheet_rows(found, ("all",))
            if found.test:
                rows = _sheet_rows(found, self.groups)
                p: dict[str, Cell] = {
                    "p": found.p,
                    "test": found.test,
                    "note": found.note,
                }
                second += [
                    {**row, **(p if not n else {})} for n, row in enumerate(rows)
                ]
        for model in ("univariable", "multivariable"):
            rows_of: tuple[OddsRow, ...] = getattr(self, model)
            for row in rows_of:
                who: dict[str, Cell] = {"variable": row.variable, "level": row.level}
                third.append({"model": model, **who, **row.to_json()})
        return {
            "table1": _sheet(first),
            "table2": _sheet(second),
            "table3": _sheet(third),
            "notes": pd.DataFrame({"note": [*RULES, *self.notes]}),
        }


def _sheet(rows: list[dict[str, Cell]]) -> pd.DataFrame:
    """Return rows as a table; counts stay whole beside empty cells."""
    table = pd.DataFrame(rows)
    ends = [c for c in ("p", "test", "note") if c in table and "or" not in table]
    table = table[[*table.columns.difference(ends, sort=False), *ends]]
    counts = [name for name in table.columns if str(name).endswith(": n")]
    return table.astype(dict.fromkeys(counts, "Int64"))


def _described(found: Comparison) -> dict[str, object]:
    if found.numbers:
        shown = "mean and SD" if found.normal else "median and quartiles"
        return {"missing": found.missing, "shown": shown, **found.numbers[0]._asdict()}
    known = sum(map(sum, found.counts))
    levels = {
        level: {"n": sum(counts), "percent": 100 * sum(counts) / known}
        for level, counts in zip(found.levels, found.counts, strict=True)
    }
    return {"missing": found.missing, "levels": levels}


def _compared(found: Comparison) -> dict[str, object]:
    about: dict[str, object] = {
        "p": found.p,
        "test": found.test,
        "missing": found.missing,
    }
    if found.numbers:
        event, other = (numbers._asdict() for numbers in found.numbers[1:])
        return {**about, "event": event, "no_event": other}
    levels = {
        level: {"event": with_it, "no_event": without}
        for level, (with_it, without) in zip(found.levels, found.counts, strict=True)
    }
    return {
        **about,
        "p_chi2": found.p_chi2,
        "p_exact": found.p_exact,
        "min_expected": found.min_expected,
        "note": found.note,
        "levels": levels,
    }


def _by_variable(rows: Sequence[OddsRow]) -> dict[str, dict[str, dict[str, Cell]]]:
    return {
        name: {row.level: row.to_json() for row in of_it}
        for name, of_it in groupby(rows, key=lambda row: row.variable)
    }


def _sheet_rows(found: Comparison, groups: Sequence[str]) -> list[dict[str, Cell]]:
    """Return a row per level, or one of a number; columns begin with the group."""
    whole = len(groups) == 1
    about: dict[str, Cell] = {"variable": found.name, "missing": found.missing}
    if found.numbers:
        row: dict[str, Cell] = {**about, "level": ""}
        parts = found.numbers[:1] if whole else found.numbers[1:]
        for group, numbers in zip(groups, parts, strict=True):
            row |= {f"{group}: {k}": v for k, v in numbers._asdict().items()}
        return [row]
    counts = [(sum(c),) if whole else c for c in found.counts]
    totals = [max(sum(column), 1) for column in zip(*counts, strict=True)]
    rows: list[dict[str, Cell]] = []
    for level, of_it in zip(found.levels, counts, strict=True):
        row = {**about, "level": level}
        for group, n, total in zip(groups, of_it, totals, strict=True):
            row |= {f"{group}: n": n, f"{group}: %": 100 * n / total}
        rows.append(row)
    return rows
