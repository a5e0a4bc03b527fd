"""What the tumors are made of."""

from __future__ import annotations

import math
from functools import partial
from statistics import median

from radhabitat.report.blocks import Block, Figure, Table, Text, picture_sheet
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.elbow import draw_elbow
from radhabitat.report.figures.habitat_shares import draw_habitat_shares
from radhabitat.report.wording import UNKNOWN, count, number, percent

PICTURES_BYTES = 7_500_000
"""Pictures up to this size keep a report with base64 below 15 MB."""


def habitats_blocks(content: ReportContent) -> list[Block]:
    """Return the choice of k, the shares, the pictures and the table."""
    return [*_choice(content), *_shares(content), *_pictures(content), *_table(content)]


def _choice(content: ReportContent) -> list[Block]:
    blocks: list[Block] = []
    if content.k_used is not None:
        voted = content.settings.habitats.k == "elbow"
        how = "chosen by the patients' vote" if voted else "as the study file says"
        blocks.append(
            Text(
                f"Every tumor is divided into {count(content.k_used, 'habitat')}, "
                f"{how}. Habitat 1 is the one with the lowest mean intensity in "
                f"{content.order_by}, then rising; a habitat has the same color in "
                "every picture."
            )
        )
    if any(content.elbow.values()) or content.k_votes:
        blocks.append(
            Figure(
                "elbow",
                partial(draw_elbow, content=content),
                "What each tumor's elbow says. Each line is one tumor: the variation "
                "inside the habitats as a share of that of the undivided tumor. A "
                "tumor's elbow is where the relative gain of one more habitat drops "
                "most; dashed and colored: the number used.",
                wide=True,
            )
        )
    return blocks


def _shares(content: ReportContent) -> list[Block]:
    if not content.habitat_table:
        return []
    rows: list[tuple[str, ...]] = []
    for habitat in sorted({row.habitat for row in content.habitat_table}):
        mine = [row for row in content.habitat_table if row.habitat == habitat]
        present = sum(row.volume_ml > 0 for row in mine)
        volumes = [row.volume_ml for row in mine if math.isfinite(row.volume_ml)]
        volume = number(median(volumes), digits=1) if volumes else UNKNOWN
        share = [row.proportion for row in mine if math.isfinite(row.proportion)]
        middle = percent(median(share)) if share else UNKNOWN
        span = f"{percent(min(share))} to {percent(max(share))}" if share else UNKNOWN
        rows.append((f"Habitat {habitat}", f"{present}", volume, middle, span))
    return [
        Figure(
            "habitat-shares",
            partial(draw_habitat_shares, rows=content.habitat_table),
            "Share of each habitat in every tumor; one bar per patient.",
            wide=True,
        ),
        Table(
            "Habitats over all patients",
            ("Habitat", "Patients with it", "Median volume, ml", "Median", "Range"),
            rows,
            note="Median and range of the habitat's share of the tumor.",
        ),
    ]


def _pictures(content: ReportContent) -> list[Block]:
    return picture_sheet(
        content.pictures,
        "Habitats of every patient, in pictures",
        "The axial slice with the largest tumor area, seen from below: the patient's "
        "right (R) is on the left. Yellow: the drawn tumor. Percentages: shares of the "
        "whole tumor. Click a picture to enlarge it.",
        most_bytes=PICTURES_BYTES,
    )


def _table(content: ReportContent) -> list[Block]:
    rows: list[tuple[str, ...]] = [
        (patient, f"{habitat}", number(volume, digits=2), percent(share))
        for patient, habitat, volume, share in content.habitat_table
    ]
    headers = ("Patient", "Habitat", "Volume, ml", "Share of the tumor")
    caption = "Habitats of every patient"
    return [Table(caption, headers, rows, folded=True)] if rows else []
