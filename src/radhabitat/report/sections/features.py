"""How many features there are, and how many are left."""

from __future__ import annotations

from functools import partial

from radhabitat.report.blocks import Block, Figure, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.feature_funnel import draw_feature_funnel
from radhabitat.report.wording import count


def features_blocks(content: ReportContent) -> list[Block]:
    """Return the counts after each step from all features to a few variables."""
    blocks: list[Block] = []
    if content.features_count is not None:
        words = f"{count(content.features_count, 'feature')} per patient."
        if content.not_computable:
            words += (
                f" {count(content.not_computable, 'cell')} of the feature table could "
                "not be computed (a habitat too small for the feature, or absent); the "
                "models treat them as average."
            )
        blocks.append(Text(words))
    if content.reliability:
        funnel = partial(draw_feature_funnel, steps=content.reliability)
        caption = "Features that can be measured twice: left after each step."
        blocks.append(Figure("reliability", funnel, caption, wide=True))
    if content.selection:
        rows: list[tuple[str, ...]] = [
            (block if first == 0 else "", step, f"{left:,}")
            for block, steps in content.selection.items()
            for first, (step, left) in enumerate(steps)
        ]
        blocks.append(
            Table(
                "Selection, learned on all patients",
                ("Block", "Step", "Variables left"),
                rows,
                text_columns=2,
                note="The evaluation repeats all of these steps inside every resample; "
                "what is kept there may differ (see selection frequency).",
            )
        )
    return blocks
