from __future__ import annotations

import numpy as np
import pytest

from radhabitat.phantom.kinetics import (
    ECHO_MS,
    FLIP_DEG,
    HEMATOCRIT,
    RELAXIVITY,
    REPETITION_MS,
    STEP_S,
    arterial_input,
    concentrations,
    dual_input,
    extended_tofts,
    spoiled_gradient_echo,
)
from radhabitat.phantom.tissues import PROPERTIES, Tissue


def _signal(tissue, time_s):
    of = PROPERTIES[tissue]
    contrast = concentrations(time_s, arrival_s=20.0, perfusion=(1.0, 1.0))[tissue]
    values = (of.density, 1000 / of.t1_ms + RELAXIVITY * contrast, 1000 / of.t2star_ms)
    return float(spoiled_gradient_echo(*(np.array([v], np.float32) for v in values))[0])


def test_the_arterial_input_has_the_published_first_pass():
    """Parker 2006, figure 2: a peak of about 6 mmol/l some 10 s after arrival."""
    times = np.arange(0.0, 300.0, 0.25)
    curve = arterial_input(times)
    assert curve.max() == pytest.approx(6.0, abs=0.3)
    assert times[curve.argmax()] == pytest.approx(60 * 0.17046, abs=0.5)
    assert arterial_input(np.array([-5.0]))[0] == 0.0


def test_the_arterial_input_ends_in_the_published_washout():
    late = arterial_input(np.array([240.0, 300.0]))
    assert late[1] / late[0] == pytest.approx(np.exp(-0.1685), rel=1e-6)


def test_constant_blood_fills_a_tissue_as_the_model_says():
    """For constant C_p: v_p C_p + v_e C_p (1 - exp(-Ktrans/v_e t))."""
    times_min = np.arange(0.0, 180.0, STEP_S) / 60
    blood = np.full(times_min.shape, 1.0)
    found = extended_tofts(blood, transfer=0.3, leakage=0.2, plasma=0.05)
    in_plasma = 1 / (1 - HEMATOCRIT)
    wanted = in_plasma * (0.05 + 0.2 * (1 - np.exp(-1.5 * times_min)))
    assert np.allclose(found, wanted, atol=1e-4)


def test_the_liver_ends_at_the_ratio_of_inflow_to_outflow():
    blood = np.ones(4000)
    found = dual_input(blood, blood, arterial=0.2, venous=0.6, outflow=3.2)
    assert found[-1] == pytest.approx(0.25, rel=1e-3)


def test_the_gradient_echo_is_the_steady_state_of_its_pulse_train():
    """500 pulses of the Bloch equations with perfect spoiling."""
    r1, r2star = 1.8, 40.0
    angle, magnetization = np.deg2rad(FLIP_DEG), 1.0
    recovery = np.exp(-REPETITION_MS / 1000 * r1)
    for _ in range(3000):
        magnetization = 1 + (magnetization * np.cos(angle) - 1) * recovery
    wanted = magnetization * np.sin(angle) * np.exp(-ECHO_MS / 1000 * r2star)
    arrays = (np.array([v], np.float32) for v in (1.0, r1, r2star))
    assert spoiled_gradient_echo(*arrays)[0] == pytest.approx(wanted, rel=1e-3)


def test_nothing_enhances_before_the_bolus_arrives():
    found = concentrations(0.0, arrival_s=20.0, perfusion=(1.0, 1.0))
    assert set(found.values()) == {0.0}


def test_viable_tumor_enhances_in_the_arterial_phase_and_washes_out():
    tumor = [_signal(Tissue.VIABLE, t) for t in (0, 35, 70, 180)]
    liver = [_signal(Tissue.LIVER, t) for t in (0, 35, 70, 180)]
    assert tumor[0] < liver[0]
    assert tumor[1] > 1.5 * liver[1]
    assert tumor[1] > tumor[2] > tumor[3]
    assert tumor[3] < liver[3]


def test_infiltrative_tumor_enhances_slowly_and_necrosis_does_not():
    infiltrative = [_signal(Tissue.INFILTRATIVE, t) for t in (0, 35, 70, 180)]
    necrotic = [_signal(Tissue.NECROTIC, t) for t in (0, 35, 70, 180)]
    assert infiltrative[0] < infiltrative[1] < infiltrative[3]
    assert infiltrative[1] < 0.7 * _signal(Tissue.VIABLE, 35)
    assert max(necrotic) < 1.12 * necrotic[0]


def test_vessels_light_up_in_the_order_of_the_blood():
    early = concentrations(33.0, arrival_s=20.0, perfusion=(1.0, 1.0))
    late = concentrations(70.0, arrival_s=20.0, perfusion=(1.0, 1.0))
    order = (Tissue.AORTA, Tissue.PORTAL_VEIN, Tissue.HEPATIC_VEIN)
    found = [early[t] for t in order]
    assert found == sorted(found, reverse=True)
    assert late[Tissue.PORTAL_VEIN] > late[Tissue.AORTA]
