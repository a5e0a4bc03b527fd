"""Receiver operating characteristics: apparent thin, out-of-bag bold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import FAINT, model_color
from radhabitat.report.wording import number, short_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radhabitat.evaluation.results import ModelResult


def draw_roc(results: Mapping[str, ModelResult]) -> str:
    """Return the curves of all models as one drawing."""
    return draw_svg("roc", lambda figure: _fill(figure, results), size_in=(5.2, 5.0))


def _fill(figure: Figure, results: Mapping[str, ModelResult]) -> None:
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for position, (name, result) in enumerate(results.items()):
        axes.plot(
            result.roc_apparent.false_positive_rate,
            result.roc_apparent.true_positive_rate,
            color=model_color(position),
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            label=f"{short_title(name)}, apparent {number(result.apparent.value)}",
        )
    for position, (name, result) in enumerate(results.items()):
        axes.plot(
            result.roc_out_of_bag.false_positive_rate,
            result.roc_out_of_bag.true_positive_rate,
            color=model_color(position),
            linewidth=2.4,
            label=f"{short_title(name)}, out-of-bag {number(result.out_of_bag.value)}",
        )
    axes.set(
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
        aspect="equal",
        xlabel="1 \N{MINUS SIGN} specificity",
        ylabel="Sensitivity",
    )
    axes.grid(visible=True)
    figure.legend(loc="outside lower center", ncols=2)
