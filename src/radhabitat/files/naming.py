"""What the names of files and series say: contrast phase, mask, reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from radhabitat.files.formats import SUFFIXES

PHASES = ("PRE", "LAP", "PVP", "DP", "HBP")

# whole words, then parts of words; the first phase that matches wins
_PHASE_WORDS: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("HBP", frozenset({"hbp", "hb"}), ("hepatobiliary", "肝胆")),
    (
        "LAP",
        frozenset({"lap", "ap", "art", "hap", "a"}),
        ("arterial", "artery", "动脉"),
    ),
    (
        "PVP",
        frozenset({"pvp", "pv", "vp", "ven", "v"}),
        ("portal", "venous", "门脉", "门静脉", "静脉"),
    ),
    (
        "PRE",
        frozenset({"pre", "native", "plain", "nc", "unenhanced", "p"}),
        ("precontrast", "noncontrast", "平扫", "增强前", "蒙片"),
    ),
    (
        "DP",
        frozenset({"dp", "delayed", "delay", "late", "ep", "equilibrium", "d"}),
        ("delayed", "equilibrium", "延迟", "延时", "平衡"),
    ),
    ("LAP", frozenset({"early"}), ()),
)
_MASK_WORDS = frozenset(
    {"seg", "dseg", "roi", "rois", "label", "labels", "gtv", "ctv", "contour"}
    | {"contours", "annotation", "annotations", "lesion"}
)
_MASK_PARTS = ("mask", "segment", "tumor", "tumour", "labelsegs")
_MASK_CHINESE = ("勾画", "肿瘤", "病灶", "掩膜", "掩模", "分割", "标注")
_TUMOR = ("tumor", "tumour", "gtv", "ftv", "lesion", "hcc", "肿瘤", "病灶")
_CONSENSUS = ("consensus", "staple", "majority", "fusion", "mav", "simple")
_NOT_TUMOR = ("liver", "organ", "body", "brain", "tissue", "vessel", "spleen")
_NOT_TUMOR_CHINESE = ("肝脏", "血管", "脾")
_SECOND = re.compile(
    r"(?:reader|rater|observer|r|mask|seg|roi|tumou?r|gtv)[-_ ]?(?:2|b)$|second"
)
_MODALITIES = frozenset(
    {"ct", "pet", "pt", "mr", "mri", "t1", "t2", "t1c", "t1ce", "t1w", "t2w", "dwi"}
    | {"adc", "flair", "fla", "dce"}
)
_UNWANTED = frozenset(
    {"fat", "inphase", "outphase", "opp", "opposed", "sub", "subtraction", "t2"}
    | {"dwi", "adc", "mip", "f", "ip", "op", "percent"}
)


def stem(name: str) -> str:
    """Return a file's name without the suffixes of images.

    Example:
        >>> stem("P1_tumor.seg.nrrd"), stem("t1_pre.nii.gz")
        ('P1_tumor.seg', 't1_pre')
    """
    lower = name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if lower.endswith(suffix):
            return name[: -len(suffix)]
    return name.removesuffix(".dcm")


def words(name: str) -> list[str]:
    """Return the lower-case words of a name.

    Example:
        >>> words("acq-water_phase-portalVenous_T1w")
        ['acq', 'water', 'phase', 'portalvenous', 't1w']
    """
    return [w for w in re.split(r"[^0-9a-z\u4e00-\u9fff]+", name.lower()) if w]


def guess_phase(name: str) -> str | None:
    """Return PRE, LAP, PVP, DP or HBP when a name says so.

    Example:
        >>> guess_phase("phase-native_T1w"), guess_phase("动脉期"), guess_phase("CT")
        ('PRE', 'LAP', None)
    """
    found = words(name)
    joined = "".join(found)
    for phase, whole, parts in _PHASE_WORDS:
        # single letters are phases only when nothing else is said
        exact = [w for w in found if w in whole and (len(w) > 1 or len(found) == 1)]
        if exact or any(part in joined for part in parts):
            return phase
    return None


def is_mask_name(name: str) -> bool:
    """Tell whether a name is that of a mask."""
    found = words(name)
    if any(w in _MASK_WORDS or w.rstrip("0123456789") in _MASK_WORDS for w in found):
        return True
    return any(part in w for w in found for part in (*_MASK_PARTS, *_MASK_CHINESE))


def is_second_reader(name: str) -> bool:
    """Tell whether a mask's name is that of a second reader."""
    return bool(_SECOND.search(stem(name).lower()))


def content_of(name: str) -> str:
    """Return what a folder's name says of its content: phase, mask, modality."""
    if is_mask_name(name):
        return "mask"
    modalities = sorted(_MODALITIES & set(words(name)))
    return guess_phase(name) or " ".join(modalities)


def mask_rank(name: str) -> tuple[int, int, str]:
    """Return how unlike the tumor's one mask a name is; the smallest is taken."""
    lower = name.lower()
    points = 0
    points -= 4 * any(part in lower for part in _TUMOR)
    points -= 2 * any(part in words(lower) for part in _CONSENSUS)
    points += 8 * any(part in lower for part in (*_NOT_TUMOR, *_NOT_TUMOR_CHINESE))
    points += 16 * is_second_reader(name)
    return points, len(lower), lower


def image_rank(name: str) -> tuple[int, int, str]:
    """Return how unlike a T1 phase a name is; the smallest is taken."""
    found = set(words(name))
    points = 4 * len(found & _UNWANTED)
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
    tests: tuple[Callable[[str], bool], ...] = (
        lambda s: s == "PVP",
        lambda s: s == "LAP",
        lambda s: s == "DP",
        lambda s: bool({"t1c", "t1ce", "t1gd"} & set(words(s))),
        lambda s: bool({"t1", "t1w"} & set(words(s))),
        lambda s: bool({"mr", "mri"} & set(words(s))),
    )
    for test in tests:
        for sequence in sequences:
            if test(sequence):
                return sequence
    return sequences[0]
