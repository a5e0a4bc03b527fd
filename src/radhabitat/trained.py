"""A trained model as one file: all that the next patient needs, and nothing else.

    settings, habitat prototypes, formula, refits of the formula, ranges of the inputs,
    thresholds, performance, versions; sealed by a fingerprint

JSON, never pickle; no patient is in it, only the cohort's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from radhabitat.errors import InputError
from radhabitat.evaluation.results import ModelResult
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.store import (
    code_version,
    library_versions,
    read_json,
    sha256_of,
    to_plain,
)
from radhabitat.habitats import Division
from radhabitat.models import from_json, to_json
from radhabitat.report.content import ReportContent
from radhabitat.settings import StudySettings
from radhabitat.types import Cohort, RiskModel

SCHEMA_VERSION = 2
REFITS = 200
"""Bootstrap formulas that are kept for the interval."""

Floats = NDArray[np.float64]
Ranges = Mapping[str, Mapping[str, tuple[float, float]]]


@dataclass(frozen=True, eq=False)
class Training:
    """What the images of the training patients were like.

    Attributes:
        division: What each habitat is; None for a model of a feature table.
        standard: Common landmarks of intensities, for normalization nyul.
        clinical: Clinical column -> its levels; empty for numbers.
        volumes_ml: Smallest and largest tumor; None without images.
        quality: Sequence -> measure -> lowest and highest.
    """

    division: Division | None = None
    standard: Mapping[str, tuple[float, ...]] | None = None
    clinical: Mapping[str, tuple[str, ...]] | None = None
    volumes_ml: tuple[float, float] | None = None
    quality: Ranges | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """A model file that was read and checked.

    Attributes:
        model: The formula.
        refits: The formula of each bootstrap resample.
        settings: Of the study: how to get from images to inputs.
        training: What the training patients were like.
        low, high: Range of each input in training, shape (variables,).
        covariance: Of the standardized inputs, shape (variables, variables).
        farthest: Largest squared Mahalanobis distance of a training patient.
        thresholds: Name -> risk from which on a patient is of high risk.
        about: Everything else in the file: performance, cohort, versions.
        fingerprint: SHA-256 of the whole content.
    """

    model: RiskModel
    refits: tuple[RiskModel, ...]
    settings: StudySettings
    training: Training
    low: Floats
    high: Floats
    covariance: Floats
    farthest: float
    thresholds: Mapping[str, float]
    about: Mapping[str, object]
    fingerprint: str

    def distance(self, standardized: Floats) -> float:
        """Return the squared Mahalanobis distance of standardized inputs."""
        inverse = np.linalg.pinv(self.covariance, hermitian=True)
        return float(standardized @ inverse @ standardized)


def trained_json(
    result: ModelResult, cohort: Cohort, settings: StudySettings, training: Training
) -> dict[str, object]:
    """Return a model and all that it needs as a JSON object.

    Args:
        result: The model and its evaluation.
        cohort: What it was learned from.
        settings: Of the study.
        training: What the training patients' images were like.
    """
    model = result.model
    inputs = _standardized(model, cohort)
    covariance = (
        np.atleast_2d(np.cov(inputs.T)) if model.variables else np.zeros((0, 0))
    )
    inverse = np.linalg.pinv(covariance, hermitian=True)
    distances = np.einsum("pi,ij,pj->p", inputs, inverse, inputs)
    values = cohort.values[:, cohort.positions(model.variables)]
    body = {
        "schema_version": SCHEMA_VERSION,
        "kind": "radhabitat model",
        "research_use_only": True,
        "model": to_json(model),
        "refits": [to_json(refit) for refit in result.refits[:REFITS]],
        "settings": settings.model_dump(mode="json", exclude={"data": _PRIVATE}),
        "habitats": training.division.to_json() if training.division else None,
        "standard": dict(training.standard or {}),
        "clinical": dict(training.clinical or {}),
        "volumes_ml": training.volumes_ml,
        "quality": training.quality or {},
        "inputs": {
            "low": np.nanmin(values, axis=0, initial=np.inf).tolist(),
            "high": np.nanmax(values, axis=0, initial=-np.inf).tolist(),
            "covariance": covariance.tolist(),
            "farthest": float(distances.max(initial=0.0)),
        },
        "thresholds": {d.name: d.threshold for d in result.decisions},
        "performance": {
            "apparent": asdict(result.apparent),
            **asdict(result.validation),
            "calibration": {
                "intercept": asdict(result.calibration.intercept),
                "slope": asdict(result.calibration.slope),
                "brier": result.calibration.brier,
            },
        },
        "cohort": {
            "patients": len(cohort),
            "events": cohort.events,
            "sites": sorted(set(cohort.sites)),
        },
        "seed": settings.seed,
        "versions": library_versions(),
        "code": code_version("preprocessing", "habitats", "features", "models"),
    }
    plain = cast("dict[str, object]", to_plain(body))
    return plain | {"fingerprint": sha256_of(plain)}


_PRIVATE = {"subjects", "clinical", "id_column", "survival_time", "survival_event"}


def training_of(
    results: ResultsLayout,
    content: ReportContent,
    levels: Mapping[str, tuple[str, ...]],
) -> Training:
    """Return what the training's images were like, for the model files."""
    if not content.from_images:
        return Training(clinical=levels)
    volumes: dict[str, float] = {}
    for row in content.habitat_table:
        volumes[row.patient] = volumes.get(row.patient, 0.0) + row.volume_ml
    found: dict[str, dict[str, list[float]]] = {}
    for sequences in content.quality.values():
        for sequence, measures in sequences.items():
            for name, value in measures.items():
                found.setdefault(sequence, {}).setdefault(name, []).append(value)
    marks = read_json(results.landmarks) if results.landmarks.exists() else {}
    return Training(
        division=Division.from_json(read_json(results.habitats)),
        standard={s: tuple(cast("list[float]", m)) for s, m in marks.items()},
        clinical=levels,
        volumes_ml=(min(volumes.values()), max(volumes.values())),
        quality={
            sequence: {n: (min(v), max(v)) for n, v in measures.items()}
            for sequence, measures in found.items()
        },
    )


