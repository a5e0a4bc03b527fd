"""What the same learning reaches on shuffled outcomes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.palette import FAINT, model_color
from radhabitat.report.wording import p_value, short_title


def draw_permutation(figure: Figure, evaluation: Evaluation) -> None:
    """Draw a histogram per model; the line is the AUC with the true outcomes."""
    results = {n: r for n, r in evaluation.results.items() if r.validation.shuffled}
    figure.set_size_inches(2.9 * len(results) + 0.4, 3.2)
    panels = figure.subplots(1, len(results), squeeze=False, sharex=True)[0]
    edges = np.linspace(0, 1, 41)
    for place, (axes, (name, result)) in enumerate(
        zip(panels, results.items(), strict=True)
    ):
        found = result.validation
        axes.hist(found.shuffled, edges, color="#c5ccd3")
        axes.axvline(0.5, color=FAINT, linestyle=":", linewidth=1)
        if found.cross_validated is not None:
            color = model_color(place)
            axes.axvline(found.cross_validated.value, color=color, linewidth=2.2)
        axes.set_title(short_title(name))
        if found.permutation_p is not None:
            p = p_value(found.permutation_p)
            words = f"p {p}" if p.startswith("<") else f"p = {p}"
            axes.text(0.03, 0.93, words, transform=axes.transAxes, fontsize=8.5)
        axes.set_xlabel("Cross-validated AUC")
        axes.margins(y=0.12)
    panels[0].set_ylabel("Shuffles")
