"""StudySettings: one frozen object, one section per stage.

Settings are only what changes a number in the report; the defaults are the
published protocol (doi 10.3389/fonc.2026.1764150) where it was stated.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from radhabitat.errors import SettingsError

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
# TOML has no null: an empty text says that there is none
OptionalText = Annotated[str | None, BeforeValidator(lambda v: None if v == "" else v)]

KINETIC_MAPS = ("wash_in", "wash_out", "relative_enhancement")


FilterKind = Literal[
    "log",
    "wavelet",
    "gradient",
    "square",
    "squareroot",
    "logarithm",
    "exponential",
    "lbp2d",
    "lbp3d",
]


class Section(BaseModel):
    """A group of settings that one stage receives."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSettings(Section):
    """Where the study's input is, and what its columns mean."""

    subjects: str = Field(
        "subjects.csv",
        description="Table of image files: one row per patient, one column per "
        "sequence, and the columns mask and (optional) mask2",
    )
    sequences: tuple[str, ...] = Field(
        ("PRE", "LAP", "PVP", "DP"), min_length=1, description="Names, in study order"
    )
    reference: str = Field("PVP", description="The sequence the tumor was drawn on")
    mask_labels: tuple[int | str, ...] = Field(
        (),
        description="Labels of the mask, or names of its segments, that are tumor; "
        "empty: segments named after a tumor, else all",
    )
    lesions: Literal["union", "largest"] = Field(
        "union", description="Of several lesions in the mask: together, or the largest"
    )
    clinical: OptionalText = Field(
        "clinical.csv",
        description="Clinical table (CSV or XLSX) with the outcome; empty: none",
    )
    id_column: str = Field("patient", description="Column with the patient's id")
    outcome: OptionalText = Field(
        "response", description="Column with the outcome; empty: none, no models"
    )
    positive: OptionalText = Field(
        None, description="The outcome's value, or values, of the event; empty: 1"
    )
    variables: tuple[str, ...] | None = Field(
        None, description="Clinical candidates; empty: every other column"
    )
    reference_levels: tuple[str, ...] = Field(
        (),
        description='What levels are compared with, like "Ascites=Yes"; other '
        "variables: the most frequent level, or of two the one that is not yes",
    )
    site: OptionalText = Field(None, description="Column: hospital or scanner")
    survival_time: OptionalText = Field(None, description="Column: follow-up time")
    survival_event: OptionalText = Field(None, description="Column: 1 = died")

    @model_validator(mode="after")
    def _reference_is_a_sequence(self) -> Self:
        if self.reference not in self.sequences:
            raise ValueError(
                f"reference {self.reference!r} is not one of the sequences "
                f"{', '.join(self.sequences)}"
            )
        if len(set(self.sequences)) != len(self.sequences):
            raise ValueError("a sequence is named twice")
        for text in self.reference_levels:
            if not all(part.strip() for part in text.partition("=")):
                raise ValueError(
                    f'reference_levels: {text!r} is not like "Ascites=Yes"'
                )
        return self


class PreprocessingSettings(Section):
    """From native images to normalized images on one grid."""

    bias_correction: bool = Field(True, description="N4 on every sequence")
    registration: Literal["none", "rigid", "affine", "deformable"] = Field(
        "deformable",
        description="How far each sequence may move to meet the reference; affine and "
        "deformable parts are kept only where they fit better",
    )
    engine: Literal["ants", "simpleitk"] = Field(
        "ants", description="Of registration; SimpleITK has no deformable part"
    )
    region: Literal["tumor", "liver", "body"] = Field(
        "tumor",
        description="What registration looks at; liver: the column liver of the "
        "subjects table names a mask",
    )
    region_mm: float = Field(
        10.0, gt=0, description="Registration looks at the region dilated by this much"
    )
    grid: Literal["tumor", "body"] = Field(
        "tumor", description="What the final grid covers"
    )
    spacing_mm: float = Field(1.0, gt=0.2, le=5.0, description="Isotropic voxel size")
    margin_mm: float = Field(10.0, ge=3, description="Grid around the tumor or body")
    interpolation: Literal["linear", "bspline"] = "linear"
    normalization: Literal[
        "minmax", "percentile", "zscore", "nyul", "liver", "muscle", "none"
    ] = Field(
        "minmax",
        description="Of the bias-corrected image: darkest voxel 0, brightest 1 (as "
        "published); percentiles 1 and 99 instead; mean 0, SD 1; the study's common "
        "landmarks; or the median of an organ 1 (a mask in the column of its name)",
    )
    normalization_over: Literal["image", "body"] = Field(
        "image", description="Whose voxels count, but for liver and muscle"
    )


