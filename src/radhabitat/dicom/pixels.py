"""The stored pixels of a file, whatever is in it: damage must end in an error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

# GDCM ends the process on some damaged JPEG-LS; CharLS raises
_DECODERS = {
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    RLELossless: "pydicom",
}
_SOF3, _DHT, _SOS, _DRI = 0xC3, 0xC4, 0xDA, 0xDD


def pixels_of(data: Dataset) -> NDArray[Any]:
    """Return the stored values as pydicom gives them.

    Raises one of `headers.DAMAGED` when they cannot be decoded.
    """
    syntax = data.file_meta.get("TransferSyntaxUID", "")
    if syntax in _DECODERS:
        data.pixel_array_options(decoding_plugin=_DECODERS[syntax])
    if syntax in (JPEGLossless, JPEGLosslessSV1):
        number = int(data.get("NumberOfFrames") or 1)
        frames = generate_frames(data.PixelData, number_of_frames=number)
        shape = int(data.Rows), int(data.Columns)
        data.PixelData = encapsulate([_plain_jpeg(frame, shape) for frame in frames])
    return np.asarray(data.pixel_array)


def _plain_jpeg(frame: bytes, shape: tuple[int, int]) -> bytes:
    """Return a lossless JPEG with nothing but what decoding needs, if it is sound.

    GDCM, its only decoder with a free license, ends the process on odd segments.

    Reference: ITU-T T.81, Annex B.
    """
    kept, place, seen = b"\xff\xd8", 2, set[int]()
    while _SOS not in seen:
        marker, length = frame[place + 1], int.from_bytes(frame[place + 2 : place + 4])
        segment = frame[place : place + 2 + length]
        place += 2 + length
        if segment[0] != 0xFF or len(segment) != 2 + length or length < 2:
            raise ValueError("a segment of its JPEG is damaged")
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            continue  # notes
        if marker in seen or not _is_sound(marker, segment[4:], shape):
            raise ValueError("a segment of its JPEG is damaged")
        seen.add(marker)
        kept += segment
    if not {_SOF3, _DHT} <= seen:
        raise ValueError("its JPEG has no size or no table")
    return kept + frame[place:]


def _is_sound(marker: int, body: bytes, shape: tuple[int, int]) -> bool:
    if marker == _SOF3:
        size = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
        return size == shape and 2 <= body[0] <= 16 and body[5] == 1
    if marker == _DHT:
        whole = len(body) == 17 + sum(body[1:17]) and body[0] < 4
        return whole and max(body[17:], default=99) <= 16
    if marker == _SOS:
        return len(body) == 6 and body[0] == 1 and 1 <= body[3] <= 7
    return marker == _DRI and len(body) == 2
