import dataclasses
import html.parser
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import expit

from radhabitat.evaluation.measures import measure_risks
from radhabitat.evaluation.results import (
    Calibration,
    Comparison,
    DecisionCurve,
    Evaluation,
    ModelResult,
    Roc,
    Validation,
)
from radhabitat.report import (
    HabitatRow,
    Linked,
    MatchRow,
    ReportContent,
    SetAside,
    write_report,
)
from radhabitat.settings import HabitatSettings, StudySettings
from radhabitat.types import Estimate, RiskModel

NAMES = (
    "vascular_invasion",
    "diameter_cm",
    "DP_Original_original_firstorder_10Percentile",
    "LAP_Original_original_glcm_InverseVariance",
    "DP_Habitat_3_original_firstorder_Kurtosis",
    "PVP_Habitat_1_original_gldm_DependenceVariance",
    "DP_Habitat_3_proportion",
)
LADDER = {"clinical": 2, "cr": 4, "crh": 7}
NAN = float("nan")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc33"
    "0000000049454e44ae426082"
)


def roc_of(risk, outcome):
    order = np.argsort(-risk, kind="stable")
    hits, total = outcome[order], outcome.sum()
    return Roc(
        np.concatenate([[0.0], np.cumsum(1 - hits) / (len(outcome) - total)]),
        np.concatenate([[0.0], np.cumsum(hits) / total]),
        np.concatenate([[np.inf], risk[order]]),
    )


def auc_of(risk, outcome):
    curve = roc_of(risk, outcome)
    return float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))


def interval(value, half, method):
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0), method)


