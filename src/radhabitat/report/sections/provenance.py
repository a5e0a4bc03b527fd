"""What made this report."""

from __future__ import annotations

import json

from radhabitat.report.blocks import Block, Table
from radhabitat.report.content import ReportContent


def provenance_blocks(content: ReportContent) -> list[Block]:
    """Return versions, seed, hashes, and every setting of the run."""
    facts = [
        ("RadHabitat", content.version),
        ("Made on", content.created),
        ("Seed", f"{content.settings.seed}"),
        *content.provenance,
    ]
    known: list[tuple[str, ...]] = [fact for fact in facts if fact[1]]
    settings: list[tuple[str, ...]] = []
    for section, value in content.settings.model_dump(mode="json").items():
        if isinstance(value, dict):
            settings += [(f"{section}.{name}", _shown(v)) for name, v in value.items()]
        else:
            settings.append((section, _shown(value)))
    headers = ("Setting", "Value")
    return [
        Table("What made this report", ("What", "Value"), known, text_columns=2),
        Table("All settings", headers, settings, text_columns=2, folded=True),
    ]


def _shown(value: object) -> str:
    if value is None:
        return "(empty)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
