"""clinical_tables: Tables 1 to 3 of a study from its clinical candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.clinical.columns import (
    Column,
    Floats,
    check_references,
    parse_references,
    read_column,
)
from radhabitat.clinical.comparison import Comparison, compare, in_order
from radhabitat.clinical.tables import PER_UNIT, ClinicalTables, OddsRow
from radhabitat.errors import TableError
from radhabitat.models.firth import separated
from radhabitat.models.odds import OddsRatios, odds_ratios

Outcome = NDArray[np.int8]

P_LIMIT = 0.05
_FEWEST_EVENTS = 10
_FIRTH = (
    "Given instead, marked Firth: the penalized likelihood of Firth (Biometrika "
    "1993;80:27), with profile intervals (Heinze and Schemper, Stat Med 2002;21:2409); "
    "nothing where a model has more coefficients than patients of the rarer outcome."
)


class _Model(NamedTuple):
    """Variables in one model: its rows of Table 3, and p of all columns together."""

    rows: tuple[OddsRow, ...]
    p_all: float


def clinical_tables(
    candidates: pd.DataFrame,
    outcome: pd.Series[int],
    *,
    event: str,
    references: Sequence[str] = (),
    multivariable: Literal["significant", "all"] = "significant",
) -> ClinicalTables:
    """Describe patients, compare them by outcome, and give odds ratios.

    Args:
        candidates: Raw text or numbers, one row per patient (the index).
        outcome: 1 = the event, 0 = not; only patients whose outcome is known.
        event: What 1 means, in words ("response = OR").
        references: Reference levels, like "Ascites=Yes"; else as in `read_column`.
        multivariable: The joint model holds the variables with p < 0.05 alone, as
            published, or all of them.

    Raises:
        TableError: Nobody has, or everybody has the event; a reference names a
            variable or level that is not there.
        SettingsError: A reference without =.
    """
    wanted = parse_references(references)
    check_references(wanted, candidates.columns)
    patients = [p for p in outcome.index if p in candidates.index]
    y: Outcome = np.array(outcome.loc[patients], dtype=np.int8)
    if y.min(initial=1) == y.max(initial=0):
        raise TableError(
            f"{y.sum()} of {len(y)} patients have the event ({event})",
            "give patients with and without the event",
        )
    columns = [
        read_column(str(name), cells, reference=wanted.get(str(name)), coded=True)
        for name, cells in candidates.loc[patients].items()
    ]
    comparisons = tuple(compare(column, y) for column in columns)
    alone = {
        column.name: _alone(column, y, found)
        for column, found in zip(columns, comparisons, strict=True)
        if found.test
    }
    chosen = [c for c in columns if c.name in alone]
    if multivariable == "significant":
        chosen = [c for c in chosen if alone[c.name].p_all < P_LIMIT]
    joint, notes = _joint(chosen, y)
    return ClinicalTables(
        event,
        len(y),
        int(y.sum()),
        comparisons,
        tuple(row for model in alone.values() for row in model.rows),
        joint,
        (*_about_cells(comparisons), *_about_alone(alone, multivariable), *notes),
    )


def _alone(column: Column, outcome: Outcome, found: Comparison) -> _Model:
    """Fit one variable; each level with the reference, as the joint fit would give.

    Where the variable separates the outcomes, p is that of Table 2.
    """
    design, levels = _design(column)
    known = ~np.isnan(column.values)
    whole = _fit(design[known], outcome[known])
    rows = []
    for place, level in enumerate(levels):
        here = known
        if column.levels:
            others = np.delete(design, place, axis=1) == 1
            here = known & ~others.any(axis=1)
        one = _fit(design[here][:, [place]], outcome[here])
        rows.append(_row(column, level, one, 0, outcome[known]))
    return _Model(tuple(rows), found.p if whole.problem else whole.p_all)


def _fit(values: Floats, outcome: Outcome) -> OddsRatios:
    """Return the odds ratios; one outcome alone is separation, too."""
    if outcome.min() == outcome.max():
        unknown = np.full(values.shape[1], np.nan)
        return OddsRatios("separated", unknown, unknown, unknown, unknown, np.nan)
    return odds_ratios(values, outcome)


def _joint(
    columns: Sequence[Column], outcome: Outcome
) -> tuple[tuple[OddsRow, ...], list[str]]:
    """Fit several variables together on the patients who have all of them."""
    if not columns:
        return (), ["Multivariable: no variable was taken, so there is no model."]
    designs = [_design(column) for column in columns]
    known = ~np.isnan([column.values for column in columns]).any(axis=0)
    y, blocks = outcome[known], [design[known] for design, _ in designs]
    if len(y) < 3 or y.min() == y.max():
        few = f"Multivariable: {len(y)} patients have all values, {y.sum()} the event"
        return (), [f"{few}: too few for a model."]
    fit = _fit(np.hstack(blocks), y)
    rows, place = [], 0
    for column, (_, levels) in zip(columns, designs, strict=True):
        for level in levels:
            rows.append(_row(column, level, fit, place, y))
            place += 1
    notes = [_about_joint(len(y), int(y.sum()), place, len(outcome))]
    if fit.problem:
        notes.append(_about_problem(columns, blocks, y, fit.problem))
    return tuple(rows), notes


def _about_joint(patients: int, events: int, columns: int, of_all: int) -> str:
    words = (
        f"Multivariable: {patients} of {of_all} patients have all values, {events} "
        f"of them the event; {columns} coefficient{'s' if columns > 1 else ''}."
    )
    fewest = min(events, patients - events)
    if fewest < _FEWEST_EVENTS * columns:
        words += (
            f" That is {fewest / columns:.1f} patients of the rarer outcome for each; "
            f"fewer than {_FEWEST_EVENTS} make odds ratios unreliable "
            "(Peduzzi et al. 1996, J Clin Epidemiol 49:1373)."
        )
    return words


def _about_problem(
    columns: Sequence[Column], blocks: Sequence[Floats], y: Outcome, what: str
) -> str:
    """Name the variables that separate the outcomes, or follow from those before."""
    if what == "separated":
        owner = [
            c.name for c, block in zip(columns, blocks, strict=True) for _ in block.T
        ]
        guilty = dict.fromkeys(owner[n] for n in separated(np.hstack(blocks), y))
        return (
            f"Multivariable: separated by {', '.join(guilty) or 'several variables'}: "
            "some combination of values occurs with one outcome only, and the odds "
            f"ratios of maximum likelihood are infinite. {_FIRTH}"
        )
    follows, kept, rank = [], np.ones((len(y), 1)), 1
    for column, block in zip(columns, blocks, strict=True):
        kept = np.hstack([kept, block[:, np.ptp(block, axis=0) > 0]])
        if np.linalg.matrix_rank(kept) < kept.shape[1]:
            follows.append(column.name)
            kept = kept[:, :rank]
        rank = kept.shape[1]
    return (
        f"Multivariable: not estimable, because {', '.join(follows)} can be computed "
        "from the variables before in these patients; leave it out."
    )


def _design(column: Column) -> tuple[Floats, list[str]]:
    """Return columns of a model, shape (patients, levels - 1), and their levels."""
    if not column.levels:
        return column.values[:, np.newaxis], [PER_UNIT]
    order = [n for n in in_order(column.levels) if n != column.reference]
    dummies = np.column_stack([column.values == n for n in order])
    return dummies.astype(np.float64), [column.levels[n] for n in order]


def _row(
    column: Column, level: str, fit: OddsRatios, place: int, outcome: Outcome
) -> OddsRow:
    return OddsRow(
        column.name,
        level,
        column.levels[column.reference] if column.levels else "",
        float(fit.ratio[place]),
        float(fit.low[place]),
        float(fit.high[place]),
        float(fit.p[place]),
        fit.problem or ("absent" if np.isnan(fit.p[place]) else ""),
        patients=len(outcome),
        events=int(outcome.sum()),
    )


def _about_cells(comparisons: Sequence[Comparison]) -> list[str]:
    gaps = [f"{c.name} {c.missing}" for c in comparisons if c.missing]
    unused = [f"{c.name} ({c.unused})" for c in comparisons if c.unused]
    notes = []
    if gaps:
        words = "Patients without a value, left out where it is needed: "
        notes.append(words + ", ".join(gaps) + ".")
    if unused:
        notes.append(f"Not compared: {', '.join(unused)}.")
    return notes


def _about_alone(alone: Mapping[str, _Model], taken: str) -> list[str]:
    rows = [row for model in alone.values() for row in model.rows]
    infinite = [f"{r.variable} {r.level}" for r in rows if r.problem]
    notes = [
        "Odds ratios are of the event, each variable alone and then together, by "
        "logistic regression with Wald's 95 % interval; the joint model holds "
        + (
            f"the variables with p < {P_LIMIT:g} alone (all levels of a variable "
            "together), which favors chance findings."
            if taken == "significant"
            else "all variables."
        )
    ]
    if infinite:
        notes.append(
            f"Separated: {', '.join(infinite)}: only one outcome occurs on one side, "
            "so the odds ratio of maximum likelihood is infinite or 0; the p-value "
            f"that decides on the joint model is that of Table 2. {_FIRTH}"
        )
    return notes
