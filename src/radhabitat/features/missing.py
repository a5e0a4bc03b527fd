"""Why a feature is missing, and which gray levels deserve a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from math import isnan

SENSIBLE_LEVELS = range(16, 129)
"""Gray levels of a region for which PyRadiomics' authors recommend its texture."""

_COLUMN = re.compile(
    r"(?P<where>.*)(?P<family>shape|firstorder|glcm|gldm|glrlm|glszm|ngtdm)"
    r"_(?P<name>[A-Za-z0-9]+)"
)


class Reason(StrEnum):
    """Why a feature is not computable, hence NaN."""

    ABSENT = "the region has no voxel"
    ONE_VOXEL = "the region is a single voxel"
    EQUAL = "all intensities are equal"
    ONE_BIN = "all intensities lie in one bin"
    TOO_FEW = "no voxel lies between the percentiles"
    NO_NEIGHBORS = "no two voxels are neighbors"
    NO_LINE = "no line meets the region twice"
    ONE_LEVEL_EACH = "every direction meets one gray level only"
    NO_DIFFERENCE = "no voxel differs from its neighbors"
    BALANCED = "its denominator is 0"


_OF_LEVELS = ("Entropy", "Uniformity")
_OF_NEIGHBORS = {"glcm": Reason.ONE_LEVEL_EACH, "ngtdm": Reason.NO_DIFFERENCE}
_SINGLE = {
    "RobustMeanAbsoluteDeviation": Reason.TOO_FEW,
    "Skewness": Reason.EQUAL,
    "Kurtosis": Reason.EQUAL,
    "Busyness": Reason.BALANCED,
}


def why_missing(row: Mapping[str, float]) -> dict[str, Reason]:
    """Tell for each missing feature of a row why it could not be computed.

    Args:
        row: Column -> value, with all first-order features of each region; columns
            that are no radiomic feature are passed over.

    Returns:
        Column -> reason, for the columns that are NaN.

    Example:
        >>> row = {"firstorder_Mean": 0.5, "firstorder_Variance": 0.0}
        >>> row |= {"firstorder_Entropy": float("nan")}
        >>> print(why_missing(row)["firstorder_Entropy"])
        all intensities are equal
    """
    found: dict[str, Reason] = {}
    for column, value in row.items():
        match = _COLUMN.fullmatch(column) if isnan(value) else None
        if match is not None:
            found[column] = _reason(match["where"], match["family"], match["name"], row)
    return found


def _reason(where: str, family: str, name: str, row: Mapping[str, float]) -> Reason:
    if isnan(row[f"{where}firstorder_Mean"]):
        return Reason.ABSENT
    if family == "shape":
        return Reason.ONE_VOXEL
    needs_levels = family != "firstorder" or name in _OF_LEVELS
    if needs_levels and isnan(row[f"{where}firstorder_Entropy"]):
        equal = row[f"{where}firstorder_Variance"] == 0.0
        return Reason.EQUAL if equal else Reason.ONE_BIN
    if family in _OF_NEIGHBORS and isnan(row[f"{where}{family}_Contrast"]):
        return Reason.NO_NEIGHBORS
    return _SINGLE.get(name) or _OF_NEIGHBORS.get(family, Reason.NO_LINE)


def remarks(row: Mapping[str, float], levels: Mapping[str, int]) -> list[str]:
    """Say in words what is missing from a row, and where gray levels are few or many.

    Args:
        row: As for `why_missing`.
        levels: `..._gray_levels` -> how many occur in that region; 0 if absent.
    """
    unusual = [
        f"{name.removesuffix('_gray_levels')} {count}"
        for name, count in levels.items()
        if count > 1 and count not in SENSIBLE_LEVELS
    ]
    words = []
    if unusual:
        words.append(
            "Few or many gray levels (16 to 128 are sensible for texture): "
            + ", ".join(unusual)
        )
    places: dict[Reason, list[str]] = {}
    for column, reason in why_missing(row).items():
        places.setdefault(reason, []).append(_place(column))
    return words + [
        f"Not computable, because {reason}: {len(where)} features of "
        + ", ".join(dict.fromkeys(where))
        for reason, where in places.items()
    ]


def _place(column: str) -> str:
    match = _COLUMN.fullmatch(column)
    return match["where"].removesuffix("_") if match else column
