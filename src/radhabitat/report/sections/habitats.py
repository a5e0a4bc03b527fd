"""What the tumors are made of."""

from __future__ import annotations

import math
from functools import partial
from statistics import median

from radhabitat.report.blocks import Block, Figure, Table, Text, picture_sheet
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.elbow import draw_k_choice
from radhabitat.report.figures.habitat_shares import draw_habitat_shares
from radhabitat.report.wording import UNKNOWN, count, number, percent
from radhabitat.settings import HabitatSettings

PICTURES_BYTES = 6_500_000
SURFACES_BYTES = 1_200_000
"""Pictures up to this size keep a report with base64 below 15 MB."""

DOUBTFUL = 0.05
UNLIKE = 4.0
RULES = {
    "elbow": "where the relative gain of one more habitat drops most",
    "silhouette": "the one with the largest score",
    "calinski_harabasz": "the one with the largest score",
    "davies_bouldin": "the one with the smallest score",
    "gap": "the first whose gap is not below the next one's minus its standard error",
    "bic": "the one with the smallest score",
}


def habitats_blocks(content: ReportContent) -> list[Block]:
    """Return the choice of k, the identity, the shares, the pictures and the table."""
    return [
        *_choice(content),
        *_identity(content),
        *_shares(content),
        *_pictures(content),
        *_table(content),
    ]


def _choice(content: ReportContent) -> list[Block]:
    blocks: list[Block] = []
    settings = content.settings.habitats
    if content.k_used is not None:
        voted = isinstance(settings.k, str) and settings.design == "per_tumor"
        how = (
            "chosen by the patients' vote"
            if voted
            else "as the study file says"
            if isinstance(settings.k, int)
            else "chosen for the cohort as a whole"
        )
        blocks.append(
            Text(
                f"Tumors are divided into {count(content.k_used, 'habitat')}, {how}. "
                "A habitat is the same in every patient: each tumor's habitats are "
                "matched to prototypes of the cohort, learned without the outcome and "
                f"numbered by rising intensity in {content.settings.order_by}. It has "
                "the same color in every picture."
            )
        )
    if any(content.k_scores.values()) or content.k_votes:
        blocks.append(
            Figure(
                "elbow",
                partial(draw_k_choice, content=content),
                _rule(settings),
                wide=True,
            )
        )
    return blocks


def _rule(settings: HabitatSettings) -> str:
    criterion = settings.k if isinstance(settings.k, str) else "elbow"
    return (
        f"What each tumor says by the criterion {criterion.replace('_', '-')}; each "
        f"line is one tumor. Its k is {RULES[criterion]}. A tumor without structure "
        "(1) abstains. Dashed and colored: the number used."
    )


def _identity(content: ReportContent) -> list[Block]:
    """Return what each habitat is, and how well every tumor fits."""
    blocks: list[Block] = []
    if content.habitat_names:
        meant: list[tuple[str, ...]] = [
            (f"Habitat {h}", name) for h, name in enumerate(content.habitat_names, 1)
        ]
        caption = "What the habitats are, among the cohort's prototypes"
        blocks.append(
            Table(caption, ("Habitat", "Mean intensity"), meant, text_columns=2)
        )
    if content.matches:
        rows: list[tuple[str, ...]] = [
            (m.patient, f"{m.found}", number(m.cost, digits=2), percent(m.ambiguity))
            for m in sorted(content.matches, key=lambda m: (-m.ambiguity, -m.cost))
        ]
        doubtful = sum(m.ambiguity > DOUBTFUL for m in content.matches)
        unlike = sum(m.cost > UNLIKE for m in content.matches)
        note = (
            "Cost: squared distance to the prototypes in units of the cohort's "
            f"scatter; about 1 is usual, above {UNLIKE:g} in "
            f"{count(unlike, 'patient')}: a tissue may be lacking there and another "
            "one split. Ambiguity: probability that the second best assignment is "
            f"right; above {percent(DOUBTFUL)} in {count(doubtful, 'patient')}."
        )
        headers = ("Patient", "Habitats found", "Cost", "Ambiguity")
        caption = "How well each tumor's habitats match the cohort's"
        blocks.append(Table(caption, headers, rows, folded=True, note=note))
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
    solid = picture_sheet(
        content.surfaces,
        "Habitats of every patient, in three dimensions",
        "Seen obliquely from the front and above, the patient's right on the left. "
        "Gray: outline of the whole tumor.",
        folder="pictures/surfaces",
        most_bytes=SURFACES_BYTES,
    )
    flat = picture_sheet(
        content.pictures,
        "Habitats of every patient, in pictures",
        "The axial slice with the largest tumor area, seen from below: the patient's "
        "right (R) is on the left. Yellow: the drawn tumor. Percentages: shares of the "
        "whole tumor. Click a picture to enlarge it.",
        folder="pictures/habitats",
        most_bytes=PICTURES_BYTES,
    )
    return flat + solid


def _table(content: ReportContent) -> list[Block]:
    rows: list[tuple[str, ...]] = [
        (patient, f"{habitat}", number(volume, digits=2), percent(share))
        for patient, habitat, volume, share in content.habitat_table
    ]
    headers = ("Patient", "Habitat", "Volume, ml", "Share of the tumor")
    caption = "Habitats of every patient"
    return [Table(caption, headers, rows, folded=True)] if rows else []
