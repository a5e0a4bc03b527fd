"""Scores of liver function, inflammation and stage, from values with units.

All functions take and give one value per patient; NaN (None in grades) is unknown,
and stays unknown in what needs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import TableError

Floats = NDArray[np.float64]

UNITS = {
    "bilirubin": {"umol/L": 1.0, "mg/dL": 17.104},
    "albumin": {"g/L": 1.0, "g/dL": 10.0},
    "afp": {"ng/mL": 1.0, "ug/L": 1.0, "IU/mL": 1.21},
    "crp": {"mg/L": 1.0, "mg/dL": 10.0},
    "diameter": {"mm": 1.0, "cm": 10.0},
    "coagulation": {"INR": 1.0, "s": 1.0},
}
"""Quantity -> unit -> what turns it into the first unit; INR and seconds of
prolongation are different quantities."""

POSSIBLE = {
    "bilirubin": (1.0, 1200.0),
    "albumin": (10.0, 70.0),
    "afp": (0.0, 5e7),
    "crp": (0.0, 600.0),
    "diameter": (2.0, 400.0),
    "INR": (0.5, 20.0),
    "s": (-10.0, 120.0),
}
"""What a patient can have, in the first unit."""

USUAL = {"bilirubin": (4.0, 140.0), "diameter": (8.0, 250.0)}
"""Where the middle of a cohort lies, in the first unit."""


def to_first_unit(
    quantity: str, values: Floats, unit: str, *, column: str, patients: Sequence[str]
) -> Floats:
    """Return values in the first unit of a quantity in `UNITS`.

    Args:
        quantity: A key of `UNITS`.
        values: One per patient; NaN: unknown.
        unit: Of the values.
        column: Their name, for messages.
        patients: Their ids, for messages.

    Raises:
        TableError: Another unit, values no patient can have in that unit, or a
            cohort whose middle lies elsewhere: the unit is wrong.
    """
    units = UNITS[quantity]
    if unit not in units:
        given = f"the unit {unit!r}" if unit else "no unit"
        raise TableError(
            f"{quantity} in the column {column!r} has {given}; wanted: "
            f"{' or '.join(units)}",
            f'write it like "{quantity}={column}:{next(iter(units))}"',
        )
    found = values * units[unit]
    low, high = POSSIBLE.get(quantity) or POSSIBLE[unit]
    limits = f"{low / units[unit]:.4g} to {high / units[unit]:.4g} {unit}"
    fix = "correct the unit; units known for it: " + ", ".join(units)
    bad = (found < low) | (found > high)
    if bad.any():
        who = [f"{patients[n]}: {values[n]:g}" for n in np.flatnonzero(bad)]
        raise TableError(
            f"{quantity} in the column {column!r} cannot be in {unit} for "
            f"{', '.join(who[:5])}{' ...' if len(who) > 5 else ''} ({len(who)} of "
            f"{np.count_nonzero(~np.isnan(values))}; possible: {limits})",
            f"{fix}; or correct these cells",
        )
    low, high = USUAL.get(quantity, (-np.inf, np.inf))
    known = np.flatnonzero(~np.isnan(found))
    middle = float(np.median(found[known])) if len(known) else low
    if len(known) and not low <= middle <= high:
        others = [
            other
            for other, factor in units.items()
            if low <= middle / units[unit] * factor <= high
        ]
        raise TableError(
            f"{quantity} in the column {column!r} has the median "
            f"{middle / units[unit]:.3g}, which is not in {unit}"
            f"{' but looks like ' + others[0] if others else ''} (e.g. patient "
            f"{patients[known[0]]}: {values[known[0]]:g})",
            fix,
        )
    return found


def albi_score(bilirubin: Floats, albumin: Floats) -> Floats:
    """Return the albumin-bilirubin score; lower is better.

    Args:
        bilirubin: In umol/L.
        albumin: In g/L.

    Reference:
        Johnson et al. 2015, J Clin Oncol 33:550.

    Example:
        >>> albi_score(np.array([17.1]), np.array([40.0])).round(3)
        array([-2.586])
    """
    score: Floats = 0.66 * np.log10(bilirubin) - 0.085 * albumin
    return score


def albi_grade(score: Floats) -> Floats:
    """Return ALBI grade 1 (<= -2.60), 2 (<= -1.39) or 3 (Johnson et al. 2015)."""
    # the limits are printed with two decimals, sums of decimals are not exact
    return _grades(score, (-2.60 + 1e-9, -1.39 + 1e-9))


def child_pugh_points(
    lab: tuple[Floats, Floats, Floats],
    ascites: Floats,
    encephalopathy: Floats,
    *,
    seconds: bool = False,
) -> Floats:
    """Return the points of Child and Pugh, 5 to 15; more are worse.

    Args:
        lab: Bilirubin in umol/L, albumin in g/L, and INR.
        ascites: 1 none, 2 slight, 3 moderate or more.
        encephalopathy: 1 none, 2 grade 1 or 2, 3 grade 3 or 4.
        seconds: The third is prothrombin time prolonged by seconds instead of INR.

    Reference:
        Pugh et al. 1973, Br J Surg 60:646 (bilirubin 2 and 3 mg/dL, albumin 3.5 and
        2.8 g/dL, 4 and 6 s); INR 1.7 and 2.3: Lucey et al. 1997, Liver Transpl
        Surg 3:628.
    """
    bilirubin, albumin, clotting = lab
    low, high = (4.0, 6.0) if seconds else (1.7, 2.3)
    points = (
        _points(bilirubin / UNITS["bilirubin"]["mg/dL"], 2.0, 3.0)
        + _points(-albumin, -35.0, -28.0)
        + _points(clotting, low, high)
    )
    return points + ascites + encephalopathy


def child_pugh_class(points: Floats) -> list[str]:
    """Return A (5-6), B (7-9) or C (10-15); empty where unknown."""
    return ["" if p != p else "ABC"[int((p > 6) + (p > 9))] for p in points.tolist()]


def crafity(afp: Floats, crp: Floats) -> Floats:
    """Return the CRAFITY score, 0 to 2: AFP >= 100 ng/mL and CRP >= 1 mg/dL.

    Args:
        afp: In ng/mL.
        crp: In mg/L.

    Reference:
        Scheiner et al. 2022, J Hepatol 76:353.
    """
    unknown = np.isnan(afp) | np.isnan(crp)
    return np.where(unknown, np.nan, (afp >= 100.0) * 1.0 + (crp >= 10.0))


def neutrophil_lymphocyte_ratio(neutrophils: Floats, lymphocytes: Floats) -> Floats:
    """Return neutrophils per lymphocyte; both counted in the same unit.

    Reference:
        Zahorec 2001, Bratisl Lek Listy 102:5.
    """
    ratio: Floats = neutrophils / np.where(lymphocytes > 0, lymphocytes, np.nan)
    return ratio


def bclc_stage(
    general: tuple[Floats, Sequence[str]],
    spread: tuple[Floats, Floats],
    tumors: tuple[Floats, Floats],
) -> list[tuple[str, str]]:
    """Return (BCLC stage, what was missing) of each patient; one of them is empty.

    A stage is given as soon as what is known leaves no other: extrahepatic spread
    makes C without a count of nodules, but not without performance status, which
    could make it D. Child-Pugh C counts as end-stage liver function.

    Args:
        general: ECOG performance status, and Child-Pugh class (empty: unknown).
        spread: Vascular invasion and extrahepatic spread, 0 or 1.
        tumors: Number of nodules (1.5: more than one, not counted), and the largest
            diameter in mm.

    Reference:
        Reig et al. 2022, J Hepatol 76:681.
    """
    ecog, liver = general
    rows = zip(ecog, liver, *spread, *tumors, strict=True)
    return [_bclc(*row) for row in rows]


def _bclc(
    ecog: float, liver: str, vessel: float, spread: float, nodules: float, size: float
) -> tuple[str, str]:
    if ecog >= 3 or liver == "C":
        return "D", ""
    general = {"performance status": ecog != ecog, "Child-Pugh class": not liver}
    if any(general.values()):
        return "", _missing(general)
    if vessel == 1 or spread == 1 or ecog >= 1:
        return "C", ""
    invasion = {"vascular invasion": vessel != vessel, "metastasis": spread != spread}
    if any(invasion.values()):
        return "", _missing(invasion)
    return _early_or_intermediate(nodules, size, liver)


def _early_or_intermediate(nodules: float, size: float, liver: str) -> tuple[str, str]:
    if nodules > 3:
        return "B", ""
    if not nodules >= 1:
        return "", "number of tumors"
    if nodules == 1 and liver != "A":
        return "A", ""
    if size != size:
        return "", "diameter"
    if nodules == 1:
        return ("0", "") if size <= 20.0 else ("A", "")
    if size > 30.0:
        return "B", ""
    return ("", "number of tumors") if nodules == 1.5 else ("A", "")


def cut(values: Floats, limits: Sequence[float], *, below: bool = False) -> list[str]:
    """Return categories named by their limits; empty where the value is unknown.

    Args:
        values: One per patient.
        limits: Rising.
        below: A limit belongs to the upper category: "<3" and ">=3" instead of
            "<=3" and ">3".

    Example:
        >>> cut(np.array([20.0, 21.0, 500.0]), (20, 200))
        ['<=20', '(20,200]', '>200']
    """
    texts = [f"{limit:g}" for limit in limits]
    inner = [(f"[{a},{b})" if below else f"({a},{b}]") for a, b in pairwise(texts)]
    first, last = ("<", ">=") if below else ("<=", ">")
    names = [first + texts[0], *inner, last + texts[-1]]
    places = np.searchsorted(limits, values, side="right" if below else "left")
    known = ~np.isnan(values)
    return [names[n] if k else "" for n, k in zip(places, known, strict=True)]


def _grades(values: Floats, limits: tuple[float, float]) -> Floats:
    """Return 1 up to the first limit, 2 up to the second, else 3."""
    grade = 1.0 + (values > limits[0]) + (values > limits[1])
    return np.where(np.isnan(values), np.nan, grade)


def _points(values: Floats, two: float, three: float) -> Floats:
    """Return 1 point below `two`, 2 up to `three`, 3 above it."""
    grade = 1.0 + (values >= two - 1e-9) + (values > three + 1e-9)
    return np.where(np.isnan(values), np.nan, grade)


def _missing(unknown: dict[str, bool]) -> str:
    return " and ".join(name for name, gone in unknown.items() if gone)
