"""What limits the answer, found in the figures themselves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from radhabitat.report.content import ReportContent
from radhabitat.report.wording import (
    compact,
    count,
    estimate,
    in_words,
    number,
    percent,
    short_title,
)

if TYPE_CHECKING:
    from radhabitat.evaluation.results import Evaluation, ModelResult

EVENTS_PER_VARIABLE = 10
WIDE_INTERVAL = 0.2
LARGE_OPTIMISM = 0.1
OFTEN_EMPTY = 0.05


def limits_of(content: ReportContent) -> tuple[str, ...]:
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
        lost = tuple(dict.fromkeys(row[0] for row in content.set_aside))
        names = in_words(lost[:6]) if len(lost) <= 6 else f"{', '.join(lost[:6])} ..."
        found.append(f"{count(len(lost), 'patient')} set aside: {names}.")
    return tuple(found)


def _too_few_events(evaluation: Evaluation, candidates: int | None) -> list[str]:
    events = int(evaluation.outcome.sum())
    smaller = min(events, len(evaluation.patients) - events)
    found = []
    if candidates and smaller / candidates < EVENTS_PER_VARIABLE:
        share = smaller / candidates
        found.append(
            f"Few patients for many candidates: the smaller outcome group has "
            f"{count(smaller, 'patient')} for {count(candidates, 'candidate feature')} "
            f"({compact(share)} per candidate; at least "
            f"{EVENTS_PER_VARIABLE} are wanted). Chance findings are likely."
        )
    ratios = {
        short_title(name): smaller / len(result.model.variables)
        for name, result in evaluation.results.items()
        if result.model.variables
    }
    low = tuple(
        f"{title} {number(ratio, digits=1)}"
        for title, ratio in ratios.items()
        if ratio < EVENTS_PER_VARIABLE
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
    if not large:
        return []
    return [
        f"The apparent AUC is too good: {in_words(large)}. The formulas have partly "
        "learned these patients by heart."
    ]


def _weaknesses(title: str, result: ModelResult) -> list[str]:
    auc, found = result.out_of_bag, []
    if not math.isfinite(auc.value):
        return [f"{title}: the out-of-bag AUC is not computable."]
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
