"""Every number that is drawn for a patient, before any voxel is made.

The numbers of a patient depend on the seed and on the patient's place in the
cohort only: more patients, or another effect, leave them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from radhabitat.errors import SettingsError
from radhabitat.phantom.clinical import ClinicalProfile, draw_profile
from radhabitat.types import Grid

SEQUENCES: Final = ("PRE", "LAP", "PVP", "DP")
REFERENCE: Final = "PVP"
_TIME_S: Final = {"PRE": 0.0, "LAP": 35.0, "PVP": 70.0, "DP": 180.0}
_JITTER_S: Final = {"PRE": 0.0, "LAP": 2.0, "PVP": 4.0, "DP": 8.0}
_SMALL_BODY: Final = 0.88

Triple = tuple[float, float, float]
MotionFamily = Literal["smooth", "sliding"]


@dataclass(frozen=True)
class Acquisition:
    """How one sequence of one patient was acquired."""

    sequence: str  # PRE, LAP, PVP or DP
    shape: tuple[int, int, int]
    spacing_mm: Triple
    tilt_deg: Triple  # rotation of the slab about x, y, z
    center_mm: Triple  # of the slab, RAS+
    time_s: float  # between injection and the center of k-space; 0 = before
    breathing_mm: Triple  # displacement of the moving organs, RAS+
    warp_mm: float  # about the largest local deformation besides breathing
    bias: tuple[float, float, float, float]  # weights of the coil, its log range

    @property
    def grid(self) -> Grid:
        """The native grid: i to the left, j to the back, k to the head."""
        turn = Rotation.from_euler("xyz", self.tilt_deg, degrees=True).as_matrix()
        axes = turn @ np.diag([-1.0, -1.0, 1.0]) @ np.diag(self.spacing_mm)
        affine = np.eye(4)
        affine[:3, :3] = axes
        affine[:3, 3] = self.center_mm - axes @ ((np.array(self.shape) - 1) / 2)
        return Grid(self.shape, affine)


@dataclass(frozen=True)
class PatientPlan:
    """One patient of the phantom cohort, as parameters."""

    patient: str  # pseudonym, "P0001"
    seed: int  # the patient's own, for every field drawn later
    small: bool  # of the light cohort for demos and tests
    motion: MotionFamily  # how organs move between sequences
    effect: float  # strength of the response law; 0 = pure noise
    body_scale: float  # relative to the standard body
    diameter_mm: float  # planned, largest axial, of the tumor
    tumor_center_mm: Triple  # RAS+, in the reference sequence
    tumor_ratio: Triple  # radii along x, y, z relative to each other
    fractions: Triple  # planned shares of viable, infiltrative and necrotic tissue
    perfusion: tuple[float, float]  # factors on Ktrans of viable, infiltrative tissue
    arrival_s: float  # from the injection until the bolus is in the aorta
    gain: float  # intensity per unit of signal
    noise: float  # standard deviation of the receiver's noise, in intensity
    acquisitions: tuple[Acquisition, ...]  # one per sequence, in study order
    clinical: ClinicalProfile
    luck: Triple  # uniform draws in (0, 1): response, survival, censoring

    def acquisition(self, sequence: str) -> Acquisition:
        """Return how a sequence was acquired."""
        return next(a for a in self.acquisitions if a.sequence == sequence)

    def rng(self, *purpose: int) -> np.random.Generator:
        """Return this patient's generator for one purpose."""
        return np.random.default_rng([self.seed, *purpose])


def plan_cohort(
    patients: int,
    *,
    seed: int,
    effect: float,
    small: bool = False,
    motion: MotionFamily = "smooth",
) -> tuple[PatientPlan, ...]:
    """Draw the parameters of a cohort; no voxel is made.

    Args:
        patients: How many.
        seed: Same seed, same cohort; the first patients of a larger cohort are
            those of a smaller one.
        effect: Strength of the response law: 0 = pure noise, 1 = the true linear
            predictor has an AUC of about 0.80. Images do not depend on it.
        small: Smaller bodies, tumors of 3-7 cm and coarser voxels.
        motion: smooth: nearly affine in the tumor. sliding: organs slide along the
            wall, and the liver is compressed and bent; the patients are the same.

    Raises:
        SettingsError: Less than one patient, or a negative effect or seed.
    """
    if patients < 1 or effect < 0 or seed < 0:
        raise SettingsError(
            f"A phantom cohort of {patients} patients with effect {effect:g} and "
            f"seed {seed} cannot be made",
            "ask for at least 1 patient, an effect >= 0 and a seed >= 0",
        )
    return tuple(
        _plan_patient(number, seed, effect=effect, small=small, motion=motion)
        for number in range(1, patients + 1)
    )


def _plan_patient(
    number: int, seed: int, *, effect: float, small: bool, motion: MotionFamily
) -> PatientPlan:
    own = int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
    rng = np.random.default_rng([own, 0])
    scale = float(rng.uniform(0.97, 1.04)) * (_SMALL_BODY if small else 1.0)
    burden = float(rng.standard_normal())
    diameter = _diameter_mm(rng, burden, small=small)
    ratio = (1.0, float(rng.uniform(0.84, 1.0)), float(rng.uniform(0.84, 1.05)))
    center = _tumor_center(rng, diameter / 2, scale)
    return PatientPlan(
        patient=f"P{number:04d}",
        seed=own,
        small=small,
        motion=motion,
        effect=effect,
        body_scale=scale,
        diameter_mm=diameter,
        tumor_center_mm=_triple(center),
        tumor_ratio=ratio,
        fractions=_fractions(rng),
        perfusion=(
            float(np.exp(0.15 * rng.standard_normal())),
            float(np.exp(0.15 * rng.standard_normal())),
        ),
        arrival_s=float(rng.uniform(18.0, 22.0)),
        gain=float(12000.0 * np.exp(0.12 * rng.standard_normal())),
        noise=float(rng.uniform(9.0, 14.0) if small else rng.uniform(13.0, 20.0)),
        acquisitions=_acquisitions(rng, center, 0.6 * diameter, small=small),
        clinical=draw_profile(np.random.default_rng([own, 1]), burden),
        luck=_triple(rng.uniform(size=3)),
    )


