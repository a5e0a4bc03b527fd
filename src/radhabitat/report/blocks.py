"""What a section of the report is built from; the template shows each kind once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from radhabitat.report.figures.drawing import Fill
from radhabitat.report.wording import count, slug


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


class Pictures(NamedTuple):
    """Pictures of patients: (patient, address), what they show, a note.

    An address is a file beside the page, or the picture itself ("data:...").
    """

    images: list[tuple[str, str]]
    caption: str
    note: str = ""
    name: str = "picture"
    kind: Literal["pictures"] = "pictures"


class References(NamedTuple):
    """Numbered works that the text cites."""

    works: list[str]
    kind: Literal["references"] = "references"


class Links(NamedTuple):
    """Files beside the page: (words, address)."""

    targets: list[tuple[str, str]]
    kind: Literal["links"] = "links"


class Checklist(NamedTuple):
    """A filled checklist: title, name of its file, items, note."""

    caption: str
    name: str
    items: Sequence[tuple[str, str, str, str, str, str, float]]
    note: str
    kind: Literal["checklist"] = "checklist"


Block = (
    Text
    | Heading
    | Callout
    | Table
    | Figure
    | Pictures
    | References
    | Links
    | Checklist
)

PER_PAGE = 60
"""Pictures on a page beside the report."""


def picture_sheet(
    pictures: Mapping[str, bytes],
    caption: str,
    note: str,
    *,
    folder: str,
    most_bytes: int,
) -> list[Block]:
    """Return the pictures that a file can hold; the others on pages beside it.

    Args:
        pictures: Patient -> PNG.
        caption: What they show.
        note: How to read them.
        folder: Of the files and pages beside the report, where `most_bytes` is not
            enough for all.
        most_bytes: Of all pictures together.
    """
    sizes = accumulate(len(picture) for picture in pictures.values())
    fitting = sum(size <= most_bytes for size in sizes)
    if not pictures:
        return []
    shown = list(pictures.items())[:fitting]
    images = [(p, data_address(png)) for p, png in shown]
    blocks: list[Block] = (
        [Pictures(images, caption, note, folder.rpartition("/")[2])] if shown else []
    )
    if hidden := len(pictures) - len(shown):
        words = (
            f"{count(hidden, 'more picture')} would make this file too large to open"
        )
        pages = -(-len(pictures) // PER_PAGE)
        links = [(f"Page {n}", f"{folder}/page{n}.html") for n in range(1, pages + 1)]
        blocks += [Callout(f"{words}the pages beside it:"), Links(links)]
    return blocks


def data_address(png: bytes) -> str:
    """Return the address that is the picture itself."""
    return f"data:image/png;base64,{b64encode(png).decode('ascii')}"


class Section(NamedTuple):
    """A chapter of the report; the table of contents points to its anchor."""

    anchor: str
    title: str
    blocks: list[Block]

    @property
    def tables(self) -> dict[str, Table]:
        """Name of a file -> table, for every table of the chapter."""
        found: dict[str, Table] = {}
        for block in self.blocks:
            if isinstance(block, Table):
                name = f"{self.anchor}-{slug(block.caption)}"
                found[name if name not in found else f"{name}-{len(found)}"] = block
        return found

    def name_of(self, table: Table) -> str:
        """Return the name of a table's file."""
        return next(n for n, one in self.tables.items() if one is table)
