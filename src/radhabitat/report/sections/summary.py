"""The box on top: what was asked, the honest answer, what limits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from radhabitat.report.content import ReportContent
from radhabitat.report.palette import model_color
from radhabitat.report.sections.limits import limits_of
from radhabitat.report.wording import (
    RESEARCH_ONLY,
    UNKNOWN,
    count,
    estimate,
    model_title,
    number,
    percent,
)

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation, ModelResult


@dataclass(frozen=True)
class Card:
    """One model's figures.

    Attributes:
        title: Name of the model.
        color: Its color in the figures.
        value: Out-of-bag AUC.
        interval: Its interval.
        apparent: Apparent AUC with interval.
        optimism: How much too good the apparent one is.
    """

    title: str
    color: str
    value: str
    interval: str
    apparent: str
    optimism: str


@dataclass(frozen=True)
class Summary:
    """What a reader should take home.

    Attributes:
        asked: The question.
        answer: The honest answer.
        explanation: How to read the figures.
        cards: One per model.
        limits: What limits the answer.
        warning: Stands wherever a risk is shown; empty without models.
    """

    asked: str
    answer: str
    explanation: str
    cards: tuple[Card, ...]
    limits: tuple[str, ...]
    warning: str


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
        "1 is perfect. Out-of-bag: in patients that the learning did not see; this is "
        "the figure to believe. Apparent: in the patients it learned from; it is "
        "always too good. Intervals are "
        f"{percent(content.settings.evaluation.confidence)} intervals.",
        cards=tuple(
            _card(name, result, place)
            for place, (name, result) in enumerate(evaluation.results.items())
        ),
        limits=limits_of(content),
        warning=RESEARCH_ONLY,
    )


def _without_models(content: ReportContent) -> Summary:
    patients = len({row[0] for row in content.habitat_table}) or (
        content.flow[-1][1] if content.flow else 0
    )
    return Summary(
        asked="What are these tumors made of, and which features describe them?",
        answer=f"{count(patients, 'patient')} carried through to the features. There "
        "is no outcome in this study: no model was learned, nothing is predicted.",
        explanation="",
        cards=(),
        limits=limits_of(content),
        warning="",
    )


def _plain_answer(evaluation: Evaluation) -> str:
    if not evaluation.results:
        return "No model could be learned."
    name, result = list(evaluation.results.items())[-1]
    auc = estimate(result.out_of_bag, digits=2)
    return (
        f"In patients it had not seen, the {model_title(name)} model reached an "
        f"AUC of {auc}."
    )


def _card(name: str, result: ModelResult, place: int) -> Card:
    value = number(result.out_of_bag.value, digits=2)
    whole = estimate(result.out_of_bag, digits=2)
    interval = "" if value == UNKNOWN else whole.removeprefix(value).strip(" ()")
    return Card(
        title=model_title(name),
        color=model_color(place),
        value=value,
        interval=interval,
        apparent=estimate(result.apparent, digits=2),
        optimism=number(result.optimism, digits=2),
    )
