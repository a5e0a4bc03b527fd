"""Table 1: who the patients are, by outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, fisher_exact, mannwhitneyu

from radhabitat.types import Block, Cohort

Floats = NDArray[np.float64]
Row = tuple[str, ...]
FEW = 5.0
"""Expected patients of a cell below which Fisher's test stands in."""


def baseline_table(cohort: Cohort) -> tuple[Row, ...]:
    """Return the rows of Table 1, the first the headers.

    Columns of 0 and 1 give n (%), Pearson's chi-squared test with Yates' correction or
    Fisher's exact test; others median (quartiles) and the Mann-Whitney test.
    """
    event = cohort.outcome == 1
    sizes = f"All (n = {len(event)})", f"Event (n = {event.sum()})"
    head = ("Variable", *sizes, f"No event (n = {(~event).sum()})", "p", "Test")
    columns = cohort.columns(Block.CLINICAL)
    rows = (_row(cohort.names[j], cohort.values[:, j], event) for j in columns)
    return (head, *rows) if len(columns) else ()


def _row(name: str, values: Floats, event: NDArray[np.bool_]) -> Row:
    known = ~np.isnan(values)
    first, second = values[known & event], values[known & ~event]
    whole = values[known]
    if not len(first) or not len(second):
        return (name, "", "", "", "", "")
    if np.isin(whole, (0.0, 1.0)).all():
        p, test = _by_counts(first, second)
        shown = [
            f"{v.sum():.0f} ({100 * v.mean():.0f} %)" for v in (whole, first, second)
        ]
    else:
        p, test = float(mannwhitneyu(first, second).pvalue), "Mann-Whitney"
        quartiles = (np.quantile(v, (0.5, 0.25, 0.75)) for v in (whole, first, second))
        shown = ["{:.3g} ({:.3g} to {:.3g})".format(*q) for q in quartiles]
    return (name, *shown, "< 0.001" if p < 0.001 else f"{p:.3f}", test)


def _by_counts(first: Floats, second: Floats) -> tuple[float, str]:
    table = np.array([[v.sum(), len(v) - v.sum()] for v in (first, second)])
    if not table.sum(axis=0).all():
        return 1.0, "Fisher"
    found = chi2_contingency(table)
    if np.min(found.expected_freq) < FEW:
        return float(fisher_exact(table).pvalue), "Fisher"
    return float(found.pvalue), "chi-squared"
