"""How far variables say the same: rank correlations, and variance inflation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import rankdata

from radhabitat.report.palette import ACCENT
from radhabitat.report.wording import shortened

VIF_LIMIT = 10.0
WRITTEN = 14
"""Up to so many variables every cell has its number."""


def spearman(values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return Spearman's rank correlations; a gap counts as the median.

    Reference:
        Spearman 1904, Am J Psychol 15:72.
    """
    columns = []
    for column in values.values():
        known = column[np.isfinite(column)]
        middle = np.median(known) if len(known) else 0.0
        filled = np.where(np.isfinite(column), column, middle)
        columns.append(rankdata(filled))
    ranks = np.array(columns)
    centered = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.sqrt((centered**2).sum(axis=1))
    length[length == 0] = np.inf
    unit = centered / length[:, None]
    found: NDArray[np.float64] = unit @ unit.T
    np.fill_diagonal(found, 1.0)
    return found


def draw_heat_map(
    figure: Figure,
    values: Mapping[str, NDArray[np.float64]],
    vif: Mapping[str, float] | None = None,
) -> None:
    """Draw the correlations of variables, and their variance inflation beside them."""
    names, matrix = list(values), spearman(values)
    size = len(names)
    height = 1.2 + max(0.34 * size, 1.8)
    figure.set_size_inches(min(5.6 + 0.34 * size + (3.2 if vif else 0), 11), height)
    widths = (max(size * 0.34, 1.8), 1.6) if vif else (1,)
    panels = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    axes = panels[0]
    picture = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    labels = [f"{shortened(name, 40)}  {n}" for n, name in enumerate(names, 1)]
    axes.set_yticks(range(size), labels, fontsize=8.5)
    axes.set_xticks(range(size), [f"{n}" for n in range(1, size + 1)], fontsize=8.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if size <= WRITTEN:
        for (i, j), r in np.ndenumerate(matrix):
            ink = "white" if abs(r) > 0.6 else "black"
            words = f"{r:.2f}".replace("0.", ".").replace("1.00", "1")
            axes.text(j, i, words, ha="center", va="center", fontsize=7, color=ink)
    bar = figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("Spearman's correlation")
    bar.outline.set_visible(False)
    if vif:
        beside = panels[1]
        known = [vif.get(name, float("nan")) for name in names]
        finite = [v for v in known if np.isfinite(v)]
        most = 1.25 * max([VIF_LIMIT, *finite])
        drawn = [min(v, 0.8 * most) if v == np.inf else v for v in known]
        bars = beside.barh(range(size), drawn, color=ACCENT, height=0.6)
        sizes = ["\N{INFINITY}" if v == np.inf else f"{v:.1f}" for v in known]
        beside.bar_label(bars, sizes, padding=3, fontsize=8)
        beside.axvline(VIF_LIMIT, color="#D55E00", linestyle="--", linewidth=1)
        beside.set(ylim=(size - 0.5, -0.5), yticks=[], xlabel="VIF (dashed: 10)")
        beside.set_xlim(0, most)
