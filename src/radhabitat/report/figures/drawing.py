"""How every figure is drawn: one style, reproducible bytes, ids that never collide."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from radhabitat.report.palette import FAINT, INK, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Any: the names that matplotlib allows differ between its versions
_STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,  # a patient may be called "$x$"
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",  # the reader's browser has glyphs that we may lack
    "svg.image_inline": True,
}
_TIGHT: dict[Any, Any] = {
    "figure.constrained_layout.h_pad": 0.02,
    "figure.constrained_layout.w_pad": 0.02,
    "figure.constrained_layout.hspace": 0.0,
    "figure.constrained_layout.wspace": 0.01,
}
GRAYS = 40
_CHINESE_FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC")

Fill = Callable[["Figure"], None]


def draw_svg(name: str, fill: Fill, *, size_in: tuple[float, float]) -> str:
    """Return a drawing as an SVG element to be put into a page.

    Args:
        name: Unique in the page; begins every id of the drawing.
        fill: Draws on the empty figure.
        size_in: Width and height, inches.
    """
    target = io.StringIO()
    with _style({"svg.hashsalt": name}):
        figure = _new_figure(size_in)
        fill(figure)
        figure.savefig(
            target,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _for_a_page(target.getvalue(), name)


def draw_png(
    fill: Fill, *, size_in: tuple[float, float], dpi: int, colors: Sequence[str]
) -> bytes:
    """Return a drawing as a small PNG, without any metadata.

    Args:
        fill: Draws on the empty figure.
        size_in: Width and height, inches.
        dpi: Pixels per inch.
        colors: Kept exactly; everything else becomes one of 40 grays.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    with _style({"font.family": _families(), **_TIGHT}):
        figure = _new_figure(size_in)
        fill(figure)
        figure.savefig(raw, format="png", dpi=dpi, facecolor="white")
    with Image.open(raw) as image, Image.new("P", (1, 1)) as fixed:
        fixed.putpalette(_palette(colors))
        indexed = image.convert("RGB").quantize(palette=fixed, dither=Image.Dither.NONE)
        indexed.save(small, format="png", optimize=True)
    return small.getvalue()


def bare(axes: Axes) -> None:
    """Take ticks and frame away, for pictures."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


@contextmanager
def _style(extra: dict[Any, Any]) -> Iterator[None]:
    from matplotlib import rc_context

    with rc_context({**_STYLE, **extra}), warnings.catch_warnings():
        # a name in a script without a font here is drawn as boxes, not refused
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _new_figure(size_in: tuple[float, float]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size_in, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _palette(colors: Sequence[str]) -> list[int]:
    from matplotlib.colors import to_rgb

    grays = [round(255 * i / (GRAYS - 1)) for i in range(GRAYS)]
    exact = [round(255 * part) for color in colors for part in to_rgb(color)]
    return [value for gray in grays for value in (gray,) * 3] + exact


def _families() -> list[str]:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(f for f in _CHINESE_FONTS if f in known)]


def _for_a_page(svg: str, name: str) -> str:
    """Drop the file header and what is not the drawing; make every id its own."""
    element = svg[svg.index("<svg") :].strip()
    element = re.sub(r"<style.*?</style>", "", element, flags=re.DOTALL)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    opening = re.search(r'viewBox="[^"]*"', element)
    view = opening[0] if opening else ""
    element = re.sub(r"<svg[^>]*>", f'<svg {view} role="img">', element, count=1)
    # only inside tags: a patient may be called 'url(#1'
    return re.sub(r"<[^>]*>", lambda tag: _own_ids(tag[0], name), element)


def _own_ids(tag: str, name: str) -> str:
    tag = tag.replace("xlink:href=", "href=")
    tag = tag.replace(' id="', f' id="{name}-').replace('href="#', f'href="#{name}-')
    tag = tag.replace("url(#", f"url(#{name}-")
    # the page's own font; sizes and anchors stay
    return re.sub(r"(?:'[^']*', )+sans-serif", "sans-serif", tag)
