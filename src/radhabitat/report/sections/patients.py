"""Who is in the study, and who was lost."""

from __future__ import annotations

from radhabitat.report.blocks import Block, Figure, Section, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.patient_flow import draw_patient_flow

FOLD_ABOVE = 12


def patients_section(content: ReportContent) -> Section:
    """Return the cohort's flow, the patients set aside, and what was decided."""
    blocks: list[Block] = []
    if content.flow:
        blocks.append(
            Figure(
                "patient-flow",
                draw_patient_flow(content.flow),
                "Cohort flow: patients left after each step.",
            )
        )
    blocks.append(_set_aside(content))
    if content.notes:
        blocks.append(
            Table(
                "Decided on the way",
                ("Patient", "Note"),
                tuple((patient, note) for patient, note in content.notes),
                text_columns=2,
                folded=len(content.notes) > FOLD_ABOVE,
            )
        )
    if content.clinical_columns:
        blocks.append(
            Table(
                "Clinical columns",
                ("Column", "What it is"),
                tuple((name, meaning) for name, meaning in content.clinical_columns),
                text_columns=2,
                folded=len(content.clinical_columns) > FOLD_ABOVE,
            )
        )
    return Section("patients", "Patients", tuple(blocks))


def _set_aside(content: ReportContent) -> Block:
    if not content.set_aside:
        return Text("No patient was set aside.")
    return Table(
        "Set aside, and how to win them back",
        ("Patient", "Step", "Problem", "To fix it"),
        tuple((p, step, problem, fix) for p, step, problem, fix in content.set_aside),
        text_columns=4,
    )
