"""One k and one meaning for all: the cohort's prototypes, and each tumor's part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from scipy.optimize import linear_sum_assignment

from radhabitat.errors import MaskError
from radhabitat.habitats.identity import (
    Match,
    Prototypes,
    learn_prototypes,
    match_centers,
)
from radhabitat.habitats.kmeans import fit_kmeans, in_order
from radhabitat.habitats.partition import Floats, Partition, of_centers
from radhabitat.habitats.space import channels_of
from radhabitat.habitats.survey import Survey, mixture, supervoxels, survey_points
from radhabitat.settings import HabitatSettings
from radhabitat.types import AlignedSubject


@dataclass(frozen=True, eq=False)
class Division:
    """What a habitat means in a cohort; a new patient is matched to it.

    Attributes:
        design: How the tumors were divided, as in the settings.
        count: Number of habitats.
        channels: Names of the channels.
        order_by: The channel whose prototypes rise from habitat 1 to the last.
        spread: A tumor's usual spread, shape (channels,).
        prototypes: Of tumors divided one by one, in units of a tumor's spread.
        whole: Of a cohort divided as a whole: its partition.
    """

    design: str
    count: int
    channels: tuple[str, ...]
    order_by: str
    spread: Floats
    prototypes: Prototypes | None = None
    whole: Partition | None = None

    @property
    def centers(self) -> Floats:
        """The habitats in the channels, shape (habitats, channels)."""
        if self.prototypes is not None:
            return self.prototypes.centers
        return cast("Partition", self.whole).centers

    @property
    def names(self) -> tuple[str, ...]:
        """Each habitat in words: the channels in which it is an extreme."""
        highest, lowest = self.centers.argmax(axis=0), self.centers.argmin(axis=0)
        return tuple(
            "; ".join(
                f"{word} in {', '.join(found)}"
                for word, ends in (("highest", highest), ("lowest", lowest))
                if (found := [c for c, h in zip(self.channels, ends, strict=True)
                              if h == habitat])
            )
            or "in between"
            for habitat in range(self.count)
        )  # fmt: skip

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` reads back, number for number."""
        value: dict[str, object] = {
            "design": self.design,
            "count": self.count,
            "channels": self.channels,
            "order_by": self.order_by,
            "names": self.names,
            "spread": self.spread.tolist(),
        }
        if self.prototypes is not None:
            value["prototypes"] = {
                "centers": self.prototypes.centers.tolist(),
                "noise": self.prototypes.noise.tolist(),
                "offset": self.prototypes.offset.tolist(),
            }
        if self.whole is not None:
            value["whole"] = self.whole.to_json()
        return value

    @staticmethod
    def from_json(value: Mapping[str, object]) -> Division:
        """Read what `to_json` gave."""
        stored = cast("dict[str, object] | None", value.get("prototypes"))
        whole = cast("dict[str, object] | None", value.get("whole"))
        return Division(
            design=cast("str", value["design"]),
            count=cast("int", value["count"]),
            channels=tuple(cast("list[str]", value["channels"])),
            order_by=cast("str", value["order_by"]),
            spread=np.array(value["spread"], dtype=np.float64),
            prototypes=Prototypes(
                *(np.array(stored[n], np.float64)
                  for n in ("centers", "noise", "offset"))
            )
            if stored
            else None,
            whole=Partition.from_json(whole) if whole else None,
        )  # fmt: skip


