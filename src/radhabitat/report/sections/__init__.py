"""The chapters of the report; `build_sections` gives their order."""

from __future__ import annotations

from radhabitat.report.blocks import Section
from radhabitat.report.content import ReportContent
from radhabitat.report.sections.checklists import checklists_blocks
from radhabitat.report.sections.evaluation import evaluation_blocks
from radhabitat.report.sections.features import features_blocks
from radhabitat.report.sections.habitats import habitats_blocks
from radhabitat.report.sections.methods import methods_blocks
from radhabitat.report.sections.models import models_blocks
from radhabitat.report.sections.patients import patients_blocks, quality_blocks
from radhabitat.report.sections.prognosis import prognosis_blocks
from radhabitat.report.sections.provenance import provenance_blocks
from radhabitat.report.sections.reliability import reliability_blocks


def build_sections(content: ReportContent) -> list[Section]:
    """Return the chapters that have something to show, in order."""
    sections = [
        Section("patients", "Patients", patients_blocks(content)),
        Section("quality", "Image quality", quality_blocks(content)),
        Section("habitats", "Habitats", habitats_blocks(content)),
        Section("features", "Features and selection", features_blocks(content)),
        Section("models", "Models", models_blocks(content)),
        Section("evaluation", "Evaluation", evaluation_blocks(content)),
        Section("prognosis", "Prognosis", prognosis_blocks(content)),
        Section("reliability", "Reliability", reliability_blocks(content)),
        Section("methods", "Methods", methods_blocks(content)),
        Section("checklists", "Checklists", checklists_blocks(content)),
        Section("provenance", "Provenance", provenance_blocks(content)),
    ]
    return [section for section in sections if section.blocks]
