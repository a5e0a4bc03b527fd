"""The tumor and its habitats in three dimensions: shaded surfaces, seen obliquely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from radhabitat.report.figures.drawing import bare, draw_png
from radhabitat.report.palette import habitat_color
from radhabitat.report.wording import percent
from radhabitat.types import HabitatMap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 110
"""Voxels along the edge of the turned cube."""
TURN, TILT = np.deg2rad(35.0), np.deg2rad(20.0)
LIGHT = np.array([-0.35, 0.45, 0.82])
SHADES = np.linspace(0.35, 1.0, 10)


def habitat_surface(habitats: HabitatMap) -> bytes:
    """Return a PNG: the whole tumor, then each habitat inside its outline."""
    from matplotlib.colors import to_hex, to_rgb

    turned = _turned(habitats)
    colors = [
        tuple(shade * np.array(to_rgb(habitat_color(h))))
        for h in range(1, habitats.count + 1)
        for shade in SHADES
    ]
    fixed = [to_hex(color) for color in colors]
    return draw_png(lambda figure: _fill(figure, turned, habitats), colors=fixed)


def _turned(habitats: HabitatMap) -> NDArray[np.uint8]:
    """Return the labels in a cube whose first axis looks at the reader."""
    array, grid = habitats.array, habitats.grid
    spacing = np.linalg.norm(np.asarray(grid.affine)[:3, :3], axis=0)
    inside = np.argwhere(array > 0)
    middle = inside.mean(axis=0)
    reach = np.linalg.norm((inside - middle) * spacing, axis=1).max() + 2 * spacing[0]
    step = 2 * reach / SIDE
    c, s, ct, st = np.cos(TURN), np.sin(TURN), np.cos(TILT), np.sin(TILT)
    # axes of the picture (away from the reader, down, right) in R-A-S millimeters
    away = np.array([s * ct, -c * ct, -st])
    right = np.array([c, s, 0.0])
    axes = np.column_stack([away, np.cross(right, away), right])
    directions = np.asarray(grid.affine)[:3, :3] / spacing
    to_voxel = (directions.T @ axes) * step / spacing[:, None]
    offset = middle - to_voxel @ np.full(3, (SIDE - 1) / 2)
    turned: NDArray[np.uint8] = affine_transform(
        array, to_voxel, offset=offset, output_shape=(SIDE,) * 3, order=0
    )
    return turned


def _fill(figure: Figure, turned: NDArray[np.uint8], habitats: HabitatMap) -> None:
    count = habitats.count
    figure.set_size_inches(2.3 * (count + 1), 2.55)
    panels = figure.subplots(1, count + 1, squeeze=False)[0]
    whole = turned > 0
    panels[0].imshow(_shaded(whole, turned, whole))
    panels[0].set_title("Whole tumor", fontsize=9)
    total = max(int((habitats.array > 0).sum()), 1)
    for h in range(1, count + 1):
        panels[h].imshow(_shaded(turned == h, turned, whole))
        share = percent(habitats.voxels(h) / total)
        panels[h].set_title(f"Habitat {h}: {share}", fontsize=9)
    for axes in panels:
        bare(axes)


def _shaded(
    part: NDArray[np.bool_], labels: NDArray[np.uint8], whole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return an RGB picture of the first voxels of a part that the reader sees."""
    from matplotlib.colors import to_rgb

    outline: NDArray[np.bool_] = np.asarray(whole.any(axis=0))
    picture = np.where(outline[..., None], 0.9, 1.0) * np.ones(3)
    seen = np.asarray(part.any(axis=0))
    if not seen.any():
        return picture
    soft: NDArray[np.float32] = gaussian_filter(part.astype(np.float32), 1.3)
    depth = part.argmax(axis=0)
    rows, columns = np.nonzero(seen)
    first = depth[rows, columns]
    normal = -np.stack([g[first, rows, columns] for g in np.gradient(soft)], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    # toward the reader, up, right
    light = normal @ np.array([-LIGHT[2], -LIGHT[1], LIGHT[0]])
    shade = SHADES[np.clip(np.round((light + 0.2) / 1.2 * 9), 0, 9).astype(int)]
    base = np.array(
        [(0.9, 0.9, 0.9), *(to_rgb(habitat_color(h)) for h in range(1, 11))]
    )
    label = (labels[first, rows, columns].astype(int) - 1) % 10 + 1
    picture[rows, columns] = base[label] * shade[:, None]
    return picture
