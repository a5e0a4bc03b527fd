"""Elbow curves of all patients beside the vote for the number of habitats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import ACCENT, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Mapping[str, Mapping[int, float]]


def draw_elbow(curves: Curves, votes: Mapping[int, int], *, k_used: int | None) -> str:
    """Return the curves (share of the sum of squares at the first k) and the votes.

    Args:
        curves: Patient -> k -> within-habitat sum of squares; may be empty.
        votes: k -> number of patients; may be empty.
        k_used: The number of habitats used, marked in both panels.
    """
    panels = bool(curves) + bool(votes)
    return draw_svg(
        "elbow",
        lambda figure: _fill(figure, curves, votes, k_used),
        size_in=(4.6 * panels, 3.7),
    )


def _fill(
    figure: Figure, curves: Curves, votes: Mapping[int, int], k_used: int | None
) -> None:
    panels = list(figure.subplots(1, bool(curves) + bool(votes), squeeze=False)[0])
    if curves:
        _draw_curves(panels.pop(0), curves, k_used)
    if votes:
        _draw_votes(panels.pop(0), votes, k_used)


def _draw_curves(axes: Axes, curves: Curves, k_used: int | None) -> None:
    shares: dict[int, list[float]] = {}
    for curve in curves.values():
        ks = sorted(curve)
        top = curve[ks[0]] if ks and curve[ks[0]] > 0 else 1.0
        line = [curve[k] / top for k in ks]
        axes.plot(ks, line, color=FAINT, linewidth=0.6, alpha=0.5)
        for k, share in zip(ks, line, strict=True):
            shares.setdefault(k, []).append(share)
    ks = sorted(shares)
    middle = [float(np.median(shares[k])) for k in ks]
    axes.plot(ks, middle, color=INK, linewidth=2.2, marker="o", markersize=4.5)
    if k_used is not None:
        axes.axvline(k_used, color=ACCENT, linestyle="--", linewidth=1.3)
    axes.set_title("Elbow curves (bold: median)")
    axes.set_xticks(ks)
    axes.set(
        xlabel="Number of habitats k", ylabel="Unexplained variation", ylim=(0, 1.03)
    )
    axes.grid(visible=True, axis="y")


def _draw_votes(axes: Axes, votes: Mapping[int, int], k_used: int | None) -> None:
    ks = sorted(votes)
    colors = [ACCENT if k == k_used else "#c5ccd3" for k in ks]
    bars = axes.bar(ks, [votes[k] for k in ks], color=colors, width=0.7)
    axes.bar_label(bars, padding=2, fontsize=9)
    axes.set_title("Vote of the patients")
    axes.set_xticks(ks)
    axes.set(xlabel="k chosen by the patient's elbow", ylabel="Patients")
    axes.margins(y=0.12)
    axes.set_xlim(min(ks) - 0.8, max(ks) + 0.8)
