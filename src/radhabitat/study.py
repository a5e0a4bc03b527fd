"""The whole study: the only module that knows the order of the stages.

    images and masks -> aligned -> one k for all -> habitats -> features
    -> measured again -> cohort -> models -> evaluation -> report

One bad patient is set aside and named; the others finish. A second run computes
only what its settings or its input changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from radhabitat.errors import InputError, SettingsError
from radhabitat.execution import Progress, Runner, silent, start_workers
from radhabitat.files.checks import Finding, check_study
from radhabitat.files.clinical_table import ClinicalTable, read_clinical
from radhabitat.files.layout import ResultsLayout, StudyLayout, check_labels
from radhabitat.files.store import library_versions, write_json
from radhabitat.files.subjects import list_subjects, repeated_subjects
from radhabitat.files.tables import near_ids
from radhabitat.modeling import Learned, finish, learn
from radhabitat.preprocessing import learn_standard
from radhabitat.reliable import Reliable, keep_reliable
from radhabitat.report.content import ReportContent, SetAside
from radhabitat.report.translate import Language
from radhabitat.settings import DataSettings, StudySettings, parse_settings
from radhabitat.stability import need_three, stability_plans, write_stability
from radhabitat.steps import (
    Aligned,
    Described,
    Divided,
    HabitatTask,
    PatientTask,
    RepeatTask,
    align_patient,
    describe_patient,
    divide_patients,
    habitat_rows,
    landmarks_of_patient,
    match_rows,
    repeat_patient,
)

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation

T = TypeVar("T")
R = TypeVar("R")

MEASURING = "Habitats and features"


@dataclass(frozen=True)
class StudyResult:
    """What a run leaves.

    Attributes:
        report: Path of report.html.
        evaluation: The models and how good they are; None without an outcome.
        set_aside: Patients that were lost, each with problem and fix.
    """

    report: Path
    evaluation: Evaluation | None
    set_aside: tuple[SetAside, ...]


@dataclass(frozen=True)
class Study:
    """A study on disk: a folder with study.toml.

    Attributes:
        file: Path of study.toml.
        settings: What it says.
    """

    file: Path
    settings: StudySettings

    @staticmethod
    def load(path: str | Path) -> Study:
        """Read a study file.

        Raises:
            SettingsError: It is missing, or says something that it may not say.
        """
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{file.name} cannot be read: {error}",
                "give the path of a study.toml; radhabitat init FOLDER writes one",
            ) from None
        return Study(file, parse_settings(text, source=file.name))

    @property
    def layout(self) -> StudyLayout:
        """The paths of the study."""
        return StudyLayout(self.file.resolve().parent)

    def check(self) -> tuple[Finding, ...]:
        """Look at everything before anything is computed."""
        return check_study(self.file)

    def run(self, *, workers: int = 1, progress: Progress = silent) -> StudyResult:
        """Compute what is missing or out of date, and write the report.

        Args:
            workers: Processes; results do not depend on it. A script that asks for
                more than one calls this under `if __name__ == "__main__":`.
            progress: Told after each finished task.

        Raises:
            InputError: No patient can be used, or a table is wrong as a whole.
            StorageError: The disk is full, or the folder is read-only.
        """
        clinical = self._read_clinical()
        tasks, lost = self._tasks(clinical)
        listed = len(tasks) + len(lost)
        with start_workers(workers, progress=progress) as run:
            aligned, divided, lost_here = self._divide(tasks, lost, run)
            lost += lost_here
            ready = divided.tasks
            described, lost_here = _each(run, describe_patient, ready, MEASURING)
            lost += lost_here
            _need_some(described, lost)
            features = _table({p: d.row for p, d in described.items()})
            kept, notes = self._measure_again(ready, features, run)
            content = ReportContent(
                title=self.settings.name,
                settings=self.settings,
                version=library_versions()["radhabitat"],
                flow=(("listed", listed), ("with features", len(described))),
                set_aside=tuple(lost),
                notes=_notes(aligned) + _notes(described) + notes,
                quality={p: a.quality for p, a in aligned.items()},
                k_votes=divided.votes,
                k_used=divided.division.count,
                k_scores=divided.scores,
                habitat_names=divided.division.names,
                matches=match_rows(divided),
                checkerboards={
                    p: a.checkerboard for p, a in aligned.items() if a.doubtful
                },
                pictures={p: d.picture for p, d in described.items()},
                surfaces={p: d.surface for p, d in described.items()},
                habitat_table=habitat_rows(described),
                features_count=features.shape[1],
                not_computable=int(features.isna().to_numpy().sum()),
                reliability=kept.counts,
            )
            learned = self._learn(features, kept, clinical, run)
        write_json(
            self.layout.derivatives / "dataset_description.json",
            {
                "Name": self.settings.name,
                "BIDSVersion": "1.10.0",
                "DatasetType": "derivative",
                "GeneratedBy": [{"Name": "RadHabitat", "Version": content.version}],
            },
        )
        report = finish(self.layout.results, features, content, learned)
        return StudyResult(
            report, learned.evaluation if learned else None, content.set_aside
        )

    def _divide(
        self, tasks: Mapping[str, PatientTask], lost: list[SetAside], run: Runner
    ) -> tuple[dict[str, Aligned], Divided, list[SetAside]]:
        scaled, lost_here = self._scale(run, tasks)
        aligned, more = _each(run, align_patient, scaled, "Aligning images")
        lost_here += more
        _need_some(aligned, [*lost, *lost_here])
        stored = self.layout.results.habitats
        divided = divide_patients(scaled, aligned, self.settings, stored)
        return aligned, divided, lost_here

    def measure_stability(
        self, *, workers: int = 1, progress: Progress = silent
    ) -> Path:
        """Measure drawn patients again, one kind of change at a time.

        Returns:
            The path of stability.csv; stability_features.csv lies beside it.

        Raises:
            InputError: Fewer than three patients can be measured.
            StorageError: The disk is full, or the folder is read-only.
        """
        tasks, lost = self._tasks(self._read_clinical())
        settings = self.settings.reliability
        need_three(min(len(tasks), settings.patients))
        with start_workers(workers, progress=progress) as run:
            _, divided, _ = self._divide(tasks, lost, run)
            tasks_here = divided.tasks
            described, _ = _each(run, describe_patient, tasks_here, MEASURING)
            plans = stability_plans(settings.repeats)
            again = {
                p: RepeatTask(tasks_here[p], "stability", plans)
                for p in self._draw(sorted(described))
            }
            found, _ = _each(run, repeat_patient, again, "Measuring again")
        first = {p: described[p].row for p in found}
        return write_stability(first, found, self.layout.results)

    def _draw(self, patients: list[str]) -> list[str]:
        """Return the patients that are measured again."""
        draw = np.random.default_rng(self.settings.seed).permutation(len(patients))
        return sorted(patients[i] for i in draw[: self.settings.reliability.patients])

    def _read_clinical(self) -> ClinicalTable | None:
        data = self.settings.data
        if data.clinical is None:
            return None
        return read_clinical(self.layout.root / data.clinical, data)

    def _tasks(
        self, clinical: ClinicalTable | None
    ) -> tuple[dict[str, PatientTask], list[SetAside]]:
        root, data = self.layout.root, self.settings.data
        subjects = list_subjects(root, data)
        check_labels(s.patient for s in subjects)
        tasks: dict[str, PatientTask] = {}
        lost = [
            SetAside(p, "Reading tables", *why)
            for p, why in repeated_subjects(root, data).items()
        ]
        for files in subjects:
            problem, fix = _unusable(files.patient, clinical, data)
            if problem:
                lost.append(SetAside(files.patient, "Reading tables", problem, fix))
            else:
                tasks[files.patient] = PatientTask(root, files, self.settings)
        return tasks, lost

    def _scale(
        self, run: Runner, tasks: Mapping[str, PatientTask]
    ) -> tuple[Mapping[str, PatientTask], list[SetAside]]:
        """Learn and keep the common landmarks of intensities, where they are wanted."""
        if self.settings.preprocessing.normalization != "nyul":
            return tasks, []
        marks, lost = _each(run, landmarks_of_patient, tasks, "Intensity landmarks")
        standard = {
            s: learn_standard([m[s] for m in marks.values()])
            for s in self.settings.data.sequences
            if marks
        }
        write_json(self.layout.results.landmarks, standard)
        return {p: replace(tasks[p], standard=standard) for p in marks}, lost

    def _measure_again(
        self, ready: Mapping[str, HabitatTask], features: pd.DataFrame, run: Runner
    ) -> tuple[Reliable, tuple[tuple[str, str], ...]]:
        settings = self.settings.reliability
        patients = sorted(features.index)
        if settings.patients == 0 or len(patients) < 3:
            return Reliable(list(features.columns), (), {}), ()
        plans = {f"repeat{n}": settings.perturb for n in range(1, settings.repeats + 1)}
        again = {
            p: RepeatTask(ready[p], "repeats", plans) for p in self._draw(patients)
        }
        found, failed = _each(run, repeat_patient, again, "Measuring again")
        rows = {p: {n: r.row for n, r in one.items()} for p, one in found.items()}
        kept = keep_reliable(features, rows, settings)
        return kept, tuple((f.patient, f.problem) for f in failed)

    def _learn(
        self,
        features: pd.DataFrame,
        kept: Reliable,
        clinical: ClinicalTable | None,
        run: Runner,
    ) -> Learned | None:
        if clinical is None or clinical.outcome is None:
            return None
        return learn(
            features[kept.columns], clinical, self.settings,
            results=self.layout.results, run=run, reliability=kept.reliability,
        )  # fmt: skip


def report_again(study: str | Path, *, language: Language = "en") -> Path:
    """Make the report of a study again from results/ alone; nothing is computed.

    Args:
        study: study.toml, its folder, or a folder that holds report.json.
        language: Of page, PDF and figures.

    Raises:
        StorageError: There are no results, or those of another version.
    """
    folder = Path(study)
    folder = folder.parent if folder.suffix == ".toml" else folder
    results = StudyLayout(folder).results
    if not results.content.is_file() and (folder / results.content.name).is_file():
        results = ResultsLayout(folder)
    from radhabitat.report.publish import republish  # it loads matplotlib

    return republish(results, language=language)


def _each(
    run: Runner, function: Callable[[T], R], tasks: Mapping[str, T], step: str
) -> tuple[dict[str, R], list[SetAside]]:
    """Run a step on every patient; give the results, and whom it lost."""
    results: dict[str, R] = {}
    lost: list[SetAside] = []
    outcomes = run(function, list(tasks.values()), step)
    for patient, outcome in zip(tasks, outcomes, strict=True):
        if outcome.value is not None:
            results[patient] = outcome.value
        elif outcome.error is not None:
            error = outcome.error
            lost.append(SetAside(patient, step, error.problem, error.fix))
    return results, lost


def _unusable(
    patient: str, clinical: ClinicalTable | None, data: DataSettings
) -> tuple[str, str]:
    """Return why the clinical table excludes a patient, and the cure; or nothing."""
    if clinical is None or patient in clinical.candidates.index:
        return "", ""
    if patient in clinical.unusable:
        return clinical.unusable[patient]
    near = near_ids([patient], [str(p) for p in clinical.candidates.index])
    hint = f"; {near[patient]!r} looks like it" if patient in near else ""
    problem = f"Patient {patient} is not in {data.clinical}{hint}"
    return problem, f"add a row with {data.id_column} = {patient}"


def _need_some(results: Mapping[str, T], lost: list[SetAside]) -> None:
    if not results:
        raise InputError(
            f"None of {len(lost)} patients could be used; the first: {lost[0].problem}",
            lost[0].fix,
        )


def _table(rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    table = pd.DataFrame([dict(row) for row in rows.values()], index=list(rows))
    return table.astype(np.float64)


def _notes(
    found: Mapping[str, Aligned] | Mapping[str, Described],
) -> tuple[tuple[str, str], ...]:
    return tuple((p, note) for p, one in found.items() for note in one.notes)
