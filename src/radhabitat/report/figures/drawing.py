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


def draw_svg(name: str, fill: Fill) -> str:
    """Return a drawing as an SVG element to be put into a page.

    Args:
        name: Unique in the page; begins every id of the drawing.
        fill: Draws on the empty figure and sets its size.
    """
    target = io.StringIO()
    with _new_figure({"svg.hashsalt": name}) as figure:
        fill(figure)
        figure.savefig(
            target,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _for_a_page(target.getvalue(), name)


def draw_png(fill: Fill, *, colors: Sequence[str]) -> bytes:
    """Return a drawing as a small PNG of 100 dpi, without any metadata.

    Args:
        fill: Draws on the empty figure and sets its size.
        colors: Kept exactly; everything else becomes one of 40 grays.
    """
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    with _new_figure({"font.family": _families(), **_TIGHT}) as figure:
        fill(figure)
        figure.savefig(raw, format="png", dpi=100, facecolor="white")
    with Image.open(raw) as image, Image.new("P", (1, 1)) as fixed:
        fixed.putpalette(_palette(colors))
        indexed = image.convert("RGB").quantize(palette=fixed, dither=Image.Dither.NONE)
        indexed.save(small, format="png", optimize=True)
    return small.getvalue()


def bare(axes: Axes) -> None:
    """Take ticks and frame away, for pictures."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


@contextmanager
def _new_figure(style: dict[Any, Any]) -> Iterator[Figure]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**_STYLE, **style}), warnings.catch_warnings():
        # a name in a script without a font here is drawn as boxes, not refused
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield Figure(layout="constrained")


def _palette(colors: Sequence[str]) -> list[int]:
    from matplotlib.colors import to_rgb

    grays = [(i / (GRAYS - 1),) * 3 for i in range(GRAYS)]
    every = (*grays, *map(to_rgb, colors))
    return [round(255 * part) for color in every for part in color]


def _families() -> list[str]:
    from matplotlib import font_manager

    known = {font.name for font in font_manager.fontManager.ttflist}
    return ["DejaVu Sans", *(f for f in _CHINESE_FONTS if f in known)]


def _for_a_page(svg: str, name: str) -> str:
    """Drop the file header and what is not the drawing; make every id its own."""
    element = svg[svg.index("<svg") :].strip()
    element = re.sub(r"<(style|metadata).*?</\1>", "", element, flags=re.DOTALL)
    view = r'<svg[^>]*?( viewBox="[^"]*")[^>]*>'
    element = re.sub(view, r'<svg\1 role="img">', element, count=1)
    # only inside tags: a patient may be called 'url(#1'
    return re.sub(r"<[^>]*>", lambda tag: _own_ids(tag[0], name), element)


def _own_ids(tag: str, name: str) -> str:
    tag = tag.replace("xlink:href=", "href=")
    tag = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", tag)
    # the page's own font; sizes and anchors stay
    return re.sub(r"(?:'[^']*', )+sans-serif", "sans-serif", tag)
