"""Net benefit of acting on each model (Vickers and Elkin 2006)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import FAINT, INK, model_color
from radhabitat.report.wording import short_title


def draw_decision_curves(figure: Figure, evaluation: Evaluation) -> None:
    """Draw the curves of all models on out-of-bag risks."""
    figure.set_size_inches(5.2, 4.4)
    axes = figure.add_subplot()
    curves = [result.decision for result in evaluation.results.values()]
    axes.plot(
        curves[0].thresholds,
        curves[0].treat_all,
        color=INK,
        linewidth=1,
        linestyle="--",
        label="Treat everybody",
    )
    axes.axhline(0, color=FAINT, linewidth=1.2, label="Treat nobody")
    for position, (name, curve) in enumerate(
        zip(evaluation.results, curves, strict=True)
    ):
        color, title = model_color(position), short_title(name)
        axes.fill_between(
            curve.thresholds,
            curve.low,
            curve.high,
            color=color,
            alpha=0.12,
            linewidth=0,
        )
        axes.plot(
            curve.thresholds, curve.net_benefit, color=color, linewidth=2, label=title
        )
    both = np.concatenate([[c.net_benefit, c.treat_all] for c in curves], axis=None)
    highest = np.max(both, where=np.isfinite(both), initial=0.05)
    axes.set(
        xlim=(0, 1),
        ylim=(-0.25 * highest, 1.08 * highest),
        xlabel="Risk above which one would act (threshold probability)",
        ylabel="Net benefit per patient",
    )
    axes.grid(visible=True)
    axes.legend(loc="upper right")
