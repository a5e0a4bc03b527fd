"""The nouns of the system and their rules; the stages share nothing else."""

from radhabitat.types.cohort import Block, Cohort
from radhabitat.types.estimate import Estimate, Significance
from radhabitat.types.features import FeatureName
from radhabitat.types.habitats import HabitatMap
from radhabitat.types.risk import Fit, Ladder, RiskModel
from radhabitat.types.scale import Scale
from radhabitat.types.subject import AlignedSubject, Subject
from radhabitat.types.transform import Transform
from radhabitat.types.volume import Grid, Mask, Volume

__all__ = [
    "AlignedSubject",
    "Block",
    "Cohort",
    "Estimate",
    "FeatureName",
    "Fit",
    "Grid",
    "HabitatMap",
    "Ladder",
    "Mask",
    "RiskModel",
    "Scale",
    "Significance",
    "Subject",
    "Transform",
    "Volume",
]
