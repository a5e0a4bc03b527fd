"""What the tumors are made of."""

from __future__ import annotations

import base64
import math
from statistics import median

from radhabitat.report.blocks import (
    Block,
    Callout,
    Figure,
    Pictures,
    Section,
    Table,
    Text,
)
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.elbow import draw_elbow
from radhabitat.report.figures.habitat_shares import draw_habitat_shares
from radhabitat.report.wording import UNKNOWN, count, number, percent

PICTURES_BYTES = 9_500_000
"""Pictures up to this size keep a report with base64 below 15 MB."""


def habitats_section(content: ReportContent) -> Section:
    """Return the choice of k, the shares, the pictures and the table."""
    blocks = [*_choice(content), *_shares(content), *_pictures(content)]
    if content.habitat_table:
        blocks.append(_everybody(content))
    return Section("habitats", "Habitats", tuple(blocks))


def _choice(content: ReportContent) -> list[Block]:
    blocks: list[Block] = []
    if content.k_used is not None:
        voted = content.settings.habitats.k == "elbow"
        how = "chosen by the patients' vote" if voted else "as the study file says"
        blocks.append(
            Text(
                f"Every tumor is divided into {count(content.k_used, 'habitat')}, "
                f"{how}. Habitat 1 is the one with the lowest mean intensity in "
                f"{_order_by(content)}, then rising; a habitat has the same color in "
                "every picture."
            )
        )
    curves = {patient: curve for patient, curve in content.elbow.items() if curve}
    if curves or content.k_votes:
        blocks.append(
            Figure(
                "elbow",
                draw_elbow(curves, content.k_votes, k_used=content.k_used),
                "What each tumor's elbow says. Each line is one tumor: the variation "
                "inside the habitats as a share of that of the undivided tumor. A "
                "tumor's elbow is where the relative gain of one more habitat drops "
                "most; dashed and colored: the number used.",
                wide=True,
            )
        )
    return blocks


def _order_by(content: ReportContent) -> str:
    data, chosen = content.settings.data, content.settings.habitats.order_by
    return chosen or ("LAP" if "LAP" in data.sequences else data.reference)


def _shares(content: ReportContent) -> list[Block]:
    if not content.habitat_table:
        return []
    rows = []
    for habitat in sorted({row[1] for row in content.habitat_table}):
        mine = [row for row in content.habitat_table if row[1] == habitat]
        present = sum(1 for row in mine if row[2] > 0)
        volume = _middle([row[2] for row in mine], digits=1)
        share = [row[3] for row in mine if math.isfinite(row[3])]
        middle = percent(median(share)) if share else UNKNOWN
        span = f"{percent(min(share))} to {percent(max(share))}" if share else UNKNOWN
        rows.append((f"Habitat {habitat}", f"{present}", volume, middle, span))
    return [
        Figure(
            "habitat-shares",
            draw_habitat_shares(content.habitat_table),
            "Share of each habitat in every tumor; one bar per patient.",
            wide=True,
        ),
        Table(
            "Habitats over all patients",
            ("Habitat", "Patients with it", "Median volume, ml", "Median", "Range"),
            tuple(rows),
            note="Median and range of the habitat's share of the tumor.",
        ),
    ]


def _middle(values: list[float], *, digits: int) -> str:
    known = [value for value in values if math.isfinite(value)]
    return number(median(known), digits=digits) if known else UNKNOWN


def _pictures(content: ReportContent) -> list[Block]:
    shown: list[tuple[str, str]] = []
    size = 0
    for patient, picture in content.pictures.items():
        size += len(picture)
        if size > PICTURES_BYTES:
            break
        shown.append((patient, base64.b64encode(picture).decode("ascii")))
    if not shown:
        return []
    sheet = Pictures(
        tuple(shown),
        "Habitats of every patient, in pictures",
        "The axial slice with the largest tumor area, seen from below: the patient's "
        "right (R) is on the left. Yellow: the drawn tumor. Percentages: shares of the "
        "whole tumor. Click a picture to enlarge it.",
    )
    hidden = len(content.pictures) - len(shown)
    if not hidden:
        return [sheet]
    words = f"{count(hidden, 'more picture')} would make this file too large to open; "
    return [sheet, Callout(words + "see the derivatives folder of the study.")]


def _everybody(content: ReportContent) -> Table:
    return Table(
        "Habitats of every patient",
        ("Patient", "Habitat", "Volume, ml", "Share of the tumor"),
        tuple(
            (patient, f"{habitat}", number(volume, digits=2), percent(share))
            for patient, habitat, volume, share in content.habitat_table
        ),
        folded=True,
    )
