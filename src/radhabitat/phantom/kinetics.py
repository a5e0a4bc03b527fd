"""From injection to signal: arterial input, tissue uptake, gradient echo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from radhabitat.phantom.tissues import PROPERTIES, Tissue

STEP_S: Final = 0.25
HEMATOCRIT: Final = 0.42
RELAXIVITY: Final = 3.7
"""Of a gadolinium chelate in plasma at 3 T, 1/(s mmol/l); Rohrer 2005, Invest
Radiol 40:715."""
REPETITION_MS: Final = 4.0
ECHO_MS: Final = 1.5
FLIP_DEG: Final = 10.0

Curve = NDArray[np.float64]


def arterial_input(times_s: Curve) -> Curve:
    """Return the concentration of contrast in arterial blood, mmol/l.

    Two Gaussians and an exponential that a sigmoid switches on; 0 before time 0.

    Args:
        times_s: Seconds since the bolus arrived, shape (times,).

    Reference:
        Parker 2006, Magn Reson Med 56:993, equation 1 and Table 1.
    """
    t = times_s / 60.0
    bolus = sum(
        area / (width * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((t - at) / width) ** 2)
        for area, at, width in ((0.809, 0.17046, 0.0563), (0.330, 0.365, 0.132))
    )
    switch = 1.0 + np.exp(-38.078 * (np.clip(t, 0.0, None) - 0.483))
    washout = 1.050 * np.exp(-0.1685 * np.clip(t, 0.0, None)) / switch
    return np.where(t >= 0.0, bolus + washout, 0.0)


def extended_tofts(
    blood: Curve, *, transfer: float, leakage: float, plasma: float
) -> Curve:
    """Return the concentration in a tissue, mmol/l.

    C(t) = v_p C_p(t) + Ktrans * integral of C_p(u) exp(-Ktrans/v_e (t - u)) du,
    with C_p = blood / (1 - hematocrit).

    Args:
        blood: Arterial blood, mmol/l, every `STEP_S` seconds.
        transfer: Ktrans, 1/min.
        leakage: v_e, share of the volume.
        plasma: v_p, share of the volume.

    Reference:
        Tofts 1999, J Magn Reson Imaging 10:223, equation 5 (extended model).
    """
    in_plasma = blood / (1.0 - HEMATOCRIT)
    return plasma * in_plasma + transfer * _convolve(in_plasma, transfer / leakage)


def dual_input(
    artery: Curve, portal: Curve, *, arterial: float, venous: float, outflow: float
) -> Curve:
    """Return the concentration in liver tissue, mmol/l.

    dC/dt = k_a C_a + k_p C_p - k_2 C: one compartment, two inlets.

    Args:
        artery: Arterial blood, mmol/l, every `STEP_S` seconds.
        portal: Portal venous blood, mmol/l, likewise.
        arterial: k_a, 1/min.
        venous: k_p, 1/min.
        outflow: k_2, 1/min.

    Reference:
        Materne 2002, Magn Reson Med 47:135, equation 1.
    """
    return _convolve(arterial * artery + venous * portal, outflow)


def concentrations(
    time_s: float, *, arrival_s: float, perfusion: tuple[float, float]
) -> Mapping[Tissue, float]:
    """Return the contrast concentration of every tissue at one time, mmol/l.

    Args:
        time_s: Seconds since the injection; 0 = before it.
        arrival_s: Seconds from the injection until the bolus is in the aorta.
        perfusion: Factors on the transfer constants of viable and infiltrative
            tumor.
    """
    if time_s <= arrival_s:
        return dict.fromkeys(Tissue, 0.0)
    steps = round((time_s - arrival_s) / STEP_S)
    times = STEP_S * np.arange(steps + 1, dtype=np.float64)
    artery = arterial_input(times)
    portal = _delay(_disperse(artery, 10.0), 9.0)
    curves = {
        tissue: _take_up(tissue, artery, perfusion)
        for tissue, p in PROPERTIES.items()
        if p.transfer > 0.0 or p.plasma > 0.0
    }
    curves[Tissue.LIVER] = dual_input(
        artery, portal, arterial=0.18, venous=0.62, outflow=3.2
    )
    curves[Tissue.AORTA] = artery
    curves[Tissue.PORTAL_VEIN] = portal
    curves[Tissue.HEPATIC_VEIN] = _delay(_disperse(portal, 12.0), 4.0)
    curves[Tissue.CAVA] = _delay(_disperse(artery, 20.0), 8.0)
    return {t: float(curves[t][-1]) if t in curves else 0.0 for t in Tissue}


def spoiled_gradient_echo(
    density: NDArray[np.float32],
    relaxation: NDArray[np.float32],
    decay: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the steady-state signal of a spoiled gradient echo.

    S = M0 sin(a) (1 - E1) / (1 - cos(a) E1) exp(-TE R2*), E1 = exp(-TR R1).

    Args:
        density: M0, any shape.
        relaxation: R1, 1/s, same shape.
        decay: R2*, 1/s, same shape.

    Reference:
        Ernst and Anderson 1966, Rev Sci Instrum 37:93; as spoiled gradient echo
        Haase 1986, J Magn Reson 67:258.
    """
    angle = np.deg2rad(FLIP_DEG)
    e1 = np.exp(np.float32(-REPETITION_MS / 1000.0) * relaxation)
    shape = np.float32(np.sin(angle)) * (1 - e1) / (1 - np.float32(np.cos(angle)) * e1)
    signal: NDArray[np.float32] = (
        density * shape * np.exp(np.float32(-ECHO_MS / 1000.0) * decay)
    )
    return signal


def _take_up(tissue: Tissue, artery: Curve, perfusion: tuple[float, float]) -> Curve:
    factors = dict(zip((Tissue.VIABLE, Tissue.INFILTRATIVE), perfusion, strict=True))
    of = PROPERTIES[tissue]
    return extended_tofts(
        artery,
        transfer=of.transfer * factors.get(tissue, 1.0),
        leakage=of.leakage,
        plasma=of.plasma,
    )


def _convolve(curve: Curve, rate_per_min: float) -> Curve:
    """Integral of the curve (per minute) with exponential loss."""
    times = np.arange(len(curve)) * STEP_S / 60.0
    kernel = np.exp(-rate_per_min * times)
    full = np.convolve(curve, kernel)[: len(curve)]
    integral: Curve = (full - 0.5 * (curve + curve[0] * kernel)) * STEP_S / 60.0
    return integral


def _disperse(curve: Curve, mean_s: float) -> Curve:
    """Passage through a bed with exponentially distributed transit times."""
    return _convolve(curve, 60.0 / mean_s) * 60.0 / mean_s


def _delay(curve: Curve, delay_s: float) -> Curve:
    steps = min(round(delay_s / STEP_S), len(curve))
    return np.concatenate([np.zeros(steps), curve[: len(curve) - steps]])
