"""What each tissue of the phantom is to a T1-weighted gradient echo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Tissue(IntEnum):
    """Label of a voxel; the first three are those of the truth files."""

    VIABLE = 1
    INFILTRATIVE = 2
    NECROTIC = 3
    AIR = 0
    SKIN_FAT = 4
    MUSCLE = 5
    MARROW = 6
    CANAL = 7
    VISCERAL_FAT = 8
    BOWEL = 9
    FLUID = 10
    SPLEEN = 11
    KIDNEY = 12
    LIVER = 13
    PORTAL_VEIN = 14
    HEPATIC_VEIN = 15
    AORTA = 16
    CAVA = 17
    LUNG = 18
    DISC = 19


TUMOR: Final = (Tissue.VIABLE, Tissue.INFILTRATIVE, Tissue.NECROTIC)


@dataclass(frozen=True)
class Properties:
    """Of one tissue, before contrast, and how it takes it up."""

    density: float  # of protons relative to water; fat is saturated
    t1_ms: float
    t2star_ms: float
    transfer: float = 0.0  # Ktrans of the extended Tofts model, 1/min
    leakage: float = 0.2  # extravascular extracellular volume fraction v_e
    plasma: float = 0.0  # plasma volume fraction v_p
    texture: float = 0.0  # relative standard deviation of uptake within the tissue
    grain_mm: float = 4.0  # length of that texture


PROPERTIES: Final[Mapping[Tissue, Properties]] = {
    Tissue.AIR: Properties(0.0, 1000.0, 10.0),
    Tissue.VIABLE: Properties(0.82, 1200.0, 28.0, 0.90, 0.11, 0.080, 0.20, 3.0),
    Tissue.INFILTRATIVE: Properties(0.80, 1080.0, 26.0, 0.07, 0.28, 0.008, 0.22, 5.0),
    Tissue.NECROTIC: Properties(0.88, 1750.0, 40.0, 0.004, 0.20, 0.0, 0.50, 8.0),
    Tissue.SKIN_FAT: Properties(0.17, 380.0, 30.0, 0.01, 0.05, 0.003, 0.2, 6.0),
    Tissue.MUSCLE: Properties(0.72, 1400.0, 28.0, 0.06, 0.11, 0.010, 0.2, 3.0),
    Tissue.MARROW: Properties(0.34, 600.0, 15.0, 0.15, 0.15, 0.020, 0.3, 3.0),
    Tissue.CANAL: Properties(0.95, 3200.0, 60.0),
    Tissue.VISCERAL_FAT: Properties(0.17, 380.0, 28.0, 0.02, 0.06, 0.005, 0.3, 6.0),
    Tissue.BOWEL: Properties(0.62, 1150.0, 22.0, 0.25, 0.18, 0.030, 0.6, 6.0),
    Tissue.FLUID: Properties(0.92, 2800.0, 60.0, 0.0, 0.2, 0.0, 0.0, 8.0),
    Tissue.SPLEEN: Properties(0.85, 1300.0, 35.0, 1.10, 0.22, 0.120, 0.12, 6.0),
    Tissue.KIDNEY: Properties(0.85, 1250.0, 40.0, 1.40, 0.30, 0.180, 0.20, 5.0),
    Tissue.LIVER: Properties(0.80, 800.0, 22.0, texture=0.08, grain_mm=3.0),
    Tissue.PORTAL_VEIN: Properties(0.90, 1700.0, 50.0),
    Tissue.HEPATIC_VEIN: Properties(0.90, 1700.0, 50.0),
    Tissue.AORTA: Properties(0.90, 1700.0, 50.0),
    Tissue.CAVA: Properties(0.90, 1700.0, 50.0),
    Tissue.LUNG: Properties(0.10, 1200.0, 2.0, 0.0, 0.2, 0.050, 0.3, 5.0),
    Tissue.DISC: Properties(0.55, 1100.0, 20.0, 0.02, 0.10, 0.004),
}
"""T1 and T2* at 3 T, rounded after de Bazelaire 2004 (Radiology 230:652) and
Stanisz 2005 (Magn Reson Med 54:507); fat as left by spectral saturation."""
