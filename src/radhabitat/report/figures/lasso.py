"""The LASSO of one block: coefficients over the penalty, error of left-out patients."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.report.content import Penalized
from radhabitat.report.palette import ACCENT, FAINT, HABITAT_COLORS, INK
from radhabitat.report.wording import shortened

NAMED = 8
"""Paths with a color and a name; the others are gray."""


def draw_lasso_paths(figure: Figure, block: Penalized) -> None:
    """Draw one line per column; those largest at the chosen penalties are named."""
    figure.set_size_inches(5.6, 5.2)
    axes = figure.add_subplot()
    path, x = block.path, np.log10(block.path.penalties)
    sizes = np.abs(path.coefficients[path.best])
    named = [j for j in np.argsort(-sizes, kind="stable")[:NAMED] if sizes[j] > 0]
    for j, name in enumerate(block.names):
        place = named.index(j) if j in named else None
        axes.plot(
            x,
            path.coefficients[:, j],
            color="#c5ccd3" if place is None else HABITAT_COLORS[place],
            linewidth=0.8 if place is None else 1.8,
            label=f"_{name}" if place is None else shortened(name, 44),
        )
    _mark(figure, block)
    axes.set(xlabel="log10 of the penalty", ylabel="Coefficient per SD")
    axes.invert_xaxis()
    axes.grid(visible=True, axis="y")
    if named:
        figure.legend(loc="outside lower left", ncols=1, fontsize=8)


def draw_lasso_error(figure: Figure, block: Penalized) -> None:
    """Draw the cross-validated error with its standard error; both rules marked."""
    figure.set_size_inches(5.6, 4.2)
    axes = figure.add_subplot()
    path, x = block.path, np.log10(block.path.penalties)
    axes.errorbar(
        x,
        path.loss,
        yerr=path.error,
        color=ACCENT,
        ecolor="#c5ccd3",
        marker="o",
        markersize=3.2,
        linestyle="none",
        elinewidth=1,
    )
    _mark(figure, block)
    kept = np.count_nonzero(path.coefficients, axis=1)
    top = axes.secondary_xaxis("top")
    shown = np.arange(0, len(x), 7)
    top.set_xticks(x[shown], [f"{kept[j]}" for j in shown])
    top.set_xlabel("Variables with a coefficient")
    axes.set(xlabel="log10 of the penalty", ylabel="Error of left-out patients")
    axes.invert_xaxis()
    axes.grid(visible=True, axis="y")


def _mark(figure: Figure, block: Penalized) -> None:
    axes, path = figure.axes[0], block.path
    marks = [(path.best, "lambda.min", "--")]
    if path.sparse == path.best:
        marks = [(path.best, "lambda.min = lambda.1se", "--")]
    else:
        marks.append((path.sparse, "lambda.1se", ":"))
    for place, words, style in marks:
        at = float(np.log10(path.penalties[place]))
        axes.axvline(at, color=INK if style == "--" else FAINT, linestyle=style, lw=1.2)
        axes.text(
            at,
            0.99,
            words,
            transform=axes.get_xaxis_transform(),
            rotation=90,
            ha="right",
            va="top",
            fontsize=8,
        )
