"""Our features of the digital phantom of IBSI 1 against their consensus values.

Voxels and mask: Image Biomarker Standardisation Initiative, digital phantom by Alex
Zwanenburg, https://github.com/theibsi/data_sets, CC BY 4.0. Values (definitions.csv):
IBSI 1 reference manual (arXiv:1612.07003, CC BY 4.0), "3D: averaged" for GLCM and
GLRLM, "3D" for GLSZM, GLDM (there NGLDM) and NGTDM; a tolerance of 0 means equal as
printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from radhabitat.features import extract_region
from radhabitat.features.names import DEFINITIONS, Definition, full_name
from radhabitat.settings import FeatureSettings
from radhabitat.types import Grid, Mask, Volume

_VOXELS = """
1 4 4 1 1
1 4 6 1 1
4 1 6 4 1
4 4 6 4 1

1 4 4 1 1
1 1 6 1 1
. 1 3 1 1
4 4 6 1 1

1 4 4 . .
1 1 1 1 1
1 1 . 1 1
1 1 6 1 1

1 4 4 . .
1 1 1 1 1
1 1 1 1 1
1 1 6 1 1
"""
"""Slices k = 0..3, rows j = 0..3, columns i = 0..4; a dot: outside of the mask."""

_SPACING_MM = 2.0


@dataclass(frozen=True)
class Comparison:
    """One feature of the phantom.

    Attributes:
        definition: The feature, its consensus value and tolerance.
        found: Our value.
    """

    definition: Definition
    found: float

    @property
    def deviation(self) -> float:
        """How far our value, in as many digits as IBSI prints, is from the wanted."""
        wanted = float(self.definition.phantom)
        return abs(float(f"{self.found:.3g}") - wanted)

    @property
    def within(self) -> bool:
        """Tell whether that is within IBSI's tolerance."""
        return self.deviation <= float(self.definition.tolerance) + 1e-9


def compare_with_ibsi(
    mode: Literal["pyradiomics", "ibsi"] = "ibsi",
) -> tuple[Comparison, ...]:
    """Measure the digital phantom; give the 102 features that IBSI defines."""
    values = [float("nan") if v == "." else float(v) for v in _VOXELS.split()]
    voxels = np.array(values).reshape(4, 4, 5).transpose(2, 1, 0)
    grid = Grid((5, 4, 4), np.diag([_SPACING_MM] * 3 + [1.0]))
    image = Volume(np.nan_to_num(voxels).astype(np.float32), grid)
    settings = FeatureSettings(mode=mode, bin_width=1.0)
    found = extract_region(image, Mask(np.isfinite(voxels), grid), settings)
    return tuple(
        Comparison(d, found[full_name(d.family, d.feature)])
        for d in DEFINITIONS
        if d.phantom
    )
