"""What happens when the disk refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radhabitat.errors import StorageError


@contextmanager
def saving(what: str, folder: Path) -> Iterator[None]:
    """Turn the disk's refusal into a message that says what to do.

    Args:
        what: What is being written, for the message.
        folder: Where.

    Raises:
        StorageError: The disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} cannot be written to {folder}: {error.strerror or error}",
            "choose a folder that can be written and has space (about 22 MB per "
            "patient, 7 MB in the small cohort)",
        ) from error
