"""What a step is given: one patient, and later its tumor's partition."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radhabitat.files.layout import PatientLayout, StudyLayout
from radhabitat.files.subjects import SubjectFiles
from radhabitat.habitats import Partition
from radhabitat.settings import StudySettings


@dataclass(frozen=True)
class PatientTask:
    """One patient of a study.

    Attributes:
        root: Folder of study.toml.
        files: Where the patient's images and masks are.
        settings: Of the whole study; a step uses its own sections.
        standard: Sequence -> the study's common landmarks, for normalization nyul.
    """

    root: Path
    files: SubjectFiles
    settings: StudySettings
    standard: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def layout(self) -> PatientLayout:
        """The paths of the patient's results."""
        reference = self.settings.data.reference
        return StudyLayout(self.root).patient(self.files.patient, reference)

    def seed(self, step: str, *, own: bool = False) -> int:
        """Return a seed that depends on the study and the step only.

        The same images give the same numbers under any name of the patient, now and
        when a model is applied; `own`: what is drawn differs between patients.
        """
        patient = self.files.patient if own else ""
        text = f"{self.settings.seed}/{patient}/{step}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@dataclass(frozen=True)
class HabitatTask:
    """A patient whose images are aligned.

    Attributes:
        patient: The patient.
        aligned_key: Hash of all that the aligned images depend on.
        partition: How its tumor is divided, and which habitat is which.
    """

    patient: PatientTask
    aligned_key: str
    partition: Partition
