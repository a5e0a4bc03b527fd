"""How many features there are, and how many are left."""

from __future__ import annotations

from functools import partial

from radhabitat.report.blocks import Block, Figure, Table, Text
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.heat_map import draw_heat_map
from radhabitat.report.figures.lasso import draw_lasso_error, draw_lasso_paths
from radhabitat.report.wording import count, slug


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
    return blocks + _penalized(content)


def _penalized(content: ReportContent) -> list[Block]:
    """Return path, error and correlations of each block's LASSO."""
    blocks: list[Block] = []
    for block, found in content.lasso.items():
        name = slug(block)
        kept = [
            n
            for n, c in zip(found.names, found.path.coefficients.T, strict=True)
            if c[found.path.best] != 0.0 and n in content.chosen
        ]
        blocks += [
            Figure(
                f"lasso-paths-{name}",
                partial(draw_lasso_paths, block=found),
                f"{block}: LASSO coefficients over the penalty, on all patients. From "
                "left to right the penalty falls.",
            ),
            Figure(
                f"lasso-error-{name}",
                partial(draw_lasso_error, block=found),
                f"{block}: error of left-out patients, with its standard error. "
                "Dashed: the smallest error; dotted: the largest penalty within one "
                "standard error of it.",
            ),
        ]
        if len(kept) > 1:
            values = {n: content.chosen[n] for n in kept}
            draw = partial(draw_heat_map, values=values)
            words = f"{block}: rank correlations of those with a coefficient."
            blocks.append(Figure(f"spearman-{name}", draw, words, wide=True))
    return blocks
