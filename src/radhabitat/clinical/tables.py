"""Tables 1 to 3 of a clinical paper as data: for JSON, for sheets, for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
        rest = asdict(self)
        del rest["variable"], rest["level"]
        return {"or": rest.pop("ratio"), **rest, "method": self.method}


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
        for found in self.comparisons:
            first += _flat(found, _cells(found, ("all",)))
            if found.test:
                rows = _flat(found, _cells(found, self.groups))
                rows[0] |= {"p": found.p, "test": found.test, "note": found.note}
                second += rows
        third: list[dict[str, Cell]] = [
            {"model": model, "variable": r.variable, "level": r.level, **r.to_json()}
            for model in ("univariable", "multivariable")
            for r in (self.univariable if model[0] == "u" else self.multivariable)
        ]
        return {
            "table1": _sheet(first),
            "table2": _sheet(second, last=("p", "test", "note")),
            "table3": pd.DataFrame(third),
            "notes": pd.DataFrame({"note": [*RULES, *self.notes]}),
        }


def _cells(
    found: Comparison, groups: Sequence[str]
) -> dict[str, dict[str, dict[str, Cell]]]:
    """Return level -> group -> what is known; all patients, or those by outcome."""
    whole = len(groups) == 1
    if found.numbers:
        parts = found.numbers[:1] if whole else found.numbers[1:]
        about = [dict[str, Cell](part._asdict()) for part in parts]
        return {"": dict(zip(groups, about, strict=True))}
    counts = [(sum(c),) if whole else c for c in found.counts]
    totals = [max(sum(column), 1) for column in zip(*counts, strict=True)]
    return {
        level: {
            group: {"n": n, "percent": 100 * n / total}
            for group, n, total in zip(groups, of_it, totals, strict=True)
        }
        for level, of_it in zip(found.levels, counts, strict=True)
    }


def _flat(
    found: Comparison, cells: Mapping[str, Mapping[str, Mapping[str, Cell]]]
) -> list[dict[str, Cell]]:
    rows = []
    for level, of in cells.items():
        row: dict[str, Cell] = {"variable": found.name, "missing": found.missing}
        row["level"] = level
        for group, known in of.items():
            row |= {f"{group}: {name}": value for name, value in known.items()}
        rows.append(row)
    return rows


def _sheet(rows: list[dict[str, Cell]], *, last: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows as a table; counts stay whole beside empty cells."""
    table = pd.DataFrame(rows)
    ends = [name for name in last if name in table]
    table = table[[*table.columns.difference(ends, sort=False), *ends]]
    counts = [name for name in table.columns if str(name).endswith(": n")]
    return table.astype(dict.fromkeys(counts, "Int64"))


def _described(found: Comparison) -> dict[str, object]:
    cells = {level: of["all"] for level, of in _cells(found, ("all",)).items()}
    if found.numbers:
        shown = "mean and SD" if found.normal else "median and quartiles"
        return {"missing": found.missing, "shown": shown, **cells[""]}
    return {"missing": found.missing, "levels": cells}


def _compared(found: Comparison) -> dict[str, object]:
    names = ("test", "p", "p_chi2", "p_exact", "min_expected", "note", "missing")
    cells = _cells(found, ("event", "no_event"))
    about = {name: getattr(found, name) for name in names}
    return {**about, **(cells[""] if found.numbers else {"levels": cells})}


def _by_variable(rows: Sequence[OddsRow]) -> dict[str, dict[str, dict[str, Cell]]]:
    return {
        name: {row.level: row.to_json() for row in of_it}
        for name, of_it in groupby(rows, key=lambda row: row.variable)
    }
