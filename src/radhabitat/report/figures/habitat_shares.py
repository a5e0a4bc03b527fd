"""What every patient's tumor is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import habitat_color

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radhabitat.report.content import HabitatRow


def draw_habitat_shares(rows: Sequence[HabitatRow]) -> str:
    """Return one stacked bar per patient, sorted by the share of habitat 1."""
    return draw_svg(
        "habitat-shares", lambda figure: _fill(figure, rows), size_in=(10.0, 3.0)
    )


def _fill(figure: Figure, rows: Sequence[HabitatRow]) -> None:
    axes = figure.add_subplot()
    shares: dict[str, dict[int, float]] = {}
    for patient, habitat, _, proportion in rows:
        known = proportion if np.isfinite(proportion) else 0.0
        shares.setdefault(patient, {})[habitat] = known
    order = sorted(shares, key=lambda patient: (-shares[patient].get(1, 0.0), patient))
    bottom = np.zeros(len(order))
    for habitat in sorted({row[1] for row in rows}):
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
    axes.set(xlim=(-0.6, len(order) - 0.4), ylim=(0, 1), ylabel="Share of the tumor")
    axes.set_xlabel("Patients, by the share of habitat 1")
    axes.set_xticks([])
    figure.legend(loc="outside right center")
