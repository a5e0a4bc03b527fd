"""The methods text, written from the settings that the run used."""

from __future__ import annotations

import re

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.blocks import Block, Heading, References, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.wording import in_words, number, percent
from radhabitat.settings import SelectionSettings

WORKS = {
    "n4": "Tustison NJ, et al. N4ITK: improved N3 bias correction. IEEE Trans Med "
    "Imaging 2010;29:1310-1320. doi:10.1109/TMI.2010.2046908",
    "ants": "Avants BB, et al. A reproducible evaluation of ANTs similarity metric "
    "performance in brain image registration. NeuroImage 2011;54:2033-2044. "
    "doi:10.1016/j.neuroimage.2010.09.025",
    "mattes": "Mattes D, et al. PET-CT image registration in the chest using "
    "free-form deformations. IEEE Trans Med Imaging 2003;22:120-128. "
    "doi:10.1109/TMI.2003.809072",
    "nyul": "Nyul LG, Udupa JK, Zhang X. New variants of a method of MRI scale "
    "standardization. IEEE Trans Med Imaging 2000;19:143-150. doi:10.1109/42.836373",
    "kmeans": "Lloyd SP. Least squares quantization in PCM. IEEE Trans Inf Theory "
    "1982;28:129-137. doi:10.1109/TIT.1982.1056489",
    "assignment": "Kuhn HW. The Hungarian method for the assignment problem. Nav Res "
    "Logist Q 1955;2:83-97. doi:10.1002/nav.3800020109",
    "pyradiomics": "van Griethuysen JJM, et al. Computational radiomics system to "
    "decode the radiographic phenotype. Cancer Res 2017;77:e104-e107. "
    "doi:10.1158/0008-5472.CAN-17-0339",
    "ibsi": "Zwanenburg A, et al. The Image Biomarker Standardization Initiative. "
    "Radiology 2020;295:328-338. doi:10.1148/radiol.2020191145",
    "icc": "Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater "
    "reliability. Psychol Bull 1979;86:420-428. doi:10.1037/0033-2909.86.2.420",
    "rfe": "Guyon I, et al. Gene selection for cancer classification using support "
    "vector machines. Mach Learn 2002;46:389-422. doi:10.1023/A:1012487302797",
    "lasso": "Tibshirani R. Regression shrinkage and selection via the lasso. J R Stat "
    "Soc B 1996;58:267-288. doi:10.1111/j.2517-6161.1996.tb02080.x",
    "bootstrap": "Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat "
    "Med 1996;15:361-387. doi:10.1002/(SICI)1097-0258(19960229)15:4<361::"
    "AID-SIM168>3.0.CO;2-4",
    "plus": "Efron B, Tibshirani R. Improvements on cross-validation: the .632+ "
    "bootstrap method. J Am Stat Assoc 1997;92:548-560. "
    "doi:10.1080/01621459.1997.10474007",
    "mrmr": "Ding C, Peng H. Minimum redundancy feature selection from microarray gene "
    "expression data. J Bioinform Comput Biol 2005;3:185-205. "
    "doi:10.1142/S0219720005001004",
    "calibration": "Van Calster B, et al. Calibration: the Achilles heel of predictive "
    "analytics. BMC Med 2019;17:230. doi:10.1186/s12916-019-1466-7",
    "decision": "Vickers AJ, Elkin EB. Decision curve analysis. Med Decis Making "
    "2006;26:565-574. doi:10.1177/0272989X06295361",
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two "
    "or more correlated receiver operating characteristic curves. Biometrics "
    "1988;44:837-845. doi:10.2307/2531595",
    "tripod": "Collins GS, et al. TRIPOD+AI statement. BMJ 2024;385:e078378. "
    "doi:10.1136/bmj-2023-078378",
}

CITATION = re.compile(r"\[@(\w+)\]")


def methods_blocks(content: ReportContent) -> list[Block]:
    """Return paragraphs with numbered citations, and the works cited."""
    paragraphs = methods_text(content)
    if not paragraphs:
        return []
    cited = list(dict.fromkeys(CITATION.findall("".join(paragraphs))))
    return [
        *(Text(_numbered(words, cited)) for words in paragraphs),
        Heading("References"),
        References([WORKS[key] for key in cited]),
    ]


def methods_text(content: ReportContent) -> list[str]:
    """Return the paragraphs with citations as keys: [@key]."""
    paragraphs = []
    if content.from_images:
        paragraphs += [_images(content), _habitats(content), _features(content)]
        if content.reliability:
            paragraphs.append(_reliability(content))
    if content.evaluation is not None:
        paragraphs += [_learning(content), _evaluation(content, content.evaluation)]
    return paragraphs


def _numbered(words: str, cited: list[str]) -> str:
    return CITATION.sub(lambda found: f"[{cited.index(found[1]) + 1}]", words)


