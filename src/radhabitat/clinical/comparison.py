"""A clinical variable in patients with and without the event, and the test of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import gammaln

from radhabitat.clinical.columns import Column, Floats

NORMAL_P = 0.05
FEW = 40
MOST_TABLES = 2_000_000
RULES = (
    "Numbers are given as mean and SD and compared by Welch's t-test where the "
    "Shapiro-Wilk test rejects normality in neither group (p >= 0.05), otherwise as "
    "median [quartiles] and by the Mann-Whitney test. Whole numbers with up to "
    "three different values are taken as categories.",
    "Categories are compared by Pearson's chi-square without continuity correction, "
    "and by Fisher's exact test where Cochran's conditions (Biometrics 1954;10:417) "
    "fail: an expected count below 1; in a 2 x 2 table one below 5 with at most 40 "
    "patients; in a larger table more than one in five below 5.",
    "Percentages are of the patients whose value is known.",
)


class Numbers(NamedTuple):
    """How a number is distributed in a group; NaN where nobody has one."""

    mean: float
    sd: float
    median: float
    q1: float
    q3: float


@dataclass(frozen=True)
class Comparison:
    """One variable in all patients and by outcome.

    Attributes:
        name: Of the variable.
        unused: Why it is not compared; empty when it is.
        missing: Patients without a value.
        levels: Of categories, as they are printed.
        counts: Per level: patients with and without the event.
        numbers: Of a number: all patients, with and without the event.
        normal: The number counts as normally distributed.
        test: The test behind `p`; empty when nothing was compared.
        p: Two-sided; NaN when nothing was compared.
        p_chi2: Of the chi-square test, for categories.
        p_exact: Of Fisher's exact test; NaN, too, where that is out of reach.
        min_expected: Smallest expected count.
        note: What a reader must know about the test.
    """

    name: str
    unused: str = ""
    missing: int = 0
    levels: tuple[str, ...] = ()
    counts: tuple[tuple[int, int], ...] = ()
    numbers: tuple[Numbers, ...] = ()
    normal: bool = False
    test: str = ""
    p: float = float("nan")
    p_chi2: float = float("nan")
    p_exact: float = float("nan")
    min_expected: float = float("nan")
    note: str = ""


def compare(column: Column, outcome: NDArray[np.int8]) -> Comparison:
    """Describe a variable in all patients and compare those with the event to others.

    Args:
        column: The variable.
        outcome: 1 = the event, 0 = not, of the same patients.
    """
    known = ~np.isnan(column.values)
    missing = int((~known).sum())
    values, event = column.values[known], outcome[known] == 1
    if column.unused and len(column.levels) != 1:
        return Comparison(column.name, column.unused, missing)
    if not column.levels:
        return _compare_numbers(column.name, values, event, missing)
    order = in_order(column.levels)
    table = np.array(
        [[np.sum(values[event == e] == n) for e in (True, False)] for n in order]
    )
    found = Comparison(
        column.name,
        column.unused,
        missing,
        tuple(column.levels[n] for n in order),
        tuple((int(a), int(b)) for a, b in table),
    )
    return found if column.unused else _test_counts(found, table)


def in_order(levels: Sequence[str]) -> list[int]:
    """Return the places of levels by the numbers in them, else as they stand.

    Example:
        >>> levels = ("20-200", "<=20", ">200")
        >>> [levels[n] for n in in_order(levels)]
        ['<=20', '20-200', '>200']
    """

    def rank(place: int) -> tuple[float, int, int]:
        text = levels[place].replace("\N{LESS-THAN OR EQUAL TO}", "<")
        digits = "".join(c if c.isdigit() or c == "." else " " for c in text).split()
        first = next(
            (float(d) for d in digits if d.count(".") < 2 and d != "."), np.inf
        )
        side = -1 if text.startswith("<") else int(text.startswith(">"))
        return first, side, place

    return sorted(range(len(levels)), key=rank)


def _compare_numbers(
    name: str, values: Floats, event: NDArray[np.bool_], missing: int
) -> Comparison:
    groups = values[event], values[~event]
    numbers = tuple(_describe(group) for group in (values, *groups))
    if min(len(group) for group in groups) < 2 or np.ptp(values) == 0:
        unused = "too few known values to compare"
        return Comparison(name, unused, missing, numbers=numbers)
    normal = all(_is_normal(group) for group in groups)
    if normal:
        p = float(stats.ttest_ind(*groups, equal_var=False).pvalue)
    else:
        p = float(stats.mannwhitneyu(*groups).pvalue)
    return Comparison(
        name,
        missing=missing,
        numbers=numbers,
        normal=normal,
        test="Welch's t" if normal else "Mann-Whitney",
        p=p,
    )


def _describe(values: Floats) -> Numbers:
    if not len(values):
        return Numbers(*[float("nan")] * 5)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    q1, median, q3 = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return Numbers(float(values.mean()), sd, median, q1, q3)


def _is_normal(values: Floats) -> bool:
    """Tell whether Shapiro and Wilk's test lets a group pass as normal."""
    if not 3 <= len(values) <= 5000 or np.ptp(values) == 0:
        return False
    return bool(stats.shapiro(values).pvalue >= NORMAL_P)


