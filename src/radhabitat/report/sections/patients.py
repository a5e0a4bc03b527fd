"""Who is in the study, who was lost, and how well the images were aligned."""

from __future__ import annotations

import math
from functools import partial
from statistics import median

from radhabitat.report.blocks import Block, Figure, Table, Text, picture_sheet
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.patient_flow import draw_patient_flow
from radhabitat.report.wording import UNKNOWN, compact

FOLD_ABOVE = 12
PICTURES_BYTES = 2_000_000


def patients_blocks(content: ReportContent) -> list[Block]:
    """Return the cohort's flow, the patients set aside, and what was decided."""
    blocks: list[Block] = []
    if content.flow:
        flow = partial(draw_patient_flow, flow=content.flow)
        caption = "Cohort flow: patients left after each step."
        blocks.append(Figure("patient-flow", flow, caption))
    if content.set_aside:
        caption = "Set aside, and how to win them back"
        headers = ("Patient", "Step", "Problem", "To fix it")
        blocks.append(Table(caption, headers, list(content.set_aside), text_columns=4))
    else:
        blocks.append(Text("No patient was set aside."))
    for caption, header, rows in (
        ("Decided on the way", ("Patient", "Note"), content.notes),
        ("Clinical columns", ("Column", "What it is"), content.clinical_columns),
    ):
        if rows:
            folded = len(rows) > FOLD_ABOVE
            blocks.append(Table(caption, header, list(rows), 2, folded=folded))
    return blocks


def quality_blocks(content: ReportContent) -> list[Block]:
    """Return measures per sequence, and per patient in a folded table."""
    rows = [
        (patient, sequence, values)
        for patient, sequences in content.quality.items()
        for sequence, values in sequences.items()
    ]
    measures = list(dict.fromkeys(measure for row in rows for measure in row[2]))
    sequences = list(dict.fromkeys(row[1] for row in rows if row[2]))
    if not measures:
        return []
    readable = tuple(measure.replace("_", " ") for measure in measures)
    by_sequence: list[tuple[str, ...]] = []
    for name, m in zip(readable, measures, strict=True):
        found = ([v[m] for _, s, v in rows if s == q and m in v] for q in sequences)
        by_sequence.append((name, *map(_spread, found)))
    by_patient = [
        (*row[:2], *(compact(row[2][m]) if m in row[2] else "" for m in measures))
        for row in rows
    ]
    headers = ("Patient", "Sequence", *readable)
    return [
        Table(
            "Measures by sequence",
            ("Measure", *sequences),
            by_sequence,
            note="Median (lowest to highest) over the patients.",
        ),
        Table("Measures of every patient", headers, by_patient, 2, folded=True),
        *picture_sheet(
            content.checkerboards,
            "Patients to be looked at: each sequence against the reference",
            "Squares of the reference alternate with the sequence, where the scanner "
            "put it (above) and registered (below). Where edges run on from square to "
            "square, it lies right. Yellow: the drawn tumor.",
            most_bytes=PICTURES_BYTES,
        ),
    ]


def _spread(values: list[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return UNKNOWN if values else ""
    return f"{compact(median(known))} ({compact(min(known))} to {compact(max(known))})"
