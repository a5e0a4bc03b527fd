"""What the names of files and series say: contrast phase, mask, reader."""

from __future__ import annotations

import re
from collections.abc import Sequence

from radhabitat.dicom.phase_words import UNWANTED, guess_phase, words
from radhabitat.files.formats import SUFFIXES

__all__ = [
    "PHASES",
    "content_of",
    "guess_phase",
    "image_rank",
    "is_mask_name",
    "is_second_reader",
    "is_tumor_name",
    "mask_rank",
    "preferred_reference",
    "sequence_name",
    "stem",
    "words",
]

PHASES = ("PRE", "LAP", "PVP", "DP", "HBP")


_MASK_WORDS = words(
    "seg dseg roi rois label labels gtv ctv contour contours annotation "
    "annotations lesion"
)
_MASK_PARTS = words(
    "mask segment tumor tumour labelsegs 勾画 肿瘤 病灶 掩膜 掩模 分割 标注"
)
_TUMOR = words("tumor tumour gtv ftv lesion hcc 肿瘤 病灶")
_CONSENSUS = words("consensus staple majority fusion mav simple")
_NOT_TUMOR = words("liver organ body brain tissue vessel spleen 肝脏 血管 脾")
_SECOND = re.compile(
    r"(?:reader|rater|observer|r|mask|seg|roi|tumou?r|gtv)[-_ ]?(?:2|b)$|second"
)
_MODALITIES = words("ct pet pt mr mri t1 t2 t1c t1ce t1w t2w dwi adc flair fla dce")
# the likeliest first
_REFERENCES = ("pvp", "lap", "dp", "t1c t1ce t1gd", "t1 t1w", "mr mri")


def stem(name: str) -> str:
    """Return a file's name without the suffixes of images.

    Example:
        >>> stem("P1_tumor.seg.nrrd"), stem("t1_pre.nii.gz")
        ('P1_tumor.seg', 't1_pre')
    """
    fitting = [suffix for suffix in SUFFIXES if name.lower().endswith(suffix)]
    longest = max(fitting, key=len, default="")
    return name[: -len(longest)] if longest else name.removesuffix(".dcm")


def is_mask_name(name: str) -> bool:
    """Tell whether a name is that of a mask."""
    found = words(name)
    if any(w in _MASK_WORDS or w.rstrip("0123456789") in _MASK_WORDS for w in found):
        return True
    return any(part in w for w in found for part in _MASK_PARTS)


def is_tumor_name(name: str) -> bool:
    """Tell whether a segment is named after a tumor."""
    return any(part in name.lower() for part in _TUMOR)


def is_second_reader(name: str) -> bool:
    """Tell whether a mask's name is that of a second reader."""
    return bool(_SECOND.search(stem(name).lower()))


def content_of(name: str) -> str:
    """Return what a folder's name says of its content: phase, mask, modality."""
    if is_mask_name(name):
        return "mask"
    modalities = sorted(set(_MODALITIES) & set(words(name)))
    return guess_phase(name) or " ".join(modalities)


def mask_rank(name: str) -> tuple[int, int, str]:
    """Return how unlike the tumor's one mask a name is; the smallest is taken."""
    lower = name.lower()
    points = 16 * is_second_reader(name)
    points += 8 * any(part in lower for part in _NOT_TUMOR)
    points -= 4 * is_tumor_name(name)
    points -= 2 * any(part in words(lower) for part in _CONSENSUS)
    return points, len(lower), lower


def image_rank(name: str) -> tuple[int, int, str]:
    """Return how unlike a T1 phase a name is; the smallest is taken."""
    found = set(words(name))
    points = 4 * len(found.intersection(UNWANTED))
    points -= 2 * ("water" in found or "w" in found)
    points -= "late" in found and "arterial" in name.lower()
    points += "early" in found and "arterial" in name.lower()
    return points, len(name), name.lower()


def sequence_name(name: str) -> str:
    """Return a sequence's name for an image that names no phase.

    Example:
        >>> sequence_name("MR T1.nii.gz")
        'MR_T1'
    """
    return "_".join(words(stem(name))).upper() or "IMAGE"


def preferred_reference(sequences: Sequence[str]) -> str:
    """Return the sequence on which a tumor is most likely drawn."""
    for wanted in _REFERENCES:
        for sequence in sequences:
            if set(wanted.split()) & set(words(sequence)):
                return sequence
    return sequences[0]
