"""Does it work at every site, and how much of each variable is the site's?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import ACCENT, FAINT, model_color
from radhabitat.report.wording import short_title, shortened
from radhabitat.types import RiskModel


def draw_sites(figure: Figure, evaluation: Evaluation) -> None:
    """Draw the AUC at each site of models learned from the other sites."""
    sites, models = evaluation.sites, list(evaluation.results)
    figure.set_size_inches(5.6, 1.4 + 0.28 * len(sites) * max(len(models), 2))
    axes = figure.add_subplot()
    axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1.2)
    for position, name in enumerate(models):
        label = short_title(name)
        for row, site in enumerate(sites):
            auc = site.auc.get(name)
            if auc is None or not math.isfinite(auc.value):
                continue
            y = row + (position - (len(models) - 1) / 2) * 0.2
            color = model_color(position)
            axes.plot([auc.low, auc.high], [y, y], color=color, linewidth=1.6)
            axes.plot(auc.value, y, "o", color=color, ms=6, label=label)
            label = "_nolegend_"
    axes.set_yticks(
        range(len(sites)),
        [f"{shortened(s.site, 24)} ({s.patients})" for s in sites],
    )
    axes.set(xlim=(0, 1.02), ylim=(len(sites) - 0.4, -0.6))
    axes.set_xlabel("AUC (dotted: chance)")
    axes.grid(visible=True, axis="x")
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside upper center", ncols=len(models))


def share_of_site(
    values: NDArray[np.float64], sites: Sequence[str]
) -> NDArray[np.float64]:
    """Return the share of each variable's variance between sites (eta squared).

    Args:
        values: Shape (patients, variables); gaps are left out.
        sites: Site of each patient.
    """
    groups = np.array(sites)
    mean = np.nanmean(values, axis=0)
    between = np.zeros(values.shape[1])
    for site in sorted(set(sites)):
        here = values[groups == site]
        own = np.nanmean(here, axis=0)
        between += np.isfinite(here).sum(axis=0) * (own - mean) ** 2
    whole = np.nansum((values - mean) ** 2, axis=0)
    share: NDArray[np.float64] = between / np.where(whole > 0, whole, np.inf)
    return share


def draw_site_shares(
    figure: Figure,
    model: RiskModel,
    values: Mapping[str, NDArray[np.float64]],
    sites: Sequence[str],
) -> None:
    """Draw each variable's share before and, if it was done, after harmonization."""
    table = np.column_stack([values[name] for name in model.variables])
    before = share_of_site(table, sites)
    figure.set_size_inches(8.6, 1.3 + 0.33 * len(before))
    axes = figure.add_subplot()
    rows = range(len(before))
    axes.plot(before, rows, "o", color=FAINT, mfc="white", ms=7, label="As measured")
    if model.sites:
        maps = np.array([model.sites[s] for s in sites])
        after = share_of_site(maps[:, 0] * table + maps[:, 1], sites)
        axes.hlines(rows, after, before, color="#c5ccd3", linewidth=1.2, zorder=0)
        axes.plot(after, rows, "o", color=ACCENT, ms=7, label="Harmonized")
    axes.set_yticks(rows, [shortened(name, 46) for name in model.variables])
    axes.invert_yaxis()
    axes.set(xlim=(-0.02, 1.02), xlabel="Share of the variance between sites")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
    figure.legend(loc="outside upper center", ncols=2)
