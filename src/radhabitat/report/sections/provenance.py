"""What made this report."""

from __future__ import annotations

import json

from radhabitat.report.blocks import Block, Section, Table
from radhabitat.report.content import ReportContent


def provenance_section(content: ReportContent) -> Section:
    """Return versions, seed, hashes, and every setting of the run."""
    facts = [
        ("RadHabitat", content.version),
        ("Made on", content.created),
        ("Seed", f"{content.settings.seed}"),
        *content.provenance,
    ]
    blocks: list[Block] = [
        Table(
            "What made this report",
            ("What", "Value"),
            tuple((name, value) for name, value in facts if value),
            text_columns=2,
        ),
        Table(
            "All settings",
            ("Setting", "Value"),
            _settings(content),
            text_columns=2,
            folded=True,
        ),
    ]
    return Section("provenance", "Provenance", tuple(blocks))


def _settings(content: ReportContent) -> tuple[tuple[str, str], ...]:
    rows: list[tuple[str, str]] = []
    for section, value in content.settings.model_dump(mode="json").items():
        if isinstance(value, dict):
            rows += [(f"{section}.{name}", _shown(v)) for name, v in value.items()]
        else:
            rows.append((section, _shown(value)))
    return tuple(rows)


def _shown(value: object) -> str:
    if value is None:
        return "(empty)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
