"""Every patient's unseen risk above or below the threshold, by what happened."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation, ModelResult
from radhabitat.report.palette import INK


def draw_waterfall(figure: Figure, evaluation: Evaluation, result: ModelResult) -> None:
    """Draw a bar per patient, sorted."""
    figure.set_size_inches(8.6, 3.4)
    axes = figure.add_subplot()
    threshold = result.decisions[0].threshold if result.decisions else 0.5
    known = np.flatnonzero(np.isfinite(result.risk_out_of_bag))
    order = known[np.argsort(-result.risk_out_of_bag[known], kind="stable")]
    heights = result.risk_out_of_bag[order] - threshold
    happened = evaluation.outcome[order] == 1
    for group, color, label in (
        (happened, "#D55E00", "event"),
        (~happened, "#9aa4ae", "no event"),
    ):
        places = np.flatnonzero(group)
        axes.bar(places, heights[group], color=color, width=0.85, label=label)
    axes.axhline(0, color=INK, linewidth=0.9)
    axes.set(xlim=(-0.7, len(order) - 0.3), xticks=[])
    axes.set(xlabel="Patients, by risk", ylabel="Risk minus the threshold")
    axes.legend(loc="upper right")
