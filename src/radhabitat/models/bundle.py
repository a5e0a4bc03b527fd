"""A risk model as JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from radhabitat.errors import StorageError
from radhabitat.types import RiskModel

SCHEMA = "radhabitat-risk-model/1"

Json: TypeAlias = (
    "None | bool | int | float | str | list[Json] | Mapping[str, Json]"
)


def to_json(model: RiskModel) -> dict[str, Json]:
    """Return a risk model as a JSON object; `from_json` reads it back exactly."""
    return {
        "schema": SCHEMA,
        "name": model.name,
        "event": model.event,
        "formula": "log-odds = intercept + sum of coefficient * (value - center) / "
        "scale; a missing value is center; risk = 1 / (1 + exp(-log-odds))",
        "intercept": float(model.intercept),
        "variables": [
            {
                "name": name,
                "coefficient": float(model.coefficients[place]),
                "center": float(model.centers[place]),
                "scale": float(model.scales[place]),
            }
            for place, name in enumerate(model.variables)
        ],
        "notes": list(model.notes),
    }


def from_json(stored: Mapping[str, Json]) -> RiskModel:
    """Return the risk model of a JSON object.

    Raises:
        StorageError: Another schema, a missing entry, a variable twice, or a number
            that cannot be right.
    """
    if stored.get("schema") != SCHEMA:
        raise StorageError(
            f"This model has the schema {stored.get('schema')!r}; wanted {SCHEMA!r}",
            "read it with the version of radhabitat that wrote it",
        )
    rows = stored.get("variables")
    notes = stored.get("notes")
    if not isinstance(rows, list) or not isinstance(notes, list):
        raise _damaged("variables")
    variables = [row for row in rows if isinstance(row, Mapping)]
    names = tuple(_text(row, "name") for row in variables)
    scales = np.array([_number(row, "scale") for row in variables])
    if len(variables) != len(rows) or len(set(names)) != len(names):
        raise _damaged("variables")
    if (scales <= 0).any():
        raise _damaged("scale")
    return RiskModel(
        name=_text(stored, "name"),
        event=_text(stored, "event"),
        variables=names,
        coefficients=np.array([_number(row, "coefficient") for row in variables]),
        intercept=_number(stored, "intercept"),
        centers=np.array([_number(row, "center") for row in variables]),
        scales=scales,
        notes=tuple(str(note) for note in notes),
    )


def _text(stored: Mapping[str, Json], entry: str) -> str:
    value = stored.get(entry)
    if not isinstance(value, str) or not value:
        raise _damaged(entry)
    return value


def _number(stored: Mapping[str, Json], entry: str) -> float:
    value = stored.get(entry)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _damaged(entry)
    if not math.isfinite(value):
        raise _damaged(entry)
    return float(value)


def _damaged(entry: str) -> StorageError:
    return StorageError(
        f"The stored model has no usable entry {entry!r}",
        "run the study again; it writes results/models anew",
    )
