"""Find the tumor of the reference in the other sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError, ImageError
from radhabitat.preprocessing import engine_ants, engine_sitk
from radhabitat.preprocessing.crop import Crop, Target, crop_image
from radhabitat.preprocessing.quality import Judge
from radhabitat.preprocessing.refine import Linear, Member, implausible, refine
from radhabitat.preprocessing.search import REACH_MM, Found, search_translation
from radhabitat.settings import PreprocessingSettings
from radhabitat.types import Transform, Volume

CLEAR_PEAK = 1.4
WEAK_PEAK = 1.2
CLEAR_NMI = 1.08
CLEAR_RING_NMI = 1.02
ONE_BREATH_S = 20.0

_THINNEST_VOXELS = 4
_FEWEST_VOXELS = 100
_SCANNER = "the scanner's position"
_SEARCH = "the translation alone"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Registered:
    """Where a sequence shows the tissue of the reference.

    Attributes:
        transform: From the reference to the sequence.
        quality: Name of a measure -> value.
        notes: What went otherwise than planned.
    """

    transform: Transform
    quality: dict[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Placed:
    """A sequence near its place, with what the search found."""

    member: Member
    found: Found


def register(
    images: Mapping[str, Volume],
    reference: str,
    target: Target,
    settings: PreprocessingSettings,
    *,
    patient: str,
    seed: int,
) -> dict[str, Registered]:
    """Return where each sequence but the reference shows the reference's tissue.

    Each by a search over translations, then the engine's rigid map from there; of the
    scanner's position, the search and the rigid map, the plausible one with the
    largest mutual information is kept, and the scanner's where that is not credible.
    Then all credible ones together (`refine`).

    Args:
        images: Bias-corrected native images, in study order.
        reference: The one that the others are registered to.
        target: Made from it.
        settings: `registration` and `engine`.
        patient: For messages.
        seed: Of the points drawn.

    Raises:
        ImageError: A sequence does not show the region of the tumor.
    """
    linear, missing = _engine(settings)
    done: dict[str, Registered] = {}
    placed: dict[str, _Placed] = {}
    leaders = {reference: reference}
    for name, image in images.items():
        if name == reference:
            continue
        judge = _prepare(image, target, f"{name} of patient {patient}")
        if isinstance(judge, Registered):
            done[name] = judge
        elif leader := same_breath(images, leaders, name):
            leaders[name] = leader
        else:
            leaders[name] = name
            outcome = _place(judge, settings, linear, seed=seed)
            if isinstance(outcome, Registered):
                done[name] = outcome
            else:
                placed[name] = outcome
    done |= _together(placed, settings, linear, missing, seed=seed)
    done[reference] = Registered(Transform(), {})
    for name in images.keys() - done.keys():
        judge = _prepare(images[name], target, f"{name} of patient {patient}")
        done[name] = _follow(judge, done[leaders[name]], leaders[name])
    return {name: done[name] for name in images}


def _engine(settings: PreprocessingSettings) -> tuple[Linear, str]:
    """Return the engine's linear registration, and a note where it stands in."""
    if settings.engine == "simpleitk" or settings.registration == "none":
        return engine_sitk.register_linear, ""
    try:
        engine_ants.load_ants()
    except ComputationError as error:
        return engine_sitk.register_linear, f"{error.problem}; SimpleITK stood in"
    return engine_ants.register_linear, ""


def same_breath(
    images: Mapping[str, Volume], leaders: Mapping[str, str], name: str
) -> str:
    """Return an earlier sequence of the same breath-hold; empty if there is none."""
    image = images[name]
    for leader in dict.fromkeys(leaders.values()):
        other = images[leader]
        if (
            image.frame_of_reference
            and image.frame_of_reference == other.frame_of_reference
            and image.time_s is not None
            and other.time_s is not None
            and abs(image.time_s - other.time_s) <= ONE_BREATH_S
        ):
            return leader
    return ""


def _follow(judge: Judge | Registered, leader: Registered, name: str) -> Registered:
    if isinstance(judge, Registered):
        return judge
    note = f"moved with {name}: both belong to one breath-hold"
    return Registered(leader.transform, judge.compare(leader.transform), (note,))


def _prepare(image: Volume, target: Target, name: str) -> Judge | Registered:
    moving = crop_image(image, target.frame, reach_mm=REACH_MM + 2.0)
    if moving is None:
        raise _elsewhere(name)
    if target.crop is None:
        note = "not registered: the reference is too thin"
        return Registered(Transform(), {}, (note,))
    judge = Judge(target, target.crop, moving, image)
    if judge.region_in_view(Transform()) == 0.0:
        raise _elsewhere(name)
    return judge


def _stay(judge: Judge, *notes: str) -> Registered:
    return Registered(Transform(), judge.compare(Transform()), notes)


