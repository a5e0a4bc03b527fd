"""write_report: the study as one HTML page that opens offline.

A chapter is a file in `sections`, a drawing a file in `figures`, and the look a
template and a style sheet in `templates`; nothing outside is asked for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from radhabitat.report.content import HabitatRow, MatchRow, ReportContent, SetAside
from radhabitat.report.figures.checkerboard import checkerboard_picture
from radhabitat.report.figures.habitat_picture import habitat_picture
from radhabitat.report.figures.surface import habitat_surface
from radhabitat.report.translate import Language, translator

__all__ = [
    "HabitatRow",
    "Linked",
    "MatchRow",
    "ReportContent",
    "SetAside",
    "checkerboard_picture",
    "habitat_picture",
    "habitat_surface",
    "write_report",
]


class Linked(NamedTuple):
    """What lies beside a page: drawings that are made already, and files to link to.

    Attributes:
        drawings: Name of a figure -> its SVG element.
        files: Paths relative to the page, with "/".
    """

    drawings: Mapping[str, str] = {}
    files: frozenset[str] = frozenset()


NO_FONT = (
    "No font with Chinese characters is installed here; the PNG and TIFF files show "
    "boxes. Install one, such as Noto Sans CJK SC, and make the report again."
)
SOURCES = {
    "patients": ("report.json",),
    "quality": ("report.json",),
    "habitats": ("habitats.json", "report.json"),
    "features": ("features.csv", "report.json"),
    "models": ("models/clinical.json", "models/cr.json", "models/crh.json"),
    "evaluation": ("evaluation.json", "tables/results.csv"),
    "prognosis": ("report.json",),
    "reliability": ("stability.csv", "stability_features.csv", "report.json"),
    "methods": ("methods.md", "references.bib"),
    "provenance": ("manifest.json", "sbom.json", "tables/tables.xlsx", "report.pdf"),
}
"""Chapter -> the files that its numbers come from."""


def write_report(
    content: ReportContent,
    *,
    language: Language = "en",
    linked: Linked = Linked(),  # noqa: B008 (a tuple)
) -> str:
    """Return the report as the text of one HTML file.

    The same content gives the same text. Parts that are empty leave their chapter
    out; whatever comes from the study (ids, column names, notes) is escaped.

    Args:
        content: What the study found.
        language: Of the page and its drawings.
        linked: What lies beside the page; nothing: the page links to itself only.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from radhabitat.report.blocks import Figure
    from radhabitat.report.figures.drawing import chinese_font, draw_svg
    from radhabitat.report.sections import build_sections
    from radhabitat.report.sections.summary import summarize

    translate = translator(language)

    def draw(block: Figure) -> str:
        ready = linked.drawings.get(block.name)
        return ready or draw_svg(block.name, block.fill, translate)

    environment = Environment(
        loader=PackageLoader("radhabitat.report"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters["t"] = lambda words: translate(str(words))
    sections = build_sections(content)
    drawn = (b for s in sections for b in s.blocks if isinstance(b, Figure))
    return environment.get_template("report.html.j2").render(
        content=content,
        summary=summarize(content),
        sections=sections,
        draw=draw,
        notice=NO_FONT if language == "zh" and chinese_font() is None else "",
        language={"en": "en", "zh": "zh-Hans"}[language],
        files=linked.files,
        sources=SOURCES,
        anchors={"summary", *(s.anchor for s in sections)}
        | {f"figure-{b.name}" for b in drawn},
    )
