"""Colors that color-blind readers can tell apart (Okabe and Ito 2008)."""

from __future__ import annotations

# Okabe and Ito without black, then three of Paul Tol's "muted" for many habitats
HABITAT_COLORS = (
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#F0E442",
    "#882255",
    "#999999",
    "#332288",
)
MODEL_COLORS = ("#5A5A5A", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")

INK = "#1d2733"
FAINT = "#8a94a0"
RULE = "#d5dae0"
ACCENT = "#0072B2"


def habitat_color(habitat: int) -> str:
    """Return the color of a habitat (from 1), the same in every figure."""
    return HABITAT_COLORS[(habitat - 1) % len(HABITAT_COLORS)]


def model_color(position: int) -> str:
    """Return the color of the model at this place of the ladder (from 0)."""
    return MODEL_COLORS[position % len(MODEL_COLORS)]
