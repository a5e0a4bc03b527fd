"""Learning the ladder of models: the one function that every resample repeats.

    clinical screening | selection of radiomics | selection of habitat features
    -> clinical model -> CR model -> CRH model

Everything that learns from more than one patient is in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import TableError
from radhabitat.models import fit_combat, fit_risk_model
from radhabitat.selection import Selection, select_clinical, select_features
from radhabitat.settings import StudySettings
from radhabitat.types import Block, Cohort, Ladder, RiskModel

LADDER_NAMES = {
    (Block.CLINICAL,): "clinical",
    (Block.CLINICAL, Block.RADIOMICS): "cr",
    (Block.CLINICAL, Block.RADIOMICS, Block.HABITAT): "crh",
    (Block.CLINICAL, Block.HABITAT): "ch",
    (Block.RADIOMICS,): "radiomics",
    (Block.RADIOMICS, Block.HABITAT): "radiomics_habitat",
    (Block.HABITAT,): "habitat",
}
"""Blocks of variables, in the order they join -> name of the model."""

BLOCK_WORDS = {
    Block.CLINICAL: "Clinical variables",
    Block.RADIOMICS: "Radiomic features",
    Block.HABITAT: "Habitat features",
}


def fit_ladder(cohort: Cohort, settings: StudySettings) -> Ladder:
    """Learn the nested models of a cohort: each adds a block to the one before.

    The same cohort gives the same formulas in whatever order its patients and
    variables stand. `functools.partial(fit_ladder, settings=...)` is a `Fit`.

    The model of the clinical variables alone has no penalty, as published; those
    with image features have the ridge penalty of the settings.

    Args:
        cohort: May hold copies of patients; both outcomes occur.
        settings: `selection`, `models` and `seed` count.

    Returns:
        Name -> model: clinical, cr, crh; without clinical variables radiomics,
        radiomics_habitat; and so on for other blocks.

    Raises:
        TableError: No variables, or only one outcome.
    """
    ordered, maps = _harmonize(_in_order(cohort), settings)
    ladder: dict[str, RiskModel] = {}
    variables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    blocks = _blocks(cohort)
    for place, block in enumerate(blocks, start=1):
        chosen = _select(ordered, block, settings)
        names = _names(ordered, block)
        variables += tuple(names[j] for j in chosen.positions)
        steps = "; ".join(f"{step}: {left:,}" for step, left in chosen.counts)
        notes += (f"{BLOCK_WORDS[block]} left after each step: {steps}",)
        name = LADDER_NAMES[blocks[:place]]
        model = fit_risk_model(
            ordered,
            variables,
            name=name,
            ridge=_ridge(name, settings),
            rescue=settings.models.separation,
            notes=notes,
        )
        places = ordered.positions(model.variables)
        ladder[name] = replace(
            model, sites={site: both[:, places] for site, both in maps.items()}
        )
    return ladder


def refit_ladder(cohort: Cohort, ladder: Ladder, settings: StudySettings) -> Ladder:
    """Fit the variables of a ladder again, without choosing them again.

    This is what the published protocol repeats: not a fair repeat of the learning.
    """
    return {
        name: fit_risk_model(
            cohort,
            model.variables,
            name=name,
            ridge=_ridge(name, settings),
            rescue=settings.models.separation,
        )
        for name, model in ladder.items()
    }


def select_on_all(
    cohort: Cohort, settings: StudySettings
) -> dict[str, tuple[tuple[str, ...], Selection]]:
    """Return block in words -> its columns, and what a selection on a cohort keeps.

    Raises:
        TableError: No variables, or only one outcome.
    """
    blocks = _blocks(cohort)
    ordered = _harmonize(_in_order(cohort), settings)[0]
    return {
        BLOCK_WORDS[b]: (_names(ordered, b), _select(ordered, b, settings))
        for b in blocks
    }


def _harmonize(
    cohort: Cohort, settings: StudySettings
) -> tuple[Cohort, Mapping[str, NDArray[np.float64]]]:
    """Return the cohort with image features as if of one site, and how it was done.

    Returns:
        Site -> slope and offset of each variable, shape (2, variables); empty where
        nothing is harmonized.
    """
    if settings.models.harmonization == "none" or len(set(cohort.sites)) < 2:
        return cohort, {}
    image = np.flatnonzero([b is not Block.CLINICAL for b in cohort.blocks])
    combat = fit_combat(cohort.values[:, image], cohort.sites)
    values = cohort.values.copy()
    values[:, image] = combat.transform(values[:, image], cohort.sites)
    maps = {}
    for site, found in combat.maps().items():
        maps[site] = np.array([[1.0], [0.0]]) * np.ones((1, len(cohort.names)))
        maps[site][:, image] = found
    return replace(cohort, values=values), maps


def _ridge(name: str, settings: StudySettings) -> float:
    return 0.0 if name == "clinical" else settings.models.ridge


def _blocks(cohort: Cohort) -> tuple[Block, ...]:
    blocks = tuple(b for b in Block if len(cohort.columns(b)))
    if not blocks or cohort.events in (0, len(cohort)):
        raise TableError(
            f"{len(cohort.names)} variables and {cohort.events} events "
            f"({cohort.event}) in {len(cohort)} patients: there is nothing to learn",
            "give at least one variable, and patients with and without the event",
        )
    return blocks


def _in_order(cohort: Cohort) -> Cohort:
    """Return the cohort with patients and variables sorted by name."""
    rows = np.argsort(np.asarray(cohort.patients), kind="stable")
    columns = np.argsort(np.asarray(cohort.names), kind="stable")
    return cohort.take(rows).take_columns(columns)


def _names(cohort: Cohort, block: Block) -> tuple[str, ...]:
    return tuple(cohort.names[j] for j in cohort.columns(block))


def _select(cohort: Cohort, block: Block, settings: StudySettings) -> Selection:
    """Return what is kept of a block's columns."""
    part = cohort.take_columns(cohort.columns(block))
    if block is Block.CLINICAL:
        return select_clinical(part, settings.selection)
    return select_features(part, settings.selection, seed=settings.seed)
