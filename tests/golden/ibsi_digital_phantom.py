"""The digital phantom of IBSI 1, and what its features must be.

Voxels and mask: Image Biomarker Standardisation Initiative, digital phantom by Alex
Zwanenburg, https://github.com/theibsi/data_sets, CC BY 4.0. Values: IBSI 1 reference
manual (arXiv:1612.07003, CC BY 4.0), "3D: averaged" for GLCM and GLRLM, "3D" for
GLSZM, GLDM (there NGLDM) and NGTDM; a tolerance of 0 means equal as printed.
"""

from __future__ import annotations

import numpy as np

SPACING_MM = 2.0

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


def image() -> np.ndarray:
    """The intensities, float32, shape (5, 4, 4) along i, j, k; 0 outside."""
    return np.nan_to_num(_parsed()).astype(np.float32)


def mask() -> np.ndarray:
    """The mask, bool, shape (5, 4, 4); 74 voxels."""
    return np.isfinite(_parsed())


def _parsed() -> np.ndarray:
    values = [float("nan") if v == "." else float(v) for v in _VOXELS.split()]
    return np.array(values).reshape(4, 4, 5).transpose(2, 1, 0)


EXPECTED: dict[str, tuple[float, float]] = {
    "shape_MeshVolume": (556, 4),
    "shape_VoxelVolume": (592, 4),
    "shape_SurfaceArea": (388, 3),
    "shape_SurfaceVolumeRatio": (0.698, 0.004),
    "shape_Sphericity": (0.843, 0.005),
    "shape_Maximum3DDiameter": (13.1, 0.1),
    "shape_MajorAxisLength": (11.4, 0.1),
    "shape_MinorAxisLength": (9.31, 0.06),
    "shape_LeastAxisLength": (8.54, 0.05),
    "shape_Elongation": (0.816, 0.005),
    "shape_Flatness": (0.749, 0.005),
    "firstorder_Mean": (2.15, 0),
    "firstorder_Variance": (3.05, 0),
    "firstorder_Skewness": (1.08, 0),
    "firstorder_Kurtosis": (-0.355, 0),
    "firstorder_Median": (1, 0),
    "firstorder_Minimum": (1, 0),
    "firstorder_10Percentile": (1, 0),
    "firstorder_90Percentile": (4, 0),
    "firstorder_Maximum": (6, 0),
    "firstorder_InterquartileRange": (3, 0),
    "firstorder_Range": (5, 0),
    "firstorder_MeanAbsoluteDeviation": (1.55, 0),
    "firstorder_RobustMeanAbsoluteDeviation": (1.11, 0),
    "firstorder_Energy": (567, 0),
    "firstorder_RootMeanSquared": (2.77, 0),
    "firstorder_Entropy": (1.27, 0),
    "firstorder_Uniformity": (0.512, 0),
    "glcm_MaximumProbability": (0.503, 0),
    "glcm_JointAverage": (2.14, 0),
    "glcm_SumSquares": (3.1, 0),
    "glcm_JointEntropy": (2.4, 0),
    "glcm_DifferenceAverage": (1.43, 0),
    "glcm_DifferenceVariance": (3.06, 0),
    "glcm_DifferenceEntropy": (1.56, 0),
    "glcm_SumAverage": (4.29, 0),
    "glcm_SumEntropy": (1.92, 0),
    "glcm_JointEnergy": (0.303, 0),
    "glcm_Contrast": (5.32, 0),
    "glcm_Id": (0.677, 0),
    "glcm_Idn": (0.851, 0),
    "glcm_Idm": (0.618, 0),
    "glcm_Idmn": (0.898, 0),
    "glcm_InverseVariance": (0.0604, 0),
    "glcm_Correlation": (0.157, 0),
    "glcm_Autocorrelation": (5.06, 0),
    "glcm_ClusterTendency": (7.07, 0),
    "glcm_ClusterShade": (16.6, 0),
    "glcm_ClusterProminence": (145, 0),
    "glcm_Imc1": (-0.157, 0),
    "glcm_Imc2": (0.52, 0),
    "glrlm_ShortRunEmphasis": (0.705, 0),
    "glrlm_LongRunEmphasis": (3.06, 0),
    "glrlm_LowGrayLevelRunEmphasis": (0.603, 0),
    "glrlm_HighGrayLevelRunEmphasis": (9.7, 0),
    "glrlm_ShortRunLowGrayLevelEmphasis": (0.352, 0),
    "glrlm_ShortRunHighGrayLevelEmphasis": (8.54, 0),
    "glrlm_LongRunLowGrayLevelEmphasis": (2.39, 0),
    "glrlm_LongRunHighGrayLevelEmphasis": (17.6, 0),
    "glrlm_GrayLevelNonUniformity": (21.8, 0),
    "glrlm_GrayLevelNonUniformityNormalized": (0.43, 0),
    "glrlm_RunLengthNonUniformity": (26.9, 0),
    "glrlm_RunLengthNonUniformityNormalized": (0.513, 0),
    "glrlm_RunPercentage": (0.68, 0),
    "glrlm_GrayLevelVariance": (3.46, 0),
    "glrlm_RunVariance": (0.574, 0),
    "glrlm_RunEntropy": (2.43, 0),
    "glszm_SmallAreaEmphasis": (0.255, 0),
    "glszm_LargeAreaEmphasis": (550, 0),
    "glszm_LowGrayLevelZoneEmphasis": (0.253, 0),
    "glszm_HighGrayLevelZoneEmphasis": (15.6, 0),
    "glszm_SmallAreaLowGrayLevelEmphasis": (0.0256, 0),
    "glszm_SmallAreaHighGrayLevelEmphasis": (2.76, 0),
    "glszm_LargeAreaLowGrayLevelEmphasis": (503, 0),
    "glszm_LargeAreaHighGrayLevelEmphasis": (1490, 0),
    "glszm_GrayLevelNonUniformity": (1.4, 0),
    "glszm_GrayLevelNonUniformityNormalized": (0.28, 0),
    "glszm_SizeZoneNonUniformity": (1, 0),
    "glszm_SizeZoneNonUniformityNormalized": (0.2, 0),
    "glszm_ZonePercentage": (0.0676, 0),
    "glszm_GrayLevelVariance": (2.64, 0),
    "glszm_ZoneVariance": (331, 0),
    "glszm_ZoneEntropy": (2.32, 0),
    "gldm_SmallDependenceEmphasis": (0.045, 0),
    "gldm_LargeDependenceEmphasis": (109, 0),
    "gldm_LowGrayLevelEmphasis": (0.693, 0),
    "gldm_HighGrayLevelEmphasis": (7.66, 0),
    "gldm_SmallDependenceLowGrayLevelEmphasis": (0.00963, 0),
    "gldm_SmallDependenceHighGrayLevelEmphasis": (0.736, 0),
    "gldm_LargeDependenceLowGrayLevelEmphasis": (102, 0),
    "gldm_LargeDependenceHighGrayLevelEmphasis": (235, 0),
    "gldm_GrayLevelNonUniformity": (37.9, 0),
    "gldm_DependenceNonUniformity": (4.86, 0),
    "gldm_DependenceNonUniformityNormalized": (0.0657, 0),
    "gldm_GrayLevelVariance": (3.05, 0),
    "gldm_DependenceVariance": (22.1, 0),
    "gldm_DependenceEntropy": (4.4, 0),
    "ngtdm_Coarseness": (0.0296, 0),
    "ngtdm_Contrast": (0.584, 0),
    "ngtdm_Busyness": (6.54, 0),
    "ngtdm_Complexity": (13.5, 0),
    "ngtdm_Strength": (0.763, 0),
}
"""PyRadiomics' name without `original_` -> consensus value, tolerance."""
