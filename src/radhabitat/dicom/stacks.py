"""From loose slices to stacks: one per place, kind and moment, without gaps."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from radhabitat.dicom.frames import Frame
from radhabitat.dicom.headers import affine_ras
from radhabitat.dicom.volumes import DicomVolume
from radhabitat.types import Grid

SAME_PLACE_MM = 0.05
SAME_DIRECTION = 1e-3
TILT_DEGREES = 0.5
UNEVEN_SHARE = 0.02

Key = Callable[[Frame], float | None]

# in order of trust; the last one always gives an order
_MOMENTS: tuple[tuple[str, Key], ...] = (
    ("temporal position", lambda frame: frame.temporal),
    ("trigger time", lambda frame: frame.trigger_s),
    ("acquisition time", lambda frame: frame.acquired_s),
    ("content time", lambda frame: frame.content_s),
    ("instance number", lambda frame: frame.instance),
)


def stack_frames(frames: Sequence[Frame]) -> list[DicomVolume]:
    """Return the volumes of a folder; a volume that must be refused says why."""
    kinds: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        spacing = tuple(round(mm, 3) for mm in frame.spacing_mm)
        kinds[(frame.series, frame.kind, frame.shape, spacing)].append(frame)
    volumes: list[DicomVolume] = []
    for same_kind in kinds.values():
        same_kind.sort(key=lambda f: (f.instance, str(f.path), f.index))
        unique, copies = _without_copies(same_kind)
        notes = [f"{copies} files were copies of others and left out"] if copies else []
        planes = _by_direction(unique)
        for plane in planes:
            volumes.extend(_split_moments(plane, notes, _mixed(plane, planes)))
    return volumes


def _volume(
    frames: Sequence[Frame],
    notes: list[str],
    problem: str,
    when: tuple[int, int, float | None] | None = None,
) -> DicomVolume:
    first, last = frames[0], frames[-1]
    moment, moments, time_s = when or (1, 1, _times([frames])[0])
    rows, columns = first.shape
    across = first.normal * (first.thickness_mm or 1.0)
    if len(frames) > 1:
        across = (last.position - first.position) / (len(frames) - 1)
    rows_mm, columns_mm = first.spacing_mm
    axes = (first.row * columns_mm, first.column * rows_mm, across)
    return DicomVolume(
        grid=Grid((columns, rows, len(frames)), affine_ras(axes, first.position)),
        series_uid=first.series,
        description=first.description,
        series_number=first.series_number,
        moment=moment,
        moments=moments,
        time_s=time_s,
        frames=tuple(frames),
        warnings=tuple(notes),
        problem=problem,
    )


def _times(parts: Sequence[Sequence[Frame]]) -> list[float | None]:
    """Return when each phase was acquired.

    A trigger time counts from an acquisition time that all phases share; where each
    has its own, that says it already.
    """
    triggers = [part[0].trigger_s for part in parts]
    for key in ("acquired_s", "content_s"):
        known = [[getattr(f, key) for f in part] for part in parts]
        if all(time is not None for times in known for time in times):
            starts = [float(min(times)) for times in known]
            if len(set(starts)) > 1:
                return list(starts)
            return [s + (t or 0.0) for s, t in zip(starts, triggers, strict=True)]
    return triggers


def _without_copies(frames: Sequence[Frame]) -> tuple[list[Frame], int]:
    unique = {(f.uid, f.index): f for f in reversed(frames)}
    kept = [f for f in frames if unique[(f.uid, f.index)] is f]
    return kept, len(frames) - len(kept)


def _by_direction(frames: Iterable[Frame]) -> list[list[Frame]]:
    """Group by orientation; rounding in the header must not tear a stack."""
    planes: list[list[Frame]] = []
    for frame in frames:
        for plane in planes:
            turned = (frame.row - plane[0].row, frame.column - plane[0].column)
            if np.abs(turned).max() < SAME_DIRECTION:
                plane.append(frame)
                break
        else:
            planes.append([frame])
    return planes


def _mixed(plane: Sequence[Frame], planes: Sequence[list[Frame]]) -> str:
    if len(planes) == 1:
        return ""
    return (
        f"its slices lie in {len(planes)} different orientations (this one: slices "
        f"{_numbers(plane)})"
    )


def _places(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Group the frames that lie at the same place, in order along the normal."""
    normal = frames[0].normal
    ordered = sorted(frames, key=lambda f: float(f.position @ normal))
    places = [[ordered[0]]]
    for before, frame in itertools.pairwise(ordered):
        if float((frame.position - before.position) @ normal) > SAME_PLACE_MM:
            places.append([])
        places[-1].append(frame)
    return places


