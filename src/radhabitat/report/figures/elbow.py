"""Elbow curves of all patients beside the vote for the number of habitats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radhabitat.report.content import ReportContent
from radhabitat.report.palette import ACCENT, FAINT, INK


def draw_elbow(figure: Figure, content: ReportContent) -> None:
    """Draw the curves (share of the sum of squares at the first k) and the votes.

    Either may be missing; the number of habitats used is marked in both.
    """
    curves = [curve for curve in content.elbow.values() if curve]
    panels = bool(curves) + bool(content.k_votes)
    figure.set_size_inches(4.6 * panels, 3.7)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    if curves:
        _draw_curves(axes[0], curves, content.k_used)
    if content.k_votes:
        _draw_votes(axes[-1], content.k_votes, content.k_used)


def _draw_curves(
    axes: Axes, curves: list[Mapping[int, float]], k_used: int | None
) -> None:
    shares: dict[int, list[float]] = {}
    for curve in curves:
        ks = sorted(curve)
        top = curve[ks[0]] if curve[ks[0]] > 0 else 1.0
        axes.plot(
            ks, [curve[k] / top for k in ks], color=FAINT, linewidth=0.6, alpha=0.5
        )
        for k in ks:
            shares.setdefault(k, []).append(curve[k] / top)
    ks = sorted(shares)
    middle = [float(np.median(shares[k])) for k in ks]
    axes.plot(ks, middle, color=INK, linewidth=2.2, marker="o", markersize=4.5)
    if k_used is not None:
        axes.axvline(k_used, color=ACCENT, linestyle="--", linewidth=1.3)
    axes.set(title="Elbow curves (bold: median)", xticks=ks, ylim=(0, 1.03))
    axes.set(xlabel="Number of habitats k", ylabel="Unexplained variation")
    axes.grid(visible=True, axis="y")


def _draw_votes(axes: Axes, votes: Mapping[int, int], k_used: int | None) -> None:
    ks = sorted(votes)
    colors = [ACCENT if k == k_used else "#c5ccd3" for k in ks]
    bars = axes.bar(ks, [votes[k] for k in ks], color=colors, width=0.7)
    axes.bar_label(bars, padding=2, fontsize=9)
    axes.set(title="Vote of the patients", xticks=ks)
    axes.set(xlabel="k chosen by the patient's elbow", ylabel="Patients")
    axes.margins(y=0.12)
    axes.set_xlim(min(ks) - 0.8, max(ks) + 0.8)
