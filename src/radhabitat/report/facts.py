"""What a run says about itself: one answer for each rule of the checklists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.content import ReportContent
from radhabitat.report.wording import count, estimate, in_words, percent, short_title
from radhabitat.settings import FeatureSettings

YES, NO, PARTLY, OPEN, NONE = "yes", "no", "partly", "open", "not applicable"
EVENTS_WANTED = 10


class Fact(NamedTuple):
    """An answer: the state, the evidence in words, the chapter that shows it."""

    state: str
    words: str
    anchor: str = ""


def facts_of(content: ReportContent) -> dict[str, Fact]:
    """Return rule -> answer; a rule without one is for people to answer."""
    found = {**_always(content), **_reported(content)}
    if content.from_images:
        found |= _images(content)
    if content.evaluation is not None and content.evaluation.results:
        found |= _learning(content)
        found |= _events(content, content.evaluation)
        found |= _judged(content, content.evaluation)
        found |= _elsewhere(content.evaluation)
    return found


def _always(content: ReportContent) -> dict[str, Fact]:
    return {
        "guideline": Fact(
            PARTLY,
            "CLEAR, METRICS, TRIPOD+AI and PROBAST+AI are filled here as far as a "
            "program can; the authors complete and attach them",
            "checklists",
        ),
        "settings_file": Fact(YES, "study.toml; all settings below", "provenance"),
        "code": Fact(
            YES, f"RadHabitat {content.version}, with manifest.json", "provenance"
        ),
        "code_public": Fact(OPEN, "say where the code of the study lies"),
        "model_public": Fact(OPEN, "say whether models/*.json are published"),
        "automatic_drawing": Fact(NONE, "tumors were drawn outside this program"),
        "deep_learning": Fact(NONE, "no deep learning"),
        "updating": Fact(NONE, "no model was updated"),
        "features_file": Fact(YES, "features.csv", "features"),
    }


def _reported(content: ReportContent) -> dict[str, Fact]:
    flow = content.flow
    found = {
        "workflow": Fact(YES, "drawn from the settings", "figure-workflow"),
        "abstract": Fact(PARTLY, "the figures are in the summary", "summary"),
    }
    if flow:
        ends = f"{flow[0][1]:,} patients listed, {flow[-1][1]:,} used"
        found["flow"] = Fact(YES, ends, "patients")
        found["eligibility"] = Fact(
            PARTLY, f"{ends}; the criteria are for the authors", "patients"
        )
        lost = flow[0][1] - flow[-1][1]
        found["everybody"] = Fact(
            NO if lost else YES, f"{count(lost, 'patient')} left out", "patients"
        )
    if content.clinical_tables:
        found["baseline"] = Fact(YES, "Table 1", "patients")
    if content.clinical_columns:
        told = f"{count(len(content.clinical_columns), 'clinical column')} described"
        found["predictors"] = Fact(YES, told, "patients")
        found["dictionary"] = Fact(YES, told, "patients")
    if content.features_count is not None:
        told = f"{count(content.features_count, 'feature')} per patient"
        found["number"] = Fact(YES, told, "features")
        found["feature_statistics"] = Fact(
            PARTLY, "features.csv; those of the formulas are drawn", "models"
        )
    return found


def _images(content: ReportContent) -> dict[str, Fact]:
    settings = content.settings
    recipe, gray = settings.preprocessing, settings.features
    steps = [
        *(["N4"] if recipe.bias_correction else []),
        f"{recipe.registration} registration ({recipe.engine})",
        f"normalization {recipe.normalization}",
    ]
    filters = [f.kind for f in gray.filters]
    width = (
        f"bin width {gray.bin_width:g}"
        if gray.bin_width is not None
        else f"{gray.bin_count} gray levels"
    )
    standard = {"pyradiomics": "PyRadiomics' definitions", "ibsi": "IBSI's definitions"}
    found = {
        "preprocessing": Fact(YES, ", ".join(steps), "methods"),
        "resampling": Fact(
            YES, f"{recipe.interpolation}, {recipe.spacing_mm:g} mm", "methods"
        ),
        "discretization": Fact(YES, width, "methods"),
        "image_types": Fact(YES, ", ".join(["original", *filters]), "methods"),
        "extraction": Fact(YES, standard[gray.mode], "methods"),
        "classes": Fact(YES, "shape, first order, texture, habitats", "methods"),
        "defaults": Fact(YES, _changed(gray), "provenance"),
        "acquisition": Fact(
            PARTLY,
            f"sequences {in_words(settings.data.sequences)}; scanner and parameters "
            "are for the authors",
            "methods",
        ),
        "segmentation": Fact(
            PARTLY,
            f"tumor drawn on {settings.data.reference}; by whom and with what is for "
            "the authors",
            "methods",
        ),
    }
    if content.quality:
        lost = len({row.patient for row in content.set_aside})
        told = f"measured in every patient; {count(lost, 'patient')} set aside"
        found["quality"] = Fact(YES, told, "quality")
    if content.reliability:
        first, last = content.reliability[0][1], content.reliability[-1][1]
        told = f"{first:,} features, {last:,} left"
        found["reliability"] = found["robust"] = Fact(YES, told, "reliability")
    else:
        missing = Fact(NO, "features were not measured again", "reliability")
        found["reliability"] = found["robust"] = missing
    return found


def _changed(settings: FeatureSettings) -> str:
    fresh, mine = FeatureSettings().model_dump(), settings.model_dump()
    names = [name for name in mine if mine[name] != fresh[name]]
    return f"changed: {', '.join(names)}" if names else "all are the defaults"


def _learning(content: ReportContent) -> dict[str, Fact]:
    settings = content.settings
    chosen, evaluated = settings.selection, settings.evaluation
    combat = settings.models.harmonization != "none"
    screened = chosen.clinical != "all"
    ridge = settings.models.ridge
    model = f"logistic regression, ridge penalty {ridge:g}"
    tuned = f"penalty by {chosen.lasso_folds}-fold cross-validation in each resample"
    return {
        "partition": Fact(
            YES, "patients left out of each resample are judged by it alone", "methods"
        ),
        "missing": Fact(
            PARTLY,
            "filled with the median inside each resample; multiple imputation was not "
            "done",
            "methods",
        ),
        "scaling": Fact(
            YES, "standardized" + (", ComBat" if combat else ""), "methods"
        ),
        "reduction": Fact(
            YES,
            f"|r| <= {chosen.correlation_limit:g}, {chosen.reduction}, LASSO",
            "features",
        ),
        "algorithm": Fact(YES, model, "methods"),
        "tuning": Fact(YES, tuned, "methods"),
        "choice": Fact(YES, "the ladder of models was fixed before", "methods"),
        "confounders": Fact(PARTLY, "clinical variables are in the models", "models"),
        "interpretation": Fact(YES, "coefficients, importance, nomogram", "models"),
        "formula": Fact(YES, "all coefficients; models/*.json", "models"),
        "model_file": Fact(YES, "models/*.json", "models"),
        "univariable": Fact(
            NO if screened else YES,
            f"clinical variables with p < {chosen.clinical_p:g} alone"
            if screened
            else "no screening one by one",
            "methods",
        ),
        "ablation": Fact(
            YES if content.evaluation and content.evaluation.ablations else NO,
            "each sequence alone was learned"
            if evaluated.ablation
            else "switch evaluation.ablation on",
            "evaluation",
        ),
        "continuous": Fact(
            PARTLY,
            "the program cuts nothing in two; columns of the table that were cut "
            "before are for the authors",
            "patients",
        ),
    }


def _events(content: ReportContent, evaluation: Evaluation) -> dict[str, Fact]:
    total, events = len(evaluation.patients), int(evaluation.outcome.sum())
    smaller = min(events, total - events)
    candidates = content.features_count or 1
    enough = smaller / candidates >= EVENTS_WANTED
    told = f"{events:,} events in {total:,} patients, {candidates:,} candidate features"
    share = f"{percent(events / total)} have the event"
    even = 0.2 <= events / total <= 0.8
    planned = content.sample_size or told
    return {
        "events": Fact(YES if enough else NO, told, "summary"),
        "dimension": Fact(YES if enough else NO, told, "summary"),
        "sample_size": Fact(YES if content.sample_size else PARTLY, planned, "methods"),
        "outcome": Fact(
            PARTLY, f"{evaluation.event}; when is for the authors", "summary"
        ),
        "imbalance": Fact(
            YES if even else PARTLY, f"{share}; no resampling of classes", "summary"
        ),
        "limits": Fact(PARTLY, "those that the program sees", "summary"),
    }


def _judged(content: ReportContent, evaluation: Evaluation) -> dict[str, Fact]:
    results = evaluation.results
    aucs = "; ".join(
        f"{short_title(n)} {estimate(r.headline, digits=2)}" for n, r in results.items()
    )
    worst = max(
        (r.optimism for r in results.values() if np.isfinite(r.optimism)), default=0.0
    )
    compared = Fact(
        YES if evaluation.comparisons else NO,
        "; ".join(row.method for row in evaluation.comparisons[:1])
        or "only one model was learned",
        "evaluation",
    )
    clinical = Fact(
        YES if len(results) > 1 and "clinical" in results else NO,
        "the clinical model is the first of the ladder"
        if "clinical" in results
        else "there is no clinical model",
        "evaluation",
    )
    return {
        "testing": Fact(
            YES,
            f"whole learning in {evaluation.resamples:,} resamples; patients left out",
            "evaluation",
        ),
        "metrics": Fact(
            YES, "AUC, calibration, decision curves, thresholds", "evaluation"
        ),
        "uncertainty": Fact(
            YES, f"{percent(content.settings.evaluation.confidence)} intervals",
            "evaluation",
        ),
        "calibration": Fact(YES, "curve, slope, intercept", "figure-calibration"),
        "comparison": compared,
        "nonradiomic": clinical,
        "simple": Fact(YES, "all models are logistic formulas", "models"),
        "performance": Fact(YES, f"unseen AUC: {aucs}", "evaluation"),
        "optimism": Fact(
            NO if worst > 0.1 else YES, f"up to {worst:.2f} of AUC", "figure-optimism"
        ),
        "thresholds": Fact(YES, "Youden's and those of the settings", "evaluation"),
    }  # fmt: skip


def _elsewhere(evaluation: Evaluation) -> dict[str, Fact]:
    sites = evaluation.sites
    told = f"{count(len(sites), 'site')}" if sites else "one site, or none was named"
    handled = "sites, each judged by models of the others" if sites else told
    return {
        "sites": Fact(YES if len(sites) > 1 else NO, told, "evaluation"),
        "sites_told": Fact(
            PARTLY, f"{told}; the setting is for the authors", "evaluation"
        ),
        "confounders_handled": Fact(
            YES if len(sites) > 1 else PARTLY, handled, "evaluation"
        ),
        "external": Fact(
            NO, "no patients from outside the study were tested", "summary"
        ),
    }


def state_of(facts: Mapping[str, Fact], rule: str) -> Fact:
    """Return the answer to a rule; without one it is open."""
    return facts.get(rule, Fact(OPEN, "for the authors"))
