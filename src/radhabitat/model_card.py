"""A model file in words, after the applied model card of CHAI and Model Facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from radhabitat.trained import Trained


def describe_model(trained: Trained) -> str:
    """Return the model card as text."""
    about, model = trained.about, trained.model
    cohort = cast("Mapping[str, object]", about["cohort"])
    rows: list[str] = [
        f"Model card: {model.name} ({trained.fingerprint[:12]})",
        "Research use only. Not for clinical decisions.",
        "",
        f"Predicts: {model.event}",
        f"Learned from: {cohort['patients']} patients, {cohort['events']} with the "
        f"event; sites: {_listed(cohort['sites'])}",
        f"Needs: {', '.join(trained.settings.data.sequences)} before treatment and the "
        f"tumor on {trained.settings.data.reference}"
        if trained.training.division
        else "Needs: a table of features",
        "Clinical inputs: " + (_clinical(trained) or "none"),
        "",
        "Performance on patients that the learning did not see:",
        *_performance(cast("Mapping[str, object]", about["performance"])),
        "",
        f"Formula: log-odds = {model.intercept:.4f} + sum of coefficient * (value - "
        "center) / scale",
        *(
            f"  {name}: {b:+.4f}, center {c:.5g}, scale {s:.5g}"
            for name, b, c, s in zip(
                model.variables, model.coefficients, model.centers, model.scales,
                strict=True,
            )
        ),
        "Thresholds: "
        + ", ".join(f"{n} {t:.3f}" for n, t in trained.thresholds.items()),
        "",
        "Not for: other tumors, scanners or treatments than those of the training; "
        "patients flagged as unlike the training; any decision about care.",
        "Not known: how it does at other hospitals (radhabitat validate).",
        f"Versions: {_pairs(about['versions'])}; seed {about['seed']}; code "
        f"{about['code']}",
        *(f"Note: {note}" for note in model.notes),
    ]  # fmt: skip
    return "\n".join(rows)


def _performance(performance: Mapping[str, object]) -> list[str]:
    rows = []
    for name, title in (
        ("headline", "AUC"), ("out_of_bag", "  out-of-bag"), ("plus632", "  .632+"),
        ("cross_validated", "  nested cross-validation"),
        ("apparent", "  apparent, too good"),
    ):  # fmt: skip
        found = cast("Mapping[str, float] | None", performance.get(name))
        if found:
            low, high = found["low"], found["high"]
            rows.append(f"{title}: {found['value']:.3f} ({low:.3f} to {high:.3f})")
    return rows


def _clinical(trained: Trained) -> str:
    used = {n.partition("=")[0] for n in trained.model.variables}
    levels_of = trained.training.clinical or {}
    return "; ".join(
        f"{name} ({', '.join(levels) or 'number'})"
        for name, levels in levels_of.items()
        if name in used
    )


def _listed(names: object) -> str:
    return ", ".join(cast("list[str]", names)) or "one"


def _pairs(values: object) -> str:
    return ", ".join(f"{n} {v}" for n, v in cast("dict[str, str]", values).items())
