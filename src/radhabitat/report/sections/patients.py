"""Who is in the study, who was lost, and how well the images were aligned."""

from __future__ import annotations

import math
from functools import partial
from statistics import median

from radhabitat.report.blocks import Block, Figure, Table, Text, picture_sheet
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.patient_flow import draw_patient_flow
from radhabitat.report.figures.registration import draw_quality
from radhabitat.report.figures.workflow import draw_workflow
from radhabitat.report.wording import UNKNOWN, compact, short_title

FOLD_ABOVE = 12
PICTURES_BYTES = 2_000_000


def patients_blocks(content: ReportContent) -> list[Block]:
    """Return the cohort's flow, the patients set aside, and what was decided."""
    blocks: list[Block] = []
    if content.flow:
        flow = partial(draw_patient_flow, flow=content.flow)
        caption = "Cohort flow: patients left after each step."
        blocks.append(Figure("patient-flow", flow, caption))
    steps = workflow_of(content)
    if len(steps) > 1:
        draw = partial(draw_workflow, steps=steps)
        caption = "Workflow: what was done, with the settings of this run."
        blocks.append(Figure("workflow", draw, caption, wide=True))
    if content.set_aside:
        caption = "Set aside, and how to win them back"
        headers = ("Patient", "Step", "Problem", "To fix it")
        blocks.append(Table(caption, headers, list(content.set_aside), text_columns=4))
    else:
        blocks.append(Text("No patient was set aside."))
    for caption, head, known, words in content.clinical_tables:
        blocks.append(
            Table(caption, head, known, words, folded=len(known) > FOLD_ABOVE)
        )
    for caption, header, rows in (
        ("Decided on the way", ("Patient", "Note"), content.notes),
        ("Clinical columns", ("Column", "What it is"), content.clinical_columns),
    ):
        if rows:
            folded = len(rows) > FOLD_ABOVE
            blocks.append(Table(caption, header, list(rows), 2, folded=folded))
    return blocks


def workflow_of(content: ReportContent) -> list[tuple[str, str]]:
    """Return (step, how) of what this run did, in order."""
    settings, steps = content.settings, []
    if content.from_images:
        recipe, habitats = settings.preprocessing, settings.habitats
        n4 = "N4, " if recipe.bias_correction else ""
        k = habitats.k if content.k_used is None else content.k_used
        gray = settings.features
        levels = (
            f"bin width {gray.bin_width:g}"
            if gray.bin_width is not None
            else f"{gray.bin_count} gray levels"
        )
        steps += [
            ("Images", f"{', '.join(settings.data.sequences)}; tumor on "
             f"{settings.data.reference}"),
            ("Alignment", f"{n4}{recipe.registration} registration, "
             f"{recipe.spacing_mm:g} mm, {recipe.normalization}"),
            ("Habitats", f"{habitats.method}, {habitats.design.replace('_', ' ')}, "
             f"k = {k}"),
            ("Features", f"{gray.mode}, {levels}"),
        ]  # fmt: skip
        if content.reliability:
            steps.append(
                ("Reliability", f"{content.reliability[-1][1]:,} features kept")
            )
    if content.evaluation is not None:
        chosen, evaluated = settings.selection, content.evaluation
        net = "LASSO" if chosen.lasso_mix == 1.0 else "elastic net"
        steps += [
            ("Selection", f"|r| <= {chosen.correlation_limit:g}, {chosen.reduction}, "
             f"{net}, at most {chosen.max_features}"),
            ("Models", ", ".join(short_title(name) for name in evaluated.results)),
            ("Evaluation", f"all of the learning again in {evaluated.resamples:,} "
             "resamples; patients left out are judged"),
        ]  # fmt: skip
    return steps


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
        *_drawn(content),
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
            folder="pictures/checkerboards",
            most_bytes=PICTURES_BYTES,
        ),
    ]


def _drawn(content: ReportContent) -> list[Block]:
    quality = dict(content.quality)
    known = (v for q in quality.values() for m in q.values() for v in m.values())
    if not any(map(math.isfinite, known)):
        return []
    caption = "Image and registration quality: a dot per patient; bar: median."
    draw = partial(draw_quality, quality=quality)
    return [Figure("image-quality", draw, caption, wide=True)]


def _spread(values: list[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return UNKNOWN if values else ""
    return f"{compact(median(known))} ({compact(min(known))} to {compact(max(known))})"
