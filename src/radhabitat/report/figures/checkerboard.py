"""Reference against each sequence in alternate squares, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from radhabitat.report.figures.axial import AxialView
from radhabitat.report.figures.drawing import bare, draw_png
from radhabitat.report.figures.habitat_picture import (
    CONTOUR_COLOR,
    CONTOUR_SHADES,
    PANEL_IN,
    draw_contour,
    draw_gray,
    windowed,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radhabitat.types import AlignedSubject, Volume

SQUARE_MM = 14.0


def checkerboard_picture(
    subject: AlignedSubject, before: Mapping[str, Volume]
) -> bytes:
    """Return one PNG: reference and sequence in alternate squares, with the tumor.

    Where edges run on from square to square, the sequence lies right. The slice is
    the axial one with the largest tumor area. Same input, same bytes.

    Args:
        subject: The patient on the final grid.
        before: Sequence -> its image on the same grid, not registered.
    """
    colors = (CONTOUR_COLOR, *CONTOUR_SHADES)
    return draw_png(lambda figure: _fill(figure, subject, before), colors=colors)


def _fill(
    figure: Figure, subject: AlignedSubject, before: Mapping[str, Volume]
) -> None:
    axial = AxialView.of(subject.grid)
    index = axial.largest_slice(subject.tumor.array)

    def picture(volume: Volume) -> NDArray[np.float64]:
        return windowed(axial.slice(volume.array, index), volume.array)

    fixed = picture(subject.images[subject.reference])
    tumor = axial.slice(subject.tumor.array, index).astype(np.bool_)
    aspect = axial.spacing_mm[1] / axial.spacing_mm[0]
    squares = _squares(fixed.shape, axial.spacing_mm)
    moved = [s for s in subject.images if s != subject.reference]
    height, width = fixed.shape
    panel = PANEL_IN * float(np.clip(aspect * height / width, 0.5, 2.0))
    figure.set_size_inches(PANEL_IN * len(moved), 2 * (panel + 0.22) + 0.34)
    rows = figure.subplots(2, len(moved), squeeze=False)
    for axes_row, source, when in zip(
        rows, (before, subject.images), ("before", "after"), strict=True
    ):
        for axes, name in zip(axes_row, moved, strict=True):
            bare(axes)
            mixed = np.where(squares, fixed, picture(source[name]))
            draw_gray(axes, mixed, aspect)
            draw_contour(axes, tumor)
            title = f"{name} {when}"
            axes.set_title(title, fontsize=10, loc="center", fontweight="normal")
    title = f"{subject.patient} · against {subject.reference}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, weight="bold")


def _squares(
    shape: tuple[int, ...], spacing_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Return where the reference shows, shape (rows, columns)."""
    row, column = np.indices(shape)
    number = row * spacing_mm[1] // SQUARE_MM + column * spacing_mm[0] // SQUARE_MM
    squares: NDArray[np.bool_] = number % 2 == 0
    return squares
