"""From a table of features to models, their evaluation, and the report's files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from radhabitat.clinical import Encoded, encode
from radhabitat.clinical.tables import ClinicalTables
from radhabitat.errors import TableError
from radhabitat.evaluation import About, evaluate, to_json, verdict
from radhabitat.evaluation.draw import Task
from radhabitat.evaluation.resampling import Resamples
from radhabitat.evaluation.sample_size import sample_size
from radhabitat.execution import Runner, values_of
from radhabitat.files.clinical_table import ClinicalTable
from radhabitat.files.exports import write_clinical_tables
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.resamples import forget_others, remember_block
from radhabitat.files.store import (
    code_version,
    library_versions,
    sha256_of,
    write_json,
)
from radhabitat.files.tables import write_table
from radhabitat.learning import fit_ladder, refit_ladder, select_on_all
from radhabitat.prognosis import survival_by_risk
from radhabitat.report import write_clinical_page
from radhabitat.report.clinical import printed
from radhabitat.report.content import Penalized, ReportContent
from radhabitat.report.translate import Language
from radhabitat.selection import Selection
from radhabitat.settings import StudySettings
from radhabitat.tabulation import clinical_tables
from radhabitat.trained import trained_json, training_of
from radhabitat.types import Block, Cohort, FeatureName

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation, Prognosis

LOGGER = logging.getLogger("radhabitat")


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned from a cohort.

    Attributes:
        cohort: What it was learned from.
        evaluation: The models and how good they are.
        legend: (clinical column, what it means).
        verdict: The honest answer in plain words.
        selection: Block -> its columns, and what is kept of them, on all patients.
        prognosis: Survival by risk group, where it is known.
        levels: Clinical column -> its levels; none for numbers.
        tables: Tables 1 to 3 of the clinical candidates; None without any.
        sample_size: How many patients a model of so many candidates needs, in words.
    """

    cohort: Cohort
    evaluation: Evaluation
    legend: tuple[tuple[str, str], ...]
    verdict: str
    selection: Mapping[str, tuple[tuple[str, ...], Selection]]
    prognosis: tuple[Prognosis, ...] = ()
    sample_size: str = ""
    tables: ClinicalTables | None = None
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
    references = settings.data.reference_levels
    encoded = encode(clinical.candidates.loc[patients], references)
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
    learned = evaluate_cohort(
        cohort, settings, results=results, run=run, legend=_with_gaps(encoded)
    )
    prognosis = survival_by_risk(
        learned.evaluation, clinical.survival, confidence=settings.evaluation.confidence
    )
    levels = levels_of(clinical.candidates.loc[patients], encoded)
    tables = clinical_tables(
        clinical.candidates,
        clinical.outcome.loc[patients],
        event=clinical.event,
        references=references,
    )
    return replace(learned, prognosis=prognosis, levels=levels, tables=tables)


def levels_of(cells: pd.DataFrame, encoded: Encoded) -> dict[str, tuple[str, ...]]:
    """Return clinical column -> its levels as written; none for a column of numbers."""
    dummies = {o for name, o in encoded.origin.items() if name != o}
    return {
        variable: tuple(sorted({str(c).strip() for c in cells[variable]} - {""}))
        if variable in dummies
        else ()
        for variable in dict.fromkeys(encoded.origin.values())
    }


def _with_gaps(encoded: Encoded) -> tuple[tuple[str, str], ...]:
    """Return the legend of the clinical columns, each with its number of gaps."""
    gaps = encoded.table.isna().sum()
    return tuple(
        (name, f"{meaning}; unknown in {gaps[name]}, filled inside each resample")
        if gaps.get(name, 0)
        else (name, meaning)
        for name, meaning in encoded.legend
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
    needed = patients_needed(cohort, settings)
    LOGGER.info(needed)
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
        about=About(
            refit=partial(refit_ladder, settings=settings),
            every_site=settings.models.harmonization != "none",
        ),
    )
    forget_others(kept)
    selected = select_on_all(cohort, settings)
    words = verdict(evaluation)
    return Learned(cohort, evaluation, legend, words, selected, sample_size=needed)


def patients_needed(cohort: Cohort, settings: StudySettings) -> str:
    """Return Riley's sample size for all candidates, and for the largest formula."""
    clinical = len(cohort.columns(Block.CLINICAL))
    blocks = len({b for b in cohort.blocks if b is not Block.CLINICAL})
    largest = clinical + blocks * settings.selection.max_features
    expected = settings.evaluation.expected_auc
    every, fewest = (
        sample_size(
            prevalence=cohort.events / len(cohort),
            parameters=count,
            c_statistic=expected,
        )
        for count in (len(cohort.names), min(largest, len(cohort.names)))
    )
    return (
        f"Sample size (Riley 2020) for an AUC of {expected:g} in new patients: "
        f"{every.patients:,} patients for all {len(cohort.names):,} candidates, "
        f"{fewest.patients:,} for the {min(largest, len(cohort.names)):,} variables "
        f"that the formulas may hold; this study has {len(cohort):,}."
    )


def finish(
    results: ResultsLayout,
    features: pd.DataFrame,
    content: ReportContent,
    learned: Learned | None,
    *,
    language: Language = "en",
) -> Path:
    """Write features.csv, evaluation.json, the models and the report with its files.

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
            training = training_of(results, content, learned.levels)
            write_json(
                results.model(name),
                trained_json(result, learned.cohort, content.settings, training),
            )
        if learned.tables is not None:
            page = write_clinical_page(learned.tables, content.title)
            write_clinical_tables(results.clinical, learned.tables, page)
    complete = replace(
        content, flow=flow, provenance=_provenance(content.settings, features)
    )
    if learned is not None:
        complete = _with_models(complete, learned)
    from radhabitat.report.publish import publish  # it loads matplotlib

    publish(complete, results, language=language)
    return results.report


def _with_models(content: ReportContent, learned: Learned) -> ReportContent:
    """Return a report with what was learned, and the values behind its figures."""
    cohort, ladder = learned.cohort, learned.evaluation.results.values()
    lasso = {
        block: Penalized(tuple(names[j] for j in kept.path_positions), kept.path)
        for block, (names, kept) in learned.selection.items()
        if kept.path is not None
    }
    chosen = {n for result in ladder for n in result.model.variables}
    for found in lasso.values():
        left = found.path.coefficients[found.path.best] != 0.0
        chosen |= {n for n, keep in zip(found.names, left, strict=True) if keep}
    names = tuple(sorted(chosen))
    values = cohort.values[:, cohort.positions(names)]
    return replace(
        content,
        selection={b: kept.counts for b, (_, kept) in learned.selection.items()},
        lasso=lasso,
        chosen=dict(zip(names, values.T, strict=True)),
        sites=cohort.sites,
        evaluation=learned.evaluation,
        verdict=learned.verdict,
        prognosis=learned.prognosis,
        sample_size=learned.sample_size,
        clinical_tables=printed(learned.tables) if learned.tables else (),
        clinical_columns=learned.legend,
    )


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
