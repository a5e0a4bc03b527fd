"""Clinical variables with the distributions of the published cohort.

Reference: 105 patients with hepatocellular carcinoma, hepatic arterial infusion
chemotherapy, doi 10.3389/fonc.2026.1764150, Tables 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm


@dataclass(frozen=True)
class ClinicalProfile:
    """What is known of a patient besides the images; d_tumor is measured there."""

    age: int  # years
    sex: int  # 1 = male, 0 = female
    hbv: int  # hepatitis B; 1 = positive
    ecog: int  # performance status; 0 in every patient, as published
    child_pugh: int  # class; 1 = A, 2 = B
    ascites: int  # 1 = yes
    pt_s: float  # prothrombin time, seconds
    bclc: int  # stage; 1 = A, 2 = B, 3 = C
    albi_grade: int  # 1, 2 or 3
    nlr: float  # neutrophil-to-lymphocyte ratio
    vascular_invasion: int  # 1 = yes
    metastasis: int  # outside the liver; 1 = yes
    tumor_number: int  # 1 = single, 2 = multiple
    crafity: int  # score 0-2 of AFP >= 100 ng/mL and CRP >= 10 mg/L
    afp_ng_ml: float  # alpha-fetoprotein
    pivka_mau_ml: float  # PIVKA-II
    crp_mg_l: float  # C-reactive protein
    bmi: float  # kg/m2
    haic_sessions: int  # number of treatments given


def draw_profile(rng: np.random.Generator, burden: float) -> ClinicalProfile:
    """Draw one patient's clinical variables.

    Liver function shares a latent variable, tumor load another; each alone has its
    published distribution. BCLC C means invasion or metastasis, and CRAFITY follows
    from AFP and CRP as defined (Scheiner 2022, J Hepatol 76:353), which the
    published counts of the three do not.

    Args:
        rng: The patient's generator.
        burden: Standard normal; higher means a larger tumor.
    """
    frailty = float(rng.standard_normal())
    invasion = int(_share(rng, burden, 0.15) < 0.6476)
    metastasis = int(rng.uniform() < (0.4265 if invasion else 0.5135))
    advanced = bool(invasion or metastasis)
    single = bool(rng.uniform() < (0.4367 if advanced else 0.2222))
    afp = _from_quantiles(
        _share(rng, -burden, 0.2), (1.5, 20.0, 200.0, 20000.0, 200000.0), _AFP
    )
    crp = _from_quantiles(_share(rng, -burden, 0.2), (0.4, 3.6, 11.0, 29.3, 150.0))
    return ClinicalProfile(
        age=int(np.clip(57.3 + 11.7 * rng.standard_normal(), 24, 85)),
        sex=int(rng.uniform() < 0.9238),
        hbv=int(rng.uniform() < 0.9429),
        ecog=0,
        child_pugh=1 + int(_share(rng, frailty, 0.6) < 0.40),
        ascites=int(_share(rng, frailty, 0.6) < 0.5524),
        pt_s=round(12.3 - 1.07 * float(norm.ppf(_share(rng, frailty, 0.5))), 1),
        bclc=3 if advanced else 1 if single else 2,
        albi_grade=3 - int(np.searchsorted(_ALBI, _share(rng, frailty, 0.6), "right")),
        nlr=round(float(2.57 * np.exp(0.55 * rng.standard_normal())), 2),
        vascular_invasion=invasion,
        metastasis=metastasis,
        tumor_number=1 if single else 2,
        crafity=int(afp >= 100.0) + int(crp >= 10.0),
        afp_ng_ml=afp,
        pivka_mau_ml=_from_quantiles(
            _share(rng, -burden, 0.3), (12.0, 40.0, 300.0, 8000.0, 75000.0), _PIVKA
        ),
        crp_mg_l=crp,
        bmi=round(float(22.8 * np.exp(0.12 * rng.standard_normal())), 2),
        haic_sessions=1 + int(np.searchsorted(_SESSIONS, rng.uniform())),
    )


_AFP = (0.0, 0.219, 0.419, 0.80, 1.0)
_PIVKA = (0.0, 0.0762, 0.1524, 0.65, 1.0)
_QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_ALBI = (0.0381, 0.8286)
_SESSIONS = (0.08, 0.35, 0.66, 0.84, 0.94)


def _share(rng: np.random.Generator, latent: float, weight: float) -> float:
    """Uniform in (0, 1); low where `latent` is high (Gaussian copula)."""
    own = float(rng.standard_normal())
    return float(norm.cdf(-weight * latent + np.sqrt(1 - weight**2) * own))


def _from_quantiles(
    share: float,
    values: tuple[float, ...],
    shares: tuple[float, ...] = _QUARTILES,
) -> float:
    return round(float(np.exp(np.interp(share, shares, np.log(values)))), 1)
