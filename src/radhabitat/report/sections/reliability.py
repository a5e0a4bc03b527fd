"""Would the numbers be the same if they were measured again?"""

from __future__ import annotations

from functools import partial

from radhabitat.report.blocks import Block, Figure, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.feature_funnel import draw_feature_funnel
from radhabitat.report.wording import compact


def reliability_blocks(content: ReportContent) -> list[Block]:
    """Return what was left of the features, and how far each kind of change goes."""
    blocks: list[Block] = []
    if content.reliability:
        funnel = partial(draw_feature_funnel, steps=content.reliability)
        caption = "Features that can be measured twice: left after each step."
        blocks.append(Figure("reliability", funnel, caption, wide=True))
    if content.stability:
        measures = list(dict.fromkeys(m for r in content.stability.values() for m in r))
        blocks.append(
            Table(
                "Measured again, one thing changed at a time",
                ("Change and region", *(m.replace("_", " ") for m in measures)),
                [
                    (name, *(compact(row.get(m, float("nan"))) for m in measures))
                    for name, row in content.stability.items()
                ],
                note="From stability.csv; the features one by one are in "
                "stability_features.csv.",
            )
        )
    elif content.from_images:
        blocks.append(
            Text(
                "radhabitat stability STUDY measures habitats and features again with "
                "one thing changed at a time; it was not run."
            )
        )
    return blocks
