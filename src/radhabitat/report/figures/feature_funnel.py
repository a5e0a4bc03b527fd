"""How many features are left after each step."""

from __future__ import annotations

from matplotlib.figure import Figure

from radhabitat.report.content import Counts
from radhabitat.report.palette import ACCENT


def draw_feature_funnel(figure: Figure, steps: Counts) -> None:
    """Draw a bar per step: (what was done, features left)."""
    figure.set_size_inches(8.6, 0.5 + 0.36 * len(steps))
    axes = figure.add_subplot()
    labels, counts = zip(*steps, strict=True)
    bars = axes.barh(range(len(steps)), counts, color=ACCENT, height=0.66, alpha=0.85)
    axes.bar_label(bars, labels=[f"{count:,}" for count in counts], padding=4)
    axes.set_yticks(range(len(steps)), labels)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.12 * max(1, *counts)), xticks=[])
    axes.tick_params(axis="y", length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
