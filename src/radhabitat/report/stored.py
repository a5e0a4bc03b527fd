"""What a report shows, kept in results/ so that it can be made again from it alone."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import BaseModel

from radhabitat.errors import StorageError
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.store import read_json, write_bytes, write_json
from radhabitat.report.content import ReportContent

PICTURES = ("pictures", "checkerboards", "surfaces")
"""Parts of a report that are PNG files in a folder, not JSON."""


def keep(content: ReportContent, results: ResultsLayout) -> None:
    """Write all parts of a report: report.json, and the pictures as PNG files.

    Raises:
        StorageError: The disk is full, or the folder is read-only.
    """
    names: dict[str, object] = {}
    for part in PICTURES:
        listed = {}
        for number, (patient, png) in enumerate(getattr(content, part).items(), 1):
            file = results.picture(_folder(part), number)
            if not file.is_file() or file.read_bytes() != png:
                write_bytes(file, png)
            listed[patient] = file.name
        names[part] = listed
    bare = replace(content, pictures={}, checkerboards={}, surfaces={})
    # once there and back, so that a report made again keeps the same bytes (10, 10.0)
    settled = encode(decode(ReportContent, encode(bare)))
    write_json(results.content, {"content": settled, "files": names})


def restore(results: ResultsLayout) -> ReportContent:
    """Read back what `keep` wrote.

    Raises:
        StorageError: A file is missing, or was written by another version.
    """
    stored = read_json(results.content)
    try:
        content = decode(ReportContent, stored["content"])
        listed: Any = stored["files"]
        found = {
            part: {
                patient: (results.folder / "pictures" / _folder(part) / name)
                for patient, name in listed[part].items()
            }
            for part in PICTURES
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(
            f"{results.content.name} is of another version of RadHabitat ({error!r})",
            "radhabitat run STUDY writes it anew",
        ) from error
    read = {part: _read(files) for part, files in found.items()}
    restored: ReportContent = replace(content, **read)
    return restored


def picture_files(content: ReportContent) -> dict[str, dict[str, str]]:
    """Return folder -> patient -> name of the PNG file that `keep` writes."""
    return {
        _folder(part): {
            patient: f"{number:04d}.png"
            for number, patient in enumerate(getattr(content, part), 1)
        }
        for part in PICTURES
    }


def _folder(part: str) -> str:
    return "habitats" if part == "pictures" else part


def _read(files: Mapping[str, Path]) -> dict[str, bytes]:
    missing = [f.name for f in files.values() if not f.is_file()]
    if missing:
        raise StorageError(
            f"{len(missing)} pictures of the report are missing, the first: "
            f"{missing[0]}",
            "radhabitat run STUDY makes them anew",
        )
    return {patient: file.read_bytes() for patient, file in files.items()}


def encode(value: object) -> object:
    """Return a value of records, arrays and mappings as JSON; NaN becomes a word."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return [[encode(k), encode(v)] for k, v in value.items()]
    if isinstance(value, np.ndarray):
        return encode(value.tolist())
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


# Any: the type of the value is what the hint says
def decode(hint: Any, value: Any) -> Any:
    """Return the value of a type that `encode` wrote."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        known = next(a for a in inner if a is not type(None))
        return None if value is None else decode(known, value)
    if origin is np.ndarray:
        return _array(inner, value)
    if origin is not None and issubclass(origin, Mapping):
        return {decode(inner[0], k): decode(inner[1], v) for k, v in value}
    if origin is tuple:
        many = inner[-1] is Ellipsis
        parts = [inner[0]] * len(value) if many else inner
        return tuple(decode(p, v) for p, v in zip(parts, value, strict=True))
    return _record(hint, value)


def _record(hint: Any, value: Any) -> Any:
    kind: Any = hint
    if hint is float:
        return float(value)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint.model_validate(value)
    if is_dataclass(hint):
        hints = get_type_hints(hint, localns=_names())
        return kind(**{n: decode(hints[n], v) for n, v in value.items()})
    if hasattr(hint, "_fields"):
        kinds = get_type_hints(hint, localns=_names()).values()
        return hint(*(decode(k, v) for k, v in zip(kinds, value, strict=True)))
    return value


def _array(inner: tuple[Any, ...], value: Any) -> Any:
    kind = get_args(inner[1])[0]
    whole = np.array(value, dtype=np.float64)
    return whole.astype(kind)


def _names() -> dict[str, Any]:
    """Return the names that hints use but modules import for type checkers only."""
    from numpy.typing import NDArray

    from radhabitat.evaluation.results import Evaluation, Prognosis
    from radhabitat.selection.lasso import LassoPath
    from radhabitat.settings import StudySettings

    given = (Evaluation, Prognosis, LassoPath, StudySettings)
    return {"np": np, "NDArray": NDArray, **{kind.__name__: kind for kind in given}}
