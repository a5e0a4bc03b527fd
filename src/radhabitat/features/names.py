"""Names and order of the features: PyRadiomics' own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from radhabitat.types import FeatureName

_LISTED = {
    "shape": (
        "Elongation Flatness LeastAxisLength MajorAxisLength "
        "Maximum2DDiameterColumn Maximum2DDiameterRow Maximum2DDiameterSlice "
        "Maximum3DDiameter MeshVolume MinorAxisLength Sphericity SurfaceArea "
        "SurfaceVolumeRatio VoxelVolume"
    ),
    "firstorder": (
        "10Percentile 90Percentile Energy Entropy InterquartileRange Kurtosis "
        "Maximum MeanAbsoluteDeviation Mean Median Minimum Range "
        "RobustMeanAbsoluteDeviation RootMeanSquared Skewness TotalEnergy "
        "Uniformity Variance"
    ),
    "glcm": (
        "Autocorrelation ClusterProminence ClusterShade ClusterTendency Contrast "
        "Correlation DifferenceAverage DifferenceEntropy DifferenceVariance Id Idm "
        "Idmn Idn Imc1 Imc2 InverseVariance JointAverage JointEnergy JointEntropy "
        "MCC MaximumProbability SumAverage SumEntropy SumSquares"
    ),
    "gldm": (
        "DependenceEntropy DependenceNonUniformity "
        "DependenceNonUniformityNormalized DependenceVariance "
        "GrayLevelNonUniformity GrayLevelVariance HighGrayLevelEmphasis "
        "LargeDependenceEmphasis LargeDependenceHighGrayLevelEmphasis "
        "LargeDependenceLowGrayLevelEmphasis LowGrayLevelEmphasis "
        "SmallDependenceEmphasis SmallDependenceHighGrayLevelEmphasis "
        "SmallDependenceLowGrayLevelEmphasis"
    ),
    "glrlm": (
        "GrayLevelNonUniformity GrayLevelNonUniformityNormalized "
        "GrayLevelVariance HighGrayLevelRunEmphasis LongRunEmphasis "
        "LongRunHighGrayLevelEmphasis LongRunLowGrayLevelEmphasis "
        "LowGrayLevelRunEmphasis RunEntropy RunLengthNonUniformity "
        "RunLengthNonUniformityNormalized RunPercentage RunVariance "
        "ShortRunEmphasis ShortRunHighGrayLevelEmphasis "
        "ShortRunLowGrayLevelEmphasis"
    ),
    "glszm": (
        "GrayLevelNonUniformity GrayLevelNonUniformityNormalized "
        "GrayLevelVariance HighGrayLevelZoneEmphasis LargeAreaEmphasis "
        "LargeAreaHighGrayLevelEmphasis LargeAreaLowGrayLevelEmphasis "
        "LowGrayLevelZoneEmphasis SizeZoneNonUniformity "
        "SizeZoneNonUniformityNormalized SmallAreaEmphasis "
        "SmallAreaHighGrayLevelEmphasis SmallAreaLowGrayLevelEmphasis "
        "ZoneEntropy ZonePercentage ZoneVariance"
    ),
    "ngtdm": "Busyness Coarseness Complexity Contrast Strength",
}

FAMILIES: Mapping[str, tuple[str, ...]] = {
    family: tuple(names.split()) for family, names in _LISTED.items()
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


def full_name(family: str, feature: str) -> str:
    """Return the name under which a feature of the unfiltered image is reported."""
    return f"original_{family}_{feature}"


def column_names(sequences: Iterable[str], habitats: int) -> tuple[str, ...]:
    """Give the header of the feature table.

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
