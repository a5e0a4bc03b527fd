"""The checklists that journals ask for, filled as far as the run can tell."""

from __future__ import annotations

import csv
from importlib import resources
from typing import NamedTuple

from radhabitat.report.blocks import Block, Callout, Checklist, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.facts import NO, NONE, OPEN, PARTLY, YES, facts_of, state_of

TITLES = {
    "clear": "CLEAR: 58 items of a radiomics paper",
    "metrics": "METRICS: 30 weighted items of methodological quality",
    "tripod": "TRIPOD+AI: 52 items of a prediction model",
    "probast": "PROBAST+AI: risk of bias of the analysis",
}
GRADES = ((20, "very low"), (40, "low"), (60, "moderate"), (80, "good"))
NEVER = {"2", "3", "5", "8", "28"}
"""Items of METRICS that only people may say yes to."""


class Item(NamedTuple):
    """One item of a checklist with its answer."""

    number: str
    section: str
    text: str
    state: str
    evidence: str
    anchor: str
    weight: float = 0.0


def fill_checklist(name: str, content: ReportContent) -> list[Item]:
    """Return the items of a checklist, each answered from the run or left open.

    Reference:
        CLEAR: Kocak et al., Insights Imaging 2023;14:75. METRICS: Kocak et al.,
        Insights Imaging 2024;15:8. TRIPOD+AI: Collins et al., BMJ 2024;385:e078378.
        PROBAST+AI: Moons et al., BMJ 2025;388:e082505. Items in our own short words.
    """
    source = resources.files("radhabitat.report").joinpath("checklists", f"{name}.csv")
    facts = facts_of(content)
    items = []
    for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines()):
        state, words, anchor = state_of(facts, row["rule"])
        if name == "metrics" and row["item"] in NEVER:
            state, words, anchor = state_of(facts, "")
        weight = float(row.get("weight") or 0.0)
        known = row["item"], row["section"], row["text"], state, words, anchor
        items.append(Item(*known, weight))
    return items


class Score(NamedTuple):
    """METRICS in percent: what is sure, and what people may still add."""

    sure: float
    possible: float
    grade: str


def score_metrics(items: list[Item]) -> Score:
    """Return the score of the items that apply; what is partly done counts as open."""
    applying = sum(i.weight for i in items if i.state != NONE)
    sure = 100 * sum(i.weight for i in items if i.state == YES) / applying
    still = sum(i.weight for i in items if i.state in (OPEN, PARTLY))
    grade = next((word for limit, word in GRADES if sure < limit), "excellent")
    return Score(sure, sure + 100 * still / applying, grade)


def checklists_blocks(content: ReportContent) -> list[Block]:
    """Return the four checklists; open items are marked."""
    blocks: list[Block] = [
        Text(
            "Filled by the program from this run. Each answer links to its evidence. "
            "What only people can say is open; nobody but the authors can complete it."
        )
    ]
    for name, title in TITLES.items():
        items = fill_checklist(name, content)
        states = [item.state for item in items]
        note = (
            f"{states.count(YES)} yes, {states.count(PARTLY)} partly, "
            f"{states.count(NO)} no, {states.count(NONE)} not applicable, "
            f"{states.count(OPEN)} open."
        )
        if name == "metrics":
            score = score_metrics(items)
            note += (
                f" Score: {score.sure:.1f} % ({score.grade}) sure from this run; up to "
                f"{score.possible:.1f} % if the authors answer all open items with yes."
            )
        if name == "probast":
            warned = [item.text for item in items if item.state == NO]
            words = "; ".join(warned) or "none seen by the program"
            blocks.append(
                Callout(f"Risk of bias, not met: {words}.", strong=bool(warned))
            )
        blocks.append(Checklist(title, name, items, note))
    return blocks
