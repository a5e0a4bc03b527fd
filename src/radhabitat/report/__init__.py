"""write_report: the study as one HTML page that opens offline.

A chapter is a file in `sections`, a drawing a file in `figures`, and the look a
template and a style sheet in `templates`; nothing outside is asked for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from radhabitat.report.content import HabitatRow, MatchRow, ReportContent, SetAside
from radhabitat.report.figures.checkerboard import checkerboard_picture
from radhabitat.report.figures.habitat_picture import habitat_picture
from radhabitat.report.figures.surface import habitat_surface
from radhabitat.report.translate import Language, translator

if TYPE_CHECKING:
    from radhabitat.clinical.tables import ClinicalTables
    from radhabitat.report.blocks import Section
    from radhabitat.report.patient import PatientPage
    from radhabitat.report.sections.summary import Summary

__all__ = [
    "HabitatRow",
    "Linked",
    "MatchRow",
    "ReportContent",
    "SetAside",
    "checkerboard_picture",
    "habitat_picture",
    "habitat_surface",
    "write_clinical_page",
    "write_patient_page",
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
NOTHING = Linked()

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
    linked: Linked = NOTHING,
) -> str:
    """Return the report as the text of one HTML file.

    The same content gives the same text. Parts that are empty leave their chapter
    out; whatever comes from the study (ids, column names, notes) is escaped.

    Args:
        content: What the study found.
        language: Of the page and its drawings.
        linked: What lies beside the page; nothing: the page links to itself only.
    """
    from radhabitat.report.sections import build_sections
    from radhabitat.report.sections.summary import summarize

    return _render(
        content, summarize(content), build_sections(content), language, linked
    )


def write_clinical_page(tables: ClinicalTables, title: str) -> str:
    """Return Tables 1 to 3 as the text of one HTML file in the report's style."""
    from radhabitat.report.clinical import clinical_sections

    return _render(PageHead(title), None, clinical_sections(tables))


def write_patient_page(page: PatientPage) -> str:
    """Return one patient's prediction as the text of one HTML file."""
    from radhabitat.report.patient import patient_sections

    return _render(PageHead(f"Patient {page.patient}"), None, patient_sections(page))


class PageHead(NamedTuple):
    """What stands at the top of a page that is no report of a study."""

    title: str
    version: str = ""
    created: str = ""


def _render(
    content: ReportContent | PageHead,
    summary: Summary | None,
    sections: Sequence[Section],
    language: Language = "en",
    linked: Linked = NOTHING,
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from radhabitat.report.blocks import Figure
    from radhabitat.report.figures.drawing import chinese_font, draw_svg

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
    drawn = (b for s in sections for b in s.blocks if isinstance(b, Figure))
    return environment.get_template("report.html.j2").render(
        content=content,
        summary=summary,
        sections=sections,
        draw=draw,
        notice=NO_FONT if language == "zh" and chinese_font() is None else "",
        language={"en": "en", "zh": "zh-Hans"}[language],
        files=linked.files,
        sources=SOURCES,
        anchors={"summary", *(s.anchor for s in sections)}
        | {f"figure-{b.name}" for b in drawn},
    )
