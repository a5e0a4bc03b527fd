"""Receiver operating characteristics: apparent thin, out-of-bag bold."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm

from radhabitat.evaluation.results import Evaluation, Roc
from radhabitat.report.palette import FAINT, model_color
from radhabitat.report.wording import number, short_title

GRID = np.linspace(0, 1, 101)


def band(
    curve: Roc, events: int, others: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return 1 - specificity and the 95 % limits of sensitivity there, pointwise.

    The limits count the patients tested, not how the learning varies.

    Reference:
        Hsieh and Turnbull 1996, Ann Stat 24:25, theorem 2.2: variance at a fixed
        false positive rate; the slope is that over 0.1; Wilson's form at 0 and 1.
    """
    y = np.interp(GRID, curve.false_positive_rate, curve.true_positive_rate)
    ends = np.clip([GRID - 0.05, GRID + 0.05], 0, 1)
    rise = np.interp(ends[1], GRID, y) - np.interp(ends[0], GRID, y)
    slope = rise / (ends[1] - ends[0])
    own = y * (1 - y) / max(events, 1)
    whole = own + slope**2 * GRID * (1 - GRID) / max(others, 1)
    # as if of fewer events, so that Wilson's interval holds both variances
    size = max(events, 1) * np.divide(own, whole, out=np.ones_like(y), where=whole > 0)
    z2 = norm.ppf(0.975) ** 2
    size = np.maximum(size, 1.0)
    middle = (y + z2 / (2 * size)) / (1 + z2 / size)
    half = np.sqrt(z2 * (y * (1 - y) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    return GRID, middle - half, middle + half


def draw_roc(figure: Figure, evaluation: Evaluation) -> None:
    """Draw the curves of all models in one panel."""
    figure.set_size_inches(5.2, 5.0)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for position, (name, result) in enumerate(evaluation.results.items()):
        axes.plot(
            result.roc_apparent.false_positive_rate,
            result.roc_apparent.true_positive_rate,
            color=model_color(position),
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            label=f"{short_title(name)}, apparent {number(result.apparent.value)}",
        )
    happened = int(evaluation.outcome.sum())
    sizes = happened, len(evaluation.outcome) - happened
    for position, (name, result) in enumerate(evaluation.results.items()):
        x, low, high = band(result.roc_out_of_bag, *sizes)
        color = model_color(position)
        axes.fill_between(x, low, high, color=color, alpha=0.12, linewidth=0)
        axes.plot(
            result.roc_out_of_bag.false_positive_rate,
            result.roc_out_of_bag.true_positive_rate,
            color=model_color(position),
            linewidth=2.4,
            label=f"{short_title(name)}, unseen {number(result.headline.value)}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set(xlabel="1 \N{MINUS SIGN} specificity", ylabel="Sensitivity")
    axes.grid(visible=True)
    figure.legend(loc="outside lower center", ncols=2)
