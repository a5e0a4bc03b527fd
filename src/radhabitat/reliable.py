"""Which features can be measured twice: learned without the outcome, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from radhabitat.selection.reliability import coefficient_of_variation, icc
from radhabitat.settings import ReliabilitySettings

Rows = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Patient -> drawing of the tumor (repeat1.., reader2) -> feature row."""


class Reliable(NamedTuple):
    """Which features can be measured twice.

    Attributes:
        columns: The names kept.
        counts: (step, how many were left after it).
        reliability: Of each kept one: ICC between readers, else 1 - CV; NaN: unknown.
    """

    columns: list[str]
    counts: tuple[tuple[str, int], ...]
    reliability: dict[str, float]


def keep_reliable(
    features: pd.DataFrame, repeats: Rows, settings: ReliabilitySettings
) -> Reliable:
    """Return the columns that can be measured twice, and how many stayed per step.

    A feature stays when its coefficient of variation over repeated extraction is
    below `cv_limit` in the middle patient, and, where a second reader drew at least
    three tumors, its ICC(2,1) between readers reaches `icc_limit`. No outcome is
    looked at, so this is done once, outside the resamples.

    Args:
        features: One row per patient, from the first drawing.
        repeats: Rows from other drawings of some patients' tumors.
        settings: The limits.
    """
    columns = list(features.columns)
    counts = [("extracted", len(columns))]
    reliability = dict.fromkeys(columns, float("nan"))
    repeated = [
        [row for name, row in rows.items() if name.startswith("repeat")]
        for rows in repeats.values()
    ]
    if len(repeated) >= 3:
        stack = np.array([[_values(r, columns) for r in rows] for rows in repeated])
        variation = coefficient_of_variation(stack.transpose(1, 0, 2))
        reliability |= dict(zip(columns, (1.0 - variation).tolist(), strict=True))
        columns = [c for c, v in zip(columns, variation, strict=True)
                   if v < settings.cv_limit]  # fmt: skip
        counts.append((f"CV < {settings.cv_limit:.0%} over repeats", len(columns)))
    read_twice = [p for p, rows in repeats.items() if "reader2" in rows]
    if len(read_twice) >= 3:
        first = features.loc[read_twice, columns].to_numpy(dtype=np.float64)
        second = np.array([_values(repeats[p]["reader2"], columns) for p in read_twice])
        agreement = icc(np.stack([first, second])).icc
        reliability |= dict(zip(columns, agreement.tolist(), strict=True))
        columns = [c for c, v in zip(columns, agreement, strict=True)
                   if v >= settings.icc_limit]  # fmt: skip
        counts.append((f"ICC >= {settings.icc_limit:g} between readers", len(columns)))
    return Reliable(columns, tuple(counts), {c: reliability[c] for c in columns})


def _values(row: Mapping[str, float], columns: list[str]) -> list[float]:
    return [row.get(c, float("nan")) for c in columns]