def _images(content: ReportContent) -> str:
    data, recipe = content.settings.data, content.settings.preprocessing
    words = f"Sequences: {in_words(data.sequences)}. "
    if recipe.bias_correction:
        words += "Each was corrected for its bias field with N4 [@n4]. "
    if recipe.registration != "none" and len(data.sequences) > 1:
        further = {
            "rigid": "",
            "affine": ", then by an affine map",
            "deformable": ", then by an affine map and a soft deformation",
        }[recipe.registration]
        engine = {"ants": "ANTs [@ants]", "simpleitk": "SimpleITK [@mattes]"}
        region = f"in the {recipe.region} dilated by {recipe.region_mm:g} mm"
        words += (
            f"They were brought to {data.reference}, on which the tumor was drawn, by "
            "a search over translations and rigid registration with "
            f"{engine[recipe.engine]}, by mutual information {region}; then each, in "
            "two rounds, to K-means codes of the tissue in all others, painted in its "
            f"own contrast{further}; what did not raise the information about these "
            "codes was not kept. "
        )
    interpolation = {"linear": "linear", "bspline": "B-spline"}[recipe.interpolation]
    words += (
        f"All were resampled once to {recipe.spacing_mm:g} mm isotropic voxels "
        f"({interpolation} interpolation)"
    )
    over = {"image": "whole native image", "body": "body"}[recipe.normalization_over]
    scaling = {
        "minmax": f" and normalized to 0-1 by the extremes of the {over}.",
        "percentile": f" and normalized by percentiles 1 and 99 of the {over}.",
        "zscore": f" and normalized to mean 0 and standard deviation 1 of the {over}.",
        "nyul": f" and mapped to the study's common landmarks of the {over} [@nyul].",
        "liver": " and divided by the median of the liver without the tumor.",
        "muscle": " and divided by the median of muscle.",
        "none": "; intensities were not normalized.",
    }
    return words + scaling[recipe.normalization]


def _habitats(content: ReportContent) -> str:
    settings = content.settings.habitats
    what = {
        "per_tumor": "Each tumor was divided",
        "pooled": "The voxels of all tumors together were divided",
        "two_step": f"Each tumor was divided into {settings.supervoxels} supervoxels, "
        "and those of all tumors together",
    }[settings.design]
    how = {"kmeans": "K-means [@kmeans]", "gmm": "a Gaussian mixture"}[settings.method]
    scaled = {
        "none": "",
        "zscore": " standardized within the tumor",
        "minmax": " scaled to 0-1 within the tumor",
    }[settings.scaling]
    words = (
        f"{what} into habitats by {how} on {in_words(content.settings.channels)}"
        f"{scaled} ({settings.restarts} starts, the best kept). "
    )
    if isinstance(settings.k, str):
        chosen = f", k = {content.k_used}" if content.k_used is not None else ""
        whose = "most tumors chose" if settings.design == "per_tumor" else "was chosen"
        words += (
            f"The number of habitats k is the one that {whose} by the criterion "
            f"{settings.k.replace('_', '-')} (k = 2 to {settings.k_max}){chosen}. "
        )
    else:
        words += f"The number of habitats was set to {settings.k}. "
    if settings.design == "per_tumor":
        words += (
            "Habitats of different tumors were matched to cohort prototypes by optimal "
            "assignment [@assignment] of their centers about the tumor's mean, in "
            "units of the tumor's spread, and the prototypes averaged again until "
            "nothing changed; homogeneous tumors have one habitat, those with fewer "
            f"than {settings.min_voxels} voxels per habitat fewer. "
        )
    return words + (
        "Habitats are numbered by the prototypes' rising intensity in "
        f"{content.settings.order_by}."
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
        if settings.clinical != "all"
        else "All clinical variables entered"
    )
    penalty = (
        f"with a ridge penalty of {ridge:g} on standardized coefficients (none for "
        "clinical variables alone)"
        if ridge
        else "without penalty"
    )
    net = "LASSO [@lasso]" if settings.lasso_mix == 1.0 else "elastic net [@lasso]"
    rule = {"min": "the smallest deviance", "1se": "the one-standard-error rule"}
    return (
        f"{clinical}. Variables unknown in more than 20 % of the patients were left "
        "out, other gaps filled with the median. Features were standardized; of pairs "
        f"with |r| > {settings.correlation_limit:g} one was removed; "
        f"{_reduction(settings)}a {settings.lasso_loss} {net} with "
        f"{settings.lasso_folds}-fold "
        f"cross-validation ({rule[settings.lasso_rule]}) kept at most "
        f"{settings.max_features} per block. Logistic regression {penalty} gave the "
        "formulas; blocks were added one after the other."
    )


def _reduction(settings: SelectionSettings) -> str:
    left = f"left {settings.rfe_features} per block; "
    return {
        "rfe": f"exact recursive elimination [@rfe] by ridge logistic models {left}",
        "mrmr": f"maximum relevance, minimum redundancy [@mrmr] {left}",
        "none": "",
    }[settings.reduction]


def _evaluation(content: ReportContent, evaluation: Evaluation) -> str:
    repeats = evaluation.resamples
    evaluated = content.settings.evaluation
    confidence = number(100 * evaluated.confidence, digits=0)
    return (
        f"All of this learning was repeated in {repeats:,} bootstrap samples of the "
        "patients [@bootstrap], and each formula was tried on the patients outside its "
        "sample. The out-of-bag AUC is the share of pairs of an event and a non-event, "
        "both outside, that are ordered rightly (leave-pair-out); its variance counts "
        "the patients tested and those learned from (infinitesimal jackknife, never "
        "below that of DeLong [@delong]). The headline is .632+ [@plus]. The learning "
        f"was also repeated in {evaluated.cv_repeats} x {evaluated.cv_folds}-fold "
        f"cross-validation and with {evaluated.permutations} shuffled outcomes. "
        "Calibration [@calibration] and decision "
        "curves [@decision] use the same predictions. Models were compared by the "
        f"paired difference of their out-of-bag AUCs. Intervals are {confidence} % "
        "intervals. Every random draw followed from the seed "
        f"{content.settings.seed}. What to report follows TRIPOD+AI [@tripod]."
    )
