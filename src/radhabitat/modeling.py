"""From a table of features to models, their evaluation, and the report's files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from radhabitat.clinical import encode
from radhabitat.errors import TableError
from radhabitat.evaluation import evaluate, to_json, verdict
from radhabitat.evaluation.draw import Task
from radhabitat.evaluation.resampling import Resamples
from radhabitat.execution import Runner, values_of
from radhabitat.files.clinical_table import ClinicalTable
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.resamples import forget_others, remember_block
from radhabitat.files.store import (
    code_version,
    library_versions,
    sha256_of,
    write_json,
    write_text,
)
from radhabitat.files.tables import write_table
from radhabitat.learning import fit_ladder, refit_ladder, selection_counts
from radhabitat.models import to_json as model_to_json
from radhabitat.report import write_report
from radhabitat.report.content import ReportContent
from radhabitat.selection.reliability import coefficient_of_variation, icc
from radhabitat.settings import ReliabilitySettings, StudySettings
from radhabitat.types import Block, Cohort, FeatureName

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation

Rows = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Patient -> drawing of the tumor (repeat1.., reader2) -> feature row."""


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned from a cohort.

    Attributes:
        cohort: What it was learned from.
        evaluation: The models and how good they are.
        legend: (clinical column, what it means).
        verdict: The honest answer in plain words.
        selection: Block -> variables left after each step, on all patients.
    """

    cohort: Cohort
    evaluation: Evaluation
    legend: tuple[tuple[str, str], ...]
    verdict: str
    selection: Mapping[str, tuple[tuple[str, int], ...]]


class Reliable(NamedTuple):
    """Which features can be measured twice.

    Attributes:
        columns: The names kept.
        counts: (step, how many were left after it).
        reliability: Of each kept one: ICC between readers, else 1 - CV; NaN: unknown.
    """

    columns: list[str]
    counts: tuple[tuple[str, int], ...]
    reliability: dict[str, float]


def keep_reliable(
    features: pd.DataFrame, repeats: Rows, settings: ReliabilitySettings
) -> Reliable:
    """Return the columns that can be measured twice, and how many stayed per step.

    A feature stays when its coefficient of variation over repeated extraction is
    below `cv_limit` in the middle patient, and, where a second reader drew at least
    three tumors, its ICC(2,1) between readers reaches `icc_limit`. No outcome is
    looked at, so this is done once, outside the resamples.

    Args:
        features: One row per patient, from the first drawing.
        repeats: Rows from other drawings of some patients' tumors.
        settings: The limits.
    """
    columns = list(features.columns)
    counts = [("extracted", len(columns))]
    reliability = dict.fromkeys(columns, float("nan"))
    repeated = [
        [row for name, row in rows.items() if name.startswith("repeat")]
        for rows in repeats.values()
    ]
    if len(repeated) >= 3:
        stack = np.array([[_values(r, columns) for r in rows] for rows in repeated])
        variation = coefficient_of_variation(stack.transpose(1, 0, 2))
        reliability |= dict(zip(columns, (1.0 - variation).tolist(), strict=True))
        columns = [c for c, v in zip(columns, variation, strict=True)
                   if v < settings.cv_limit]  # fmt: skip
        counts.append((f"CV < {settings.cv_limit:.0%} over repeats", len(columns)))
    read_twice = [p for p, rows in repeats.items() if "reader2" in rows]
    if len(read_twice) >= 3:
        first = features.loc[read_twice, columns].to_numpy(dtype=np.float64)
        second = np.array([_values(repeats[p]["reader2"], columns) for p in read_twice])
        agreement = icc(np.stack([first, second])).icc
        reliability |= dict(zip(columns, agreement.tolist(), strict=True))
        columns = [c for c, v in zip(columns, agreement, strict=True)
                   if v >= settings.icc_limit]  # fmt: skip
        counts.append((f"ICC >= {settings.icc_limit:g} between readers", len(columns)))
    return Reliable(columns, tuple(counts), {c: reliability[c] for c in columns})


def learn(
    features: pd.DataFrame,
    clinical: ClinicalTable,
    settings: StudySettings,
    *,
    results: ResultsLayout,
    run: Runner,
    reliability: Mapping[str, float] = MappingProxyType({}),
) -> Learned:
    """Learn the ladder of models, and repeat the learning in every resample.

    Args:
        features: One row per patient, the reliable columns.
        reliability: Of the columns, higher is better.
        clinical: Candidates and outcome; patients without an outcome are left out.
        settings: Of the study.
        results: Where finished resamples are kept.
        run: Runs the resamples.

    Raises:
        TableError: No patient has both features and an outcome, or only one class.
    """
    if clinical.outcome is None:
        raise TableError("The table has no outcome", "set data.outcome in study.toml")
    patients = [p for p in features.index if p in clinical.outcome.index]
    encoded = encode(clinical.candidates.loc[patients])
    blocks = dict.fromkeys((str(c) for c in encoded.table.columns), Block.CLINICAL)
    blocks |= {str(c): block_of(str(c)) for c in features.columns}
    cohort = Cohort.from_tables(
        pd.concat([encoded.table, features.loc[patients]], axis=1),
        clinical.outcome.loc[patients],
        blocks,
        event=clinical.event,
    )
    known = [reliability.get(name, float("nan")) for name in cohort.names]
    cohort = replace(
        cohort, sites=sites_of(clinical, patients), reliability=np.array(known)
    )
    return evaluate_cohort(
        cohort, settings, results=results, run=run, legend=encoded.legend
    )


def sites_of(clinical: ClinicalTable, patients: Sequence[str]) -> tuple[str, ...]:
    """Return the site of each patient; nothing when the study names none."""
    if clinical.sites is None:
        return ()
    return tuple(clinical.sites.loc[list(patients)])


def evaluate_cohort(
    cohort: Cohort,
    settings: StudySettings,
    *,
    results: ResultsLayout,
    run: Runner,
    legend: tuple[tuple[str, str], ...] = (),
) -> Learned:
    """Learn the ladder from a cohort, and repeat the learning in every resample.

    Finished resamples are kept on disk and not learned again.

    Raises:
        TableError: Fewer than two patients of a class.
    """
    smaller = min(cohort.events, len(cohort) - cohort.events)
    if smaller < 2:
        raise TableError(
            f"{cohort.events} of {len(cohort)} patients have the event "
            f"({cohort.event}); a model needs at least two with and two without",
            "check the outcome's column, and which patients were set aside",
        )
    kept = results.resamples(_key(cohort, settings))

    def run_and_keep(
        learn_block: Callable[[Task], Resamples], blocks: Sequence[Task]
    ) -> Iterable[Resamples]:
        step = partial(remember_block, learn_block, kept)
        return values_of(run(step, blocks, "Learning in resamples"))

    evaluation = evaluate(
        partial(fit_ladder, settings=settings),
        cohort,
        settings.evaluation,
        seed=settings.seed,
        run=run_and_keep,
        refit=partial(refit_ladder, settings=settings),
    )
    forget_others(kept)
    counts = selection_counts(cohort, settings)
    return Learned(cohort, evaluation, legend, verdict(evaluation), counts)


def finish(
    results: ResultsLayout,
    features: pd.DataFrame,
    content: ReportContent,
    learned: Learned | None,
) -> Path:
    """Write features.csv, evaluation.json, the models and report.html.

    Returns:
        The path of the report.

    Raises:
        StorageError: The disk is full, or the folder is read-only.
    """
    write_table(results.features, features)
    flow = content.flow
    if learned is not None:
        flow = (*flow, ("with features and outcome", len(learned.cohort)))
        write_json(results.evaluation, to_json(learned.evaluation))
        for name, result in learned.evaluation.results.items():
            write_json(results.model(name), model_to_json(result.model))
    complete = replace(
        content,
        flow=flow,
        selection=learned.selection if learned else {},
        evaluation=learned.evaluation if learned else None,
        verdict=learned.verdict if learned else "",
        clinical_columns=learned.legend if learned else (),
        provenance=_provenance(content.settings, features),
    )
    write_text(results.report, write_report(complete))
    return results.report


def _key(cohort: Cohort, settings: StudySettings) -> str:
    """Return the hash of all that the resamples depend on."""
    values = np.ascontiguousarray(cohort.values)
    return sha256_of(
        {
            "patients": cohort.patients,
            "names": cohort.names,
            "blocks": cohort.blocks,
            "values": hashlib.sha256(values.tobytes()).hexdigest(),
            "outcome": cohort.outcome.tolist(),
            "selection": settings.selection.model_dump(mode="json"),
            "models": settings.models.model_dump(mode="json"),
            "seed": settings.seed,
            "folds": settings.evaluation.cv_folds,
            "sites": cohort.sites,
            "reliability": None
            if cohort.reliability is None
            else [float(v) for v in np.nan_to_num(cohort.reliability, nan=-9.0)],
            "code": code_version("selection", "models", "evaluation"),
            "versions": library_versions(),
        }
    )


def _provenance(
    settings: StudySettings, features: pd.DataFrame
) -> tuple[tuple[str, str], ...]:
    return (
        *library_versions().items(),
        ("seed", str(settings.seed)),
        ("settings (sha256)", sha256_of(settings.model_dump(mode="json"))),
        ("features.csv (sha256)", sha256_of({"csv": features.to_csv()})),
    )


def block_of(column: str) -> Block:
    """Return the block of an image feature; a name of another kind is radiomics."""
    if "_Habitats_" in column:
        return Block.HABITAT
    try:
        name = FeatureName.parse(column)
    except TableError:
        return Block.RADIOMICS
    return Block.HABITAT if name.habitat else Block.RADIOMICS


def _values(row: Mapping[str, float], columns: list[str]) -> list[float]:
    return [row.get(c, float("nan")) for c in columns]
