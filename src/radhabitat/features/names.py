"""What the features are: PyRadiomics' names and order, and what each one means."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import NamedTuple

from radhabitat.types import FeatureName


class Definition(NamedTuple):
    """One feature; a line of definitions.csv, from which the reference page is made.

    Attributes:
        family: shape, firstorder, glcm ...
        feature: PyRadiomics' name.
        ibsi: Identifier in IBSI 1, or empty.
        phantom: IBSI's consensus value on its digital phantom, or empty.
        tolerance: Of that value; 0 means equal as printed.
        unit: mm, bit ...; I is the unit of the image, 1 is none.
        range: Possible values.
        zero: What 0 means, or empty where there is no 0.
        formula: How it is computed.
    """

    family: str
    feature: str
    ibsi: str
    phantom: str
    tolerance: str
    unit: str
    range: str
    zero: str
    formula: str


def _read_definitions() -> tuple[Definition, ...]:
    source = resources.files("radhabitat.features").joinpath("definitions.csv")
    lines = source.read_text(encoding="utf-8").splitlines()[1:]
    return tuple(map(Definition._make, csv.reader(lines, delimiter=";")))


DEFINITIONS = _read_definitions()
"""All 107 features, family by family, in the order of PyRadiomics' output."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    family: tuple(d.feature for d in DEFINITIONS if d.family == family)
    for family in dict.fromkeys(d.family for d in DEFINITIONS)
}
"""Family -> its features, in the order of PyRadiomics' output."""

SHAPE_NAMES = tuple(f"original_shape_{name}" for name in FAMILIES["shape"])
"""The 14 features of a mask."""

INTENSITY_NAMES = tuple(
    f"original_{family}_{name}"
    for family, names in FAMILIES.items()
    if family != "shape"
    for name in names
)
"""The 93 first-order and texture features of an image inside a region."""

HABITAT_NAMES = ("volume_mm3", "proportion")
"""What a habitat has instead of a shape: its size, in mm3 and as share of the tumor."""


def full_name(family: str, feature: str, image: str = "original") -> str:
    """Return a feature's name on an image without filter, or on a filtered one."""
    return f"{image}_{family}_{feature}"


def column_names(sequences: Iterable[str], habitats: int) -> tuple[str, ...]:
    """Give the header of the feature table, without filters.

    For each sequence in turn: the whole tumor (14 shape, 93 intensity features),
    then habitat 1, 2 ... (93 intensity features, volume_mm3, proportion).

    Args:
        sequences: Names of the sequences, in study order.
        habitats: Number of habitats, >= 0.

    Example:
        >>> names = column_names(["PRE", "LAP", "PVP", "DP"], 3)
        >>> len(names) == 4 * 107 + 4 * 3 * 95
        True
        >>> names[0], names[-1]
        ('PRE_Original_original_shape_Elongation', 'DP_Habitat_3_proportion')
    """
    per_region = [(0, SHAPE_NAMES + INTENSITY_NAMES)]
    per_region += [(h, INTENSITY_NAMES + HABITAT_NAMES) for h in range(1, habitats + 1)]
    return tuple(
        str(FeatureName(sequence, habitat, feature))
        for sequence in sequences
        for habitat, features in per_region
        for feature in features
    )
