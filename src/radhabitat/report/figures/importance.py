"""Which variables matter: how often kept, how strong, how sure of their direction."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import ModelResult
from radhabitat.report.palette import INK
from radhabitat.report.wording import shortened


def draw_importance(figure: Figure, result: ModelResult) -> None:
    """Draw a bubble per variable of the formula."""
    model = result.model
    figure.set_size_inches(8.6, 1.2 + 0.36 * len(model.variables))
    axes = figure.add_subplot()
    strength = np.abs(model.coefficients)
    kept = np.array([result.selection_frequency.get(n, 0.0) for n in model.variables])
    sign = np.array([result.sign_consistency.get(n, np.nan) for n in model.variables])
    order = np.argsort(-(strength * kept * np.nan_to_num(sign)), kind="stable")
    bubbles = axes.scatter(
        kept[order],
        range(len(order)),
        s=30 + 420 * strength[order] / max(float(strength.max()), 1e-9),
        c=sign[order],
        cmap="cividis",
        vmin=0.5,
        vmax=1,
        edgecolor=INK,
        linewidth=0.6,
        zorder=3,
    )
    axes.set_yticks(
        range(len(order)), [shortened(model.variables[j], 46) for j in order]
    )
    axes.set(xlim=(-0.05, 1.07), ylim=(len(order) - 0.4, -0.6))
    axes.set_xlabel("Share of resamples that kept the variable")
    axes.grid(visible=True)
    bar = figure.colorbar(bubbles, ax=axes, pad=0.02)
    bar.set_label("Same sign in")
    bar.outline.set_visible(False)
