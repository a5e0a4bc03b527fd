"""Resamples on disk, so that an interrupted or repeated run learns nothing twice."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from radhabitat.evaluation.resampling import Resamples
from radhabitat.files.store import write_bytes


def remember_block(
    compute: Callable[[range], Resamples], folder: Path, numbers: range
) -> Resamples:
    """Return a block of resamples, learning it only when it is not on disk.

    Args:
        compute: Learns the block.
        folder: Of the blocks; its name holds the hash of all they depend on.
        numbers: Which resamples.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    path = folder / f"{numbers.start:06d}-{numbers.stop:06d}.npz"
    known = _read(path)
    if known is not None:
        return known
    block = compute(numbers)
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
        "variables": [block.variables[n] for n in names],
        "failed": block.failed,
    }
    arrays: dict[str, Any] = {f"risks{i}": block.risks[n] for i, n in enumerate(names)}
    arrays |= {"about": np.array(json.dumps(about)), "copies": block.copies}
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def _read(path: Path) -> Resamples | None:
    """Return a block, or nothing when it is missing or damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            about = json.loads(str(data["about"]))
            return Resamples(
                copies=data["copies"],
                risks={n: data[f"risks{i}"] for i, n in enumerate(about["names"])},
                variables={
                    name: tuple(tuple(kept) for kept in rows)
                    for name, rows in zip(
                        about["names"], about["variables"], strict=True
                    )
                },
                failed=int(about["failed"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