def divide_cohort(
    surveys: Mapping[str, Survey],
    settings: HabitatSettings,
    *,
    channels: Sequence[str],
    order_by: str,
    seed: int,
) -> tuple[Division, Survey | None]:
    """Choose one number of habitats, and say what each of them is.

    Tumors divided one by one vote for k, unless nothing supports two, and their
    centers give the prototypes. Otherwise the criterion looks at the points of all.

    Args:
        surveys: Patient -> what the tumor says.
        settings: How to divide.
        channels: Names of the channels.
        order_by: Habitats are numbered by rising intensity in this channel.
        seed: Of the division of the whole.

    Returns:
        The division, and the survey of the whole cohort if it was divided as one.

    Raises:
        MaskError: No tumor is large enough for the number of habitats set.
    """
    column = list(channels).index(order_by)
    spread = np.median([s.spread for s in surveys.values()], axis=0)
    plain = Division(settings.design, 0, tuple(channels), order_by, spread)
    if settings.design != "per_tumor":
        points = in_order(np.concatenate([s.points for s in surveys.values()]))
        cohort = survey_points(points, settings, seed=seed)
        k = settings.k if isinstance(settings.k, int) else max(cohort.k, 2)
        whole = cohort.divisions[min(k, max(cohort.divisions))]
        rank = np.argsort(np.argsort(whole.centers[:, column], kind="stable")) + 1
        whole = replace(whole, habitats=rank.astype(np.uint8))
        return replace(plain, count=whole.count, whole=whole), cohort
    k = settings.k if isinstance(settings.k, int) else vote(surveys)
    able = [s for s in surveys.values() if k in s.divisions]
    if not able:
        raise MaskError(
            f"None of {len(surveys)} tumors can be divided into {k} habitats of "
            f"{settings.min_voxels} voxels",
            "lower habitats.k or habitats.min_voxels in study.toml",
        )
    learners = [s for s in able if not s.homogeneous] or able
    learned = learn_prototypes([s.divisions[k].centers / _unit(s) for s in learners])
    order = np.argsort(learned.centers[:, column], kind="stable")
    prototypes = replace(learned, centers=learned.centers[order])
    return replace(plain, count=k, prototypes=prototypes), None


def divide_tumor(survey: Survey, division: Division) -> tuple[Partition, Match | None]:
    """Say which habitat is which in one tumor, of the cohort or a new patient's.

    A homogeneous tumor has one habitat, a small one as many as its voxels allow;
    the others are absent.

    Returns:
        How its voxels are divided; and, where it was divided alone, how its centers
        were matched.
    """
    if division.whole is not None:
        if division.design == "pooled":
            return division.whole, None
        habitats = division.whole.assign(survey.points)
        return Partition(
            survey.points.astype(np.float64), habitats, division.count
        ), None
    prototypes = cast("Prototypes", division.prototypes)
    most = 1 if survey.homogeneous else division.count
    own = survey.divisions[max(k for k in survey.divisions if k <= most)]
    unit = _unit(division if survey.homogeneous else survey)
    match = match_centers(own.centers / unit, prototypes)
    habitats = (match.habitats + 1).astype(np.uint8)
    return replace(own, habitats=habitats, count=division.count), match


def divide_again(
    subject: AlignedSubject,
    partition: Partition,
    settings: HabitatSettings,
    *,
    seed: int,
) -> Partition:
    """Divide a tumor anew, as when its mask or images differ a little.

    The new centers are matched to the nearest old ones, so that what is compared
    is the same habitat. The centers of a pooled cohort stay.

    Args:
        subject: The patient with another mask or other images.
        partition: The patient's.
        settings: How to divide.
        seed: Of the starts.
    """
    if settings.design == "pooled":
        return partition
    points = in_order(channels_of(subject, settings))
    if settings.design == "two_step":
        centers = supervoxels(points, settings, seed)
        return Partition(
            centers.astype(np.float64), partition.assign(centers), partition.count
        )
    most = len(partition.centers)
    fitted = fit_kmeans(points, most, restarts=settings.restarts, seed=seed)
    own = fitted[max(fitted)]
    new = mixture(points, own, seed) if settings.method == "gmm" else of_centers(own)
    apart = ((new.centers[:, np.newaxis] - partition.centers) ** 2).sum(axis=2)
    _, old = linear_sum_assignment(apart)
    return replace(new, habitats=partition.habitats[old], count=partition.count)


def vote(surveys: Mapping[str, Survey]) -> int:
    """Return the k that most tumors chose, the smaller of equals; 2 if none did."""
    votes = Counter(s.k for s in surveys.values() if s.k > 1)
    return min(votes, key=lambda k: (-votes[k], k), default=2)


def _unit(of: Survey | Division) -> Floats:
    return np.where(of.spread > 0.0, of.spread, 1.0)
