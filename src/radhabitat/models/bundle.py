"""A risk model as JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from radhabitat.errors import InputError
from radhabitat.types import RiskModel

SCHEMA_VERSION = 1

Json: TypeAlias = "bool | int | float | str | list[Json] | Mapping[str, Json] | None"


class _Variable(BaseModel, strict=True, allow_inf_nan=False):
    name: str = Field(min_length=1)
    coefficient: float
    center: float
    scale: float = Field(gt=0.0)


class _Stored(BaseModel, strict=True, allow_inf_nan=False):
    variables: list[_Variable]
    name: str = Field(min_length=1)
    event: str = Field(min_length=1)
    intercept: float
    notes: list[object]
    sites: dict[str, list[list[float]]] = {}


def to_json(model: RiskModel) -> dict[str, Json]:
    """Return a risk model as a JSON object; `from_json` reads it back exactly."""
    numbers = np.column_stack([model.coefficients, model.centers, model.scales])
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
                "coefficient": b,
                "center": center,
                "scale": scale,
                # None where no computer holds it
                "odds_ratio_per_sd": math.exp(b) if abs(b) < 700.0 else None,
            }
            for name, (b, center, scale) in zip(
                model.variables, numbers.tolist(), strict=True
            )
        ],
        "notes": list(model.notes),
        "sites": {site: maps.tolist() for site, maps in model.sites.items()},
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
    try:
        read = _Stored.model_validate(dict(stored))
    except ValidationError as error:
        path = error.errors()[0]["loc"]
        raise _damaged([str(p) for p in path if isinstance(p, str)][-1]) from None
    names = tuple(variable.name for variable in read.variables)
    if len(set(names)) < len(names):
        raise _damaged("variables")
    return RiskModel(
        name=read.name,
        event=read.event,
        variables=names,
        coefficients=np.array([v.coefficient for v in read.variables]),
        intercept=read.intercept,
        centers=np.array([v.center for v in read.variables]),
        scales=np.array([v.scale for v in read.variables]),
        notes=tuple(str(note) for note in read.notes),
        sites={
            site: np.array(maps, dtype=np.float64).reshape(2, len(names))
            for site, maps in read.sites.items()
        },
    )


def _damaged(entry: str) -> InputError:
    return InputError(
        f"The model file has no usable entry {entry!r}",
        "give a model as radhabitat wrote it (results/models), unchanged",
    )
