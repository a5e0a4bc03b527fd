"""The next patient: through the same stages, to a risk that is explained.

    images and mask -> aligned -> habitats of the training -> features
    -> risk with interval -> contributions -> where the patient lies -> flags

Research use only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np

from radhabitat.applied import Prediction, apply_model, clinical_values
from radhabitat.files.audit import append_entry
from radhabitat.files.layout import ResultsLayout, StudyLayout
from radhabitat.files.store import (
    library_versions,
    read_json,
    to_plain,
    write_bytes,
    write_json,
    write_text,
)
from radhabitat.files.subjects import SubjectFiles
from radhabitat.habitats import divide_tumor
from radhabitat.report import write_patient_page
from radhabitat.report.patient import PatientPage, Reason
from radhabitat.steps import (
    Aligned,
    Described,
    HabitatTask,
    PatientTask,
    align_patient,
    describe_patient,
)
from radhabitat.trained import Trained


def predict_patient(
    trained: Trained, files: SubjectFiles, clinical: Mapping[str, str], out: Path
) -> Prediction:
    """Take one patient through the stages of the training, and apply the model.

    Derivatives and prediction.json are written into a folder of the patient's own.

    Args:
        trained: The model.
        files: The patient's images and mask.
        clinical: Column -> cell, as in the training's table.
        out: Folder of the results.

    Raises:
        RadHabitatError: A sequence, the mask or a clinical value is missing or cannot
            be used.
    """
    task = PatientTask(
        out, files, trained.settings, standard=trained.training.standard or {}
    )
    values = clinical_values(trained, clinical)
    aligned, described = None, None
    if trained.training.division is not None:
        aligned = align_patient(task)
        partition, _ = divide_tumor(aligned.survey, trained.training.division)
        described = describe_patient(HabitatTask(task, aligned.key, partition))
        values |= described.row
    found = apply_model(trained, values, patient=files.patient)
    found = _with_images(trained, found, aligned, described)
    folder = task.layout.folder
    write_json(
        folder / "prediction.json", cast("dict[str, object]", to_plain(found.to_json()))
    )
    write_text(folder / "prediction.html", _page(trained, found, described))
    append_entry(
        ResultsLayout(out).audit,
        {
            "when": datetime.now(tz=UTC).isoformat(timespec="seconds"),
            "model": trained.fingerprint,
            "input": described.key if described else "",
            "probability": found.probability,
            "flags": list(found.flags),
            "version": library_versions()["radhabitat"],
        },
    )
    return found


def keep_on_top(out: Path, found: Prediction) -> None:
    """Copy one patient's prediction.json and prediction.html into `out` itself."""
    for name in ("prediction.json", "prediction.html"):
        source = StudyLayout(out).patient(found.patient, "").folder / name
        write_bytes(out / name, source.read_bytes())


def _page(trained: Trained, found: Prediction, described: Described | None) -> str:
    division = trained.training.division
    return write_patient_page(
        PatientPage(
            patient=found.patient,
            model=(found.model, found.fingerprint),
            event=found.event,
            risk=(found.probability, found.low, found.high),
            groups=[(n, t, found.group[n]) for n, t in trained.thresholds.items()],
            intercept=found.intercept,
            reasons=[
                Reason(r.variable, r.value, r.center, r.log_odds, r.low, r.high)
                for r in found.contributions
            ],
            flags=found.flags,
            abstain=found.abstain,
            volumes_ml=found.volumes_ml,
            habitat_names=division.names if division else (),
            picture=described.picture if described else b"",
        )
    )


def predict_task(
    task: tuple[Trained, SubjectFiles, Mapping[str, str], Path],
) -> Prediction:
    """Predict one patient, as a task for a worker."""
    return predict_patient(*task)


def read_prediction(folder: Path) -> dict[str, object]:
    """Read prediction.json of a patient's folder."""
    return read_json(folder / "prediction.json")


def _with_images(
    trained: Trained,
    found: Prediction,
    aligned: Aligned | None,
    described: Described | None,
) -> Prediction:
    """Return the prediction with what the images themselves say."""
    if aligned is None or described is None:
        return found
    flags = [note for note in aligned.notes if "look at this sequence" in note]
    doubtful = bool(flags)
    volumes = tuple(v / 1000.0 for v in described.volumes_mm3)
    limits = trained.training.volumes_ml
    if limits and not limits[0] <= sum(volumes) <= limits[1]:
        flags.append(
            f"its tumor has {sum(volumes):.1f} mL, outside the training's "
            f"{limits[0]:.1f} to {limits[1]:.1f} mL"
        )
    for sequence, measures in (trained.training.quality or {}).items():
        for name, (low, high) in measures.items():
            value = aligned.quality.get(sequence, {}).get(name, np.nan)
            margin = 0.25 * (high - low)
            if value < low - margin or value > high + margin:
                flags.append(
                    f"{sequence}: {name} is {value:.3g}, unlike the training's "
                    f"{low:.3g} to {high:.3g}"
                )
    flags += [f"habitat {i} is absent" for i, v in enumerate(volumes, 1) if v == 0.0]
    return replace(
        found,
        flags=(*found.flags, *flags),
        abstain=found.abstain or doubtful,
        volumes_ml=volumes,
    )
