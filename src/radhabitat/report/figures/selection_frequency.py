"""How often each variable was kept when the learning was repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radhabitat.report.figures.drawing import draw_svg
from radhabitat.report.palette import model_color
from radhabitat.report.wording import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from radhabitat.evaluation.results import ModelResult

SHOWN = 15


def draw_selection_frequency(name: str, result: ModelResult, *, position: int) -> str:
    """Return bars for the most frequent variables; the model's own are colored.

    Args:
        name: Unique in the page.
        result: Of one model.
        position: Place of the model in the ladder, for its color.
    """
    rows = sorted(result.selection_frequency.items(), key=lambda row: (-row[1], row[0]))
    rows = rows[:SHOWN]
    size = (8.6, 0.9 + 0.27 * len(rows))
    chosen = set(result.model.variables)
    return draw_svg(
        name,
        lambda figure: _fill(figure, rows, chosen, model_color(position)),
        size_in=size,
    )


def _fill(
    figure: Figure, rows: list[tuple[str, float]], chosen: set[str], color: str
) -> None:
    axes = figure.add_subplot()
    places = range(len(rows))
    colors = [color if name in chosen else "#c5ccd3" for name, _ in rows]
    axes.barh(places, [share for _, share in rows], color=colors, height=0.72)
    for place, (_, share) in zip(places, rows, strict=True):
        axes.text(share + 0.01, place, percent(share), va="center", fontsize=8.5)
    axes.set_yticks(places, [_shortened(name) for name, _ in rows])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.09), xlabel="Share of resamples that kept the variable")
    axes.tick_params(axis="y", length=0)


def _shortened(name: str, *, longest: int = 58) -> str:
    return (
        name
        if len(name) <= longest
        else f"{name[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