def _test_counts(found: Comparison, table: NDArray[np.int64]) -> Comparison:
    if 0 in table.sum(axis=0):
        unused = "known for patients of one outcome only"
        return replace(found, unused=unused)
    chi2, expected = chi_square(table)
    exact = fisher_exact(table)
    share = float((expected < 5).mean())
    few = table.size == 4 and table.sum() <= FEW and expected.min() < 5
    doubtful = expected.min() < 1 or few or (table.size > 4 and share > 0.2)
    use_exact = doubtful and not np.isnan(exact)
    note = ""
    if share > 0:
        note = f"smallest expected count {expected.min():.1f}; "
        note += f"chi-square p {_shown(chi2)}, exact p {_shown(exact)}"
    return replace(
        found,
        test="Fisher's exact" if use_exact else "chi-square",
        p=exact if use_exact else chi2,
        p_chi2=chi2,
        p_exact=exact,
        min_expected=float(expected.min()),
        note=note,
    )


def _shown(p: float) -> str:
    if np.isnan(p):
        return "out of reach"
    return f"= {p:.4f}" if p >= 0.0001 else "< 0.0001"


def chi_square(table: NDArray[np.int64]) -> tuple[float, Floats]:
    """Return Pearson's p without continuity correction, and the expected counts.

    Reference:
        Pearson 1900, Philos Mag 50:157; Agresti 2013, section 3.2.1.
    """
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic, len(table) - 1)), expected


def fisher_exact(table: NDArray[np.int64]) -> float:
    """Return the two-sided p of Fisher's exact test of k levels by two outcomes.

    Every table with the same margins is looked at; those that are at most as likely
    as the one found count. NaN when there are more than two million of them.

    Args:
        table: Counts, shape (levels, 2).

    Reference:
        Freeman and Halton 1951, Biometrika 38:141.
    """
    sizes = np.sort(table.sum(axis=1))
    events = int(table[:, 0].sum())
    if np.prod(sizes[:-1] + 1.0) > MOST_TABLES:
        return float("nan")
    drawn, log_p = np.zeros(1, dtype=np.int64), np.zeros(1)
    for size in sizes[:-1]:
        ways = np.arange(size + 1)
        drawn = np.add.outer(drawn, ways).ravel()
        log_p = np.add.outer(log_p, _log_choose(size, ways)).ravel()
    last = events - drawn
    possible = (last >= 0) & (last <= sizes[-1])
    log_p = log_p[possible] + _log_choose(sizes[-1], last[possible])
    seen = _log_choose(table.sum(axis=1), table[:, 0]).sum()
    chance = np.exp(log_p - log_p.max())
    extreme = log_p <= seen + 1e-7  # as R: ties but for rounding
    return float(min(chance[extreme].sum() / chance.sum(), 1.0))


def _log_choose(n: NDArray[np.int64], k: NDArray[np.int64]) -> Floats:
    found: Floats = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