def _split_moments(
    frames: Sequence[Frame], notes: list[str], problem: str
) -> list[DicomVolume]:
    places = _places(frames)
    counts = Counter(len(place) for place in places)
    if len(counts) > 1:
        return [_volume([p[0] for p in places], notes, problem or _uneven(places))]
    moments = next(iter(counts))
    how, parts = _parts(places, moments)
    if how == "instance number" and moments > 1:
        notes = [*notes, "phases told apart by instance number only: check their order"]
    return [
        _volume(part, notes, problem or _uneven_spacing(part), (number, moments, time))
        for number, (part, time) in enumerate(
            zip(parts, _times(parts), strict=True), start=1
        )
    ]


def _parts(
    places: Sequence[list[Frame]], moments: int
) -> tuple[str, list[list[Frame]]]:
    """Split by the most trusted key whose moments follow each other everywhere."""
    for name, key in _MOMENTS:
        values = [[key(frame) for frame in place] for place in places]
        if any(value is None for row in values for value in row):
            continue
        numbers = np.array(values, dtype=np.float64)
        order = np.argsort(numbers, axis=1, kind="stable")
        ranked = np.take_along_axis(numbers, order, axis=1)
        apart = bool((ranked[:, :-1].max(axis=0) < ranked[:, 1:].min(axis=0)).all())
        if moments == 1 or apart or name == _MOMENTS[-1][0]:
            parts = [
                [place[row[m]] for place, row in zip(places, order, strict=True)]
                for m in range(moments)
            ]
            return name, parts
    return "", []  # not reached: every frame has an instance number


def _uneven(places: Sequence[list[Frame]]) -> str:
    counts = Counter(len(place) for place in places)
    usual = max(counts, key=lambda n: (counts[n], n))
    odd = [frame for place in places if len(place) != usual for frame in place]
    if usual == 1:
        return f"two different slices lie at the same place: slices {_numbers(odd)}"
    return (
        f"most places have {usual} phases, but the places of slices {_numbers(odd)} "
        "have more or fewer: slices are missing or there twice"
    )


def _uneven_spacing(frames: Sequence[Frame]) -> str:
    """Return why slices are not parallel, evenly spaced and complete, or nothing."""
    if len(frames) < 2:
        return ""
    steps = np.diff([f.position for f in frames], axis=0)
    along = steps @ frames[0].normal
    usual = float(np.median(along))
    tilt = np.degrees(np.arccos(np.clip(along / np.linalg.norm(steps, axis=1), -1, 1)))
    if float(np.median(tilt)) > TILT_DEGREES:
        return (
            f"the gantry was tilted: slices {_numbers(frames)} are shifted by "
            f"{float(np.median(tilt)):.1f} degrees"
        )
    off_mm = np.linalg.norm(steps - np.median(steps, axis=0), axis=1)
    jumps = np.flatnonzero(off_mm > max(UNEVEN_SHARE * usual, SAME_PLACE_MM))
    if not jumps.size:
        return ""
    first = int(jumps[0])
    pair = f"slices {frames[first].instance} and {frames[first + 1].instance}"
    gap = f"{along[first]:.2f} mm apart instead of {usual:.2f} mm"
    whole = round(float(along[first]) / usual) if usual > 0 else 0
    if whole >= 2 and abs(along[first] - whole * usual) <= UNEVEN_SHARE * usual * whole:
        return f"{whole - 1} missing between {pair} ({gap})"
    return f"the distance between slices varies: {pair} are {gap}"


def _numbers(frames: Sequence[Frame], most: int = 8) -> str:
    numbers = sorted({frame.instance for frame in frames})
    shown = ", ".join(str(n) for n in numbers[:most])
    return shown if len(numbers) <= most else f"{shown} ... {numbers[-1]}"
