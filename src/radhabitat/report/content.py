"""What a report is made of; every part except the settings may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from radhabitat.evaluation.results import Evaluation, Prognosis
    from radhabitat.selection.lasso import LassoPath
    from radhabitat.settings import StudySettings

Counts = tuple[tuple[str, int], ...]
"""Steps in their order, each with how many were left after it."""
Quality = Mapping[str, Mapping[str, float]]
"""Sequence -> measure -> value."""


class SetAside(NamedTuple):
    """A patient that the study lost: doing what, what is wrong, what to do."""

    patient: str
    step: str
    problem: str
    fix: str


class HabitatRow(NamedTuple):
    """One habitat (from 1) of one patient: volume, and share of the tumor (0 to 1).

    The volume is 0 when the patient has none of it.
    """

    patient: str
    habitat: int
    volume_ml: float
    proportion: float


class MatchRow(NamedTuple):
    """How one patient's habitats were matched to the cohort's; see `habitats.Match`."""

    patient: str
    found: int
    cost: float
    ambiguity: float


class Printed(NamedTuple):
    """A finished table: so many columns from the left are words."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int


@dataclass(frozen=True, eq=False)
class Penalized:
    """The LASSO of a block, learned on all patients.

    Attributes:
        names: What it chose from, in the order of the path's columns.
        path: Coefficients and error over the penalty.
    """

    names: tuple[str, ...]
    path: LassoPath


@dataclass(frozen=True, eq=False)
class ReportContent:
    """Everything that the report shows; an empty part leaves its section out.

    Attributes:
        title: Name of the study.
        settings: The settings that the run used; the methods text quotes them.
        created: ISO date of the run, or empty (then the same results give the
            same bytes on every day).
        version: Version of RadHabitat.
        flow: Cohort flow: who -> number of patients left, in order.
        set_aside: Patients that were lost, each with problem and fix.
        notes: (patient, what was decided on the way).
        quality: Patient -> sequence -> measure -> value.
        k_votes: Number of habitats -> patients that voted for it; 1 abstains.
        k_used: Number of habitats used for everybody.
        k_scores: Patient -> k -> what the criterion says; the whole cohort's where it
            was divided as one.
        habitat_names: What each habitat is, in words.
        matches: How well each patient's habitats fit those of the others.
        checkerboards: Patient that asks to be looked at -> PNG of
            `checkerboard_picture`.
        pictures: Patient -> PNG of `habitat_picture`.
        habitat_table: One row per patient and habitat.
        features_count: Features per patient before any selection.
        not_computable: Cells of the feature table without a value.
        reliability: Features left after each reliability step.
        selection: Block -> variables left after each selection step, learned on
            all patients.
        lasso: Block -> its LASSO on all patients.
        chosen: Variable of a formula, or left by a LASSO -> its value in each patient
            of `evaluation`, shape (patients,).
        sites: Hospital or scanner of each patient of `evaluation`; empty: one.
        surfaces: Patient -> PNG of `habitat_surface`.
        stability: Kind of change and region -> measure -> value, of stability.csv.
        evaluation: The models and how good they are; None without an outcome.
        verdict: The honest answer in plain words.
        prognosis: Survival by risk group, one per model.
        sample_size: How many patients such a model needs, in words.
        clinical_tables: Tables 1 to 3: who the patients are, and odds ratios.
        clinical_columns: (name of a clinical column, what it is).
        provenance: (name, value): versions, seed, hashes of input and settings.
    """

    title: str
    settings: StudySettings
    created: str = ""
    version: str = ""
    flow: Counts = ()
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    quality: Mapping[str, Quality] = field(default_factory=dict)
    k_votes: Mapping[int, int] = field(default_factory=dict)
    k_used: int | None = None
    k_scores: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    habitat_names: tuple[str, ...] = ()
    matches: tuple[MatchRow, ...] = ()
    checkerboards: Mapping[str, bytes] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    habitat_table: tuple[HabitatRow, ...] = ()
    features_count: int | None = None
    not_computable: int = 0
    reliability: Counts = ()
    selection: Mapping[str, Counts] = field(default_factory=dict)
    lasso: Mapping[str, Penalized] = field(default_factory=dict)
    chosen: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    surfaces: Mapping[str, bytes] = field(default_factory=dict)
    stability: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    evaluation: Evaluation | None = None
    verdict: str = ""
    prognosis: tuple[Prognosis, ...] = ()
    sample_size: str = ""
    clinical_tables: tuple[Printed, ...] = ()
    clinical_columns: tuple[tuple[str, str], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()

    @property
    def from_images(self) -> bool:
        """Tell whether the study began with images, not with a feature table."""
        return bool(
            self.quality or self.k_scores or self.pictures or self.habitat_table
        )
