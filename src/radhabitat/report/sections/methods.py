"""The methods text, written from the settings that the run used."""

from __future__ import annotations

import re

from radhabitat.report.blocks import Block, Heading, References, Section, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.sections.citations import WORKS
from radhabitat.report.wording import in_words, number, percent

_CITATION = re.compile(r"\[@(\w+)\]")


def methods_section(content: ReportContent) -> Section:
    """Return paragraphs with numbered citations, and the works cited."""
    paragraphs = []
    if content.from_images:
        paragraphs += [_images(content), _habitats(content), _features(content)]
    if content.from_images and content.reliability:
        paragraphs.append(_reliability(content))
    if content.evaluation is not None:
        paragraphs += [_learning(content), _evaluation(content)]
    if not paragraphs:
        return Section("methods", "Methods", ())
    cited = list(dict.fromkeys(_CITATION.findall("".join(paragraphs))))
    blocks: list[Block] = [Text(_numbered(words, cited)) for words in paragraphs]
    works = tuple(WORKS[key] for key in cited)
    blocks += [Heading("References"), References(works)]
    return Section("methods", "Methods", tuple(blocks))


def _numbered(words: str, cited: list[str]) -> str:
    return _CITATION.sub(lambda found: f"[{cited.index(found[1]) + 1}]", words)


def _images(content: ReportContent) -> str:
    data, recipe = content.settings.data, content.settings.preprocessing
    words = f"Sequences: {in_words(data.sequences)}. "
    if recipe.bias_correction:
        words += "Each was corrected for its bias field with N4 [@n4]. "
    if recipe.registration != "none" and len(data.sequences) > 1:
        affine = (
            " and, where plausible, affine" if recipe.registration == "affine" else ""
        )
        words += (
            f"They were brought to {data.reference}, on which the tumor was drawn, by "
            f"a search over translations and then rigid{affine} registration with "
            "ANTs [@ants], by mutual information in the tumor dilated by "
            f"{recipe.region_mm:g} mm; what did not raise it was not kept. "
        )
    interpolation = {"linear": "linear", "bspline": "B-spline"}[recipe.interpolation]
    words += (
        f"All were resampled once to {recipe.spacing_mm:g} mm isotropic voxels "
        f"({interpolation} interpolation)"
    )
    scaling = {
        "minmax": " and normalized to 0-1 by the extremes of the whole native image.",
        "zscore": " and normalized to mean 0 and standard deviation 1.",
        "none": "; intensities were not normalized.",
    }
    return words + scaling[recipe.normalization]


def _habitats(content: ReportContent) -> str:
    settings, data = content.settings.habitats, content.settings.data
    order_by = settings.order_by or (
        "LAP" if "LAP" in data.sequences else data.reference
    )
    words = (
        "Each tumor was divided into habitats by K-means [@kmeans] on its voxels' "
        f"intensities in all sequences ({settings.restarts} starts, the best kept). "
    )
    if settings.k == "elbow":
        chosen = f", k = {content.k_used}" if content.k_used is not None else ""
        words += (
            "The number of habitats k is the one most patients voted for by the elbow "
            "of the within-habitat sum of squares (largest drop of the relative gain, "
            f"k = 2 to {settings.k_max}){chosen}. "
        )
    else:
        words += f"The number of habitats was set to {settings.k}. "
    return (
        words + f"Habitats are numbered by their mean intensity in {order_by}; tumors "
        f"with fewer than {settings.min_voxels} voxels per habitat were set aside."
    )


def _features(content: ReportContent) -> str:
    settings = content.settings.features
    source = {
        "pyradiomics": "as PyRadiomics defines them [@pyradiomics]",
        "ibsi": "as the IBSI defines them",
    }[settings.mode]
    gray = (
        f"a fixed bin width of {settings.bin_width:g} on the normalized image"
        if settings.bin_width is not None
        else f"{settings.bin_count} gray levels per region"
    )
    return (
        "Shape, first-order and texture features [@ibsi] of the whole tumor and of "
        f"each habitat were computed on the original images, {source}, with {gray}. "
        "Volume and share of each habitat were added."
    )


def _reliability(content: ReportContent) -> str:
    settings = content.settings.reliability
    words = (
        f"In up to {settings.patients} patients drawn at random, features were "
        f"extracted {settings.repeats} times with the contour moved by at most "
        f"{settings.shift_mm:g} mm; those with a coefficient of variation above "
        f"{percent(settings.cv_limit)} were removed. "
    )
    return words + (
        "Where a second reader's contour exists, features with an ICC(2,1) [@icc] "
        f"below {settings.icc_limit:g} were removed too."
    )


def _learning(content: ReportContent) -> str:
    settings, ridge = content.settings.selection, content.settings.models.ridge
    clinical = (
        "Clinical variables with p < "
        f"{settings.clinical_p:g} in univariable logistic regression entered"
        if settings.clinical == "univariable"
        else "All clinical variables entered"
    )
    penalty = (
        f"with a ridge penalty of {ridge:g} on standardized coefficients (none for "
        "clinical variables alone)"
        if ridge
        else "without penalty"
    )
    rule = {"min": "the smallest deviance", "1se": "the one-standard-error rule"}
    return (
        f"{clinical}. Variables unknown in more than 20 % of the patients were left "
        "out, other gaps filled with the median. Features were standardized; of pairs "
        f"with |r| > {settings.correlation_limit:g} one was removed; exact recursive "
        f"elimination [@rfe] by ridge logistic regression left {settings.rfe_features} "
        f"per block; a logistic LASSO [@lasso] with {settings.lasso_folds}-fold "
        f"cross-validation ({rule[settings.lasso_rule]}) kept at most "
        f"{settings.max_features} per block. Logistic regression {penalty} gave the "
        "formulas; blocks were added one after the other."
    )


def _evaluation(content: ReportContent) -> str:
    settings, evaluation = content.settings.evaluation, content.evaluation
    repeats = settings.bootstraps if evaluation is None else evaluation.resamples
    confidence = number(100 * settings.confidence, digits=0)
    return (
        f"All of this learning was repeated in {repeats:,} bootstrap samples of the "
        "patients [@bootstrap], and each formula was tried on the patients outside its "
        "sample. The out-of-bag AUC is the share of pairs of an event and a non-event, "
        "both outside, that are ordered rightly (leave-pair-out); its variance counts "
        "the patients tested and those learned from (infinitesimal jackknife, never "
        "below that of DeLong [@delong]). Calibration [@calibration] and decision "
        "curves [@decision] use the same predictions. Models were compared by the "
        f"paired difference of their out-of-bag AUCs. Intervals are {confidence} % "
        "intervals. Every random draw followed from the seed "
        f"{content.settings.seed}. What to report follows TRIPOD+AI [@tripod]."
    )
