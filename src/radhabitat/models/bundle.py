"""A risk model as JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from radhabitat.errors import InputError
from radhabitat.types import RiskModel

SCHEMA_VERSION = 1

Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"


def to_json(model: RiskModel) -> dict[str, Json]:
    """Return a risk model as a JSON object; `from_json` reads it back exactly."""
    return {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": True,
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
                "odds_ratio_per_sd": _odds_ratio(float(model.coefficients[place])),
            }
            for place, name in enumerate(model.variables)
        ],
        "notes": list(model.notes),
    }


def from_json(stored: Mapping[str, Json]) -> RiskModel:
    """Return the risk model of a JSON object.

    Raises:
        InputError: Another schema, a missing entry, a variable twice, or a number
            that cannot be right.
    """
    if stored.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"The model file has schema_version {stored.get('schema_version')!r}; "
            f"wanted {SCHEMA_VERSION}",
            "give a model that this version of radhabitat wrote (results/models)",
        )
    rows = _variables(stored)
    scales = np.array([_number(row, "scale") for row in rows])
    if (scales <= 0).any():
        raise _damaged("scale")
    return RiskModel(
        name=_text(stored, "name"),
        event=_text(stored, "event"),
        variables=tuple(_text(row, "name") for row in rows),
        coefficients=np.array([_number(row, "coefficient") for row in rows]),
        intercept=_number(stored, "intercept"),
        centers=np.array([_number(row, "center") for row in rows]),
        scales=scales,
        notes=_notes(stored),
    )


def _variables(stored: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    rows = stored.get("variables")
    if not isinstance(rows, list):
        raise _damaged("variables")
    variables = [row for row in rows if isinstance(row, Mapping)]
    names = {_text(row, "name") for row in variables}
    if len(variables) != len(rows) or len(names) != len(rows):
        raise _damaged("variables")
    return variables


def _notes(stored: Mapping[str, Json]) -> tuple[str, ...]:
    notes = stored.get("notes")
    if not isinstance(notes, list):
        raise _damaged("notes")
    return tuple(str(note) for note in notes)


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


def _odds_ratio(coefficient: float) -> float | None:
    """Return exp(coefficient); None where no computer holds it."""
    return math.exp(coefficient) if abs(coefficient) < 700.0 else None


def _damaged(entry: str) -> InputError:
    return InputError(
        f"The model file has no usable entry {entry!r}",
        "give a model as radhabitat wrote it (results/models), unchanged",
    )
