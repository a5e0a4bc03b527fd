"""How many features are left after each step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import ACCENT

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_feature_funnel(name: str, steps: Sequence[tuple[str, int]]) -> str:
    """Return a bar per step.

    Args:
        name: Unique in the page.
        steps: (what was done, features left), in order.
    """
    size = (8.6, 0.5 + 0.36 * len(steps))
    return draw_svg(name, lambda figure: _fill(figure, steps), size_in=size)


def _fill(figure: Figure, steps: Sequence[tuple[str, int]]) -> None:
    axes = figure.add_subplot()
    places = range(len(steps))
    counts = [count for _, count in steps]
    bars = axes.barh(places, counts, color=ACCENT, height=0.66, alpha=0.85)
    axes.bar_label(bars, labels=[f"{count:,}" for count in counts], padding=4)
    axes.set_yticks(places, [label for label, _ in steps])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12 * max([1, *counts]))
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
