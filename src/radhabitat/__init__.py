"""RadHabitat: tumor habitats on MRI, from DICOM to an honest, explained risk.

Research use only. Not for clinical decisions.

    from radhabitat import Study

    if __name__ == "__main__":
        result = Study.load("study.toml").run(workers=2)
        print(result.evaluation.results["crh"].out_of_bag)

The stages can be called one by one: `align`, `divide_cohort`, `find_habitats`,
`extract`, `fit_ladder`, `evaluate`. Names are imported on first use, so that
`import radhabitat` is fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from radhabitat.errors import (
        ComputationError,
        ImageError,
        InputError,
        MaskError,
        RadHabitatError,
        SettingsError,
        StorageError,
        TableError,
    )
    from radhabitat.evaluation import evaluate
    from radhabitat.extraction import extract_features
    from radhabitat.features import extract
    from radhabitat.files.masks import read_mask
    from radhabitat.files.volumes import read_volume
    from radhabitat.habitats import divide_cohort, find_habitats
    from radhabitat.learning import fit_ladder
    from radhabitat.phantom import write_phantom
    from radhabitat.preprocessing import align
    from radhabitat.settings import StudySettings
    from radhabitat.study import Study, StudyResult
    from radhabitat.types import (
        AlignedSubject,
        Cohort,
        Estimate,
        Grid,
        HabitatMap,
        Mask,
        RiskModel,
        Subject,
        Volume,
    )

_HOME = {
    "errors": "ComputationError ImageError InputError MaskError RadHabitatError "
    "SettingsError StorageError TableError",
    "evaluation": "evaluate",
    "extraction": "extract_features",
    "features": "extract",
    "files.masks": "read_mask",
    "files.volumes": "read_volume",
    "habitats": "divide_cohort find_habitats",
    "learning": "fit_ladder",
    "phantom": "write_phantom",
    "preprocessing": "align",
    "settings": "StudySettings",
    "study": "Study StudyResult",
    "types": "AlignedSubject Cohort Estimate Grid HabitatMap Mask RiskModel Subject "
    "Volume",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = [
    "AlignedSubject",
    "Cohort",
    "ComputationError",
    "Estimate",
    "Grid",
    "HabitatMap",
    "ImageError",
    "InputError",
    "Mask",
    "MaskError",
    "RadHabitatError",
    "RiskModel",
    "SettingsError",
    "StorageError",
    "Study",
    "StudyResult",
    "StudySettings",
    "Subject",
    "TableError",
    "Volume",
    "align",
    "divide_cohort",
    "evaluate",
    "extract",
    "extract_features",
    "find_habitats",
    "fit_ladder",
    "read_mask",
    "read_volume",
    "write_phantom",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'radhabitat' has no attribute {name!r}")
    module = importlib.import_module(f"radhabitat.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
