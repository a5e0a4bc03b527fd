"""Results on disk: written whole or not at all, and recomputed when out of date."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from radhabitat.errors import StorageError

Json = Mapping[str, object]


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically: a temporary name in its folder, then a rename.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}-", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically, with Unix line ends.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Json) -> None:
    """Write a JSON object atomically; the same object gives the same bytes.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    write_text(path, to_json_text(value))


def to_json_text(value: Json) -> str:
    """Return readable JSON; NaN and infinities become null."""
    text = json.dumps(to_plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        StorageError: The file is missing, unreadable, or not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path.name} cannot be read: {error}",
            "run radhabitat run again; it will be computed anew",
        ) from error
    if not isinstance(value, dict):
        raise StorageError(
            f"{path.name} does not hold a JSON object", "remove it and run again"
        )
    return value


@dataclass(frozen=True)
class Record:
    """What a finished step left: its key, its files, and its small results.

    Attributes:
        key: Hash of everything that the result depends on.
        files: File name (beside the record) -> sha256 of its content.
        result: Small results, as JSON.
    """

    key: str
    files: Mapping[str, str]
    result: Json


def remember(
    path: Path, provenance: Json, compute: Callable[[], tuple[Sequence[Path], Json]]
) -> Record:
    """Return a step's record, computing the step only when it must be.

    A record counts when its key, the hash of `provenance`, is the same and each of
    its files has the content that was written: what was altered or cut off is
    computed again. It is written last, so its presence means that all is there.

    Args:
        path: Of the record; the step's files lie beside it.
        provenance: Everything that the result depends on.
        compute: Does the work; returns the files that it wrote and small results.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    key = sha256_of(provenance)
    known = _load_record(path, key)
    if known is not None:
        return known
    files, result = compute()
    hashes = {f.relative_to(path.parent).as_posix(): sha256_of_file(f) for f in files}
    write_json(
        path,
        {"key": key, "files": hashes, "provenance": provenance, "result": result},
    )
    # read back, so that a first run and a resumed run go on with the same numbers
    return Record(key, hashes, json.loads(to_json_text(result)))


def _load_record(path: Path, key: str) -> Record | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        record = Record(value["key"], value["files"], value["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if record.key != key:
        return None
    for name, wanted in record.files.items():
        file = path.parent / name
        if not file.is_file() or sha256_of_file(file) != wanted:
            return None
    return record


def recorded_notes(path: Path) -> tuple[str, ...]:
    """Return the notes in a step's record; none where there is no such record."""
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))["result"]["notes"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(str(note) for note in notes)


def sha256_of_file(path: Path) -> str:
    """Return the hash of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(value: Json) -> str:
    """Return the hash of a JSON object."""
    text = json.dumps(to_plain(value), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@cache
def code_version(*folders: str) -> str:
    """Return the hash of the source code of stages, so that new code recomputes."""
    digest = hashlib.sha256()
    for folder in (*folders, "types"):
        root = resources.files("radhabitat").joinpath(folder)
        for source in sorted(root.iterdir(), key=lambda entry: entry.name):
            if source.name.endswith(".py"):
                digest.update(source.name.encode("ascii"))
                digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


LIBRARIES = ("antspyx", "SimpleITK", "numpy", "scipy", "scikit-learn", "numba")


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of RadHabitat and of the libraries that make numbers."""
    return {name: metadata.version(name) for name in ("radhabitat", *LIBRARIES)}


def to_plain(value: object) -> object:
    """Return a value with null for what JSON cannot hold, as it is written."""
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    return value


def _storage_error(path: Path, error: OSError) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {path.name} could not be written",
            "free some space and run again; finished work is kept",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{path.name} cannot be written: the folder is read-only",
            "copy the study to a folder that you may write to",
        )
    return StorageError(
        f"{path.name} could not be written: {error.strerror or error}",
        "check the disk and the length of the path, then run again",
    )
