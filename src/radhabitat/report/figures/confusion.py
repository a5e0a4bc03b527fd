"""Who is called what: predicted against actual, in patients not learned from."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from radhabitat.evaluation.results import Evaluation
from radhabitat.report.wording import percent, short_title


def draw_confusion(figure: Figure, evaluation: Evaluation) -> None:
    """Draw one table per model, at the first threshold (Youden's)."""
    results = {n: r for n, r in evaluation.results.items() if r.decisions}
    figure.set_size_inches(2.9 * len(results) + 0.6, 3.3)
    panels = figure.subplots(1, len(results), squeeze=False)[0]
    for axes, (name, result) in zip(panels, results.items(), strict=True):
        d = result.decisions[0]
        counts = np.array(
            [
                [d.true_positives, d.false_negatives],
                [d.false_positives, d.true_negatives],
            ]
        )
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (i, j), n in np.ndenumerate(counts):
            axes.text(
                j,
                i,
                f"{n:.1f}\n({percent(shares[i, j])})",
                ha="center",
                va="center",
                color="white" if shares[i, j] > 0.6 else "black",
            )
        axes.set_title(short_title(name))
        axes.set_xticks([0, 1], ["Predicted yes", "Predicted no"])
        axes.set_yticks([0, 1], ["Event", "No event"])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
