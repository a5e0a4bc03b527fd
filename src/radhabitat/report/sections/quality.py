"""How well the images were brought onto one grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median

from radhabitat.report.blocks import Section, Table
from radhabitat.report.content import ReportContent
from radhabitat.report.wording import UNKNOWN, compact


def quality_section(content: ReportContent) -> Section:
    """Return measures per sequence, and per patient in a folded table."""
    measures = _measures(content)
    if not measures:
        return Section("quality", "Image quality", ())
    return Section(
        "quality",
        "Image quality",
        (_summary(content, measures), _everybody(content, measures)),
    )


def _measures(content: ReportContent) -> list[str]:
    names = (
        measure
        for sequences in content.quality.values()
        for values in sequences.values()
        for measure in values
    )
    return list(dict.fromkeys(names))


def _summary(content: ReportContent, measures: list[str]) -> Table:
    found: dict[tuple[str, str], list[float]] = {}
    for values_of in content.quality.values():
        for sequence, values in values_of.items():
            for measure, value in values.items():
                found.setdefault((measure, sequence), []).append(value)
    sequences = list(dict.fromkeys(sequence for _, sequence in found))
    return Table(
        "Measures by sequence",
        ("Measure", *sequences),
        tuple(
            (
                _readable(measure),
                *(_spread(found.get((measure, s), [])) for s in sequences),
            )
            for measure in measures
        ),
        note="Median (lowest to highest) over the patients.",
    )


def _spread(values: list[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return UNKNOWN if values else ""
    return f"{compact(median(known))} ({compact(min(known))} to {compact(max(known))})"


def _everybody(content: ReportContent, measures: list[str]) -> Table:
    rows = tuple(
        (patient, sequence, *(_cell(values, measure) for measure in measures))
        for patient, sequences in content.quality.items()
        for sequence, values in sequences.items()
    )
    headers = ("Patient", "Sequence", *(_readable(measure) for measure in measures))
    return Table("Measures of every patient", headers, rows, 2, folded=True)


def _cell(values: Mapping[str, float], measure: str) -> str:
    return compact(values[measure]) if measure in values else ""


def _readable(measure: str) -> str:
    return measure.replace("_", " ")
