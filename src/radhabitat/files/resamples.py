"""Resamples on disk, so that an interrupted or repeated run learns nothing twice."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from radhabitat.errors import InputError
from radhabitat.evaluation.draw import Task
from radhabitat.evaluation.resampling import Resamples
from radhabitat.files.store import write_bytes
from radhabitat.models import from_json, to_json


def remember_block(
    compute: Callable[[Task], Resamples], folder: Path, task: Task
) -> Resamples:
    """Return a block of resamples, learning it only when it is not on disk.

    Args:
        compute: Learns the block.
        folder: Of the blocks; its name holds the hash of all they depend on.
        task: Which resamples.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    name = hashlib.sha256(task.sequence.encode()).hexdigest()[:8]
    what = f"{task.kind}-{name}" if task.sequence else task.kind
    path = folder / f"{what}-{task.start:06d}-{task.stop:06d}.npz"
    known = _read(path)
    if known is not None:
        return known
    block = compute(task)
    write_bytes(path, _to_bytes(block))
    return block


def forget_others(folder: Path) -> None:
    """Remove the blocks of earlier settings, which lie beside the folder."""
    for other in folder.parent.iterdir():
        if other != folder and other.is_dir():
            for path in other.glob("*.npz"):
                path.unlink()
            other.rmdir()


def _to_bytes(block: Resamples) -> bytes:
    names = list(block.risks)
    about = {
        "names": names,
        "models": [[to_json(m) for m in block.models[n]] for n in names],
        "failed": block.failed,
    }
    arrays: dict[str, Any] = {f"risks{i}": block.risks[n] for i, n in enumerate(names)}
    arrays |= {"about": np.array(json.dumps(about))}
    arrays |= {"copies": block.copies, "numbers": block.numbers}
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def _read(path: Path) -> Resamples | None:
    """Return a block, or nothing when it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            about = json.loads(str(data["about"]))
            return Resamples(
                numbers=data["numbers"],
                copies=data["copies"],
                risks={n: data[f"risks{i}"] for i, n in enumerate(about["names"])},
                models={
                    name: tuple(from_json(stored) for stored in rows)
                    for name, rows in zip(about["names"], about["models"], strict=True)
                },
                failed=int(about["failed"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, InputError):
        return None
