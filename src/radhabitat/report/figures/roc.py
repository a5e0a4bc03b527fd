"""Receiver operating characteristics: apparent thin, out-of-bag bold."""

from __future__ import annotations

from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import FAINT, model_color
from radhabitat.report.wording import number, short_title


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
    for position, (name, result) in enumerate(evaluation.results.items()):
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
