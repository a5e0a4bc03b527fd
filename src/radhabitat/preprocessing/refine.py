"""All sequences of a patient together: each is moved to what the others agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from radhabitat.errors import ComputationError
from radhabitat.preprocessing.crop import Crop
from radhabitat.preprocessing.engine_ants import register_soft
from radhabitat.preprocessing.geometry import map_along
from radhabitat.preprocessing.quality import Judge
from radhabitat.preprocessing.tissue import code_information, code_tissue, paint
from radhabitat.types import Transform

ROUNDS = 2
LARGEST_STRETCH = 1.08
FARTHEST_FROM_SEARCH_MM = 6.0
LEAST_GAIN = {"rigid": 1.0, "affine": 1.02, "soft": 1.03}
"""Factor on the information about the others' tissue that a stage must win."""
LOCAL_VOLUME_CHANGE = (0.7, 1.4)

Matrix = NDArray[np.float64]
Linear = Callable[..., Matrix]


@dataclass(frozen=True, eq=False)
class Member:
    """One sequence on its way to the reference.

    Attributes:
        judge: Its images.
        start: Where the search put it, (4, 4) along the frame.
        matrix: Where it is now, likewise.
        warp: Displacement before the matrix, mm along the frame, (i, j, k, 3).
        notes: Stages that were refused, and why.
    """

    judge: Judge
    start: Matrix
    matrix: Matrix
    warp: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()

    @property
    def transform(self) -> Transform:
        """Where the sequence is now, RAS+ mm."""
        frame = self.judge.target.frame
        matrix = map_along(frame.axes, frame.center_mm, self.matrix)
        if self.warp is None:
            return Transform(matrix)
        turned = (self.warp @ frame.axes.T.astype(np.float32)).astype(np.float32)
        return Transform(matrix, turned, self.judge.fixed.grid)

    def noting(self, note: str) -> Member:
        """Return the same with one more note, once."""
        return self if note in self.notes else replace(self, notes=(*self.notes, note))


def refine(
    members: Mapping[str, Member],
    kind: Literal["rigid", "affine", "deformable"],
    *,
    linear: Linear,
    soft: bool,
    seed: int,
) -> dict[str, Member]:
    """Return the sequences, each moved to the tissue that the others show.

    Two rounds of rigid registration to the painted tissue codes of the others, then
    affine and soft ones, each kept only if it tells more about those codes.

    Args:
        members: Sequences that are near their place, best agreement first.
        kind: How far a sequence may be deformed.
        linear: The engine: `register_linear`.
        soft: Whether the engine has soft deformations.
        seed: Of tissue codes and compared points.
    """
    now = dict(members)
    stages = {"rigid": (), "affine": ("affine",), "deformable": ("affine", "soft")}
    rounds = [("rigid",)] * (ROUNDS if len(now) > 1 else 0) + [stages[kind]]
    for steps in rounds:
        for name in now:
            for step in steps:
                if step != "soft" or soft:
                    others = [m for n, m in now.items() if n != name]
                    now[name] = _improve(now[name], others, step, linear, seed=seed)
    return now


def _improve(
    member: Member, others: list[Member], step: str, linear: Linear, *, seed: int
) -> Member:
    """Return the member after one step, or as it was where that is no better."""
    judge = member.judge
    where = judge.seen_by_all([member.transform], judge.target.region)
    pictures = [judge.fixed.array, *(m.judge.moved(m.transform) for m in others)]
    codes = code_tissue(pictures, where, seed=seed)
    moved = judge.moved(member.transform)
    painted = replace(judge.fixed, array=paint(codes, moved, where))
    try:
        new = _step(member, painted, step, linear, seed=seed)
    except ComputationError as error:
        return member.noting(error.problem)
    if reason := implausible(new):
        return member.noting(f"{step} registration was refused: {reason}")
    where = judge.seen_by_all([new.transform], where)
    before = code_information(codes, moved, where)
    after = code_information(codes, judge.moved(new.transform), where)
    return new if after > LEAST_GAIN[step] * before else member


def _step(
    member: Member, painted: Crop, step: str, linear: Linear, *, seed: int
) -> Member:
    judge = member.judge
    region = judge.target.region
    if step == "soft":
        warp = register_soft(
            painted, judge.moving, region=region, start=member.matrix, seed=seed
        )
        return replace(member, warp=warp)
    matrix = linear(
        painted,
        judge.moving,
        region=region,
        start=member.matrix,
        kind=step,
        seed=seed,
    )
    return replace(member, matrix=matrix)


def implausible(member: Member) -> str:
    """Return why the tumor cannot have moved like this; empty if it can."""
    drift_mm = float(np.linalg.norm((member.matrix - member.start)[:3, 3]))
    if drift_mm > FARTHEST_FROM_SEARCH_MM:
        return f"it left the position that the search found by {drift_mm:.0f} mm"
    stretch = np.linalg.svd(member.matrix[:3, :3], compute_uv=False)
    if stretch.max() > LARGEST_STRETCH or stretch.min() < 1.0 / LARGEST_STRETCH:
        return f"it stretches the tumor by {stretch.min():.2f} to {stretch.max():.2f}"
    if member.warp is not None:
        change = member.transform.jacobian()[member.judge.target.region]
        low, high = float(change.min()), float(change.max())
        if low < LOCAL_VOLUME_CHANGE[0] or high > LOCAL_VOLUME_CHANGE[1]:
            return f"it changes volumes in the tumor by {low:.2f} to {high:.2f}"
    return ""
