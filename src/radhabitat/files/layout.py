"""Where everything lies: input beside study.toml, BIDS derivatives, results.

study.toml  subjects.csv  clinical.csv
derivatives/sub-P0001/sub-P0001_acq-DP_space-PVP_desc-preproc_T1w.nii.gz ...
results/features.csv  evaluation.json  report.html  models/crh.json
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from radhabitat.errors import InputError


@dataclass(frozen=True)
class StudyLayout:
    """The paths of one study.

    Attributes:
        root: The folder that holds study.toml.
    """

    root: Path

    @property
    def results(self) -> ResultsLayout:
        """The paths of what people and scripts read."""
        return ResultsLayout(self.root / "results")

    @property
    def derivatives(self) -> Path:
        """Folder of per-patient results, as BIDS derivatives."""
        return self.root / "derivatives"

    def patient(self, patient: str, reference: str) -> PatientLayout:
        """Return the paths of one patient."""
        label = bids_label(patient)
        return PatientLayout(self.derivatives / f"sub-{label}", label, reference)


@dataclass(frozen=True)
class ResultsLayout:
    """The fixed names of a study's results.

    Attributes:
        folder: results/.
    """

    folder: Path

    @property
    def features(self) -> Path:
        """One row per patient."""
        return self.folder / "features.csv"

    @property
    def evaluation(self) -> Path:
        """How good the models are."""
        return self.folder / "evaluation.json"

    @property
    def habitats(self) -> Path:
        """What the habitats are; new patients are matched to it."""
        return self.folder / "habitats.json"

    @property
    def stability(self) -> Path:
        """How far habitats and their features move when measured again."""
        return self.folder / "stability.csv"

    @property
    def stability_features(self) -> Path:
        """The same, feature by feature."""
        return self.folder / "stability_features.csv"

    @property
    def report(self) -> Path:
        """Everything, for people."""
        return self.folder / "report.html"

    @property
    def content(self) -> Path:
        """All that the report shows, for programs; the report is made again from it."""
        return self.folder / "report.json"

    def picture(self, kind: str, number: int) -> Path:
        """One picture of the report: habitats, checkerboards, surfaces."""
        return self.folder / "pictures" / kind / f"{number:04d}.png"

    def figure(self, name: str, suffix: str) -> Path:
        """A figure of the report, or the data behind it."""
        return self.folder / "figures" / f"{name}.{suffix}"

    def table(self, name: str) -> Path:
        """A table of the report."""
        return self.folder / "tables" / name

    def checklist(self, name: str) -> Path:
        """A reporting checklist, filled."""
        return self.folder / "checklists" / name

    @property
    def landmarks(self) -> Path:
        """The study's common landmarks, where normalization is nyul."""
        return self.folder / "models" / "landmarks.json"

    @property
    def clinical(self) -> Path:
        """Folder of Tables 1 to 3 of the clinical variables."""
        return self.folder / "clinical"

    @property
    def audit(self) -> Path:
        """Which model was applied when; only grows."""
        return self.folder / "audit.jsonl"

    def resamples(self, key: str) -> Path:
        """Folder of the finished resamples of one cohort and settings."""
        return self.folder / "resamples" / key[:16]

    def model(self, name: str) -> Path:
        """The formula of one model of the ladder."""
        return self.folder / "models" / f"{name}.json"


@dataclass(frozen=True)
class PatientLayout:
    """The paths of one patient's derivatives.

    Attributes:
        folder: derivatives/sub-LABEL.
        label: BIDS label of the patient.
        reference: Sequence whose space all results share.
    """

    folder: Path
    label: str
    reference: str

    @property
    def _space(self) -> str:
        return f"space-{_alphanumeric(self.reference)}"

    def _file(self, rest: str) -> Path:
        return self.folder / f"sub-{self.label}_{rest}"

    def aligned(self, sequence: str) -> Path:
        """A sequence on the final grid, bias-corrected and normalized."""
        name = _alphanumeric(sequence)
        return self._file(f"acq-{name}_{self._space}_desc-preproc_T1w.nii.gz")

    def transform(self, sequence: str) -> Path:
        """The 4x4 matrix that carries a reference point into a sequence's space."""
        names = f"from-{_alphanumeric(sequence)}_to-{_alphanumeric(self.reference)}"
        return self._file(f"{names}_mode-image_xfm.json")

    def displacement(self, sequence: str) -> Path:
        """What is added to a reference point before that matrix, RAS+ mm."""
        matrix = self.transform(sequence)
        return matrix.with_name(matrix.name.replace(".json", ".nii.gz"))

    def checkerboard(self) -> Path:
        """The picture of reference against sequences, before and after."""
        return self._file(f"{self._space}_desc-checkerboard_T1w.png")

    def body(self) -> Path:
        """The body in the reference, on the final grid."""
        return self._file(f"{self._space}_label-body_mask.nii.gz")

    def mask(self, *, reader: int = 1) -> Path:
        """The tumor on the final grid, as drawn by the first or second reader."""
        who = "" if reader == 1 else f"_desc-reader{reader}"
        return self._file(f"{self._space}_label-tumor{who}_mask.nii.gz")

    def habitats(self) -> Path:
        """The habitat map."""
        return self._file(f"{self._space}_desc-habitats_dseg.nii.gz")

    def picture(self) -> Path:
        """The picture of sequences and habitats."""
        return self._file(f"{self._space}_desc-habitats_dseg.png")

    def surface(self) -> Path:
        """The picture of the habitats in three dimensions."""
        return self._file(f"{self._space}_desc-surface_dseg.png")

    def record(self, step: str) -> Path:
        """The record of a finished step."""
        return self._file(f"desc-{step}_record.json")


def sidecar(image: Path) -> Path:
    """Return the JSON file beside an image that says where it comes from."""
    return image.with_name(image.name.split(".")[0] + ".json")


def bids_label(patient: str) -> str:
    """Return a BIDS label (letters and digits) for a patient's identifier.

    Example:
        >>> bids_label("sub-001"), bids_label("STS_002")
        ('001', 'STS002')
    """
    name = patient.removeprefix("sub-")
    label = re.sub(r"[-_. ]", "", name)
    if label and re.fullmatch(r"[A-Za-z0-9]+", label):
        return label
    digest = hashlib.sha256(patient.encode("utf-8")).hexdigest()[:8]
    return f"x{digest}"


def check_labels(patients: Iterable[str]) -> None:
    """Refuse two patients that would share a folder.

    Raises:
        InputError: Two identifiers differ only in separators.
    """
    seen: dict[str, str] = {}
    for patient in patients:
        # file systems of Windows and macOS do not tell upper from lower case
        label = bids_label(patient).lower()
        if label in seen:
            raise InputError(
                f"Patients {seen[label]!r} and {patient!r} would share the folder "
                f"sub-{label}",
                "give each patient an identifier that differs in letters or digits",
            )
        seen[label] = patient


def _alphanumeric(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", name) or "x"
