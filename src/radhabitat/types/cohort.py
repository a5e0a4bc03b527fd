"""Features and outcomes of the same patients in the same order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radhabitat.errors import TableError


class Block(StrEnum):
    """Where a variable comes from; the ladder of models adds one at a time."""

    CLINICAL = "clinical"
    RADIOMICS = "radiomics"
    HABITAT = "habitat"


@dataclass(frozen=True, eq=False)
class Cohort:
    """What a model learns from.

    Build one with `Cohort.from_tables`, which refuses rows that do not match;
    `take` makes resamples, in which a patient may occur more than once.

    Attributes:
        patients: Identifiers, one per row.
        names: Names of the variables, one per column.
        blocks: Where each column comes from.
        values: float64, shape (patients, variables); NaN where missing.
        outcome: int8, shape (patients,); 1 = the event (response).
        event: What 1 means, in words ("response = OR").
        sites: Hospital or scanner of each patient; empty when there is only one.
        reliability: How well each column can be measured twice, shape (variables,),
            higher is better; NaN where nobody knows; None: for no column.
    """

    patients: tuple[str, ...]
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    values: NDArray[np.float64]
    outcome: NDArray[np.int8]
    event: str
    sites: tuple[str, ...] = ()
    reliability: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together.

        Raises:
            TableError: Lengths differ, a variable occurs twice, or the outcome
                holds something else than 0 and 1.
        """
        wanted = (len(self.patients), len(self.names))
        sizes_fit = (
            self.values.shape == wanted
            and len(self.blocks) == wanted[1]
            and self.outcome.shape == wanted[:1]
            and len(self.sites) in (0, wanted[0])
        )
        if not sizes_fit or not np.isin(self.outcome, (0, 1)).all():
            raise TableError(
                f"{wanted[0]} patients and {wanted[1]} variables do not fit values "
                f"of shape {self.values.shape} and {self.outcome.shape} outcomes",
                "build the cohort with Cohort.from_tables",
            )
        if len(set(self.names)) != len(self.names):
            twice = [n for n, c in Counter(self.names).items() if c > 1]
            raise TableError(
                f"The variable {twice[0]!r} occurs more than once",
                "rename or remove one of the columns",
            )

    @staticmethod
    def from_tables(
        features: pd.DataFrame,
        outcome: pd.Series[int],
        blocks: dict[str, Block],
        *,
        event: str,
    ) -> Cohort:
        """Build a cohort from tables whose index is the patient.

        Args:
            features: One row per patient, one numeric column per variable.
            outcome: 0 / 1 per patient, same patients in the same order.
            blocks: Column name -> where it comes from.
            event: What 1 means, in words.

        Raises:
            TableError: A patient occurs twice, or the patients of the two tables
                differ or stand in another order.
        """
        ids = [str(p) for p in features.index]
        twice = [p for p, count in Counter(ids).items() if count > 1]
        if twice:
            raise TableError(
                f"Patient {twice[0]} occurs {ids.count(twice[0])} times",
                "keep one row per patient",
            )
        if ids != [str(p) for p in outcome.index]:
            raise TableError(
                "The outcomes are not of the same patients in the same order as "
                "the features",
                "join both tables by patient first",
            )
        names = tuple(str(c) for c in features.columns)
        return Cohort(
            patients=tuple(ids),
            names=names,
            blocks=tuple(blocks[n] for n in names),
            values=features.to_numpy(dtype=np.float64),
            outcome=np.asarray(outcome, dtype=np.int8),
            event=event,
        )

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def events(self) -> int:
        """Number of patients with the event."""
        return int(self.outcome.sum())

    def take(self, rows: NDArray[np.intp]) -> Cohort:
        """Return the given rows, in that order; a row may be taken twice."""
        return replace(
            self,
            patients=tuple(self.patients[i] for i in rows),
            values=self.values[rows],
            outcome=self.outcome[rows],
            sites=tuple(self.sites[i] for i in rows) if self.sites else (),
        )

    def take_columns(self, columns: NDArray[np.intp]) -> Cohort:
        """Return the given variables, in that order."""
        known = self.reliability
        return replace(
            self,
            names=tuple(self.names[j] for j in columns),
            blocks=tuple(self.blocks[j] for j in columns),
            values=self.values[:, columns],
            reliability=None if known is None else known[columns],
        )

    def columns(self, block: Block) -> NDArray[np.intp]:
        """Return the positions of a block's variables, shape (variables,)."""
        return np.flatnonzero([b == block for b in self.blocks])

    def positions(self, names: tuple[str, ...]) -> NDArray[np.intp]:
        """Return the positions of the named variables.

        Raises:
            TableError: A variable is not in this cohort.
        """
        where = {name: i for i, name in enumerate(self.names)}
        missing = [n for n in names if n not in where]
        if missing:
            raise TableError(
                f"The variable {missing[0]!r} is not in the table",
                "give a table with all variables of the model: " + ", ".join(names),
            )
        return np.array([where[n] for n in names], dtype=np.intp)
