"""The box on top: what was asked, the honest answer, what limits it."""

from __future__ import annotations

import math
from typing import NamedTuple

from radhabitat.evaluation.results import Evaluation, ModelResult
from radhabitat.report.content import ReportContent
from radhabitat.report.palette import model_color
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    compact,
    count,
    estimate,
    in_words,
    model_title,
    number,
    percent,
    short_title,
)

EVENTS_PER_VARIABLE = 10
WIDE_INTERVAL = 0.2
LARGE_OPTIMISM = 0.1
OFTEN_EMPTY = 0.05


class Card(NamedTuple):
    """One model: AUC on unseen patients, its interval, apparent AUC, optimism."""

    title: str
    color: str
    value: str
    interval: str
    apparent: str
    optimism: str


class Summary(NamedTuple):
    """What a reader should take home.

    Attributes:
        asked: The question.
        answer: The honest answer.
        limits: What limits the answer.
        explanation: How to read the figures.
        cards: One per model.
        warning: Stands wherever a risk is shown; empty without models.
    """

    asked: str
    answer: str
    limits: list[str]
    explanation: str = ""
    cards: tuple[Card, ...] = ()
    warning: str = ""


def summarize(content: ReportContent) -> Summary:
    """Return the summary of a report."""
    if content.evaluation is None:
        return _without_models(content)
    evaluation = content.evaluation
    events = int(evaluation.outcome.sum())
    others = len(evaluation.patients) - events
    return Summary(
        asked=f"Can \u201c{evaluation.event}\u201d be predicted? "
        f"{count(len(evaluation.patients), 'patient')}: {events:,} with it, "
        f"{others:,} without.",
        answer=content.verdict or _plain_answer(evaluation),
        explanation="An AUC says how often a model gives the higher risk to the right "
        "one of two patients, one with and one without the event: 0.5 is a coin toss, "
        "1 is perfect. Unseen: in patients that the learning did not see; this is "
        "the figure to believe. Apparent: in the patients it learned from; it is "
        "always too good. Intervals are "
        f"{percent(content.settings.evaluation.confidence)} intervals.",
        cards=tuple(
            _card(name, result, place)
            for place, (name, result) in enumerate(evaluation.results.items())
        ),
        limits=_limits(content),
        warning=RESEARCH_ONLY,
    )


def _without_models(content: ReportContent) -> Summary:
    patients = len({row.patient for row in content.habitat_table}) or (
        content.flow[-1][1] if content.flow else 0
    )
    return Summary(
        asked="What are these tumors made of, and which features describe them?",
        answer=f"{count(patients, 'patient')} carried through to the features. There "
        "is no outcome in this study: no model was learned, nothing is predicted.",
        limits=_limits(content),
    )


def _plain_answer(evaluation: Evaluation) -> str:
    if not evaluation.results:
        return "No model could be learned."
    name, result = list(evaluation.results.items())[-1]
    auc = estimate(result.headline, digits=2)
    return (
        f"In patients it had not seen, the {model_title(name)} model reached an "
        f"AUC of {auc}."
    )


def _card(name: str, result: ModelResult, place: int) -> Card:
    value = number(result.headline.value, digits=2)
    whole = estimate(result.headline, digits=2)
    return Card(
        title=model_title(name),
        color=model_color(place),
        value=value,
        interval=whole.removeprefix(value).strip(" ()"),
        apparent=estimate(result.apparent, digits=2),
        optimism=number(result.optimism, digits=2),
    )


def _limits(content: ReportContent) -> list[str]:
    """Return one sentence per limit, the weightiest first.

    Reference:
        Events per variable: Peduzzi et al., J Clin Epidemiol 1996; 10 is a floor,
        not a guarantee (Riley et al., BMJ 2020).
    """
    found: list[str] = []
    evaluation = content.evaluation
    if evaluation is not None:
        found += _too_few_events(evaluation, content.features_count)
        for name, result in evaluation.results.items():
            found += _weaknesses(short_title(name), result)
        found += _optimism(evaluation)
        if content.sample_size:
            found.append(content.sample_size)
        found.append(
            "All patients come from this study. Resampling tells what happens with "
            "new patients of the same kind, not at another hospital or scanner."
        )
        if evaluation.failed_resamples:
            found.append(
                f"{count(evaluation.failed_resamples, 'resample')} of "
                f"{evaluation.resamples:,} could not be learned and are left out."
            )
    if content.set_aside:
        lost = tuple(dict.fromkeys(row.patient for row in content.set_aside))
        names = in_words(lost[:6]) if len(lost) <= 6 else f"{', '.join(lost[:6])} ..."
        found.append(f"{count(len(lost), 'patient')} set aside: {names}.")
    return found


def _too_few_events(evaluation: Evaluation, candidates: int | None) -> list[str]:
    events = int(evaluation.outcome.sum())
    smaller = min(events, len(evaluation.patients) - events)
    found = []
    if candidates and smaller / candidates < EVENTS_PER_VARIABLE:
        found.append(
            f"Few patients for many candidates: the smaller outcome group has "
            f"{count(smaller, 'patient')} for {count(candidates, 'candidate feature')} "
            f"({compact(smaller / candidates)} per candidate; at least "
            f"{EVENTS_PER_VARIABLE} are wanted). Chance findings are likely."
        )
    sizes = {name: len(r.model.variables) for name, r in evaluation.results.items()}
    low = tuple(
        f"{short_title(name)} {number(smaller / size, digits=1)}"
        for name, size in sizes.items()
        if smaller < EVENTS_PER_VARIABLE * size
    )
    if low:
        found.append(
            "Few patients of the smaller outcome group per variable of the formula: "
            f"{in_words(low)}; at least {EVENTS_PER_VARIABLE} are wanted."
        )
    return found


def _optimism(evaluation: Evaluation) -> list[str]:
    large = tuple(
        f"{short_title(name)} by {number(result.optimism, digits=2)}"
        for name, result in evaluation.results.items()
        if result.optimism > LARGE_OPTIMISM
    )
    words = (
        f"The apparent AUC is too good: {in_words(large)}. The formulas have partly "
        "learned these patients by heart."
    )
    return [words] if large else []


def _weaknesses(title: str, result: ModelResult) -> list[str]:
    auc, found = result.headline, []
    if not math.isfinite(auc.value):
        return [f"{title}: the AUC on unseen patients is not computable."]
    if auc.low <= 0.5 <= auc.high:
        found.append(
            f"{title}: the interval {estimate(auc, digits=2)} includes 0.5; the model "
            "cannot be told from chance."
        )
    elif auc.high - auc.low > WIDE_INTERVAL:
        found.append(f"{title}: the interval is wide, {estimate(auc, digits=2)}.")
    if result.empty_share > OFTEN_EMPTY:
        found.append(
            f"{title}: in {percent(result.empty_share)} of the resamples no variable "
            "was kept at all."
        )
    return found
