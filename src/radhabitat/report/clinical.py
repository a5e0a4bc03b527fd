"""Tables 1 to 3 as they are printed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from radhabitat.clinical.comparison import RULES, Comparison, Numbers
from radhabitat.clinical.tables import ClinicalTables, OddsRow
from radhabitat.report.blocks import Block, Callout, Section, Table, Text
from radhabitat.report.content import Printed
from radhabitat.report.wording import RESEARCH_ONLY, compact, number, p_value

Rows = list[tuple[str, ...]]


def clinical_sections(tables: ClinicalTables) -> list[Section]:
    """Return the chapters: who the patients are, by outcome, odds ratios, notes."""
    event, other = tables.groups
    sizes = f"(n = {tables.events})", f"(n = {tables.patients - tables.events})"
    everybody = f"All patients (n = {tables.patients})"
    headers = (f"{event} {sizes[0]}", f"{other} {sizes[1]}", "p", "Test")
    first = Table("Table 1", ("Variable", "Level", everybody), _first(tables), 2)
    compared = [c for c in tables.comparisons if c.test]
    second = Table("Table 2", ("Variable", "Level", *headers), _second(compared), 2)
    head = ("Variable", "Level", "Univariable OR (95 % CI)", "p")
    third = Table(
        "Table 3: odds ratios of the event",
        (*head, "Multivariable OR (95 % CI)", "p"),
        _third(tables),
        2,
    )
    doubts = [f"{c.name}: {c.note}." for c in compared if c.note]
    small: list[Block] = [Text("Small expected counts. " + " ".join(doubts))]
    separated = any(row.problem for row in (*tables.univariable, *tables.multivariable))
    warning: list[Block] = []
    if separated:
        words = (
            "Some odds ratios are infinite by maximum likelihood; those marked [F] are "
            "by Firth's penalized likelihood. The notes name them and say why."
        )
        warning.append(Callout(words, strong=True))
    notes: list[Block] = [Text(note) for note in (*RULES, *tables.notes, RESEARCH_ONLY)]
    return [
        Section("table1", "Table 1: patients", [first]),
        Section(
            "table2",
            f"Table 2: by outcome ({tables.event})",
            [second, *small * bool(doubts)],
        ),
        Section("table3", "Table 3: odds ratios", [*warning, third]),
        Section("table-notes", "Notes on the tables", notes),
    ]


def printed(tables: ClinicalTables) -> tuple[Printed, ...]:
    """Return the tables of `clinical_sections`, for the report of a study."""
    every = (b for s in clinical_sections(tables) for b in s.blocks)
    return tuple(
        Printed(b.caption, b.headers, tuple(b.rows), b.text_columns)
        for b in every
        if isinstance(b, Table) and b.rows
    )


def _first(tables: ClinicalTables) -> Rows:
    rows: Rows = []
    for found in tables.comparisons:
        total = sum(map(sum, found.counts))
        cells = [(level, _share(sum(c), total)) for level, c in _levels(found)]
        if found.numbers:
            cells.append((_kind(found), _spread(found.numbers[0], found.normal)))
        if found.missing:
            cells.append(("unknown", str(found.missing)))
        rows += _named(found.name, cells)
    return rows


def _second(compared: Sequence[Comparison]) -> Rows:
    rows: Rows = []
    for found in compared:
        test = (p_value(found.p), found.test)
        if found.numbers:
            spreads = [_spread(n, found.normal) for n in found.numbers[1:]]
            rows.append((found.name, _kind(found), *spreads, *test))
            continue
        totals = [sum(column) for column in zip(*found.counts, strict=True)]
        cells = [
            (level, *map(_share, counts, totals), *(("", "") if n else test))
            for n, (level, counts) in enumerate(_levels(found))
        ]
        rows += _named(found.name, cells)
    return rows


def _third(tables: ClinicalTables) -> Rows:
    joint = {(row.variable, row.level): row for row in tables.multivariable}
    rows: Rows = []
    last = ""
    for row in tables.univariable:
        new = row.variable != last
        if new and row.reference:
            rows.append((row.variable, f"{row.reference} (reference)", "1", "", "", ""))
        beside = _odds(joint.get((row.variable, row.level)))
        shown = "" if row.reference or not new else row.variable
        rows.append((shown, row.level, *_odds(row), *beside))
        last = row.variable
    return rows


def _odds(row: OddsRow | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    if not math.isfinite(row.p):
        return row.problem, ""
    shown = f"{_size(row.ratio)} ({_size(row.low)} to {_size(row.high)})"
    return f"{shown} [F]" if row.problem else shown, p_value(row.p)


def _size(value: float) -> str:
    if value >= 100:
        return compact(value)
    return number(value, digits=3 if abs(value - 1) >= 0.0005 else 6)


def _levels(found: Comparison) -> zip[tuple[str, tuple[int, int]]]:
    return zip(found.levels, found.counts, strict=True)


def _named(name: str, cells: Sequence[tuple[str, ...]]) -> Rows:
    """Put the name of a variable before the first of its rows."""
    return [("" if n else name, *row) for n, row in enumerate(cells)]


def _kind(found: Comparison) -> str:
    return "mean \N{PLUS-MINUS SIGN} SD" if found.normal else "median [quartiles]"


def _spread(numbers: Numbers, normal: bool) -> str:
    if normal:
        shown = (_plain(numbers.mean), _plain(numbers.sd))
        return " \N{PLUS-MINUS SIGN} ".join(shown)
    low, high = _plain(numbers.q1), _plain(numbers.q3)
    return f"{_plain(numbers.median)} [{low}, {high}]"


def _plain(value: float) -> str:
    """Return a measured value with four significant digits."""
    if not math.isfinite(value):
        return "\N{EM DASH}"
    return number(value, digits=0) if abs(value) >= 1000 else f"{value:.4g}"


def _share(count: int, total: int) -> str:
    return f"{count} ({100 * count / total:.2f} %)" if total else str(count)
