"""write_report: the study as one HTML page that opens offline.

A chapter is a file in `sections`, a drawing a file in `figures`, and the look a
template and a style sheet in `templates`; nothing outside is asked for anything.
"""

from __future__ import annotations

from radhabitat.report.content import HabitatRow, MatchRow, ReportContent, SetAside
from radhabitat.report.figures.checkerboard import checkerboard_picture
from radhabitat.report.figures.habitat_picture import habitat_picture

__all__ = [
    "HabitatRow",
    "MatchRow",
    "ReportContent",
    "SetAside",
    "checkerboard_picture",
    "habitat_picture",
    "write_report",
]


def write_report(content: ReportContent) -> str:
    """Return the report as the text of one HTML file.

    The same content gives the same text. Parts that are empty leave their chapter
    out; whatever comes from the study (ids, column names, notes) is escaped.

    Args:
        content: What the study found.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from radhabitat.report.sections import build_sections
    from radhabitat.report.sections.summary import summarize

    environment = Environment(
        loader=PackageLoader("radhabitat.report"),
        autoescape=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(
        content=content, summary=summarize(content), sections=build_sections(content)
    )
