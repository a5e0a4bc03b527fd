"""What each number of habitats is worth in every tumor, beside their votes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radhabitat.report.content import ReportContent
from radhabitat.report.palette import ACCENT, FAINT, INK

SHOWN = 300
"""About so many tumors have a line; the median is of all."""
AXIS_NAMES = {
    "elbow": "Unexplained variation",
    "silhouette": "Silhouette",
    "calinski_harabasz": "Calinski-Harabasz, of its largest",
    "davies_bouldin": "Davies-Bouldin",
    "gap": "Gap",
    "bic": "BIC above its least, of its range",
}


def draw_k_choice(figure: Figure, content: ReportContent) -> None:
    """Draw the criterion's curves and the votes; the k used is marked in both.

    Either may be missing. Inertia is drawn as a share of the undivided tumor's.
    """
    curves = [curve for curve in content.k_scores.values() if curve]
    panels = bool(curves) + bool(content.k_votes)
    figure.set_size_inches(4.6 * panels, 3.7)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    if curves:
        k = content.settings.habitats.k
        criterion = k if isinstance(k, str) else "elbow"
        _draw_curves(axes[0], [_scaled(c, criterion) for c in curves], content.k_used)
        axes[0].set_ylabel(AXIS_NAMES[criterion])
        if criterion == "elbow":
            axes[0].set_ylim(0, 1.03)
    if content.k_votes:
        _draw_votes(axes[-1], content.k_votes, content.k_used)


def _scaled(curve: Mapping[int, float], criterion: str) -> dict[int, float]:
    """Return a curve that can be drawn beside those of larger tumors."""
    values = np.array(list(curve.values()))
    low, high = np.nanmin(values), np.nanmax(values)
    zero = low if criterion == "bic" else 0.0
    relative = criterion in ("elbow", "calinski_harabasz", "bic")
    unit = high - zero if relative and high > zero else 1.0
    return {k: float((v - zero) / unit) for k, v in curve.items()}


def _draw_curves(
    axes: Axes, curves: list[dict[int, float]], k_used: int | None
) -> None:
    ks = sorted({k for curve in curves for k in curve})
    for curve in curves[:: -(-len(curves) // SHOWN)]:
        axes.plot(
            list(curve), list(curve.values()), color=FAINT, linewidth=0.6, alpha=0.5
        )
    middle = [float(np.nanmedian([c[k] for c in curves if k in c])) for k in ks]
    axes.plot(ks, middle, color=INK, linewidth=2.2, marker="o", markersize=4.5)
    if k_used is not None:
        axes.axvline(k_used, color=ACCENT, linestyle="--", linewidth=1.3)
    axes.set(title="Every tumor (bold: median)", xticks=ks)
    axes.set(xlabel="Number of habitats k")
    axes.grid(visible=True, axis="y")


def _draw_votes(axes: Axes, votes: Mapping[int, int], k_used: int | None) -> None:
    ks = sorted(votes)
    colors = [ACCENT if k == k_used else "#c5ccd3" for k in ks]
    bars = axes.bar(ks, [votes[k] for k in ks], color=colors, width=0.7)
    axes.bar_label(bars, padding=2, fontsize=9)
    axes.set(title="Votes (1 = no structure, abstains)", xticks=ks)
    axes.set(xlabel="k chosen by the patient's tumor", ylabel="Patients")
    axes.margins(y=0.12)
    axes.set_xlim(min(ks) - 0.8, max(ks) + 0.8)
