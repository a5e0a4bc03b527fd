"""How often each variable was kept when the learning was repeated."""

from __future__ import annotations

from matplotlib.figure import Figure

from radhabitat.evaluation.results import ModelResult
from radhabitat.report.wording import percent, shortened

SHOWN = 15
LONGEST_NAME = 58


def draw_selection_frequency(figure: Figure, result: ModelResult, color: str) -> None:
    """Draw bars for the most frequent variables; the model's own are colored."""
    rows = sorted(result.selection_frequency.items(), key=lambda row: (-row[1], row[0]))
    names, shares = zip(*rows[:SHOWN], strict=True)
    figure.set_size_inches(8.6, 0.9 + 0.27 * len(names))
    axes = figure.add_subplot()
    chosen = result.model.variables
    colors = [color if name in chosen else "#c5ccd3" for name in names]
    axes.barh(range(len(names)), shares, color=colors, height=0.72)
    for place, share in enumerate(shares):
        axes.text(share + 0.01, place, percent(share), va="center", fontsize=8.5)
    axes.set_yticks(
        range(len(names)), [shortened(name, LONGEST_NAME) for name in names]
    )
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.09), xlabel="Share of resamples that kept the variable")
    axes.tick_params(axis="y", length=0)
