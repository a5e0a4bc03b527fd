"""Which volume is which phase: one ordered assignment for an examination."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.dicom.phase_words import (
    guess_phase,
    is_axial,
    is_unwanted,
    may_be_dynamic,
    phase_at,
    says_early_arterial,
    says_enhanced,
    told_delay_s,
)

Certainty = Literal["high", "check", "choose"]

WANTED = ("PRE", "LAP", "PVP", "DP")
_ALL = ("PRE", "EAP", "LAP", "PVP", "DP", "HBP")
_TEXT, _AGENT, _BOLUS, _GUESSED = 3.0, 1.5, 2.0, 1.5  # points of evidence
_EMPTY = -1.0  # points for a phase that no volume has
_ARTERIAL_S = 30.0  # the first arterial volume after about this time ...
_DOUBLE_S = 25.0  # ... and another this soon after it is arterial, too
_HIGH, _CHECK = 0.9, 0.6


@dataclass(frozen=True)
class Candidate:
    """What the headers of one volume say.

    Attributes:
        name: Series description; its folder's name where that says more.
        kind: Image type.
        time_s: Acquisition, seconds since midnight; None when unknown.
        agent: Whether a contrast agent is named.
        bolus_s: Start of the injection, seconds since midnight.
    """

    name: str
    kind: str = ""
    time_s: float | None = None
    agent: bool = False
    bolus_s: float | None = None


@dataclass(frozen=True)
class PhaseLabel:
    """A phase and the volume that shows it.

    Attributes:
        index: Of the volume among the candidates.
        certainty: high: used as it is; check: look at it; choose: it may as well be
            another volume. It comes from the distance to the next best assignment
            and is no probability.
        evidence: What speaks for and against, in words.
    """

    index: int
    certainty: Certainty
    evidence: tuple[str, ...]


def label_phases(candidates: Sequence[Candidate]) -> dict[str, PhaseLabel]:
    """Return phase -> volume, for PRE, LAP, PVP and DP as far as they are there.

    Names, contrast agent and times give points to each volume and phase; the order
    PRE, LAP, PVP, DP in time with most points is taken. The later of two arterial
    phases is LAP; a hepatobiliary phase is none of the four.

    Args:
        candidates: All volumes of one examination, in order of time.
    """
    pool = _pool(candidates)
    if len(pool) < 2:
        return {}
    chosen = [candidates[n] for n in pool]
    scores, evidence, firm = _score(chosen)
    columns = [_ALL.index(phase) for phase in WANTED]
    rivals = np.stack([np.delete(scores, c, axis=1).max(axis=1) for c in columns], 1)
    points = scores[:, columns] - 0.5 * np.maximum(rivals, 0.0)
    total, picks = _assign(points)
    labels = {}
    for column, (phase, pick) in enumerate(zip(WANTED, picks, strict=True)):
        if pick is None:
            continue
        without = points.copy()
        without[pick, column] = -math.inf
        margin = total - _assign(without)[0]
        share = 1.0 / (1.0 + math.exp(-margin))
        if scores[pick, columns[column]] <= 0:
            share = 0.5
        certainty: Certainty = "choose" if share < _CHECK else "check"
        certainty = "high" if share >= _HIGH and firm else certainty
        labels[phase] = PhaseLabel(pool[pick], certainty, tuple(evidence[pick]))
    return labels


def _pool(candidates: Sequence[Candidate]) -> list[int]:
    """Return the volumes that can be phases of one dynamic T1 examination.

    Other planes count only where no two axial volumes do.
    """
    usable = [n for n, c in enumerate(candidates) if not is_unwanted(c.name, c.kind)]
    axial = [n for n in usable if is_axial(candidates[n].name)]
    found = _phase_like(candidates, axial)
    return found if len(found) > 1 else _phase_like(candidates, usable)


def _phase_like(candidates: Sequence[Candidate], usable: Sequence[int]) -> list[int]:
    alike = Counter(candidates[n].name for n in usable)
    told = {n for n in usable if _says_phase(candidates[n].name)}
    repeated = {n for n in usable if alike[candidates[n].name] > 2}
    if not told and not repeated:
        return []
    dynamic = {n for n in usable if may_be_dynamic(candidates[n].name)}
    return sorted(told | repeated | dynamic)


def _says_phase(name: str) -> bool:
    return bool(guess_phase(name)) or told_delay_s(name) is not None


def _score(
    chosen: Sequence[Candidate],
) -> tuple[NDArray[np.float64], list[list[str]], bool]:
    """Return points, shape (volumes, phases of `_ALL`), evidence, if more than time."""
    scores = np.zeros((len(chosen), len(_ALL)))
    evidence: list[list[str]] = [[] for _ in chosen]
    for row, told, one in zip(scores, evidence, chosen, strict=True):
        _score_text(one.name, row, told)
    if len({one.agent for one in chosen}) == 2:
        for row, told, one in zip(scores, evidence, chosen, strict=True):
            row[0] += -_AGENT if one.agent else _AGENT
            told.append(f"the header names {'an' if one.agent else 'no'} agent")
    firm = any(evidence) or any(one.bolus_s is not None for one in chosen)
    times = [one.time_s for one in chosen if one.time_s is not None]
    if len(times) == len(chosen) and len(set(times)) > 1:
        _score_times(chosen, np.array(times), scores, evidence)
    return scores, evidence, firm


def _score_text(name: str, row: NDArray[np.float64], told: list[str]) -> None:
    phase, delay_s = guess_phase(name), told_delay_s(name)
    if phase == "LAP" and says_early_arterial(name):
        phase = "EAP"
    if phase:
        row[_ALL.index(phase)] += _TEXT
        told.append(f"its name says {phase}")
    if delay_s is not None and delay_s >= 10:
        row[_ALL.index(phase_at(delay_s))] += _TEXT - _unusual(delay_s)
        told.append(f"its name says {delay_s:g} s, which is {phase_at(delay_s)}")
    if phase != "PRE" and (phase or delay_s is not None or says_enhanced(name)):
        row[0] -= _TEXT


def _score_times(
    chosen: Sequence[Candidate],
    times_s: NDArray[np.float64],
    scores: NDArray[np.float64],
    evidence: list[list[str]],
) -> None:
    """Add what the time after the injection says."""
    bolus_s = next((one.bolus_s for one in chosen if one.bolus_s is not None), None)
    points = _GUESSED if bolus_s is None else _BOLUS
    source = "the header's start of the bolus"
    if bolus_s is None:
        bolus_s = _first_enhanced(chosen, times_s, scores) - _ARTERIAL_S
        source = f"{_ARTERIAL_S:g} s before the first enhanced volume"
    late, early = _ALL.index("LAP"), _ALL.index("EAP")
    for row, told, time_s in zip(scores, evidence, times_s, strict=True):
        phase = phase_at(float(time_s) - bolus_s)
        row[_ALL.index(phase)] += points - _unusual(float(time_s) - bolus_s)
        told.append(f"{time_s - bolus_s:.0f} s after {source}, which is {phase}")
    for n in range(len(chosen) - 1):
        soon = times_s[n + 1] - times_s[n] <= _DOUBLE_S
        if soon and scores[n, late] > 0 and scores[n + 1, late] > 0:
            scores[n, early] += scores[n, late]
            scores[n, late] -= 2.0
            evidence[n].append("a later arterial phase follows")


def _unusual(delay_s: float) -> float:
    """Return a trifle that decides between volumes of one phase."""
    usual = {"LAP": 35.0, "PVP": 70.0, "DP": 180.0}.get(phase_at(delay_s))
    return 0.1 * abs(math.log(delay_s / usual)) if usual else 0.0


def _first_enhanced(
    chosen: Sequence[Candidate],
    times_s: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> float:
    """Return the time of the first volume that seems to show contrast agent."""
    varies = len({one.agent for one in chosen}) == 2
    enhanced = [
        bool((varies and one.agent) or row[1:].max() > 1)
        for one, row in zip(chosen, scores, strict=True)
    ]
    later = [t for t, after in zip(times_s, enhanced, strict=True) if after]
    # nothing said: the first volume is PRE
    return float(later[0] if later else times_s[1])


def _assign(
    points: NDArray[np.float64],
) -> tuple[float, tuple[int | None, ...]]:
    """Return the best sum, and the volume of each phase, in growing order."""
    phases = points.shape[1]
    empty: tuple[int | None, ...] = ()
    best = [(_EMPTY * p, empty + (None,) * p) for p in range(phases + 1)]
    for row, volume in enumerate(points):
        for p in range(phases, 0, -1):
            total, picks = best[p - 1]
            if total + volume[p - 1] >= best[p][0]:
                best[p] = (total + float(volume[p - 1]), (*picks, row))
        for p in range(1, phases + 1):
            total, picks = best[p - 1]
            if total + _EMPTY > best[p][0]:
                best[p] = (total + _EMPTY, (*picks, None))
    return best[phases]
