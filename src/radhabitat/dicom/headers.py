"""Reading DICOM headers quietly, whatever is in them."""

from __future__ import annotations

import contextlib
import logging
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

# what pydicom and its decoders raise on damaged files
DAMAGED = (
    InvalidDicomError,
    BytesLengthException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    MemoryError,
    struct.error,
)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom silent about odd values; what matters is checked by us."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def read_header(path: Path, *, tags: list[str] | None = None) -> Dataset | None:
    """Return a DICOM header without pixels, or None for another kind of file.

    Args:
        path: A file.
        tags: Keywords to read; everything when left out.
    """
    with quietly():
        try:
            return pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=list(tags or []) or None
            )
        except DAMAGED:
            return None


def claims_dicom(path: Path) -> bool:
    """Tell whether a file says that it is DICOM."""
    try:
        with path.open("rb") as file:
            return path.suffix.lower() == ".dcm" or file.read(132)[128:] == b"DICM"
    except OSError:
        return True


def examination_of(path: Path) -> str:
    """Return the Study Instance UID of a file; empty when there is none."""
    header = read_header(path, tags=["StudyInstanceUID"])
    if header is None:
        return ""
    with quietly():
        try:
            return str(header.get("StudyInstanceUID") or "")
        except DAMAGED:
            return ""