class HabitatSettings(Section):
    """How the tumor is divided."""

    design: Literal["per_tumor", "pooled", "two_step"] = Field(
        "per_tumor",
        description="Each tumor alone, as published; all voxels of the cohort as one; "
        "or each tumor's supervoxels, and these as one",
    )
    method: Literal["kmeans", "gmm"] = Field(
        "kmeans", description="K-means, or a Gaussian mixture"
    )
    maps: Literal["intensity", "kinetic"] = Field(
        "intensity",
        description="Divide by intensities, or by wash-in, wash-out and relative "
        "enhancement from the first, second and last sequence",
    )
    sequences: tuple[str, ...] = Field(
        (), description="Sequences to divide by; empty: all"
    )
    scaling: Literal["none", "zscore", "minmax"] = Field(
        "none", description="Of each sequence or map, within each tumor"
    )
    k: (
        Annotated[int, Field(ge=2, le=10)]
        | Literal[
            "elbow",
            "silhouette",
            "calinski_harabasz",
            "davies_bouldin",
            "gap",
            "bic",
        ]
    ) = Field(
        "elbow",
        description="Number of habitats, or the criterion by which each tumor votes",
    )
    k_max: int = Field(10, ge=3, le=20, description="Largest k on the curve")
    restarts: int = Field(10, ge=1, description="Random starts; the best is kept")
    supervoxels: int = Field(50, ge=10, le=500, description="Per tumor, in two_step")
    order_by: OptionalText = Field(
        None,
        description="Sequence or map whose intensity in the cohort's prototypes "
        "numbers the habitats; empty: LAP where there is one, else the reference",
    )
    min_voxels: int = Field(16, ge=1, description="Fewest voxels per habitat")
    families: tuple[
        Literal["interaction", "ith", "fragmentation", "boundary", "position"], ...
    ] = Field((), description="Features of the map beyond the published set")
    rings_mm: tuple[Annotated[float, Field(gt=0, le=30)], ...] = Field(
        (), description="Widths of rings around the tumor, further regions"
    )
    ring_habitats: bool = Field(
        False, description="Divide the rings too, by the tumor's habitats"
    )


class FilterSettings(Section):
    """A filtered image whose features are wanted, too: PyRadiomics' `imageType`."""

    kind: FilterKind = Field(description="The filter, as PyRadiomics defines it")
    sigma_mm: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (1.0, 3.0), min_length=1, description="`log`: one image per width"
    )
    wavelet: str = Field("coif1", description="`wavelet`: a name of PyWavelets")
    levels: int = Field(
        1, ge=1, le=4, description="`wavelet`: decompositions, each of the one before"
    )
    start_level: int = Field(0, ge=0, le=4, description="`wavelet`: skip so many first")
    radius: float = Field(1.0, gt=0, le=10, description="`lbp2d`, `lbp3d`: in voxels")
    samples: int = Field(8, ge=1, le=64, description="`lbp2d`: points on the circle")
    harmonics: int = Field(2, ge=1, le=6, description="`lbp3d`: orders, from 0 on")
    subdivisions: int = Field(1, ge=0, le=3, description="`lbp3d`: of the icosahedron")
    bin_width: float | None = Field(
        None, gt=0, description="Of this image; empty: as the image without filter"
    )
    bin_count: int | None = Field(None, ge=2, le=1024, description="Instead of a width")


