"""A job without images: model a feature table that exists already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from radhabitat.clinical import encode
from radhabitat.errors import TableError
from radhabitat.files.clinical_table import read_clinical_frame
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.store import library_versions
from radhabitat.files.tables import read_table, require_column, with_ids
from radhabitat.modeling import block_of, evaluate_cohort, finish, sites_of
from radhabitat.report.content import ReportContent, SetAside
from radhabitat.settings import DataSettings, StudySettings
from radhabitat.study import StudyResult
from radhabitat.types import Block, Cohort

if TYPE_CHECKING:
    from radhabitat.execution import Runner


@dataclass(frozen=True)
class TableColumns:
    """What the columns of a feature table are.

    Attributes:
        outcome: Column with the outcome.
        positive: The outcome's value that is the event; None: 1, yes or true.
        clinical: Columns of the clinical model; the others are image features.
        patient: Column with the patient's id; None: guessed, else the row's number.
        site: Column with the hospital or scanner; None: all are of one.
    """

    outcome: str
    positive: str | None = None
    clinical: tuple[str, ...] = ()
    patient: str | None = None
    site: str | None = None


def model_table(
    table: Path,
    columns: TableColumns,
    settings: StudySettings,
    *,
    out: Path,
    run: Runner,
) -> StudyResult:
    """Run selection, models, evaluation and report on a feature table.

    Args:
        table: CSV or XLSX, one row per patient.
        columns: What its columns are.
        settings: `selection`, `models`, `evaluation` and `seed` count.
        out: Folder of the results.
        run: Runs the resamples.

    Raises:
        TableError: A column is missing, a patient occurs twice, or cells that should
            be numbers are not.
        SettingsError: Which value of the outcome is the event is not said.
    """
    raw = with_ids(read_table(table), columns.patient, table.name, columns.outcome)
    require_column(raw, columns.outcome, table.name, "--outcome")
    for name in columns.clinical:
        require_column(raw, name, table.name, "--clinical")
    data = DataSettings(
        outcome=columns.outcome, positive=columns.positive, site=columns.site
    )
    clinical = read_clinical_frame(raw, data, table.name)
    outcome = clinical.outcome
    if outcome is None:
        raise TableError("No outcome was named", "give --outcome COLUMN")
    encoded = encode(clinical.candidates.loc[list(outcome.index)])
    blocks = {
        new: Block.CLINICAL if origin in columns.clinical else block_of(origin)
        for new, origin in encoded.origin.items()
    }
    cohort = Cohort.from_tables(encoded.table, outcome, blocks, event=clinical.event)
    cohort = replace(cohort, sites=sites_of(clinical, cohort.patients))
    results = ResultsLayout(out)
    learned = evaluate_cohort(
        cohort, settings, results=results, run=run, legend=encoded.legend
    )
    content = ReportContent(
        title=settings.name,
        settings=settings,
        version=library_versions()["radhabitat"],
        flow=(("listed", len(raw)),),
        set_aside=tuple(
            SetAside(patient, "Reading tables", *why)
            for patient, why in clinical.unusable.items()
        ),
        features_count=len(cohort.names),
        not_computable=int(np.isnan(cohort.values).sum()),
    )
    report = finish(results, encoded.table, content, learned)
    return StudyResult(report, learned.evaluation, content.set_aside)


def read_numbers(
    table: Path, outcome: str, positive: str | None, patient: str | None
) -> tuple[pd.DataFrame, pd.Series[int]]:
    """Return the encoded columns of a table, and its outcome.

    Raises:
        TableError: A column is missing, or a patient occurs twice.
        SettingsError: Which value of the outcome is the event is not said.
    """
    raw = with_ids(read_table(table), patient, table.name, outcome)
    require_column(raw, outcome, table.name, "--outcome")
    data = DataSettings(outcome=outcome, positive=positive)
    clinical = read_clinical_frame(raw, data, table.name)
    if clinical.outcome is None:
        raise TableError("No outcome was named", "give --outcome COLUMN")
    cells = clinical.candidates.loc[list(clinical.outcome.index)]
    return encode(cells).table, clinical.outcome
