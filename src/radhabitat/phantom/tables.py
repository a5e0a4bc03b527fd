"""The study file, the tables, and the truth about the whole cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pandas as pd

from radhabitat.errors import StorageError
from radhabitat.phantom.patient import FileFormat, PatientTruth
from radhabitat.phantom.plan import SEQUENCES
from radhabitat.phantom.storage import saving

CANDIDATES: Final = (
    "age",
    "sex",
    "hbv",
    "child_pugh",
    "ascites",
    "pt_s",
    "bclc",
    "albi_grade",
    "nlr",
    "vascular_invasion",
    "metastasis",
    "tumor_number",
    "d_tumor_cm",
    "crafity",
    "afp_ng_ml",
    "pivka_mau_ml",
    "crp_mg_l",
    "bmi",
)
"""Known before treatment; ecog is 0 in every patient, as published."""

_STUDY: Final = """\
# A phantom study: synthetic patients with known answers.
# Effect of the response law: {effect:g} (0 = pure noise).

name = "Phantom cohort, {patients} patients, effect {effect:g}"
seed = {seed}

[data]
subjects = "subjects.csv"            # where each patient's {kind} lie
sequences = ["PRE", "LAP", "PVP", "DP"]
reference = "PVP"                    # the tumor was drawn on this one
clinical = "clinical.csv"
id_column = "patient"
outcome = "response"                 # OR = objective response, nOR = none
positive = "OR"
survival_time = "overall_survival_months"
survival_event = "died"              # 1 = died, 0 = alive at the last visit

# Candidates of the clinical model: what was known before treatment.
# Coded as numbers: sex 1 = male; child_pugh 1 = A, 2 = B; bclc 1 = A, 2 = B, 3 = C;
# tumor_number 1 = single, 2 = multiple; the others 1 = yes, 0 = no, or as measured.
# Not listed: ecog (0 in everyone), haic_sessions (known only after treatment).
variables = [
{variables}
]

[habitats]
k = 3        # as the published study; "elbow" leaves it to the tumors' vote
"""


def write_tables(
    truths: Sequence[PatientTruth],
    folder: Path,
    *,
    seed: int,
    effect: float,
    file_format: FileFormat,
) -> Path:
    """Write what concerns the whole cohort, and return the path of study.toml.

    Args:
        truths: What `write_patient` gave, in the order of the patients.
        folder: The study's folder.
        seed: The cohort's; becomes the study's seed.
        effect: The cohort's; written into the study's name.
        file_format: Of the images.

    Raises:
        StorageError: There is no patient to write about, the disk is full, or the
            folder cannot be written.
    """
    if not truths:
        raise StorageError(
            "No phantom patient was written", "ask for at least one patient"
        )
    subjects = [{"patient": t.patient} | t.files for t in truths]
    study = folder / "study.toml"
    text = _STUDY.format(
        effect=effect,
        patients=len(truths),
        seed=seed,
        kind="DICOM folders" if file_format == "dicom" else "image files",
        variables="\n".join(f'    "{name}",' for name in CANDIDATES),
    )
    with saving("The phantom's tables", folder):
        (folder / "truth").mkdir(parents=True, exist_ok=True)
        _write_csv(folder / "subjects.csv", subjects)
        _write_csv(folder / "clinical.csv", [_clinical(t) for t in truths])
        _write_csv(folder / "truth" / "cohort.csv", [_truth(t) for t in truths])
        study.write_bytes(text.encode("utf-8"))
    return study


def _clinical(truth: PatientTruth) -> dict[str, object]:
    known = asdict(truth.clinical) | {"d_tumor_cm": truth.diameter_cm}
    after = ("ecog", "haic_sessions")
    return {
        "patient": truth.patient,
        **{name: known[name] for name in (*CANDIDATES, *after)},
        "response": "OR" if truth.outcome.responded else "nOR",
        "overall_survival_months": truth.outcome.months,
        "died": int(truth.outcome.died),
    }


def _truth(truth: PatientTruth) -> dict[str, object]:
    viable, infiltrative, necrotic = (round(f, 5) for f in truth.fractions)
    return {
        "patient": truth.patient,
        "linear_predictor": round(truth.outcome.linear_predictor, 5),
        "probability": round(truth.outcome.probability, 5),
        "response": "OR" if truth.outcome.responded else "nOR",
        "effect": truth.effect,
        "viable_fraction": viable,
        "infiltrative_fraction": infiltrative,
        "necrotic_fraction": necrotic,
        "tumor_volume_ml": round(truth.volume_ml, 2),
        "d_tumor_cm": truth.diameter_cm,
        "vascular_invasion": truth.clinical.vascular_invasion,
        **{f"{s}_motion_mm": round(truth.motion_mm[s], 3) for s in SEQUENCES},
        **{f"{s}_time_s": round(truth.time_s[s], 2) for s in SEQUENCES},
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """UTF-8, commas, Unix line ends: the same bytes everywhere."""
    text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
    path.write_bytes(text.encode("utf-8"))