class FeatureSettings(Section):
    """Radiomic features of the whole tumor and of each habitat."""

    mode: Literal["pyradiomics", "ibsi"] = "pyradiomics"
    bin_width: float | None = Field(
        None,
        gt=0,
        description="Gray-level width on the normalized image; 1/64 when neither "
        "is set",
    )
    bin_count: int | None = Field(
        None, ge=2, le=1024, description="Or a fixed number of gray levels per region"
    )
    resegment: tuple[float, ...] = Field(
        (),
        max_length=2,
        description="Lowest and highest intensity that counts, for all but shape; "
        "empty: all do",
    )
    resegment_unit: Literal["intensity", "share of maximum", "sigma"] = Field(
        "intensity", description="Unit of `resegment`"
    )
    intensity_shift: float = Field(
        0.0, description="Added for Energy, TotalEnergy and RootMeanSquared only"
    )
    filters: tuple[FilterSettings, ...] = Field(
        (), description="Each a table of its own, `[[features.filters]]`"
    )

    @model_validator(mode="before")
    @classmethod
    def _one_discretization(cls, given: Any) -> Any:  # noqa: ANN401 (raw TOML)
        if not isinstance(given, dict):
            return given
        width, count = given.get("bin_width"), given.get("bin_count")
        if width is not None and count is not None:
            raise ValueError("set one of bin_width and bin_count, not both")
        if width is None and count is None:
            return {**given, "bin_width": 1 / 64}
        return given

    def on(self, image: FilterSettings) -> Self:
        """Return these settings with the gray levels of a filtered image."""
        if image.bin_width is None and image.bin_count is None:
            return self
        own = {"bin_width": image.bin_width, "bin_count": image.bin_count}
        return self.model_copy(update=own)


Perturbation = Literal["shift", "size", "noise", "bias", "registration", "starts"]


class ReliabilitySettings(Section):
    """Which features can be measured twice."""

    patients: int = Field(30, ge=0, description="Drawn patients; 0 switches it off")
    repeats: int = Field(3, ge=2, description="Extractions per patient")
    perturb: tuple[Perturbation, ...] = Field(
        ("shift",),
        description="What differs between extractions, besides the random starts",
    )
    shift_mm: float = Field(
        1.0,
        gt=0,
        description="Contours, borders, starts of registration move by at most this",
    )
    strength: Share = Field(
        0.05, description="Noise in parts of the tumor's spread; range of the bias"
    )
    cv_limit: Share = Field(0.15, description="Largest coefficient of variation kept")
    icc_limit: Share = Field(0.8, description="Smallest ICC(2,1) between readers kept")


class SelectionSettings(Section):
    """From candidates to a few variables, inside every resample."""

    clinical: Literal["univariable", "multivariable", "all"] = Field(
        "univariable",
        description="Clinical candidates with p < clinical_p alone, or all of them",
    )
    clinical_p: Share = 0.05
    correlation_limit: Share = Field(0.9, description="|r| to a kept column")
    reduction: Literal["rfe", "mrmr", "none"] = Field(
        "rfe", description="Recursive elimination, or max relevance min redundancy"
    )
    rfe_features: int = Field(20, ge=1, description="Left by it, per block")
    lasso_mix: float = Field(
        1.0, gt=0, le=1, description="Share of the L1 penalty; below 1: elastic net"
    )
    lasso_loss: Literal["logistic", "squared"] = "logistic"
    lasso_folds: int = Field(10, ge=3)
    lasso_rule: Literal["min", "1se"] = "min"
    max_features: int = Field(6, ge=1, description="Largest number kept, per block")


class ModelSettings(Section):
    """The logistic formulas."""

    ridge: float = Field(
        1.0, ge=0, description="L2 penalty on standardized coefficients; 0: none"
    )
    separation: Literal["ridge", "firth"] = Field(
        "ridge", description="Where the variables separate the outcomes without one"
    )
    harmonization: Literal["none", "combat"] = Field(
        "none", description="Of image features between sites, inside each resample"
    )


class EvaluationSettings(Section):
    """How the truth is told."""

    bootstraps: int = Field(1000, ge=20, description="Repeats of the whole learning")
    headline: Literal["632+", "out-of-bag"] = Field(
        "632+", description="Which AUC of unseen patients stands first"
    )
    cv_folds: int = Field(5, ge=2, description="Of the nested cross-validation")
    cv_repeats: int = Field(5, ge=0, description="0 switches it off")
    permutations: int = Field(
        100, ge=0, description="Learnings with shuffled outcomes; 0: no test"
    )
    ablation: bool = Field(
        True, description="The models of each sequence alone, cross-validated"
    )
    expected_auc: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.75, description="What the sample size is reckoned with"
    )
    thresholds: tuple[Share, ...] = Field(
        (), description="Risks to decide at, beside Youden's"
    )
    confidence: Share = 0.95


