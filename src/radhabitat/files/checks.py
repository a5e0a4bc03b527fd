"""Looking at everything before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, get_args

import numpy as np

from radhabitat.errors import InputError, RadHabitatError, SettingsError
from radhabitat.files.check_tables import (
    Finding,
    Level,
    check_clinical,
    check_shared_files,
    from_error,
)
from radhabitat.files.layout import StudyLayout
from radhabitat.files.phase_labels import check_labels
from radhabitat.files.store import recorded_notes
from radhabitat.files.subjects import (
    SubjectFiles,
    list_subjects,
    read_sequence,
    read_tumor,
    repeated_subjects,
)
from radhabitat.settings import StudySettings, parse_settings
from radhabitat.types import Grid, Mask, Subject, Volume

__all__ = ["Finding", "check_study", "exit_code"]

T = TypeVar("T")
R = TypeVar("R")
_FEWEST_HABITATS = 2
_THIN_SLICES = 3
_LOOK = "look at this sequence"


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
    findings = check_clinical(study_file.parent, settings, subjects)
    findings += [Finding("loses a patient", p, *why) for p, why in repeated.items()]
    findings += check_shared_files(subjects)
    findings += check_labels(study_file.parent, settings.data.sequences, subjects)
    look = partial(_check_patient, study_file.parent, settings)
    for found in map(look, subjects) if run is None else run(look, subjects):
        findings += found
    lost = {f.patient for f in findings if f.level == "loses a patient"}
    if subjects and lost >= {files.patient for files in subjects}:
        what = f"None of {len(subjects)} patients can be used"
        findings.append(Finding("cannot run", None, what, "mend the patients below"))
    levels = get_args(Level)  # the worst first
    findings.sort(key=lambda f: (levels.index(f.level), f.patient or ""))
    return tuple(findings)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 2 if the study cannot run, 1 if it would lose a patient, else 0."""
    levels = {finding.level for finding in findings}
    return 2 if "cannot run" in levels else int("loses a patient" in levels)


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


def _check_patient(
    root: Path, settings: StudySettings, files: SubjectFiles
) -> list[Finding]:
    """Read every image and mask of one patient; runs in a worker process."""
    findings, image = _check_images(settings, files)
    patient = files.patient
    findings += _alignment_doubts(root, settings, patient)
    for reader, path in ((1, files.mask), (2, files.mask2)):
        if reader == 2 and not path:
            continue
        try:
            mask, notes = read_tumor(
                path, settings.data, patient=patient, on=image, reader=reader
            )
            findings += [_look(patient, note) for note in notes]
            findings += _check_grid(
                patient, mask, image.grid if image else None, settings, reader=reader
            )
        except InputError as error:
            findings.append(from_error(error, "loses a patient", patient))
            continue
        if reader == 1 and mask.voxels:
            findings += _check_size(patient, mask, settings)
    return findings


def _alignment_doubts(
    root: Path, settings: StudySettings, patient: str
) -> list[Finding]:
    """Return what an earlier run asks somebody to look at."""
    paths = StudyLayout(root).patient(patient, settings.data.reference)
    notes = recorded_notes(paths.record("align"))
    fix = f"look at {paths.checkerboard().name}; a wrong sequence needs another file"
    return [Finding("look", patient, n, fix) for n in notes if _LOOK in n]


def _check_images(
    settings: StudySettings, files: SubjectFiles
) -> tuple[list[Finding], Volume | None]:
    """Return findings, and the reference if it could be read."""
    patient = files.patient
    findings: list[Finding] = []
    reference: Volume | None = None
    for sequence in settings.data.sequences:
        try:
            volume, notes = read_sequence(files, sequence)
            findings += [_look(patient, f"{sequence}: {note}") for note in notes]
            if sequence == settings.data.reference:
                reference = volume
            # the type itself refuses a picture without content, as in a run
            corner = Mask(_corner(volume.grid), volume.grid)
            Subject(patient, {sequence: volume}, sequence, corner)
        except InputError as error:
            findings.append(from_error(error, "loses a patient", patient))
    return findings, reference


def _check_grid(
    patient: str, mask: Mask, grid: Grid | None, settings: StudySettings, *, reader: int
) -> list[Finding]:
    if grid is None:
        return []
    picture = Volume(_corner(grid).astype(np.float32), grid)
    Subject(patient, {"reference": picture}, "reference", mask)
    if mask.grid.same_as(grid):
        return []
    whose = "" if reader == 1 else " of the second reader"
    what = (
        f"The mask{whose} lies on another grid than {settings.data.reference} "
        f"({_size(mask.grid)} against {_size(grid)}); it will be resampled in "
        "physical space"
    )
    fix = "nothing, if it was drawn on another image of the same examination"
    return [Finding("look", patient, what, fix)]


def _check_size(patient: str, mask: Mask, settings: StudySettings) -> list[Finding]:
    """Compare the tumor on the final grid with what the habitats need."""
    count, least = _FEWEST_HABITATS, settings.habitats.min_voxels
    spacing = settings.preprocessing.spacing_mm
    voxels = mask.volume_mm3 / spacing**3
    findings = []
    if voxels < count * least:
        what = (
            f"The tumor has about {voxels:.0f} voxels at {spacing:g} mm; {count} "
            f"habitats need at least {count} x {least}"
        )
        fix = "check the drawn region, or lower habitats.min_voxels in study.toml"
        findings.append(Finding("loses a patient", patient, what, fix))
    extent = int(np.ptp(np.argwhere(mask.array), axis=0).min()) + 1
    if extent < _THIN_SLICES:
        findings.append(_look(patient, f"the tumor spans only {extent} voxels one way"))
    return findings


def _corner(grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return the least content that a picture or a mask can have."""
    array = np.zeros(grid.shape, dtype=np.bool_)
    array[:1, :1, :1] = True
    return array


def _look(patient: str, note: str) -> Finding:
    return Finding("look", patient, note, "nothing, if this is what you meant")


def _size(grid: Grid) -> str:
    shape = " x ".join(map(str, grid.shape))
    spacing = " x ".join(f"{mm:.2f}" for mm in grid.spacing_mm)
    return f"{shape} voxels of {spacing} mm"