def calibration_of(risk, outcome):
    groups = np.array_split(np.argsort(risk), min(6, len(risk) // 2))
    observed = np.array([outcome[g].mean() for g in groups])
    return Calibration(
        intercept=Estimate(0.04, -0.35, 0.43, "logistic recalibration"),
        slope=Estimate(0.41, 0.08, 0.74, "logistic recalibration"),
        brier=float(np.mean((risk - outcome) ** 2)),
        predicted=np.array([risk[g].mean() for g in groups]),
        observed=observed,
        low=np.maximum(observed - 0.2, 0),
        high=np.minimum(observed + 0.2, 1),
        sizes=np.array([len(g) for g in groups]),
    )


def decision_of(risk, outcome):
    thresholds = np.linspace(0.01, 0.99, 99)
    odds = thresholds / (1 - thresholds)
    acted = risk[:, None] >= thresholds
    hits = (acted & (outcome[:, None] == 1)).mean(axis=0)
    misses = (acted & (outcome[:, None] == 0)).mean(axis=0)
    prevalence = outcome.mean()
    benefit = hits - odds * misses
    return DecisionCurve(
        thresholds,
        benefit,
        prevalence - odds * (1 - prevalence),
        benefit - 0.1,
        benefit + 0.1,
    )


def validation_of(unseen):
    return Validation(
        headline=unseen,
        out_of_bag=unseen,
        plus632=unseen,
        point632=0.7,
        harrell=0.8,
        cross_validated=None,
        published=interval(0.9, 0.05, "apparent"),
        permutation_p=0.3,
        shuffled=(0.5, 0.6),
    )


def result_of(name, kept, outcome, *, signal, optimism, seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=len(outcome))
    out_of_bag = expit(signal * (outcome - 0.5) + 0.9 * noise)
    apparent = expit((signal + optimism) * (outcome - 0.5) + 0.9 * noise)
    variables = NAMES[:kept]
    model = RiskModel(
        name=name,
        event="response = OR",
        variables=variables,
        coefficients=rng.normal(size=kept) * 0.8,
        intercept=0.17,
        centers=rng.normal(size=kept),
        scales=np.abs(rng.normal(size=kept)) + 0.1,
        notes=("LASSO kept the smallest cross-validation error",),
    )
    frequency = {n: float(rng.uniform(0.02, 0.6)) for n in NAMES[: kept + 3]}
    frequency |= {f"PRE_Original_original_glszm_{i}": 0.02 * i for i in range(14)}
    return ModelResult(
        model=model,
        apparent=interval(auc_of(apparent, outcome), 0.07, "DeLong"),
        validation=validation_of(
            interval(auc_of(out_of_bag, outcome), 0.1, "out-of-bag, DeLong")
        ),
        risk_apparent=apparent,
        risk_out_of_bag=out_of_bag,
        roc_apparent=roc_of(apparent, outcome),
        roc_out_of_bag=roc_of(out_of_bag, outcome),
        calibration=calibration_of(out_of_bag, outcome),
        decision=decision_of(out_of_bag, outcome),
        risk_cross_validated=None,
        measures=measure_risks(outcome, out_of_bag[None], None, 5),
        vif=dict.fromkeys(variables, 1.2),
        decisions=(),
        selection_frequency=frequency,
        sign_consistency=dict.fromkeys(frequency, 0.9),
        block_shares={"clinical": 1.0},
        empty_share=0.12 if name == "clinical" else 0.0,
    )


def comparison_of(first, second):
    return Comparison(
        first=first,
        second=second,
        difference=Estimate(0.021, -0.05, 0.092, "DeLong"),
        z=0.58,
        p=0.562,
        p_apparent=0.0004,
        p_holm=0.9,
        nri=Estimate(0.1, -0.2, 0.4, "NRI"),
        idi=Estimate(0.01, -0.02, 0.04, "IDI"),
        method="DeLong's test for paired curves",
    )


def evaluation_of(*, patients=105, ladder=LADDER):
    outcome = (7 * np.arange(patients) % 13 < 7).astype(np.int8)
    results = {
        name: result_of(name, kept, outcome, signal=0.7, optimism=i + 0.4, seed=i)
        for i, (name, kept) in enumerate(ladder.items())
    }
    names = list(ladder)
    return Evaluation(
        patients=tuple(f"P{i:04d}" for i in range(patients)),
        outcome=outcome,
        event="response = OR",
        results=results,
        comparisons=tuple(map(comparison_of, names[:-1], names[1:])),
        resamples=1000,
        failed_resamples=0,
    )


def content_of(*, patients=105, habitats=3, evaluation="made", picture=PIXEL):
    """A whole study, as plausible as random numbers allow."""
    rng = np.random.default_rng(5)
    ids = [f"P{i:04d}" for i in range(patients)]
    shares = rng.dirichlet(np.full(habitats, 3.0), size=patients)
    volumes = rng.uniform(20, 400, size=patients)
    return ReportContent(
        title="Habitats before HAIC",
        settings=StudySettings(),
        created="2026-01-31",
        version="0.1.0",
        flow=(
            ("Patients in subjects.csv", patients + 3),
            ("with readable images and tumor", patients + 1),
            ("with habitats and features", patients + 1),
            ("with an outcome: used for the models", patients),
        ),
        set_aside=(
            SetAside("X1", "reading", "The mask is empty", "draw the tumor"),
            SetAside("X2", "habitats", "The tumor has 12 voxels", "check the region"),
        ),
        notes=(("P0003", "the mask has labels 1, 2; their union was taken"),),
        quality={
            p: {
                s: {
                    "mutual_information_before": float(rng.uniform(0.2, 0.4)),
                    "mutual_information_after": float(rng.uniform(0.4, 0.7)),
                    "moved_mm": 0.0 if s == "PVP" else float(rng.uniform(0, 14)),
                }
                for s in ("PRE", "LAP", "PVP", "DP")
            }
            for p in ids
        },
        k_votes={2: 20, 3: 58, 4: 20, 5: 7},
        k_used=habitats,
        k_scores={
            p: {k: 900.0 * k ** -float(rng.uniform(0.9, 1.4)) for k in range(1, 12)}
            for p in ids
        },
        habitat_names=tuple(f"tissue {h}" for h in range(habitats)),
        matches=tuple(
            MatchRow(p, habitats, 1.0, 0.3 if n == 2 else 1e-9)
            for n, p in enumerate(ids)
        ),
        pictures=dict.fromkeys(ids, picture),
        habitat_table=tuple(
            HabitatRow(p, h + 1, float(volumes[i] * shares[i, h]), float(shares[i, h]))
            for i, p in enumerate(ids)
            for h in range(habitats)
        ),
        features_count=1568,
        not_computable=37,
        reliability=(
            ("All features", 1568),
            ("Coefficient of variation up to 15 %", 1203),
            ("ICC between readers at least 0.8", 987),
        ),
        selection={
            "clinical": (("candidates", 12), ("p < 0.05 alone", 2)),
            "radiomics": (("candidates", 290), ("|r| up to 0.9", 96), ("RFE", 20)),
            "habitat": (("candidates", 697), ("|r| up to 0.9", 301), ("RFE", 20)),
        },
        evaluation=evaluation_of(patients=patients) if evaluation else None,
        verdict="The habitat model tells 65 of 100 pairs apart in new patients."
        if evaluation
        else "",
        clinical_columns=(("vascular_invasion", "0 = no, 1 = yes"),),
        provenance=(("numpy", "2.1.0"), ("SHA-256 of clinical.csv", "ab" * 32)),
    )


class Outline(html.parser.HTMLParser):
    """Collects what a browser would load, and every id."""

    def __init__(self):
        super().__init__()
        self.tags, self.loads, self.ids, self.targets = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "xlink:href"):
                self.loads.append(value)
            if name == "href":
                (self.loads if tag == "image" else self.targets).append(value)
            if name == "id":
                self.ids.append(value)
            if name == "style" and "url(" in (value or ""):
                self.loads.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)


