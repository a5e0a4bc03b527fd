"""Net benefit of acting on each model (Vickers and Elkin 2006)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import FAINT, INK, model_color
from radhabitat.report.wording import short_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radhabitat.evaluation.results import ModelResult


def draw_decision_curves(results: Mapping[str, ModelResult]) -> str:
    """Return the curves of all models on out-of-bag risks."""
    return draw_svg(
        "decision-curves", lambda figure: _fill(figure, results), size_in=(5.2, 4.4)
    )


def _fill(figure: Figure, results: Mapping[str, ModelResult]) -> None:
    axes = figure.add_subplot()
    highest = 0.05
    for position, (name, result) in enumerate(results.items()):
        curve = result.decision
        if position == 0:
            axes.plot(
                curve.thresholds,
                curve.treat_all,
                color=INK,
                linewidth=1,
                linestyle="--",
                label="Treat everybody",
            )
            axes.axhline(0, color=FAINT, linewidth=1.2, label="Treat nobody")
        axes.plot(
            curve.thresholds,
            curve.net_benefit,
            color=model_color(position),
            linewidth=2,
            label=short_title(name),
        )
        both = np.concatenate([curve.net_benefit, curve.treat_all])
        finite = both[np.isfinite(both)]
        highest = max(highest, float(finite.max())) if finite.size else highest
    axes.set(
        xlim=(0, 1),
        ylim=(-0.25 * highest, 1.08 * highest),
        xlabel="Risk above which one would act (threshold probability)",
        ylabel="Net benefit per patient",
    )
    axes.grid(visible=True)
    axes.legend(loc="upper right")
