"""Risk models: logistic formulas, harmonized sites, and their form on disk."""

from radhabitat.models.bundle import from_json, to_json
from radhabitat.models.combat import fit_combat
from radhabitat.models.logistic import Rescue, fit_risk_model

__all__ = ["Rescue", "fit_combat", "fit_risk_model", "from_json", "to_json"]
