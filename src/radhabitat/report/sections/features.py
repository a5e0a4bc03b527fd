"""How many features there are, and how many are left."""

from __future__ import annotations

from radhabitat.report.blocks import Block, Figure, Section, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.feature_funnel import draw_feature_funnel
from radhabitat.report.wording import count


def features_section(content: ReportContent) -> Section:
    """Return the counts after each step from all features to a few variables."""
    blocks: list[Block] = []
    if content.features_count is not None:
        blocks.append(Text(_amounts(content, content.features_count)))
    if content.reliability:
        blocks.append(
            Figure(
                "reliability",
                draw_feature_funnel("reliability", content.reliability),
                "Features that can be measured twice: left after each step.",
                wide=True,
            )
        )
    if content.selection:
        blocks.append(
            Table(
                "Selection, learned on all patients",
                ("Block", "Step", "Variables left"),
                tuple(
                    (block if first == 0 else "", step, f"{left:,}")
                    for block, steps in content.selection.items()
                    for first, (step, left) in enumerate(steps)
                ),
                text_columns=2,
                note="The evaluation repeats all of these steps inside every resample; "
                "what is kept there may differ (see selection frequency).",
            )
        )
    return Section("features", "Features and selection", tuple(blocks))


def _amounts(content: ReportContent, features: int) -> str:
    words = f"{count(features, 'feature')} per patient."
    if content.not_computable:
        words += (
            f" {count(content.not_computable, 'cell')} of the feature table could not "
            "be computed (a habitat too small for the feature, or absent); the models "
            "treat them as average."
        )
    return words
