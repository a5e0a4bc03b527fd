"""What a section of the report is built from; the template shows each kind once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    words: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    words: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Callout:
    """A sentence that must not be missed; `strong` ones warn."""

    words: str
    strong: bool = False
    kind: Literal["callout"] = "callout"


@dataclass(frozen=True)
class Table:
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
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    folded: bool = False
    note: str = ""
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes:
        name: Short name, unique in the report; ids inside the drawing begin with it.
        svg: The drawing, as an SVG element.
        caption: What it shows and how to read it.
        wide: Takes the whole width instead of half of it.
    """

    name: str
    svg: str
    caption: str
    wide: bool = False
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True)
class Pictures:
    """Pictures of patients.

    Attributes:
        images: (patient, base64 of a PNG).
        caption: What they show.
        note: What a reader must know to read them.
    """

    images: tuple[tuple[str, str], ...]
    caption: str
    note: str = ""
    kind: Literal["pictures"] = "pictures"


@dataclass(frozen=True)
class References:
    """Numbered works that the text cites."""

    works: tuple[str, ...]
    kind: Literal["references"] = "references"


Block = Text | Heading | Callout | Table | Figure | Pictures | References


@dataclass(frozen=True)
class Section:
    """A chapter of the report.

    Attributes:
        anchor: Where the table of contents points to.
        title: Its heading.
        blocks: What it holds, in order.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