def outline_of(page):
    outline = Outline()
    outline.feed(page)
    return outline


class Undrawn(dict):
    """Stands for every drawing, where a test looks at words only."""

    def get(self, _name, _default=None):
        return "<svg></svg>"


BLANK = Linked(Undrawn())
SMALL = content_of(patients=13)
PAGE = write_report(SMALL)


def test_the_report_asks_for_nothing_outside_itself():
    outline = outline_of(PAGE)
    assert outline.loads
    assert all(load.startswith("data:image/png;base64,") for load in outline.loads)
    assert all(target.startswith("#") for target in outline.targets)
    assert not {"script", "link", "iframe", "object"} & set(outline.tags)
    assert not re.search(r"url\((?!#)", PAGE)
    assert "@import" not in PAGE


def test_the_same_content_gives_the_same_bytes():
    assert write_report(content_of(patients=13)) == PAGE


def test_ids_of_all_drawings_are_unique_and_every_reference_finds_its_own():
    outline = outline_of(PAGE)
    ids = outline.ids
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)", PAGE)) | {t[1:] for t in outline.targets}
    assert used <= set(ids)


HOSTILE = '<script>alert("1")</script> url(#a) $x^2$'


def test_what_the_study_gives_is_escaped_everywhere():
    page = write_report(
        dataclasses.replace(
            SMALL,
            title=HOSTILE,
            flow=((HOSTILE, 13),),
            set_aside=(SetAside(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            notes=((HOSTILE, HOSTILE),),
            quality={HOSTILE: {HOSTILE: {HOSTILE: 1.0}}},
            pictures={HOSTILE: PIXEL},
            habitat_table=(HabitatRow(HOSTILE, 1, 3.0, 1.0),),
            reliability=((HOSTILE, 5),),
            selection={HOSTILE: ((HOSTILE, 5),)},
            evaluation=evaluation_of(patients=13, ladder={HOSTILE: 2}),
            verdict=HOSTILE,
            clinical_columns=((HOSTILE, HOSTILE),),
            provenance=((HOSTILE, HOSTILE),),
        )
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 15
    assert "script" not in outline_of(page).tags


def test_names_in_chinese_reach_the_page_and_its_figures():
    ladder = {"临床模型": 2}
    page = write_report(
        dataclasses.replace(SMALL, evaluation=evaluation_of(ladder=ladder))
    )
    assert re.search(r"<text[^>]*>临床模型</text>", page)


def test_research_use_only_stands_beside_every_auc():
    outline = re.findall(r'<section id="(\w+)"(.*?)</section>', PAGE, re.DOTALL)
    told = {name for name, body in outline if "Research use only" in body}
    assert told == {"summary", "models", "evaluation"}


def test_the_summary_gives_the_out_of_bag_auc_its_interval_and_the_optimism():
    summary = PAGE[PAGE.index('id="summary"') : PAGE.index('id="patients"')]
    crh = SMALL.evaluation.results["crh"]
    assert f'class="value">{crh.headline.value:.2f}<' in summary
    assert f"{crh.headline.low:.2f} to {crh.headline.high:.2f}" in summary
    assert f"{crh.apparent.value:.2f} (" in summary
    assert f"<dd>{crh.optimism:.2f}</dd>" in summary
    assert SMALL.verdict in summary


def test_few_events_per_variable_are_named_as_a_limit():
    assert "6 patients for 1,568 candidate features" in PAGE
    assert "Clinical 3.0, CR 1.5 and CRH 0.9; at least 10 are wanted" in PAGE


def test_an_interval_that_includes_one_half_is_named_as_chance():
    evaluation = evaluation_of(patients=26)
    weak = dataclasses.replace(
        evaluation.results["crh"],
        validation=validation_of(Estimate(0.55, 0.43, 0.67, "DeLong")),
    )
    results = {**evaluation.results, "crh": weak}
    page = write_report(
        dataclasses.replace(
            SMALL, evaluation=dataclasses.replace(evaluation, results=results)
        ),
        linked=BLANK,
    )
    assert "CRH: the interval 0.55 (0.43 to 0.67) includes 0.5" in page


def test_the_apparent_p_value_is_said_to_say_nothing():
    assert "p, apparent" in PAGE
    assert "It says nothing: the variables were chosen on the same patients" in PAGE


def test_a_study_without_an_outcome_gets_a_report_without_models():
    page = write_report(content_of(patients=13, evaluation=None), linked=BLANK)
    assert "no outcome in this study" in page
    assert 'id="habitats"' in page
    assert 'id="evaluation"' not in page
    assert "AUC" not in page


def test_a_study_without_images_gets_a_report_without_habitats():
    page = write_report(
        ReportContent(
            title="A table",
            settings=StudySettings(),
            features_count=30,
            evaluation=evaluation_of(ladder={"clinical": 2, "cr": 4}),
        ),
        linked=BLANK,
    )
    assert 'id="evaluation"' in page
    assert 'id="habitats"' not in page
    assert "N4" not in page
    assert "K-means" not in page


def test_settings_alone_give_a_report_of_the_settings():
    page = write_report(
        ReportContent(title="Empty", settings=StudySettings()), linked=BLANK
    )
    assert [i for i in outline_of(page).ids if "-" not in i] == [
        "summary",
        "patients",
        "checklists",
        "provenance",
    ]
    assert "preprocessing.spacing_mm" in page


def broken_result(result):
    nothing = Estimate(NAN, NAN, NAN, "only one class")
    empty = np.full(len(result.risk_out_of_bag), NAN)
    return dataclasses.replace(
        result,
        validation=validation_of(nothing),
        risk_out_of_bag=empty,
        calibration=dataclasses.replace(
            result.calibration,
            intercept=nothing,
            slope=nothing,
            brier=NAN,
            predicted=np.array([]),
            observed=np.array([]),
            low=np.array([]),
            high=np.array([]),
            sizes=np.array([], dtype=np.int64),
        ),
        decision=DecisionCurve(*(np.full(3, NAN) for _ in range(5))),
        selection_frequency={},
    )


def test_what_is_not_a_number_is_called_not_computable():
    evaluation = evaluation_of(patients=13)
    results = {n: broken_result(r) for n, r in evaluation.results.items()}
    page = write_report(
        dataclasses.replace(
            SMALL,
            evaluation=dataclasses.replace(evaluation, results=results),
            habitat_table=(HabitatRow("P1", 1, NAN, NAN), HabitatRow("P1", 2, 0, 0)),
            quality={"P1": {"PVP": {"moved_mm": NAN}}},
        )
    )
    assert not re.search(r">[^<]*\bnan\b[^<]*<", page, re.IGNORECASE)
    for section in ("summary", "quality", "habitats", "evaluation"):
        body = re.search(rf'id="{section}"(.*?)</section>', page, re.DOTALL)[1]
        assert "not computable" in body


@pytest.mark.parametrize("habitats", [1, 10])
def test_any_number_of_habitats_is_shown(habitats):
    page = write_report(content_of(patients=5, habitats=habitats), linked=BLANK)
    assert set(re.findall(r"<td>Habitat (\d+)</td>", page)) == {
        str(h + 1) for h in range(habitats)
    }


def test_a_model_that_kept_nothing_says_so():
    page = write_report(
        dataclasses.replace(SMALL, evaluation=evaluation_of(ladder={"clinical": 0})),
        linked=BLANK,
    )
    assert "No variable was kept; intercept 0.17" in page


def test_the_formula_table_gives_coefficient_and_odds_ratio_of_every_variable():
    model = SMALL.evaluation.results["crh"].model
    coefficient = model.coefficients[6]
    signed = f"{coefficient:.3f}".replace("-", "\N{MINUS SIGN}")
    cells = rf'>{NAMES[6]}</td><td class="n">{signed}</td><td class="n">'
    assert cells + f"{np.exp(coefficient):.2f}</td>" in PAGE


def test_the_methods_text_quotes_the_settings_of_the_run():
    settings = StudySettings.model_validate(
        {
            "preprocessing": {"spacing_mm": 1.5, "bias_correction": False},
            "selection": {"max_features": 4, "lasso_rule": "1se"},
            "habitats": {"k": 5},
        }
    )
    page = write_report(dataclasses.replace(SMALL, settings=settings), linked=BLANK)
    methods = re.search(r'id="methods"(.*?)</section>', page, re.DOTALL)[1]
    for words in ("1.5 mm isotropic", "at most 4 per block", "was set to 5"):
        assert words in methods
    assert "one-standard-error rule" in methods
    assert "N4" not in methods


def test_citations_are_numbered_in_the_order_of_their_appearance():
    methods = re.search(r'id="methods"(.*?)</section>', PAGE, re.DOTALL)[1]
    numbers = [int(n) for n in re.findall(r"\[(\d+)\]", methods)]
    assert list(dict.fromkeys(numbers)) == list(range(1, len(set(numbers)) + 1))
    assert methods.count("<li>") == max(numbers)
    assert "[@" not in methods


def test_pictures_beyond_the_limit_are_counted_not_shown():
    page = write_report(content_of(patients=13, picture=bytes(2_000_000)), linked=BLANK)
    assert page.count('loading="lazy" src="data:image/png') == 3
    assert "10 more pictures would make this file too large" in page
    assert len(page) < 15_000_000


def test_importing_the_report_does_not_load_matplotlib():
    code = (
        "import sys, radhabitat.report; "
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'jinja2', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603


def test_doubtful_habitats_are_counted_and_come_first():
    page = write_report(SMALL)
    assert "above 5 % in 1 patient" in page
    assert "above 4 in 0 patients: a tissue may be lacking" in page
    table = page[page.index("How well each tumor") :]
    assert table.index("P0002") < table.index("P0000")


@pytest.mark.parametrize(
    ("k", "words"),
    [
        ("elbow", "relative gain of one more habitat drops most"),
        ("gap", "standard error"),
        ("bic", "smallest score"),
        ("silhouette", "largest score"),
    ],
)
def test_the_rule_that_chose_k_is_stated(k, words):
    settings = StudySettings(habitats=HabitatSettings(k=k))
    page = write_report(dataclasses.replace(SMALL, settings=settings))
    assert words in page
