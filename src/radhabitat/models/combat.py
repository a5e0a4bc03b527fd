"""ComBat: features as if every site had measured them the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from radhabitat.errors import TableError

Floats = NDArray[np.float64]

_CONVERGED = 1e-4
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Combat:
    """How each site measures each feature, relative to all sites.

    Attributes:
        sites: Names of the sites, sorted.
        center: Of each feature over the sites, shape (features,).
        scale: Its spread within sites, same shape.
        effects: What covariates add, shape (covariates, features).
        shift: Of a site in units of `scale`, shape (sites, features).
        spread: Of a site, 1 = as all; same shape.
        notes: Sites and features that were treated otherwise, in words.
    """

    sites: tuple[str, ...]
    center: Floats
    scale: Floats
    effects: Floats
    shift: Floats
    spread: Floats
    notes: tuple[str, ...] = ()

    def transform(
        self, values: Floats, sites: Sequence[str], covariates: Floats | None = None
    ) -> Floats:
        """Return harmonized features; a missing value stays missing.

        Args:
            values: Shape (patients, features).
            sites: Site of each patient.
            covariates: As in fitting, shape (patients, covariates).

        Raises:
            TableError: A site that was not there when this was learned.
        """
        unknown = sorted(set(sites) - set(self.sites))
        if unknown:
            raise TableError(
                f"Site {unknown[0]!r} was not among those harmonized: "
                f"{', '.join(self.sites)}",
                "harmonize again with patients of that site, or check its name",
            )
        if (0 if covariates is None else covariates.shape[1]) != len(self.effects):
            raise TableError(
                f"Harmonization was learned with {len(self.effects)} covariates",
                "give the same covariates for these patients",
            )
        at = np.searchsorted(self.sites, np.asarray(sites, dtype=str))
        middle = self.center + (
            0.0 if covariates is None else covariates @ self.effects
        )
        score = (values - middle) / self.scale
        even = (score - self.shift[at]) / np.sqrt(self.spread[at])
        # exactly as measured where the site is not moved
        still = (self.shift[at] == 0.0) & (self.spread[at] == 1.0)
        return np.where(still, values, even * self.scale + middle)

    def maps(self) -> dict[str, Floats]:
        """Return site -> slope and offset of each feature, shape (2, features).

        What `transform` does without covariates, as a formula.
        """
        slopes = 1.0 / np.sqrt(self.spread)
        offsets = self.center * (1.0 - slopes) - self.shift * slopes * self.scale
        both = np.stack([slopes, offsets], axis=1)
        return {site: both[place] for place, site in enumerate(self.sites)}


def fit_combat(
    values: Floats,
    sites: Sequence[str],
    *,
    covariates: Floats | None = None,
    parametric: bool = True,
    reference: str | None = None,
) -> Combat:
    """Learn location and spread of each site, shrunk towards those of all features.

    A site with one patient is only moved, its spread left as it is. A feature that
    does not vary within one of the other sites is left alone.

    Args:
        values: Shape (patients, features); NaN is left out of every moment.
        sites: Site of each patient.
        covariates: To be kept, without NaN, shape (patients, covariates). Never the
            outcome: new patients have none.
        parametric: Normal and inverse gamma priors; else the empirical ones.
        reference: A site that others are made like, itself unchanged.

    Raises:
        TableError: Covariates that cannot be told from sites; an unknown reference.

    Reference:
        Johnson, Li and Rabinovic, Biostatistics 2007;8:118; reference site: Stein et
        al., BMC Med Genomics 2015;8:63. As ComBat of R's sva.
    """
    names, place = np.unique(np.asarray(sites, dtype=str), return_inverse=True)
    if reference is not None and reference not in names:
        raise TableError(
            f"The reference site {reference!r} is not in the table: {', '.join(names)}",
            "name one of these sites",
        )
    # a site alone stays as it is
    base = names == (reference if len(names) > 1 else names[0])
    one_hot = np.eye(len(names))[place]
    extra = np.empty((len(values), 0)) if covariates is None else covariates
    if np.linalg.matrix_rank(np.hstack([one_hot, extra])) < len(names) + extra.shape[1]:
        raise TableError(
            f"{extra.shape[1]} covariates cannot be told from {len(names)} sites",
            "leave out covariates that are constant, or the same as the site",
        )
    center, scale, effects = _standardize(values, place, extra, base)
    usable = scale > 0.0
    score = (values - center - extra @ effects) / np.where(usable, scale, 1.0)
    shift, spread, counts = _moments(score, one_hot)
    lone: NDArray[np.bool_] = np.all(spread <= _ROUNDING, axis=1)
    usable &= (counts > 0.0).all(axis=0) & (spread[~lone] > _ROUNDING).all(axis=0)
    shrink = _parametric if parametric else _empirical
    for site in np.flatnonzero(~base):
        own = score[place == site][:, usable]
        moved, spreads = shift[site, usable], spread[site, usable]
        if lone[site]:
            own, spreads = own[:1], np.ones_like(moved)
        if len(moved) > 1:
            moved, spreads = shrink(own, moved, spreads, fixed=bool(lone[site]))
        shift[site, usable], spread[site, usable] = moved, spreads
    unmoved = base[:, np.newaxis] | ~usable
    return Combat(
        sites=tuple(names.tolist()),
        center=center,
        scale=np.where(usable, scale, 1.0),
        effects=effects,
        shift=np.where(unmoved, 0.0, shift),
        spread=np.where(unmoved, 1.0, spread),
        notes=_notes(names[lone].tolist(), int((~usable).sum())),
    )


def _standardize(
    values: Floats, place: NDArray[np.intp], extra: Floats, base: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return center, spread within sites (0: none), and effects of covariates."""
    known = np.isfinite(values)
    units = np.abs(extra).max(axis=0, initial=0.0)
    count = len(base)
    design = np.hstack([np.eye(count)[place], extra / units])
    products = (design[:, :, np.newaxis] * design[:, np.newaxis]).reshape(
        len(values), -1
    )
    gram = (known.T @ products).reshape(-1, design.shape[1], design.shape[1])
    right = np.where(known, values, 0.0).T @ design
    inverse = np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
    b = (inverse @ right[:, :, np.newaxis])[:, :, 0].T
    weights = base if base.any() else np.bincount(place) / len(place)
    center = weights @ b[:count]
    counted = known & (base[place] | ~base.any())[:, np.newaxis]
    squares = np.where(counted, values - design @ b, 0.0) ** 2
    scale = np.sqrt(squares.sum(axis=0) / np.maximum(counted.sum(axis=0), 1))
    scale[scale <= _ROUNDING * np.abs(center)] = 0.0
    return center, scale, b[count:] / units[:, np.newaxis]


