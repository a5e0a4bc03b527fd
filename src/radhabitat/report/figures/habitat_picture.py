"""One patient: every sequence with the tumor's contour, and the habitats."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radhabitat.report.figures.axial import AxialView
from radhabitat.report.figures.drawing import bare, draw_png
from radhabitat.report.palette import HABITAT_COLORS, INK, habitat_color
from radhabitat.report.wording import number, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from radhabitat.types import AlignedSubject, HabitatMap

COLUMNS = 6
PANEL_IN = 1.9
WINDOW = (1.0, 99.5)
CONTOUR_COLOR = "#F0E442"
CONTOUR_SHADES = ("#A69D2F", "#F6EFA1")  # where its edge fades into gray


class _Slice(NamedTuple):
    """What is drawn: pictures of shape (rows, columns)."""

    images: dict[str, NDArray[np.float64]]
    tumor: NDArray[np.bool_]
    habitats: NDArray[np.uint8]
    spacing_mm: tuple[float, float, float]


def habitat_picture(subject: AlignedSubject, habitats: HabitatMap) -> bytes:
    """Return one PNG: the sequences with the tumor's contour, then the habitats.

    The slice is the axial one with the largest tumor area, in the radiological
    convention; the background of the habitats is the reference sequence. Same
    input, same bytes.

    Args:
        subject: The patient on the final grid.
        habitats: The patient's habitats on the same grid.
    """
    return draw_png(
        lambda figure: _fill(figure, subject, habitats),
        colors=(*HABITAT_COLORS, CONTOUR_COLOR, *CONTOUR_SHADES),
    )


def _take_slice(subject: AlignedSubject, habitats: HabitatMap) -> _Slice:
    axial = AxialView.of(subject.grid)
    index = axial.largest_slice(subject.tumor.array)
    images = {
        name: windowed(axial.slice(volume.array, index), volume.array)
        for name, volume in subject.images.items()
    }
    return _Slice(
        images=images,
        tumor=axial.slice(subject.tumor.array, index).astype(np.bool_),
        habitats=axial.slice(habitats.array, index).astype(np.uint8),
        spacing_mm=axial.spacing_mm,
    )


def windowed(
    picture: NDArray[np.generic], volume: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return gray values 0 to 1, bright and dark ends as a viewer would set them."""
    low, high = np.percentile(volume, WINDOW)
    span = high - low if high > low else 1.0
    return np.asarray(np.clip((picture.astype(np.float64) - low) / span, 0.0, 1.0))


def _fill(figure: Figure, subject: AlignedSubject, habitats: HabitatMap) -> None:
    view = _take_slice(subject, habitats)
    aspect = view.spacing_mm[1] / view.spacing_mm[0]
    panels = len(view.images) + 1
    columns = min(panels, COLUMNS)
    rows = -(-panels // columns)
    legend_columns = max(2, int(columns * 1.75))
    legend_rows = -(-habitats.count // legend_columns)
    height, width = view.tumor.shape
    panel = PANEL_IN * float(np.clip(aspect * height / width, 0.5, 2.0))
    figure.set_size_inches(
        PANEL_IN * columns, (panel + 0.22) * rows + 0.34 + 0.23 * legend_rows
    )
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        bare(axes)
    for axes, (name, picture) in zip(grid, view.images.items(), strict=False):
        draw_gray(axes, picture, aspect)
        draw_contour(axes, view.tumor)
        title = f"{name} (reference)" if name == subject.reference else name
        axes.set_title(title, fontsize=10, loc="center", fontweight="normal")
    last = grid[panels - 1]
    draw_gray(last, view.images[subject.reference], aspect)
    _draw_habitats(last, view.habitats)
    last.set_title("Habitats", fontsize=10, loc="center", fontweight="normal")
    _draw_marks(grid[0], view)
    volume = number(subject.tumor.volume_mm3 / 1000, digits=1)
    title = f"{subject.patient} · {volume} ml"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, weight="bold")
    _draw_legend(figure, habitats, legend_columns)


def draw_gray(axes: Axes, picture: NDArray[np.float64], aspect: float) -> None:
    """Draw gray values 0 to 1."""
    gray = axes.imshow(picture, cmap="gray", aspect=aspect, interpolation="bilinear")
    gray.set_clim(0, 1)


def draw_contour(axes: Axes, region: NDArray[np.bool_]) -> None:
    """Draw the outline of a region, shape (rows, columns)."""
    # one voxel of outside, so that a region at the border has a closed contour
    padded = np.pad(region.astype(np.float64), 1)
    columns = np.arange(-1, region.shape[1] + 1)
    rows = np.arange(-1, region.shape[0] + 1)
    axes.contour(columns, rows, padded, [0.5], colors=[CONTOUR_COLOR], linewidths=1.0)


def _draw_habitats(axes: Axes, labels: NDArray[np.uint8]) -> None:
    from matplotlib.colors import to_rgba

    overlay = np.zeros((*labels.shape, 4))
    for habitat in np.unique(labels[labels > 0]):
        overlay[labels == habitat] = to_rgba(habitat_color(int(habitat)))
    axes.imshow(overlay, aspect=axes.get_aspect(), interpolation="nearest")


def _draw_marks(axes: Axes, view: _Slice) -> None:
    """Name the patient's right side and give a bar of 2 cm."""
    shade = {"facecolor": "black", "alpha": 0.55, "pad": 1.2, "linewidth": 0}
    middle = axes.transAxes
    axes.text(0.03, 0.5, "R", color="white", fontsize=10, transform=middle, bbox=shade)
    height, width = view.tumor.shape
    length = 20.0 / view.spacing_mm[0]
    if length < 0.8 * width:
        start, row = 0.05 * width, 0.93 * height
        axes.plot([start, start + length], [row, row], color="white", linewidth=1.8)
        place = (start, row - 0.04 * height)
        axes.text(*place, "2 cm", color="white", fontsize=9.5, bbox=shade)


def _draw_legend(figure: Figure, habitats: HabitatMap, columns: int) -> None:
    from matplotlib.patches import Patch

    total = max(int(np.count_nonzero(habitats.array)), 1)
    shares = [habitats.voxels(h + 1) / total for h in range(habitats.count)]
    handles = [
        Patch(color=habitat_color(habitat), label=f"H{habitat}: {percent(share)}")
        for habitat, share in enumerate(shares, start=1)
    ]
    # a legend fills column by column; the habitats shall run along the rows
    by_row = [patch for column in range(columns) for patch in handles[column::columns]]
    figure.legend(
        handles=by_row,
        loc="outside lower left",
        ncols=columns,
        fontsize=10,
        labelcolor=INK,
        handlelength=0.9,
        handleheight=0.9,
        columnspacing=1.0,
        borderpad=0.1,
    )
