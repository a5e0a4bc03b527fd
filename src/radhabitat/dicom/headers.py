"""Reading DICOM headers quietly, whatever is in them."""

from __future__ import annotations

import contextlib
import logging
import struct
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import Tag

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


def read_header(path: Path, *, tags: Sequence[str | int]) -> Dataset | None:
    """Return the tags of a DICOM header, or None for another kind of file."""
    with quietly():
        try:
            return pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=[Tag(tag) for tag in tags]
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


def text_of(path: Path, tag: str) -> str:
    """Return one tag of a file; empty when there is none."""
    header = read_header(path, tags=[tag])
    with quietly():
        try:
            return "" if header is None else str(header.get(tag) or "")
        except DAMAGED:
            return ""


def examination_of(path: Path) -> str:
    """Return the Study Instance UID of a file; empty when there is none."""
    return text_of(path, "StudyInstanceUID")


def functional_group(data: Dataset, group: Dataset, name: str) -> Dataset:
    """Return a frame's own or the shared item of a sequence; empty without one."""
    shared = (data.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    items = group.get(name) or shared.get(name)
    return items[0] if items else Dataset()


def affine_ras(
    axes: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    origin: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (column, row, slice) index -> RAS+ mm of LPS+ steps and first voxel."""
    affine = np.eye(4)
    affine[:3] = np.column_stack([*axes, origin])
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