def _moments(score: Floats, one_hot: Floats) -> tuple[Floats, Floats, Floats]:
    """Return mean, variance and count of each site's features; 0 if unknown."""
    known = np.isfinite(score)
    counts = one_hot.T @ known
    mean = one_hot.T @ np.where(known, score, 0.0) / np.maximum(counts, 1.0)
    rest = np.where(known, score - one_hot @ mean, 0.0)
    return mean, one_hot.T @ rest**2 / np.maximum(counts - 1.0, 1.0), counts


def _parametric(
    score: Floats, shift: Floats, spread: Floats, *, fixed: bool
) -> tuple[Floats, Floats]:
    """Return a site's shift and spread with normal and inverse gamma priors.

    The iteration stops where sva's does.
    """
    known = np.isfinite(score)
    count = known.sum(axis=0)
    middle, variance = shift.mean(), shift.var(ddof=1)
    if fixed:
        return (variance * shift + middle) / (variance + 1.0), spread
    mean, width = spread.mean(), max(spread.var(ddof=1), _ROUNDING)
    shape = (2.0 * width + mean**2) / width
    rate = (mean * width + mean**3) / width
    old, wide, change = shift, spread, np.inf
    while change > _CONVERGED:
        new = (variance * count * shift + wide * middle) / (variance * count + wide)
        squares = (np.where(known, score - new, 0.0) ** 2).sum(axis=0)
        wider = (0.5 * squares + rate) / (0.5 * count + shape - 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.nanmax(np.abs(new - old) / old)
        change = max(float(moved), float((np.abs(wider - wide) / wide).max()))
        old, wide = new, wider
    return old, wide


def _empirical(
    score: Floats, shift: Floats, spread: Floats, *, fixed: bool
) -> tuple[Floats, Floats]:
    """Return a site's shift and spread with those of all other features as prior."""
    known = np.isfinite(score)
    cells = np.where(known, score, 0.0)
    count, total = known.sum(axis=0)[:, np.newaxis], cells.sum(axis=0)[:, np.newaxis]
    squares = (cells**2).sum(axis=0)[:, np.newaxis]
    distance = squares - 2.0 * total * shift + count * shift**2
    fit = -0.5 * (count * np.log(2.0 * np.pi * spread) + distance / spread)
    np.fill_diagonal(fit, -np.inf)
    weight = softmax(fit, axis=1)
    return weight @ shift, spread if fixed else weight @ spread


def _notes(lone: list[str], skipped: int) -> tuple[str, ...]:
    notes = [
        f"Site {site} has one patient: its spread was not changed" for site in lone
    ]
    if skipped:
        notes.append(
            f"{skipped} features were left as measured: unknown or constant in a site"
        )
    return tuple(notes)
