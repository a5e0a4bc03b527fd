"""Learning the ladder of models: the one function that every resample repeats.

    clinical screening | selection of radiomics | selection of habitat features
    -> clinical model -> CR model -> CRH model

Everything that learns from more than one patient is in here.
"""

from __future__ import annotations

import numpy as np

from radhabitat.errors import TableError
from radhabitat.models import fit_risk_model
from radhabitat.selection import Selection, screen_variables, select_features
from radhabitat.settings import SelectionSettings, StudySettings
from radhabitat.types import Block, Cohort, Ladder, RiskModel

LADDER_NAMES = {
    (Block.CLINICAL,): "clinical",
    (Block.CLINICAL, Block.RADIOMICS): "cr",
    (Block.CLINICAL, Block.RADIOMICS, Block.HABITAT): "crh",
    (Block.CLINICAL, Block.HABITAT): "clinical_habitat",
    (Block.RADIOMICS,): "radiomics",
    (Block.RADIOMICS, Block.HABITAT): "radiomics_habitat",
    (Block.HABITAT,): "habitat",
}


def fit_ladder(cohort: Cohort, settings: StudySettings) -> Ladder:
    """Learn the nested models of a cohort: each adds a block to the one before.

    The same cohort gives the same formulas in whatever order its patients and
    variables stand. `functools.partial(fit_ladder, settings=...)` is a `Fit`.

    Args:
        cohort: May hold copies of patients; both outcomes occur.
        settings: `selection`, `models` and `seed` count.

    Returns:
        Name -> model: clinical, cr, crh; without clinical variables radiomics,
        radiomics_habitat; and so on for other blocks.

    Raises:
        TableError: No variables, or only one outcome.
    """
    blocks = tuple(b for b in Block if len(cohort.columns(b)))
    if not blocks or cohort.events in (0, len(cohort)):
        raise TableError(
            f"{len(cohort.names)} variables and {cohort.events} events in "
            f"{len(cohort)} patients: there is nothing to learn",
            "give at least one variable, and patients with and without the event",
        )
    ordered = _in_order(cohort)
    ladder: dict[str, RiskModel] = {}
    variables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    for place, block in enumerate(blocks, start=1):
        kept, note = _select(ordered, block, settings)
        variables += kept
        notes += (note,)
        name = LADDER_NAMES[blocks[:place]]
        ladder[name] = fit_risk_model(
            ordered, variables, name=name, ridge=settings.models.ridge, notes=notes
        )
    return ladder


def _in_order(cohort: Cohort) -> Cohort:
    """Return the cohort with patients and variables sorted by name."""
    rows = np.argsort(np.asarray(cohort.patients), kind="stable")
    columns = np.argsort(np.asarray(cohort.names), kind="stable")
    return Cohort(
        patients=tuple(cohort.patients[i] for i in rows),
        names=tuple(cohort.names[j] for j in columns),
        blocks=tuple(cohort.blocks[j] for j in columns),
        values=cohort.values[np.ix_(rows, columns)],
        outcome=cohort.outcome[rows],
        event=cohort.event,
    )


def _select(
    cohort: Cohort, block: Block, settings: StudySettings
) -> tuple[tuple[str, ...], str]:
    """Return the names of the variables kept in a block, and how they were found."""
    columns = cohort.columns(block)
    names = tuple(cohort.names[j] for j in columns)
    chosen = _choose(cohort, block, settings.selection, settings.seed)
    kept = tuple(names[j] for j in chosen.positions)
    steps = ", ".join(f"{step} {count:,}" for step, count in chosen.remaining)
    return kept, f"{block.capitalize()} variables left after each step: {steps}"


def _choose(
    cohort: Cohort, block: Block, settings: SelectionSettings, seed: int
) -> Selection:
    columns = cohort.columns(block)
    values = cohort.values[:, columns]
    if block is Block.CLINICAL:
        names = tuple(cohort.names[j] for j in columns)
        return screen_variables(
            values, names, cohort.outcome, cohort.patients, settings
        )
    return select_features(
        values, cohort.outcome, cohort.patients, settings, seed=seed
    )
