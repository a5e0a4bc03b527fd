"""One model's AUC by every rule, from the most flattering to the most honest."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation, ModelResult
from radhabitat.report.palette import FAINT, RULE, model_color
from radhabitat.report.wording import short_title
from radhabitat.types import Estimate

HONEST = 4
"""From this row on the patients judged were not learned from."""


def rules_of(result: ModelResult) -> tuple[tuple[str, Estimate | float | None], ...]:
    """Return (rule, AUC) in the order in which they are drawn."""
    found = result.validation
    return (
        ("Apparent", result.apparent),
        ("Published protocol", found.published),
        ("Minus Harrell's optimism", found.harrell),
        (".632", found.point632),
        (".632+", found.plus632),
        ("Cross-validated", found.cross_validated),
        ("Out-of-bag", found.out_of_bag),
    )


def draw_optimism(figure: Figure, evaluation: Evaluation) -> None:
    """Draw a row per rule, a color per model."""
    figure.set_size_inches(8.6, 4.6)
    axes = figure.add_subplot()
    axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
    models = len(evaluation.results)
    lowest, names = 0.45, []
    for position, (name, result) in enumerate(evaluation.results.items()):
        rules = rules_of(result)
        names = [rule for rule, _ in rules]
        color, label = model_color(position), short_title(name)
        for row, (_, found) in enumerate(rules):
            auc = found if isinstance(found, Estimate) else None
            value = auc.value if auc else found
            if not isinstance(value, float) or not math.isfinite(value):
                continue
            y = row + (position - (models - 1) / 2) * 0.22
            if auc and math.isfinite(auc.low + auc.high):
                axes.plot([auc.low, auc.high], [y, y], color=color, linewidth=1.6)
                lowest = min(lowest, auc.low - 0.02)
            face = color if row >= HONEST else "white"
            axes.plot(value, y, "o", color=color, mfc=face, ms=6.5, label=label)
            label = "_nolegend_"
    axes.axhspan(HONEST - 0.5, len(names) - 0.5, color=RULE, alpha=0.35, linewidth=0)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(lowest, 1.02), ylim=(len(names) - 0.5, -0.6))
    axes.set_xlabel("AUC (dotted: chance; shaded rows: honest)")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
    figure.legend(loc="outside upper center", ncols=models)
