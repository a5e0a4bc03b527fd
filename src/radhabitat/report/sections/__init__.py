"""The chapters of the report, one per file; `build_sections` gives their order."""

from __future__ import annotations

from radhabitat.report.blocks import Section
from radhabitat.report.content import ReportContent
from radhabitat.report.sections.evaluation import evaluation_section
from radhabitat.report.sections.features import features_section
from radhabitat.report.sections.habitats import habitats_section
from radhabitat.report.sections.methods import methods_section
from radhabitat.report.sections.models import models_section
from radhabitat.report.sections.patients import patients_section
from radhabitat.report.sections.provenance import provenance_section
from radhabitat.report.sections.quality import quality_section


def build_sections(content: ReportContent) -> tuple[Section, ...]:
    """Return the chapters that have something to show, in order."""
    sections = (
        patients_section(content),
        quality_section(content),
        habitats_section(content),
        features_section(content),
        models_section(content),
        evaluation_section(content),
        methods_section(content),
        provenance_section(content),
    )
    return tuple(section for section in sections if section.blocks)
