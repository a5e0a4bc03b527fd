"""How far habitats and their features move when a tumor is measured again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from radhabitat.errors import InputError
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.tables import write_table
from radhabitat.selection.reliability import coefficient_of_variation, icc
from radhabitat.settings import Perturbation
from radhabitat.steps.repeated import Repeat

Row = Mapping[str, float]

STABLE = 0.8


def stability_plans(repeats: int) -> dict[str, tuple[str, ...]]:
    """Return name of a repeat -> its one kind of change: shift1, shift2, size1 ..."""
    return {
        f"{kind}{n}": (kind,)
        for kind in get_args(Perturbation)
        for n in range(1, repeats + 1)
    }


def write_stability(
    first: Mapping[str, Row],
    repeats: Mapping[str, Mapping[str, Repeat]],
    results: ResultsLayout,
) -> Path:
    """Write stability.csv (kind x region) and stability_features.csv; return the first.

    Args:
        first: Patient -> the feature row that the study uses.
        repeats: The same patients -> name of a repeat -> what was found.
        results: Where to write.

    Raises:
        InputError: Fewer than three patients.
        StorageError: The disk is full, or the folder is read-only.
    """
    need_three(len(repeats))
    kinds = [k for k in (*get_args(Perturbation), "reader") if _names(repeats, k)]
    features = {kind: _feature_table(first, repeats, kind) for kind in kinds}
    summary = {n: r for k in kinds for n, r in _summary(repeats, features[k], k)}
    long = pd.concat(
        [table.add_prefix(f"{kind}_") for kind, table in features.items()], axis=1
    )
    write_table(results.stability_features, long, index="feature")
    write_table(results.stability, summary, index="change_and_region")
    return results.stability


def need_three(patients: int) -> None:
    """Refuse fewer patients than an ICC needs.

    Raises:
        InputError: Fewer than three.
    """
    if patients < 3:
        raise InputError(
            f"{patients} patients can be measured again; stability needs three",
            "raise reliability.patients in study.toml, or add patients",
        )


def _names(repeats: Mapping[str, Mapping[str, Repeat]], kind: str) -> list[str]:
    """Return the repeats of a kind that at least three patients have."""
    found = [
        n for one in repeats.values() for n in one if n.rstrip("0123456789") == kind
    ]
    return sorted({n for n in found if found.count(n) >= 3})


def _feature_table(
    first: Mapping[str, Row], repeats: Mapping[str, Mapping[str, Repeat]], kind: str
) -> pd.DataFrame:
    """Return ICC(2,1) and coefficient of variation of every feature, over a kind."""
    names = _names(repeats, kind)
    patients = [p for p, one in repeats.items() if all(n in one for n in names)]
    columns = list(first[patients[0]])
    values = np.array(
        [
            [[row.get(c, np.nan) for c in columns] for row in rows]
            for rows in (
                [first[p] for p in patients],
                *([repeats[p][n].row for p in patients] for n in names),
            )
        ]
    )
    return pd.DataFrame(
        {"icc": icc(values).icc, "cv": coefficient_of_variation(values)}, index=columns
    )


def _summary(
    repeats: Mapping[str, Mapping[str, Repeat]], features: pd.DataFrame, kind: str
) -> Iterator[tuple[str, dict[str, float]]]:
    """Give a name and the numbers of the whole tumor, then of each habitat."""
    names = _names(repeats, kind)
    dice = np.array(
        [one[n].dice for one in repeats.values() for n in names if n in one]
    )
    for habitat in range(dice.shape[1] + 1):
        region = f"_Habitat_{habitat}_" if habitat else "_Original_"
        own = features[features.index.str.contains(region, regex=False)]
        icc = own["icc"].dropna()
        numbers = {
            "features": len(own),
            "icc_median": icc.median(),
            "icc_stable_share": (icc >= STABLE).mean(),
            "cv_median": own["cv"].median(),
        }
        if habitat:
            overlap = dice[np.isfinite(dice[:, habitat - 1]), habitat - 1]
            if len(overlap):
                numbers["dice_median"] = np.median(overlap)
                numbers["dice_5th_percentile"] = np.quantile(overlap, 0.05)
        where = f"Habitat {habitat}" if habitat else "tumor"
        yield f"{kind}: {where}", {n: float(v) for n, v in numbers.items()}
