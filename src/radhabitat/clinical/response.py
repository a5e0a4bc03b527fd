"""Response by mRECIST from measured lesions, by one or more readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from radhabitat.errors import TableError
from radhabitat.types import Estimate

RESPONSES = ("CR", "PR", "SD", "PD")
COLUMNS = ("patient", "lesion", "kind", "baseline_mm", "followup_mm")
KINDS = ("target", "nontarget", "new")
STATES = ("gone", "present", "progress")
_DECREASE, _INCREASE = 0.30, 0.20


@dataclass(frozen=True, eq=False)
class Responses:
    """Responses of patients.

    Attributes:
        table: One row per patient (the index): `reader ...` columns, `response` (empty
            while readers disagree and no third one decided), `objective` (OR or nOR),
            `decided_by`.
        disagreements: Patients that the first two readers see differently.
        kappa: Of these two over CR, PR, SD, PD, and over OR and nOR; None with one
            reader.
    """

    table: pd.DataFrame
    disagreements: tuple[str, ...]
    kappa: tuple[Estimate, Estimate] | None


def respond(lesions: pd.DataFrame) -> Responses:
    """Return the response of each patient.

    Args:
        lesions: Text cells, one row per lesion, with `COLUMNS`. Kind: target,
            nontarget or new. A target lesion has the longest diameter of its viable
            (arterially enhancing) part before and after, in mm; 0: gone; optional
            nadir_mm where an earlier follow-up was smaller. A nontarget lesion has
            gone, present or progress in followup_mm. Optional column reader: the
            first two in alphabetical order are compared, a third one decides where
            they differ.

    Raises:
        TableError: A column is missing, a cell cannot be read, or a lesion or a
            patient is missing for one reader.

    Reference:
        Lencioni and Llovet 2010, Semin Liver Dis 30:52, Tables 2 and 4.
    """
    lacking = [name for name in COLUMNS if name not in lesions.columns]
    if lacking:
        raise TableError(
            f"The table of lesions has no column {', '.join(lacking)}; found: "
            f"{', '.join(map(str, lesions.columns))}",
            f"give the columns {', '.join(COLUMNS)}, and reader where there are two",
        )
    readers = (
        lesions["reader"] if "reader" in lesions else pd.Series("1", lesions.index)
    )
    seen = {
        str(reader): {
            str(patient): _overall(str(patient), of_patient)
            for patient, of_patient in of_reader.groupby("patient", sort=False)
        }
        for reader, of_reader in lesions.groupby(readers)
    }
    return _decide(seen, list(dict.fromkeys(map(str, lesions["patient"]))))


def target_response(before: float, nadir: float, after: float) -> str:
    """Return CR, PR, SD or PD of the sums of viable diameters in mm.

    Args:
        before: At baseline.
        nadir: The smallest since, or `before`.
        after: At follow-up.

    Example:
        >>> target_response(100.0, 100.0, 70.0), target_response(100.0, 60.0, 72.0)
        ('PR', 'PD')
    """
    if after == 0.0:
        return "CR"
    if after >= nadir * (1 + _INCREASE) - 1e-9:
        return "PD"
    return "PR" if after <= before * (1 - _DECREASE) + 1e-9 else "SD"


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> Estimate:
    """Return Cohen's kappa with a 95 % interval; NaN when both say only one thing.

    Reference:
        Cohen 1960, Educ Psychol Meas 20:37; interval: Fleiss, Cohen and Everitt
        1969, Psychol Bull 72:323, eq. 13.
    """
    names = sorted({*first, *second})
    table = pd.crosstab(np.array(first), np.array(second)).reindex(
        index=names, columns=names, fill_value=0
    )
    p = table.to_numpy(np.float64) / max(len(first), 1)
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    chance = float(rows @ columns)
    method = f"Cohen's kappa, {len(first)} patients; interval by Fleiss 1969"
    if not len(first) or chance == 1.0:
        return Estimate(np.nan, np.nan, np.nan, method)
    agreed = float(np.trace(p))
    kappa = (agreed - chance) / (1 - chance)
    weights = (
        rows[np.newaxis, :] + columns[:, np.newaxis]
    )  # p.j of a row, pi. of a column
    on = np.sum(np.diag(p) * (1 - np.diag(weights) * (1 - kappa)) ** 2)
    off = p * weights**2
    off = (1 - kappa) ** 2 * (off.sum() - np.trace(off))
    variance = on + off - (kappa - chance * (1 - kappa)) ** 2
    half = 1.959964 * float(np.sqrt(max(variance, 0.0) / len(first))) / (1 - chance)
    return Estimate(kappa, kappa - half, min(kappa + half, 1.0), method)


def _overall(patient: str, lesions: pd.DataFrame) -> str:
    """Combine target, nontarget and new lesions of one patient and reader."""
    kinds = lesions["kind"].str.casefold().str.replace("-", "")
    odd = lesions["kind"][~kinds.isin(KINDS)]
    if len(odd):
        raise _unreadable(patient, lesions, "kind", odd, f"one of {', '.join(KINDS)}")
    target = lesions[kinds == "target"]
    if target.empty:
        raise TableError(
            f"Patient {patient} has no target lesion",
            "measure one, or leave the patient out",
        )
    before, after = (_millimeters(patient, target, c) for c in COLUMNS[3:])
    if (before <= 0).any():
        odd = target["baseline_mm"][before <= 0]
        raise _unreadable(patient, lesions, "baseline_mm", odd, "more than 0 mm")
    nadir = before.sum()
    if "nadir_mm" in target and (target["nadir_mm"] != "").any():
        nadir = min(nadir, _millimeters(patient, target, "nadir_mm").sum())
    of_targets = target_response(before.sum(), nadir, after.sum())
    others = lesions[kinds == "nontarget"]
    states = others["followup_mm"].str.casefold()
    odd = others["followup_mm"][~states.isin(STATES)]
    if len(odd):
        raise _unreadable(patient, lesions, "followup_mm", odd, " / ".join(STATES))
    if (kinds == "new").any() or (states == "progress").any() or of_targets == "PD":
        return "PD"
    if of_targets == "CR":
        return "CR" if (states == "gone").all() else "PR"
    return of_targets


def _millimeters(patient: str, lesions: pd.DataFrame, column: str) -> pd.Series[float]:
    values = pd.to_numeric(lesions[column], errors="coerce")
    odd = lesions[column][values.isna() | values.lt(0) | values.gt(500)]
    if len(odd):
        raise _unreadable(patient, lesions, column, odd, "a diameter in mm, 0 if gone")
    return values


def _unreadable(
    patient: str, lesions: pd.DataFrame, column: str, odd: Iterable[object], want: str
) -> TableError:
    return TableError(
        f"Patient {patient}: {column} is {next(iter(odd))!r} for one of the "
        f"{len(lesions)} lesions; wanted: {want}",
        "correct this cell of the table of lesions",
    )


def _decide(seen: dict[str, dict[str, str]], patients: list[str]) -> Responses:
    readers = sorted(seen)
    if len(readers) > 3:
        raise TableError(
            f"The table has {len(readers)} readers: {', '.join(readers)}",
            "give one, two, or two and a third who decides",
        )
    for reader in readers[:2]:
        lost = [p for p in patients if p not in seen[reader]]
        if lost:
            raise TableError(
                f"Reader {reader} measured no lesion of {', '.join(lost[:12])}",
                "add the lesions; a third reader's name must come last in the alphabet",
            )
    table = pd.DataFrame({f"reader {r}": pd.Series(seen[r]) for r in readers})
    table = table.reindex(patients).fillna("")
    table.index.name = "patient"
    columns = list(table.columns)
    table["response"], table["decided_by"] = table[columns[0]], "one reader"
    disagreements, kappa = [], None
    if len(readers) > 1:
        first, second = table[columns[0]], table[columns[1]]
        differ = first != second
        disagreements = [str(p) for p in table.index[differ]]
        third = table[columns[2]] if len(readers) == 3 else pd.Series("", table.index)
        table["response"] = first.where(~differ, third)
        decided = np.where(third == "", "to be decided", f"reader {readers[-1]}")
        table["decided_by"] = np.where(differ, decided, "both readers")
        kappa = (
            cohen_kappa(list(first), list(second)),
            cohen_kappa(list(map(_objective, first)), list(map(_objective, second))),
        )
    table.insert(len(columns) + 1, "objective", table["response"].map(_objective))
    return Responses(table, tuple(disagreements), kappa)


def _objective(response: str) -> str:
    if not response:
        return ""
    return "OR" if response in ("CR", "PR") else "nOR"
