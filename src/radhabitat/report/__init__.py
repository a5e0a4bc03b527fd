"""write_report: the study as one HTML page that opens offline.

A chapter is a file in `sections`, a drawing a file in `figures`, and the look a
template and a style sheet in `templates`; nothing outside is asked for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from radhabitat.report.content import HabitatRow, MatchRow, ReportContent, SetAside
from radhabitat.report.figures.checkerboard import checkerboard_picture
from radhabitat.report.figures.habitat_picture import habitat_picture

if TYPE_CHECKING:
    from radhabitat.clinical.tables import ClinicalTables
    from radhabitat.report.blocks import Section
    from radhabitat.report.patient import PatientPage
    from radhabitat.report.sections.summary import Summary

__all__ = [
    "HabitatRow",
    "MatchRow",
    "ReportContent",
    "SetAside",
    "checkerboard_picture",
    "habitat_picture",
    "write_clinical_page",
    "write_patient_page",
    "write_report",
]


def write_report(content: ReportContent) -> str:
    """Return the report as the text of one HTML file.

    The same content gives the same text. Parts that are empty leave their chapter
    out; whatever comes from the study (ids, column names, notes) is escaped.

    Args:
        content: What the study found.
    """
    from radhabitat.report.sections import build_sections
    from radhabitat.report.sections.summary import summarize

    return _render(content, summarize(content), build_sections(content))


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
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("radhabitat.report"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(
        content=content, summary=summary, sections=sections
    )
