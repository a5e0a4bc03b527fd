"""Looking at everything before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from radhabitat.errors import RadHabitatError, SettingsError
from radhabitat.files.check_patient import PatientCheck, check_patient
from radhabitat.files.check_tables import check_clinical, check_shared_files
from radhabitat.files.findings import Finding, Level, from_error
from radhabitat.files.subjects import list_subjects, repeated_subjects
from radhabitat.settings import StudySettings, parse_settings

__all__ = ["Finding", "check_study", "exit_code"]

T = TypeVar("T")
R = TypeVar("R")


class Mapper(Protocol):
    """Runs a function on many tasks and gives the results in the tasks' order."""

    def __call__(
        self, function: Callable[[T], R], tasks: Sequence[T], /
    ) -> Iterable[R]:
        """Run `function` on each of `tasks`."""


def check_study(study_file: Path, *, run: Mapper | None = None) -> tuple[Finding, ...]:
    """Return everything that should be mended before a run; never stops early.

    Args:
        study_file: Path of study.toml.
        run: Runs a function on every patient, perhaps in parallel; one patient
            after the other when left out.
    """
    try:
        settings = _load(study_file)
        subjects = list_subjects(study_file.parent, settings.data)
        repeated = repeated_subjects(study_file.parent, settings.data)
    except RadHabitatError as error:
        return (from_error(error, "cannot run"),)
    findings = list(check_clinical(study_file.parent, settings, subjects))
    findings += [Finding("loses a patient", p, *why) for p, why in repeated.items()]
    findings += check_shared_files(subjects)
    checks = [PatientCheck(files, settings) for files in subjects]
    in_order = map(check_patient, checks) if run is None else run(check_patient, checks)
    about_patients = [finding for found in in_order for finding in found]
    findings += about_patients
    lost = {f.patient for f in findings if f.level == "loses a patient"}
    if subjects and lost >= {files.patient for files in subjects}:
        findings.append(
            Finding(
                "cannot run",
                None,
                f"None of {len(subjects)} patients can be used",
                "mend the patients below",
            )
        )
    return tuple(sorted(findings, key=_order))


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 2 if the study cannot run, 1 if it would lose a patient, else 0."""
    levels = {finding.level for finding in findings}
    if "cannot run" in levels:
        return 2
    return int("loses a patient" in levels)


def _load(study_file: Path) -> StudySettings:
    try:
        text = study_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{study_file.name} cannot be read: "
            f"{getattr(error, 'strerror', None) or 'it is not UTF-8 text'}",
            "give the path of a study.toml; radhabitat init FOLDER writes one",
        ) from error
    return parse_settings(text, source=study_file.name)


_LEVELS: Mapping[Level, int] = {"cannot run": 0, "loses a patient": 1, "look": 2}


def _order(finding: Finding) -> tuple[int, str]:
    return _LEVELS[finding.level], finding.patient or ""