def _place(
    judge: Judge, settings: PreprocessingSettings, linear: Linear, *, seed: int
) -> _Placed | Registered:
    """Return a sequence near its place, or why it stays where it is."""
    if settings.registration == "none":
        return _stay(judge)
    if reason := _unfit(judge.target, judge.fixed, judge.moving):
        return _stay(judge, f"not registered: {reason}")
    region = judge.target.region
    found = search_translation(judge.fixed, judge.moving, region=region, seed=seed)
    if found is None:
        return _stay(judge, "not registered: most of the tumor's surroundings are cut")
    start = np.eye(4)
    start[:3, 3] = found.shift_mm
    candidates, notes = _candidates(judge, start, linear, seed=seed)
    best = judge.best({name: m.transform for name, m in candidates.items()})
    doubt, moved = _doubt(found), best != _SCANNER
    if doubt and not _credible(candidates[best], found, moved=moved):
        stay = _stay(judge, f"not registered, look at this sequence: {doubt}")
        return _with_peak(stay, found)
    if doubt and moved:
        notes = (*notes, f"registered, but look at this sequence: {doubt}")
    if best != "rigid":
        notes = (*notes, f"{best} fits best and was kept")
    return _Placed(replace(candidates[best], notes=notes), found)


def _candidates(
    judge: Judge, start: Matrix, linear: Linear, *, seed: int
) -> tuple[dict[str, Member], tuple[str, ...]]:
    """Return name -> where the sequence may be, and notes on what was refused."""
    search = Member(judge, start, start)
    scanner = Member(judge, np.eye(4), np.eye(4))
    candidates = {_SCANNER: scanner, _SEARCH: search}
    try:
        matrix = linear(
            judge.fixed,
            judge.moving,
            region=judge.target.region,
            start=start,
            kind="rigid",
            seed=seed,
        )
    except ComputationError as error:
        return candidates, (error.problem,)
    rigid = replace(search, matrix=matrix)
    if reason := implausible(rigid):
        return candidates, (f"rigid registration was refused: {reason}",)
    return {**candidates, "rigid": rigid}, ()


def _together(
    placed: Mapping[str, _Placed],
    settings: PreprocessingSettings,
    linear: Linear,
    missing: str,
    *,
    seed: int,
) -> dict[str, Registered]:
    """Return all sequences that were placed, after refining them together."""
    if settings.registration == "none":
        return {}
    agreed = {n: p.member.judge.compare(p.member.transform) for n, p in placed.items()}
    order = sorted(placed, key=lambda n: -agreed[n]["nmi_after"])
    members = refine(
        {n: placed[n].member for n in order},
        settings.registration,
        linear=linear,
        soft=linear is engine_ants.register_linear,
        seed=seed,
    )
    done = {}
    for name, member in members.items():
        quality = member.judge.compare(member.transform)
        notes = (missing, *member.notes) if missing else member.notes
        one = Registered(member.transform, quality, notes)
        if quality["mi_after"] < quality["mi_before"]:
            said = dict.fromkeys((*notes, f"{_SCANNER} fits best and was kept"))
            one = _stay(member.judge, *said)
        done[name] = _with_peak(one, placed[name].found)
    return done


def _with_peak(one: Registered, found: Found) -> Registered:
    if found.peak_ratio is None:
        return one
    return replace(one, quality={**one.quality, "peak_ratio": found.peak_ratio})


def _doubt(found: Found) -> str:
    """Return why the search may have been misled; empty if it was clear."""
    if found.at_border:
        return "the best position is at the end of the search"
    if found.peak_ratio is None:
        return "too little is in view to compare positions"
    if found.peak_ratio < CLEAR_PEAK:
        ratio = f"{found.peak_ratio:.2f}; clear cases have {CLEAR_PEAK} or more"
        return f"no position stands out (peak ratio {ratio})"
    return ""


def _credible(member: Member, found: Found, *, moved: bool) -> bool:
    """Tell whether images agree so well that a doubtful search may be right."""
    quality = member.judge.compare(member.transform)
    agree = (
        quality["nmi_after"] >= CLEAR_NMI
        and quality["ring_nmi_after"] >= CLEAR_RING_NMI
    )
    likely = not moved or (found.peak_ratio or 0.0) >= WEAK_PEAK
    return agree and likely and not found.at_border


def _unfit(target: Target, fixed: Crop, moving: Crop) -> str:
    """Return why two crops cannot be registered; empty if they can."""
    thinnest = min(*fixed.array.shape, *moving.array.shape)
    if thinnest < _THINNEST_VOXELS:
        return "an image is too thin"
    if np.count_nonzero(target.region) < _FEWEST_VOXELS:
        return "the tumor and its surroundings are too small"
    if np.ptp(fixed.array[target.region]) == 0.0 or np.ptp(moving.array) == 0.0:
        return "an image is constant around the tumor"
    return ""


def _elsewhere(name: str) -> ImageError:
    return ImageError(
        f"The {name} does not show the tumor: it was acquired elsewhere in space",
        "check that it belongs to this patient and visit, or leave the sequence out",
    )
