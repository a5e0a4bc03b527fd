"""How every figure is drawn: one style, reproducible bytes, ids that never collide."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from radhabitat.report.palette import FAINT, INK, RULE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

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
DPI = 300
GRAYS = 40
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Heiti SC",
)
"""Free ones first; the first that is installed draws Chinese in PNG, TIFF and PDF."""
_CHINESE_FILES = r"cjk|notosanssc|sourcehan|wqy|msyh|simhei|pingfang|heiti"

Fill = Callable[["Figure"], None]
Translate = Callable[[str], str]


class Drawn(NamedTuple):
    """One drawing in every form.

    Attributes:
        svg: File of its own; text stays text.
        page: The same as an element of a page.
        png: 300 dpi.
        tiff: 300 dpi, compressed without loss.
        data: The numbers behind it.
    """

    svg: str
    page: str
    png: bytes
    tiff: bytes
    data: pd.DataFrame


def draw_svg(name: str, fill: Fill, translate: Translate = str) -> str:
    """Return a drawing as an SVG element to be put into a page.

    Args:
        name: Unique in the page; begins every id of the drawing.
        fill: Draws on the empty figure and sets its size.
        translate: Of every word in it.
    """
    with _new_figure({"svg.hashsalt": name}) as figure:
        fill(figure)
        _translate(figure, translate)
        return _for_a_page(_svg(figure), name)


def draw_files(name: str, fill: Fill, translate: Translate = str) -> Drawn:
    """Return a drawing in every form in which journals and readers want it.

    Args:
        name: Unique in the report.
        fill: Draws on the empty figure and sets its size.
        translate: Of every word in it.
    """
    from radhabitat.report.figures.behind import data_behind

    with _new_figure({"svg.hashsalt": name, "font.family": _families()}) as figure:
        fill(figure)
        data = data_behind(figure)
        _translate(figure, translate)
        svg = _svg(figure)
        png, tiff = _pixels(figure)
    return Drawn(svg, _for_a_page(svg, name), png, tiff, data)


def _svg(figure: Figure) -> str:
    target = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(target, format="svg", transparent=True, metadata=nothing)
    return target.getvalue()


def _pixels(figure: Figure) -> tuple[bytes, bytes]:
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    png, tiff = io.BytesIO(), io.BytesIO()
    figure.set_dpi(DPI)
    # Any: matplotlib does not say what these take
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    with Image.fromarray(np.asarray(canvas.buffer_rgba())) as image:
        flat = image.convert("RGB")
        flat.save(png, format="png", dpi=(DPI, DPI))
        flat.save(tiff, format="tiff", dpi=(DPI, DPI), compression="tiff_lzw")
    return png.getvalue(), tiff.getvalue()


def _translate(figure: Figure, translate: Translate) -> None:
    """Put every word of a drawing into another language."""
    if translate is str:
        return
    from matplotlib.text import Text
    from matplotlib.ticker import FixedLocator, FuncFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            shown = axis.get_major_formatter()
            named = isinstance(axis.get_major_locator(), FixedLocator)
            if named and isinstance(shown, FuncFormatter):
                words = partial(_in_other_words, shown=shown, translate=translate)
                axis.set_major_formatter(words)
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text():
            text.set_text(translate(text.get_text()))


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
        # a Chinese font without a bold face is drawn as it is, without a word
        logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
        # a name in a script without a font here is drawn as boxes, not refused
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield Figure(layout="constrained")


def _in_other_words(
    value: float, place: int | None, *, shown: Formatter, translate: Translate
) -> str:
    return translate(shown(value, place))


def _palette(colors: Sequence[str]) -> list[int]:
    from matplotlib.colors import to_rgb

    grays = [(i / (GRAYS - 1),) * 3 for i in range(GRAYS)]
    every = (*grays, *map(to_rgb, colors))
    return [round(255 * part) for color in every for part in color]


@cache
def chinese_font() -> tuple[str, str] | None:
    """Return the name and the file of an installed font with Chinese characters."""
    from matplotlib import font_manager

    fonts = font_manager.fontManager
    known = {font.name: font.fname for font in fonts.ttflist}
    if not any(name in known for name in CHINESE_FONTS):
        # installed after matplotlib last looked
        for file in font_manager.findSystemFonts():
            if re.search(_CHINESE_FILES, file, re.IGNORECASE):
                fonts.addfont(file)
        known = {font.name: font.fname for font in fonts.ttflist}
    return next(((f, known[f]) for f in CHINESE_FONTS if f in known), None)


def _families() -> list[str]:
    found = chinese_font()
    return ["DejaVu Sans", *([found[0]] if found else [])]


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