def _diameter_mm(rng: np.random.Generator, burden: float, *, small: bool) -> float:
    """Skewed as published: half of the tumors > 10 cm; small: 3-7 cm."""
    z = 0.9 * burden + np.sqrt(1 - 0.9**2) * rng.standard_normal()
    if small:
        return float(np.clip(48.0 * np.exp(0.22 * z), 30.0, 70.0))
    return float(np.clip(120.0 - 19.5 * np.exp(-0.8 * z), 30.0, 120.0))


def _fractions(rng: np.random.Generator) -> Triple:
    necrotic = 0.06 + 0.36 * rng.beta(2.0, 2.5)
    infiltrative = (1.0 - necrotic) * (0.22 + 0.46 * rng.beta(1.8, 1.8))
    return _triple(np.array([1.0 - necrotic - infiltrative, infiltrative, necrotic]))


def _tumor_center(
    rng: np.random.Generator, radius_mm: float, scale: float
) -> NDArray[np.float64]:
    """In the right lobe; the larger the tumor, the less room for chance."""
    room = np.clip(62.0 * scale - radius_mm, 3.0, 30.0) * np.array([0.9, 0.7, 0.8])
    middle = np.array([64.0, 8.0, -2.0]) * scale
    return np.asarray(middle + rng.uniform(-1.0, 1.0, 3) * room)


def _acquisitions(
    rng: np.random.Generator,
    tumor_mm: NDArray[np.float64],
    reach_mm: float,
    *,
    small: bool,
) -> tuple[Acquisition, ...]:
    coil = rng.uniform(-1.0, 1.0, 3)
    oblique = rng.permutation([True, True, False, False])
    result = []
    for number, sequence in enumerate(SEQUENCES):
        shape, spacing = _matrix(rng, small=small)
        tilt = rng.uniform(-6.0, 6.0, 3) * (1.0, 0.4, 0.6) * oblique[number]
        moved = sequence != REFERENCE
        breathing = _breathing(rng) * moved
        center = np.array([0.0, 2.0, 0.0]) + rng.uniform(-5.0, 5.0, 3)
        acquisition = Acquisition(
            sequence=sequence,
            shape=shape,
            spacing_mm=spacing,
            tilt_deg=_triple(tilt),
            center_mm=_triple(center),
            time_s=_TIME_S[sequence] + float(rng.uniform(-1, 1)) * _JITTER_S[sequence],
            breathing_mm=_triple(breathing),
            warp_mm=float(rng.uniform(1.0, 3.0)) * moved,
            # The same coil in every sequence, loaded slightly differently.
            bias=(
                *_triple(coil + 0.15 * rng.standard_normal(3)),
                float(rng.uniform(0.16, 0.26)),
            ),
        )
        result.append(_keep_in_view(acquisition, tumor_mm + breathing, reach_mm))
    return tuple(result)


def _matrix(
    rng: np.random.Generator, *, small: bool
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """One matrix and voxel size: the field of view stays, the sampling varies."""
    base = (128, 104, 40) if small else (192, 160, 56)
    fov = (334.0, 272.0, 184.0) if small else (384.0, 320.0, 226.0)
    factor = rng.choice([0.92, 1.0, 1.08], size=2)
    shape = (
        int(4 * round(base[0] * factor[0] / 4)),
        int(4 * round(base[1] * factor[0] / 4)),
        int(2 * round(base[2] * factor[1] / 2)),
    )
    spacing = tuple(round(f / n, 4) for f, n in zip(fov, shape, strict=True))
    return shape, (spacing[0], spacing[1], spacing[2])


def _breathing(rng: np.random.Generator) -> NDArray[np.float64]:
    """5-16 mm, mainly toward head or feet, some to the front or back."""
    length = rng.uniform(5.0, 16.0)
    direction = np.array([rng.uniform(-0.12, 0.12), rng.uniform(0.1, 0.35), 1.0])
    direction *= rng.choice([-1.0, 1.0]) / np.linalg.norm(direction)
    return np.asarray(length * direction)


def _keep_in_view(
    acquisition: Acquisition, tumor_mm: NDArray[np.float64], reach_mm: float
) -> Acquisition:
    """Move the slab as little as the whole tumor with a margin of 10 mm needs."""
    axes = acquisition.grid.affine[:3, :3] / np.array(acquisition.spacing_mm)
    half = np.array(acquisition.shape) * acquisition.spacing_mm / 2
    room = half - reach_mm - 10.0
    center = np.array(acquisition.center_mm)
    offset = (tumor_mm - center) @ axes
    center = center + axes @ (offset - np.clip(offset, -room, room))
    return replace(acquisition, center_mm=_triple(center))


def _triple(values: NDArray[np.float64]) -> Triple:
    return (float(values[0]), float(values[1]), float(values[2]))
