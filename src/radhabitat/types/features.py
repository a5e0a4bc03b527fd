"""Names of the columns of the feature table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from radhabitat.errors import TableError

_PATTERN = re.compile(
    r"(?P<sequence>.+?)_(?P<region>Original|Habitat_(?P<habitat>\d+))_(?P<feature>.+)"
)


@dataclass(frozen=True)
class FeatureName:
    """A column: sequence, region, feature.

    Attributes:
        sequence: PRE, LAP, PVP, DP ...
        habitat: 0 for the whole tumor, else the number of the habitat.
        feature: PyRadiomics name with its image type (`original_glcm_Contrast`),
            or `volume_mm3` / `proportion` of a habitat.

    Example:
        >>> str(FeatureName("DP", 3, "original_firstorder_Kurtosis"))
        'DP_Habitat_3_original_firstorder_Kurtosis'
        >>> FeatureName.parse("DP_Original_original_shape_Sphericity").habitat
        0
    """

    sequence: str
    habitat: int
    feature: str

    def __str__(self) -> str:
        region = "Original" if self.habitat == 0 else f"Habitat_{self.habitat}"
        return f"{self.sequence}_{region}_{self.feature}"

    @staticmethod
    def parse(name: str) -> FeatureName:
        """Read a column's name.

        Raises:
            TableError: The name does not follow SEQUENCE_REGION_FEATURE.
        """
        match = _PATTERN.fullmatch(name)
        if match is None:
            raise TableError(
                f"{name!r} is not a feature's name",
                "name it like DP_Original_original_firstorder_Mean or "
                "DP_Habitat_3_proportion",
            )
        return FeatureName(
            match["sequence"], int(match["habitat"] or 0), match["feature"]
        )
