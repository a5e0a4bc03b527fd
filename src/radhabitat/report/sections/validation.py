"""The same models by every rule: bootstrap, cross-validation, sites, shuffles."""

from __future__ import annotations

from functools import partial

from radhabitat.evaluation.results import Evaluation, ModelResult
from radhabitat.report.blocks import Block, Callout, Figure, Heading, Table
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.confusion import draw_confusion
from radhabitat.report.figures.optimism import draw_optimism
from radhabitat.report.figures.permutation import draw_permutation
from radhabitat.report.figures.sankey import draw_sankey
from radhabitat.report.figures.sites import draw_site_shares, draw_sites
from radhabitat.report.figures.waterfall import draw_waterfall
from radhabitat.report.wording import (
    estimate,
    model_title,
    number,
    p_value,
    percent,
    short_title,
    slug,
)
from radhabitat.types import Estimate


def validation_blocks(evaluation: Evaluation, content: ReportContent) -> list[Block]:
    """Return all validated AUCs, sites, ablations and confusion tables."""
    return [
        Heading("The same models by every rule"),
        Figure(
            "optimism",
            partial(draw_optimism, evaluation=evaluation),
            "AUC of every model by every rule. Hollow: the patients judged were "
            "learned from in part; filled: they were not.",
            wide=True,
        ),
        _rules(evaluation),
        Callout(
            "Harrell's correction and .632 stay far too high where few patients meet "
            "many candidates, and the published protocol (selection on all patients, "
            "bootstrap of the last fit) shows the apparent AUC. They stand here to be "
            "compared with papers, not to be quoted."
        ),
        *_shuffles(evaluation),
        *_sites(evaluation, content),
        *_ablations(evaluation),
        *_decided(evaluation),
        _decisions(evaluation),
    ]


def _decided(evaluation: Evaluation) -> list[Block]:
    """Return who is called what, in pictures; nothing without thresholds."""
    results = {n: r for n, r in evaluation.results.items() if r.decisions}
    if not results:
        return []
    blocks: list[Block] = [
        Figure(
            "confusion",
            partial(draw_confusion, evaluation=evaluation),
            "Confusion matrices of unseen patients at Youden's threshold. Counts are "
            "means over the resamples, so they are not whole numbers.",
            wide=True,
        )
    ]
    name, last = list(results.items())[-1]
    title = model_title(name)
    blocks += [
        Figure(
            f"waterfall-{slug(name)}",
            partial(draw_waterfall, evaluation=evaluation, result=last),
            f"{title}: out-of-bag risk of every patient, above or below Youden's "
            "threshold.",
            wide=True,
        ),
        Figure(
            f"sankey-{slug(name)}",
            partial(draw_sankey, evaluation=evaluation, result=last),
            f"{title}: from the predicted risk group (most resamples without the "
            "patient) to what happened.",
        ),
    ]
    return blocks


def _rules(evaluation: Evaluation) -> Table:
    names = list(evaluation.results)
    checks = {name: result.validation for name, result in evaluation.results.items()}
    rows = [
        (".632+ bootstrap", *(estimate(checks[n].plus632) for n in names)),
        ("Out-of-bag (leave pair out)",
         *(estimate(checks[n].out_of_bag) for n in names)),
    ]  # fmt: skip
    rows.append(
        ("Nested cross-validation",
         *(_maybe(checks[n].cross_validated) for n in names))
    )  # fmt: skip
    rows += [
        (".632 bootstrap", *(number(checks[n].point632) for n in names)),
        ("Apparent minus Harrell's optimism",
         *(number(checks[n].harrell) for n in names)),
        ("Published protocol: apparent",
         *(_maybe(checks[n].published) for n in names)),
        ("Apparent", *(estimate(evaluation.results[n].apparent) for n in names)),
    ]  # fmt: skip
    return Table(
        "AUC by rule",
        ("Rule", *(short_title(n) for n in names)),
        rows,
        note="The whole learning, selection included, was repeated for the first "
        "five rows; the first three are honest.",
    )


def _maybe(value: Estimate | None) -> str:
    return "not done" if value is None else estimate(value)


def _shuffles(evaluation: Evaluation) -> list[Block]:
    rows = [
        (model_title(name), str(len(v.shuffled)),
         number(max(v.shuffled)), p_value(v.permutation_p))
        for name, v in ((n, r.validation) for n, r in evaluation.results.items())
        if v.permutation_p is not None
    ]  # fmt: skip
    if not rows:
        return []
    return [
        Figure(
            "permutation",
            partial(draw_permutation, evaluation=evaluation),
            "AUC of the whole learning on shuffled outcomes (gray), and on the true "
            "ones (line).",
            wide=True,
        ),
        Table(
            "Permutation test of the cross-validated AUC",
            ("Model", "Shuffles", "Best shuffled AUC", "p"),
            rows,
            note="The outcomes were shuffled between patients (of the same site) and "
            "everything was learned anew.",
        ),
    ]


def _sites(evaluation: Evaluation, content: ReportContent) -> list[Block]:
    if not evaluation.sites:
        return []
    blocks: list[Block] = [
        Figure(
            "sites",
            partial(draw_sites, evaluation=evaluation),
            "AUC at each site of models learned from the other sites.",
        )
    ]
    model = list(evaluation.results.values())[-1].model
    if (
        content.sites
        and model.variables
        and set(model.variables) <= set(content.chosen)
    ):
        draw = partial(
            draw_site_shares, model=model, values=content.chosen, sites=content.sites
        )
        words = (
            f"{model_title(model.name)}: how much of each variable's variance lies "
            "between sites, before and after harmonization (where it was done)."
        )
        blocks.append(Figure("site-shares", draw, words, wide=True))
    names = list(evaluation.results)
    rows = [
        (s.site, f"{s.patients:,}", f"{s.events:,}",
         *(estimate(s.auc[n]) if n in s.auc else "too few" for n in names))
        for s in evaluation.sites
    ]  # fmt: skip
    return [
        *blocks,
        Table(
            "Each site judged by models learned from the others",
            ("Site", "Patients", "Events", *(short_title(n) for n in names)),
            rows,
        ),
    ]


def _ablations(evaluation: Evaluation) -> list[Block]:
    if not evaluation.ablations:
        return []
    names = list(dict.fromkeys(n for row in evaluation.ablations.values() for n in row))
    rows = [
        (sequence, *(estimate(row[n]) if n in row else "-" for n in names))
        for sequence, row in evaluation.ablations.items()
    ]
    return [
        Table(
            "One sequence alone",
            ("Sequence", *(short_title(n) for n in names)),
            rows,
            note="Nested cross-validation of the same learning with the image features "
            "of one sequence.",
        )
    ]


def _decisions(evaluation: Evaluation) -> Table:
    rows = [row for name, r in evaluation.results.items() for row in _of(name, r)]
    return Table(
        "Decisions on unseen patients",
        ("Model, threshold", "Sensitivity", "Specificity", "PPV", "NPV", "Accuracy"),
        rows,
        note="Youden's threshold is chosen inside each resample and applied to the "
        "patients left out; the median is shown. Wilson intervals.",
    )


def _of(name: str, result: ModelResult) -> list[tuple[str, ...]]:
    return [
        (
            f"{short_title(name)}, {d.name} ({percent(d.threshold)})",
            *(
                estimate(value, digits=2)
                for value in (
                    d.sensitivity,
                    d.specificity,
                    d.positive_predictive_value,
                    d.negative_predictive_value,
                    d.accuracy,
                )
            ),
        )
        for d in result.decisions
    ]
