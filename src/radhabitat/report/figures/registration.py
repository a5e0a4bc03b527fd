"""How well the sequences lie on the reference: one dot per patient."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.report.content import Quality
from radhabitat.report.figures.risk_by_outcome import GOLDEN_RATIO
from radhabitat.report.palette import HABITAT_COLORS, INK

MOST = 6


def draw_quality(figure: Figure, quality: dict[str, Quality]) -> None:
    """Draw a panel per measure, a column per sequence; the bar is the median."""
    found: dict[str, dict[str, list[float]]] = {}
    for sequences in quality.values():
        for sequence, measures in sequences.items():
            for measure, value in measures.items():
                if np.isfinite(value):
                    found.setdefault(measure, {}).setdefault(sequence, []).append(value)
    panels = list(found.items())[:MOST]
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure.set_size_inches(8.6, 2.6 * down + 0.2)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    for panel, (measure, columns) in zip(axes, panels, strict=False):
        for place, values in enumerate(columns.values()):
            spread = (np.arange(len(values)) * GOLDEN_RATIO) % 1 - 0.5
            color = HABITAT_COLORS[place % len(HABITAT_COLORS)]
            panel.scatter(
                place + 0.5 * spread, values, s=12, color=color, alpha=0.6, linewidth=0
            )
            panel.hlines(
                np.median(values), place - 0.34, place + 0.34, color=INK, linewidth=2
            )
        panel.set_title(measure.replace("_", " ").capitalize(), fontsize=9)
        panel.set_xticks(range(len(columns)), list(columns))
        panel.set_xlim(-0.6, len(columns) - 0.4)
        panel.grid(visible=True, axis="y")
