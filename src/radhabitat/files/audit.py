"""A log that can only grow: each entry holds the hash of the one before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from radhabitat.errors import StorageError
from radhabitat.files.store import sha256_of

START = "0" * 64


def append_entry(path: Path, entry: Mapping[str, object]) -> None:
    """Add an entry; no patient may be named in it.

    Raises:
        StorageError: An earlier entry was changed, or the file cannot be written.
    """
    before = verify(path)
    body = {**entry, "before": before}
    line = json.dumps({**body, "hash": sha256_of(body)}, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"{path.name} could not be written: {error}", "free space, and try again"
        ) from error


def verify(path: Path) -> str:
    """Return the hash of the last entry of an unbroken chain.

    Raises:
        StorageError: An entry was changed, removed or cut off.
    """
    last = START
    if not path.exists():
        return last
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            body = json.loads(line)
            found = body.pop("hash")
        except (ValueError, KeyError, AttributeError):
            found, body = "", {}
        if found != sha256_of(body) or body.get("before") != last:
            raise StorageError(
                f"{path.name}: entry {number} does not follow from the one before",
                "keep the file for inspection, and move it away to begin a new one",
            )
        last = found
    return last