class StudySettings(Section):
    """Everything that changes a number in the report."""

    name: str = "A RadHabitat study"
    seed: int = Field(20260101, ge=0)
    data: DataSettings = DataSettings()
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    habitats: HabitatSettings = HabitatSettings()
    features: FeatureSettings = FeatureSettings()
    reliability: ReliabilitySettings = ReliabilitySettings()
    selection: SelectionSettings = SelectionSettings()
    models: ModelSettings = ModelSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _habitats_name_sequences(self) -> Self:
        habitats = self.habitats
        for name in habitats.sequences:
            if name not in self.data.sequences:
                raise ValueError(
                    f"habitats.sequences {name!r} is not one of the sequences "
                    f"{', '.join(self.data.sequences)}"
                )
        if habitats.order_by and habitats.order_by not in self.channels:
            raise ValueError(
                f"habitats.order_by {habitats.order_by!r} is not one of the "
                f"{'maps' if habitats.maps == 'kinetic' else 'sequences'} "
                f"{', '.join(self.channels)}"
            )
        if (
            habitats.maps == "kinetic"
            and len(habitats.sequences or self.data.sequences) < 3
        ):
            raise ValueError(
                "habitats.maps = 'kinetic' needs three sequences: before, early, late"
            )
        if max(habitats.rings_mm, default=0.0) > self.preprocessing.margin_mm:
            raise ValueError(
                f"habitats.rings_mm reaches {max(habitats.rings_mm):g} mm, "
                f"preprocessing.margin_mm only {self.preprocessing.margin_mm:g}"
            )
        return self

    @model_validator(mode="after")
    def _kinetic_maps_compare_sequences(self) -> Self:
        scale = self.preprocessing.normalization
        if self.habitats.maps == "kinetic" and scale != "none":
            raise ValueError(
                f"habitats.maps = 'kinetic' with preprocessing.normalization {scale!r}"
                ": wash-in and wash-out compare sequences, which normalization puts on "
                "scales of their own; set it to 'none'"
            )
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        """What tumors are divided by: names of sequences or of kinetic maps."""
        if self.habitats.maps == "kinetic":
            return KINETIC_MAPS
        return self.habitats.sequences or self.data.sequences

    @property
    def order_by(self) -> str:
        """The channel that numbers the habitats."""
        channels, habitats = self.channels, self.habitats
        usual = ("LAP", self.data.reference, channels[0])
        return habitats.order_by or next(c for c in usual if c in channels)


def parse_settings(text: str, *, source: str = "study.toml") -> StudySettings:
    """Read the text of a study file.

    Args:
        text: TOML.
        source: Name of the file, for messages.

    Raises:
        SettingsError: Not TOML, an unknown name (with the nearest known one), or a
            value out of range.
    """
    try:
        return StudySettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{source} is not valid TOML: {error}", "mend that line"
        ) from None
    except ValidationError as error:
        raise _explain(error, source) from None


def feature_settings(given: Mapping[str, object]) -> FeatureSettings:
    """Make the settings of features from options of the command line.

    Raises:
        SettingsError: A value is out of range, or two contradict each other.
    """
    try:
        return FeatureSettings.model_validate(dict(given))
    except ValidationError as error:
        raise _explain(error, "The options") from None


def _explain(error: ValidationError, source: str) -> SettingsError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    name = ".".join(where) or "the file"
    if first["type"] == "extra_forbidden":
        known = list(_fields(where[:-1]))
        near = difflib.get_close_matches(where[-1], known, n=1)
        fix = f"did you mean {near[0]!r}? " if near else ""
        return SettingsError(
            f"{source} has an unknown setting {name}",
            f"{fix}known here: {', '.join(known)}",
        )
    return SettingsError(
        f"{source}: {name}: {first['msg']} (found {_short(first.get('input'))})",
        "give a value that the setting allows; docs/reference/settings.md lists them",
    )


def _short(value: Any) -> str:  # noqa: ANN401 (pydantic gives back any input)
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields(path: list[str]) -> dict[str, Any]:
    model: type[BaseModel] = StudySettings
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        model = annotation
    return dict(model.model_fields)
