"""One patient's page: pictures, habitats, the risk and its reasons, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from radhabitat.report.blocks import (
    Block,
    Callout,
    Figure,
    Section,
    Table,
    Text,
    picture_sheet,
)
from radhabitat.report.palette import FAINT, INK
from radhabitat.report.wording import RESEARCH_ONLY, compact, number, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

HIGHER, LOWER = "#D55E00", "#0072B2"
LONGEST_NAME = 46


class Reason(NamedTuple):
    """What one input adds to the log-odds; `low` and `high`: its training range."""

    variable: str
    value: float
    center: float
    log_odds: float
    low: float
    high: float


class PatientPage(NamedTuple):
    """What is said about one patient.

    Attributes:
        patient: The name given.
        model: Name and fingerprint of the model.
        event: What is predicted.
        risk: Its probability, lower and upper limit.
        groups: Name of a threshold -> (risk, high or low).
        intercept: Log-odds of a patient at every center.
        reasons: Of the risk.
        flags: Reasons to doubt.
        abstain: Whether the risk should not be used.
        volumes_ml: Habitats 1..k.
        habitat_names: What each habitat is.
        picture: PNG of the sequences with habitats; empty without images.
    """

    patient: str
    model: tuple[str, str]
    event: str
    risk: tuple[float, float, float]
    groups: Sequence[tuple[str, float, str]]
    intercept: float
    reasons: Sequence[Reason]
    flags: Sequence[str]
    abstain: bool
    volumes_ml: Sequence[float]
    habitat_names: Sequence[str]
    picture: bytes


def patient_sections(page: PatientPage) -> list[Section]:
    """Return the chapters of one patient's page."""
    risk, low, high = page.risk
    words = (
        f"The risk of \u201c{page.event}\u201d is {percent(risk)} (95 % of the "
        f"training's resamples: {percent(low)} to {percent(high)})."
    )
    first: list[Block] = [Callout(RESEARCH_ONLY, strong=True)]
    if page.abstain:
        first.append(
            Callout(
                "Do not use this risk: the patient is unlike those of the training.",
                strong=True,
            )
        )
    first += [Text(words), *(Text(f"Doubt: {flag}.") for flag in page.flags)]
    first.append(
        Table(
            "Risk group",
            ("Threshold", "From", "This patient"),
            [(n, percent(t), group) for n, t, group in page.groups],
        )
    )
    ranked = sorted(page.reasons, key=lambda r: -abs(r.log_odds))
    why: list[Block] = [
        Figure(
            "reasons",
            partial(draw_reasons, reasons=ranked, intercept=page.intercept),
            "What each input adds to the log-odds, from the training's mean patient "
            "to this one. Orange raises the risk, blue lowers it.",
            wide=True,
        ),
        Table(
            "Inputs",
            ("Input", "Value", "Training mean", "Training range", "Log-odds"),
            [
                (r.variable, compact(r.value), compact(r.center),
                 f"{compact(r.low)} to {compact(r.high)}", number(r.log_odds))
                for r in ranked
            ],
        ),
    ]  # fmt: skip
    sections = [Section("risk", "Risk", first), Section("why", "Why", why)]
    if page.picture:
        sections.insert(1, Section("habitats", "Habitats", _habitats(page)))
    model, fingerprint = page.model
    about = f"Model {model}, fingerprint {fingerprint}. {RESEARCH_ONLY}"
    return [*sections, Section("model", "Model", [Text(about)])]


def _habitats(page: PatientPage) -> list[Block]:
    total = sum(page.volumes_ml) or 1.0
    return [
        *picture_sheet(
            {page.patient: page.picture},
            "The sequences with the tumor's habitats",
            "Habitats are those of the training: the same number is the same tissue.",
            folder="",
            most_bytes=10_000_000,
        ),
        Table(
            "Habitats",
            ("Habitat", "What it is", "Volume (mL)", "Share"),
            [
                (str(i), name, number(volume, digits=1), percent(volume / total))
                for i, (name, volume) in enumerate(
                    zip(page.habitat_names, page.volumes_ml, strict=True), start=1
                )
            ],
            text_columns=2,
        ),
    ]


def draw_reasons(figure: Drawing, reasons: Sequence[Reason], intercept: float) -> None:
    """Draw a waterfall from the mean patient's log-odds to this one's."""
    figure.set_size_inches(8.6, 1.3 + 0.34 * (len(reasons) + 1))
    axes = figure.add_subplot()
    at = intercept
    for place, reason in enumerate(reasons):
        color = HIGHER if reason.log_odds > 0 else LOWER
        axes.barh(place, reason.log_odds, left=at, color=color, height=0.66)
        at += reason.log_odds
        axes.plot([at, at], [place - 0.33, place + 1.33], color=FAINT, linewidth=0.8)
        axes.annotate(
            f"{reason.log_odds:+.2f}",
            (max(at, at - reason.log_odds), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
        )
    axes.axvline(intercept, color=INK, linewidth=1, linestyle=":")
    axes.plot(at, len(reasons), marker="D", color=INK)
    names = [_shortened(f"{r.variable} = {compact(r.value)}") for r in reasons]
    axes.set_yticks(range(len(reasons) + 1), [*names, "this patient"])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set(xlabel="Log-odds (dotted: the training's mean patient)")
    axes.tick_params(axis="y", length=0)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"\u2026{name[1 - LONGEST_NAME :]}"
