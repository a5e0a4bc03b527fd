"""The report as a PDF for print and for archives; the page is the fuller form."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from radhabitat.report.blocks import (
    Block,
    Callout,
    Checklist,
    Figure,
    Heading,
    Pictures,
    References,
    Section,
    Table,
    Text,
)
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.drawing import chinese_font
from radhabitat.report.sections.summary import summarize
from radhabitat.report.translate import Language, translator
from radhabitat.report.wording import RESEARCH_ONLY

WIDTH = 495.0
"""Points between the margins of A4."""
ROWS = 40
"""Longer tables are in tables.xlsx only."""
PICTURES = 12
TALLEST = 620.0


def write_pdf(
    content: ReportContent,
    sections: list[Section],
    pngs: Mapping[str, bytes],
    language: Language = "en",
) -> bytes:
    """Return the bytes of a PDF; the same content gives the same bytes.

    Args:
        content: What the study found.
        sections: Its chapters.
        pngs: Name of a figure -> PNG.
        language: Of the words.
    """
    from reportlab.platypus import SimpleDocTemplate

    target = io.BytesIO()
    maker = _Maker(pngs, translator(language), _fonts(language))
    story = [*_front(content, maker)]
    for section in sections:
        story.append(maker.words(section.title, "Heading1"))
        for block in section.blocks:
            story += maker.block(block)
    document = SimpleDocTemplate(
        target,
        pagesize=(595.3, 841.9),
        leftMargin=50,
        rightMargin=50,
        topMargin=48,
        bottomMargin=52,
        title=content.title,
        author="RadHabitat",
        invariant=1,
    )
    document.build(story, onFirstPage=maker.foot, onLaterPages=maker.foot)
    return target.getvalue()


def _front(content: ReportContent, maker: _Maker) -> list[Any]:
    summary = summarize(content)
    return [
        maker.words(content.title, "Title"),
        maker.words(summary.asked, "BodyText"),
        maker.words(summary.answer, "Heading2"),
        *(maker.words(f"\N{BULLET} {limit}", "BodyText") for limit in summary.limits),
        maker.words(RESEARCH_ONLY, "Heading3"),
    ]


def _fonts(language: Language) -> tuple[str, str]:
    """Register fonts that hold the characters; return the normal and the bold one."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFError, TTFont

    if language == "zh":
        found = chinese_font()
        try:
            if found is not None:
                pdfmetrics.registerFont(TTFont("Chinese", found[1]))
                return "Chinese", "Chinese"
        except TTFError:  # outlines of a kind that cannot be put in
            pass
        # the reader's own font: nothing is put in
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
        return "STSong-Light", "STSong-Light"
    folder = Path(get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    return "DejaVuSans", "DejaVuSans-Bold"


class _Maker:
    """Turns blocks into what is set on pages."""

    def __init__(
        self,
        pngs: Mapping[str, bytes],
        translate: Callable[[str], str],
        fonts: tuple[str, str],
    ) -> None:
        from reportlab.lib.styles import getSampleStyleSheet

        self.pngs, self.translate, self.font = pngs, translate, fonts[0]
        self.styles = getSampleStyleSheet()
        for name in ("Title", "Heading1", "Heading2", "Heading3", "BodyText", "Italic"):
            style = self.styles[name]
            style.fontName = fonts["H" in name or name == "Title"]
            style.wordWrap = "CJK" if fonts[0] == fonts[1] else None
        for name, size in (("BodyText", 9), ("Italic", 8), ("Heading2", 12)):
            self.styles[name].fontSize = size
            self.styles[name].leading = 1.35 * size

    def words(self, text: str, style: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(escape(self.translate(text)), self.styles[style])

    def foot(self, canvas: Any, document: Any) -> None:
        canvas.setFont(self.font, 7)
        canvas.drawString(50, 28, self.translate(RESEARCH_ONLY))
        canvas.drawRightString(545, 28, f"{document.page}")

    def block(self, block: Block) -> list[Any]:
        if isinstance(block, Figure):
            picture = self.image(
                self.pngs[block.name], WIDTH * (1 if block.wide else 0.7)
            )
            return [picture, self.words(block.caption, "Italic")]
        if isinstance(block, Table):
            return self.table(block.caption, block.headers, block.rows, block.note)
        if isinstance(block, Checklist):
            rows = [
                (i[0], i[2], self.translate(i[3]), self.translate(i[4]))
                for i in block.items
            ]
            head = ("Item", "What is asked", "Answer", "Evidence")
            return self.table(block.caption, head, rows, block.note, most=80)
        if isinstance(block, Pictures):
            return self.pictures(block)
        if isinstance(block, References):
            return [
                self.words(f"{n}. {w}", "Italic") for n, w in enumerate(block.works, 1)
            ]
        if isinstance(block, Text | Heading | Callout):
            style = {"heading": "Heading2", "callout": "Heading3"}
            return [self.words(block.words, style.get(block.kind, "BodyText"))]
        return []

    def image(self, png: bytes, width: float) -> Any:
        from reportlab.platypus import Image

        picture = Image(io.BytesIO(png))
        ratio = picture.imageHeight / picture.imageWidth
        width = min(width, TALLEST / ratio)
        picture.drawWidth, picture.drawHeight = width, width * ratio
        return picture

    def pictures(self, block: Pictures) -> list[Any]:
        from base64 import b64decode

        shown = block.images[:PICTURES]
        made = [
            self.image(b64decode(address.partition(",")[2]), WIDTH * 0.62)
            for _, address in shown
        ]
        return [self.words(block.caption, "Heading3"), *made]

    def table(
        self, caption: str, headers: Any, rows: Any, note: str, most: int = ROWS
    ) -> list[Any]:
        from reportlab.lib.colors import HexColor
        from reportlab.platypus import Table as Grid

        if len(rows) > most:
            words = f"{caption}: {len(rows):,} rows, in tables.xlsx."
            return [self.words(words, "Italic")]
        every = (headers, *rows)
        cells = [[self.words(str(c), "Italic") for c in row] for row in every]
        widest = [
            min(max(len(str(row[c])) for row in every), 60) + 3
            for c in range(len(headers))
        ]
        widths = [WIDTH * w / sum(widest) for w in widest]
        line = HexColor("#c5ccd3")
        style: Any = [
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, line),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
        grid = Grid(cells, colWidths=widths, repeatRows=1, style=style)
        after = [self.words(note, "Italic")] if note else []
        return [self.words(caption, "Heading3"), grid, *after]
