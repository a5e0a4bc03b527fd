"""What a section of the report is built from; the template shows each kind once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from radhabitat.report.figures.drawing import Fill, draw_svg
from radhabitat.report.wording import count


class Text(NamedTuple):
    """A paragraph."""

    words: str
    kind: Literal["text"] = "text"


class Heading(NamedTuple):
    """A heading inside a section."""

    words: str
    kind: Literal["heading"] = "heading"


class Callout(NamedTuple):
    """A sentence that must not be missed; `strong` ones warn."""

    words: str
    strong: bool = False
    kind: Literal["callout"] = "callout"


class Table(NamedTuple):
    """Rows of finished text.

    Attributes:
        caption: What the table shows.
        headers: One per column.
        rows: Cells as they are printed.
        text_columns: So many columns from the left are words, the others numbers.
        folded: Long tables are closed at first.
        note: What a reader must know to read it.
    """

    caption: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    text_columns: int = 1
    folded: bool = False
    note: str = ""
    kind: Literal["table"] = "table"


class Figure(NamedTuple):
    """A drawing.

    Attributes:
        name: Short name, unique in the report; ids inside the drawing begin with it.
        fill: Draws it on an empty matplotlib figure and sets its size.
        caption: What it shows and how to read it.
        wide: Takes the whole width instead of half of it.
    """

    name: str
    fill: Fill
    caption: str
    wide: bool = False
    kind: Literal["figure"] = "figure"

    def to_svg(self) -> str:
        """Return the drawing as an SVG element."""
        return draw_svg(self.name, self.fill)


class Pictures(NamedTuple):
    """Pictures of patients: (patient, base64 of a PNG), what they show, a note."""

    images: list[tuple[str, str]]
    caption: str
    note: str = ""
    kind: Literal["pictures"] = "pictures"


class References(NamedTuple):
    """Numbered works that the text cites."""

    works: list[str]
    kind: Literal["references"] = "references"


Block = Text | Heading | Callout | Table | Figure | Pictures | References


def picture_sheet(
    pictures: Mapping[str, bytes], caption: str, note: str, *, most_bytes: int
) -> list[Block]:
    """Return as many pictures as a file that opens can hold, and how many are left.

    Args:
        pictures: Patient -> PNG.
        caption: What they show.
        note: How to read them.
        most_bytes: Of all pictures together.
    """
    sizes = accumulate(len(picture) for picture in pictures.values())
    fitting = sum(size <= most_bytes for size in sizes)
    shown = list(pictures.items())[:fitting]
    if not shown:
        return []
    images = [(patient, b64encode(png).decode("ascii")) for patient, png in shown]
    blocks: list[Block] = [Pictures(images, caption, note)]
    if hidden := len(pictures) - len(shown):
        words = f"{count(hidden, 'more picture')} would make this file too large to "
        blocks.append(Callout(words + "open; see the derivatives folder of the study."))
    return blocks


class Section(NamedTuple):
    """A chapter of the report; the table of contents points to its anchor."""

    anchor: str
    title: str
    blocks: list[Block]
