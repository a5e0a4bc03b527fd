"""Risk models: logistic formulas, and their form on disk."""

from radhabitat.models.bundle import from_json, to_json
from radhabitat.models.logistic import fit_risk_model

__all__ = ["fit_risk_model", "from_json", "to_json"]
