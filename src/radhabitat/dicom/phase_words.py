"""What names of images say: the contrast phase, or that it is none of T1 dynamics."""

from __future__ import annotations

import re


def words(name: str) -> list[str]:
    """Return the lower-case words of a name.

    Example:
        >>> words("acq-water_phase-portalVenous_T1w")
        ['acq', 'water', 'phase', 'portalvenous', 't1w']
    """
    return [w for w in re.split(r"[^0-9a-z\u4e00-\u9fff]+", name.lower()) if w]


# whole words, then parts of words; the first phase that matches wins
_PHASE_WORDS = (
    ("HBP", "hbp hb", "hepatobiliary 肝胆"),
    ("LAP", "lap ap art hap a", "arterial artery 动脉"),
    ("PVP", "pvp pv vp ven v", "portal venous 门脉 门静脉 静脉"),
    (
        "PRE",
        "pre native plain nc unenhanced p",
        "precontrast noncontrast 平扫 增强前 蒙片",
    ),
    (
        "DP",
        "dp delay late ep d equil transitional",
        "delayed equilibrium 延迟 延时 平衡 移行 过渡",
    ),
    ("LAP", "early", ""),
)
UNWANTED = frozenset(
    words(
        "fat inphase outphase opp opposed sub subtr subtraction t2 dwi adc mip f ip op "
        "oop oph iph percent in out haste ssfse fse tse mrcp loc localizer localiser "
        "scout survey calibration smartprep bolus timing flair stir swi mre report "
        "screensave posdisp tof cine ff pdff in_phase "
        "opp_phase out_phase subtract t2star r2star t1map"
    )
)
"""Words of images that are no T1 of a dynamic examination."""
_OTHER_PLANES = frozenset(words("cor coronal sag sagittal"))
_DYNAMIC = frozenset(
    words("vibe lava thrive ethrive quick3d fame fspgr spgr fl3d flash dyn dynamic dce")
    + words("mdixon disco twist tigre fsp3d starvibe dixon tfe")
)
VOCABULARY = UNWANTED.union(
    _OTHER_PLANES,
    _DYNAMIC,
    *(f"{whole} {parts}".split() for _, whole, parts in _PHASE_WORDS),
) - frozenset(["a", "p", "d", "v"])
"""Words that speak of sequences and phases, of nobody."""
_EARLY_ARTERIAL = re.compile(r"early[-_ ]?art|art\w*[-_ ]?early|\beap\b|早动脉|动脉早")
_SECONDS = re.compile(r"(?<![a-z0-9.])(\d{2,4}) ?[-_]?(?:s|secs?|seconds?|秒)(?![a-z])")
_MINUTES = re.compile(r"(?<![a-z0-9.])(\d{1,2}) ?[-_]?(?:min(?:ute)?s?|分钟?)(?![a-z])")
_POST = re.compile(
    r"(?<![a-z])(?:post|gd|gad|ce|cm)(?![a-z])|\+ ?c(?![a-z])|c\+|增强(?!前)"
)


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
        usable = [w for w in found if len(w) > 1 or len(found) == 1]
        if set(usable) & set(whole.split()):
            return phase
        if any(part in joined for part in parts.split()):
            return phase
    return None


def phase_at(delay_s: float) -> str:
    """Return the phase that a delay after the injection belongs to.

    The windows are those of extracellular agents (LI-RADS v2018: arterial 25-45 s,
    portal venous 60-80 s, delayed 2-5 min) with room for slow acquisitions.
    """
    for phase, end_s in (("PRE", 5), ("EAP", 17), ("LAP", 48), ("PVP", 115)):
        if delay_s < end_s:
            return phase
    return "DP" if delay_s <= 480 else "HBP"


def told_delay_s(name: str) -> float | None:
    """Return the delay after the injection that a name tells, in seconds.

    Example:
        >>> told_delay_s("Ax LAVA+C 70 SEC"), told_delay_s("3min"), told_delay_s("T1")
        (70.0, 180.0, None)
    """
    lower = name.lower()
    if match := _MINUTES.search(lower):
        return 60.0 * float(match[1])
    match = _SECONDS.search(lower)
    return float(match[1]) if match else None


def says_early_arterial(name: str) -> bool:
    """Tell whether a name is that of the first of two arterial phases."""
    return bool(_EARLY_ARTERIAL.search(name.lower()))


def says_enhanced(name: str) -> bool:
    """Tell whether a name says that contrast agent was given."""
    return bool(_POST.search(name.lower()))


def may_be_dynamic(name: str) -> bool:
    """Tell whether a name is that of a T1 sequence used for dynamic examinations."""
    return bool(_DYNAMIC.intersection(words(name)))


def is_axial(name: str) -> bool:
    """Tell whether a name is that of no other plane."""
    return not _OTHER_PLANES.intersection(words(name))


def is_unwanted(name: str, kind: str = "") -> bool:
    """Tell whether a name or image type is no T1 water image.

    Args:
        name: Series description.
        kind: Image type, its values separated by backslashes.
    """
    types = {part for text in kind.lower().split("\\")[2:] for part in text.split()}
    found = UNWANTED.intersection(types | set(words(name)))
    return bool(found) and not {"water", "w"} & (types | set(words(name)))
