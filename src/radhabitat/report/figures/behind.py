"""The numbers behind a drawing, read back from what was drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter

# what matplotlib holds: numbers or words
Row = dict[str, Any]


def data_behind(figure: Figure) -> pd.DataFrame:
    """Return one row per point, bar, cell or label of a drawing.

    Columns: panel, series (its label in the legend), kind, x, y, then value where a
    color or a size says one, x_name and y_name where an axis counts names, and words.
    """
    rows = [
        {"panel": panel, **row}
        for panel, axes in enumerate(figure.axes, 1)
        if axes.get_label() != "<colorbar>"
        for row in _named(axes, [r for read in READERS for r in read(axes)])
    ]
    order = ["panel", "series", "kind", "x", "y", "value", "x_name", "y_name", "words"]
    table = pd.DataFrame(rows, columns=order)
    return table.dropna(axis="columns", how="all")


def _named(axes: Axes, rows: list[Row]) -> Iterator[Row]:
    names = {"x": _names(axes.xaxis), "y": _names(axes.yaxis)}
    for row in rows:
        for letter, known in names.items():
            if known and isinstance(row[letter], float) and np.isfinite(row[letter]):
                row[f"{letter}_name"] = known.get(round(row[letter]))
        yield row


def _names(axis: Axis) -> dict[int, str]:
    shown, places = axis.get_major_formatter(), axis.get_major_locator()
    # what set_xticks(places, names) leaves behind
    if not isinstance(shown, FuncFormatter) or not isinstance(places, FixedLocator):
        return {}
    return {round(p): shown(p) for p in places() if p == round(p)}


def _points(
    series: object, kind: str, x: Any, y: Any, values: Any = None
) -> Iterator[Row]:
    label = "" if str(series).startswith("_") else str(series)
    given = [None] * len(x) if values is None else values
    for here, there, value in zip(x, y, given, strict=True):
        yield {
            "series": label,
            "kind": kind,
            "x": float(here),
            "y": float(there),
            "value": None if value is None else float(value),
        }


def _lines(axes: Axes) -> Iterator[Row]:
    for line in axes.lines:
        x, y = np.atleast_1d(line.get_xdata()), np.atleast_1d(line.get_ydata())
        yield from _points(str(line.get_label()).lstrip("_"), "line", x, y)


def _bars(axes: Axes) -> Iterator[Row]:
    for bar in axes.patches:
        if isinstance(bar, Rectangle):
            x = bar.get_x() + bar.get_width() / 2
            y = bar.get_y() + bar.get_height() / 2
            upright = bar.get_width() < bar.get_height() or bar.get_x() != 0
            length = bar.get_height() if upright else bar.get_width()
            yield from _points("", "bar", [x], [y], [length])


def _shapes(axes: Axes) -> Iterator[Row]:
    for shape in axes.collections:
        label = shape.get_label()
        if isinstance(shape, PathCollection):
            x, y = np.asarray(shape.get_offsets(), dtype=np.float64).T
            colors = shape.get_array()
            values = None if colors is None else np.asarray(colors)
            yield from _points(label, "dot", x, y, values)
        elif isinstance(shape, LineCollection | PolyCollection):
            kind = "interval" if isinstance(shape, LineCollection) else "band"
            for path in shape.get_paths():
                yield from _points(label, kind, *np.asarray(path.vertices).T)


def _cells(axes: Axes) -> Iterator[Row]:
    for image in axes.images:
        array = image.get_array()
        if array is not None and array.ndim == 2:
            y, x = np.indices(array.shape)
            yield from _points("", "cell", x.ravel(), y.ravel(), np.ravel(array))


def _labels(axes: Axes) -> Iterator[Row]:
    for text in axes.texts:
        if text.get_text():
            x, y = text.get_position()
            words = text.get_text().replace("\n", "; ")
            yield {"series": "", "kind": "label", "x": x, "y": y, "words": words}


READERS: tuple[Callable[[Axes], Iterator[Row]], ...] = (
    _lines,
    _bars,
    _shapes,
    _cells,
    _labels,
)
