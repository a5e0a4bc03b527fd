"""What every patient's tumor is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from radhabitat.report.content import HabitatRow
from radhabitat.report.palette import habitat_color


def draw_habitat_shares(figure: Figure, rows: Sequence[HabitatRow]) -> None:
    """Draw one stacked bar per patient, sorted by the share of habitat 1."""
    figure.set_size_inches(10.0, 3.0)
    axes = figure.add_subplot()
    shares: dict[str, dict[int, float]] = {}
    for patient, habitat, _, proportion in rows:
        known = proportion if np.isfinite(proportion) else 0.0
        shares.setdefault(patient, {})[habitat] = known
    order = sorted(shares, key=lambda patient: (-shares[patient].get(1, 0.0), patient))
    bottom = np.zeros(len(order))
    for habitat in sorted({row.habitat for row in rows}):
        heights = np.array([shares[patient].get(habitat, 0.0) for patient in order])
        axes.bar(
            range(len(order)),
            heights,
            bottom=bottom,
            width=0.9,
            color=habitat_color(habitat),
            label=f"Habitat {habitat}",
        )
        bottom += heights
    axes.set(xlim=(-0.6, len(order) - 0.4), ylim=(0, 1), xticks=[])
    axes.set(xlabel="Patients, by the share of habitat 1", ylabel="Share of the tumor")
    figure.legend(loc="outside right center")