def read_trained(stored: Mapping[str, object]) -> Trained:
    """Return the model of a JSON object.

    Raises:
        InputError: Another schema, an edited file, or one that lacks something.
    """
    found = stored.get("schema_version")
    if found != SCHEMA_VERSION or stored.get("kind") != "radhabitat model":
        raise InputError(
            f"The model file has schema_version {found!r}; this version of radhabitat "
            f"reads {SCHEMA_VERSION}",
            "train it again with this version (radhabitat run), or use the version "
            "that wrote it",
        )
    body = {name: value for name, value in stored.items() if name != "fingerprint"}
    if stored.get("fingerprint") != sha256_of(body):
        raise InputError(
            "The model file was changed after it was written: its fingerprint does "
            "not fit its content",
            "use the file as radhabitat wrote it (results/models)",
        )
    try:
        return _read(body, str(stored["fingerprint"]))
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise InputError(
            f"The model file lacks something, or holds something wrong: {error}",
            "use the file as radhabitat wrote it (results/models)",
        ) from None


def _read(body: Mapping[str, object], fingerprint: str) -> Trained:
    habitats = cast("Mapping[str, object] | None", body["habitats"])
    inputs = cast("Mapping[str, Sequence[float]]", body["inputs"])
    model = from_json(cast("dict[str, None]", body["model"]))
    size = len(model.variables)
    training = Training(
        division=Division.from_json(habitats) if habitats else None,
        standard={
            s: tuple(marks)
            for s, marks in cast("dict[str, list[float]]", body["standard"]).items()
        },
        clinical={
            name: tuple(levels)
            for name, levels in cast("dict[str, list[str]]", body["clinical"]).items()
        },
        volumes_ml=cast("tuple[float, float] | None", body["volumes_ml"]),
        quality=cast("Ranges", body["quality"]),
    )
    return Trained(
        model=model,
        refits=tuple(
            from_json(refit) for refit in cast("list[dict[str, None]]", body["refits"])
        ),
        settings=StudySettings.model_validate(body["settings"]),
        training=training,
        low=np.array(inputs["low"], dtype=np.float64),
        high=np.array(inputs["high"], dtype=np.float64),
        covariance=np.array(inputs["covariance"], np.float64).reshape(size, size),
        farthest=float(cast("float", inputs["farthest"])),
        thresholds=cast("dict[str, float]", body["thresholds"]),
        about=body,
        fingerprint=fingerprint,
    )


def _standardized(model: RiskModel, cohort: Cohort) -> Floats:
    values = cohort.values[:, cohort.positions(model.variables)]
    scaled: Floats = np.nan_to_num((values - model.centers) / model.scales, nan=0.0)
    return scaled
