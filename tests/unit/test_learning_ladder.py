from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from radhabitat.errors import TableError
from radhabitat.learning import fit_ladder, select_on_all
from radhabitat.settings import ModelSettings, StudySettings
from radhabitat.types import Block, Cohort, RiskModel

SETTINGS = StudySettings()
ALL = {Block.CLINICAL: 5, Block.RADIOMICS: 40, Block.HABITAT: 60}


def drawn(
    seed: int,
    sizes: dict[Block, int] = ALL,
    *,
    patients: int = 80,
    effect: float = 0.0,
) -> Cohort:
    """A cohort of noise, except for the first column of each block."""
    draw = np.random.default_rng(seed)
    blocks = [block for block, size in sizes.items() for _ in range(size)]
    names = [f"{b.value}{i:03d}" for b, size in sizes.items() for i in range(size)]
    values = draw.normal(size=(patients, len(names)))
    first = [i for i, name in enumerate(names) if name.endswith("000")]
    chance = 1 / (1 + np.exp(-effect * values[:, first].sum(axis=1)))
    return Cohort(
        patients=tuple(f"{i:04d}" for i in range(patients)),
        names=tuple(names),
        blocks=tuple(blocks),
        values=values,
        outcome=(draw.random(patients) < chance).astype(np.int8),
        event="response = OR",
    )


def auc(model: RiskModel, cohort: Cohort) -> float:
    score = model.log_odds(cohort)
    events, others = score[cohort.outcome == 1], score[cohort.outcome == 0]
    return float((events[:, np.newaxis] > others).mean())


def bytes_of(ladder: dict[str, RiskModel]) -> bytes:
    return b"".join(
        name.encode()
        + repr((m.variables, m.intercept, m.notes)).encode()
        + m.coefficients.tobytes()
        + m.centers.tobytes()
        + m.scales.tobytes()
        for name, m in ladder.items()
    )


@pytest.mark.parametrize(
    ("blocks", "names"),
    [
        ("clinical radiomics habitat", ["clinical", "cr", "crh"]),
        ("clinical radiomics", ["clinical", "cr"]),
        ("clinical habitat", ["clinical", "ch"]),
        ("clinical", ["clinical"]),
        ("radiomics habitat", ["radiomics", "radiomics_habitat"]),
        ("radiomics", ["radiomics"]),
        ("habitat", ["habitat"]),
    ],
)
def test_the_blocks_that_are_there_decide_the_ladder(
    blocks: str, names: list[str]
) -> None:
    sizes = {b: size for b, size in ALL.items() if b.value in blocks.split()}
    ladder = fit_ladder(drawn(0, sizes), SETTINGS)
    assert list(ladder) == names
    assert [model.name for model in ladder.values()] == names


def test_each_model_holds_the_variables_of_the_one_before() -> None:
    ladder = fit_ladder(drawn(1, effect=2.0), SETTINGS)
    clinical, cr, crh = (set(ladder[n].variables) for n in ("clinical", "cr", "crh"))
    assert clinical < cr < crh
    assert {"clinical000", "radiomics000", "habitat000"} <= crh
    assert len(crh - cr) <= SETTINGS.selection.max_features


def test_the_clinical_model_has_no_penalty_and_the_others_that_of_the_settings() -> (
    None
):
    cohort = drawn(2, effect=1.5)
    heavy = StudySettings(models=ModelSettings(ridge=1000.0))
    light, shrunk = fit_ladder(cohort, SETTINGS), fit_ladder(cohort, heavy)
    np.testing.assert_array_equal(
        light["clinical"].coefficients, shrunk["clinical"].coefficients
    )
    assert np.abs(shrunk["crh"].coefficients).max() < 0.1
    assert np.abs(light["crh"].coefficients).max() > 0.1


def test_on_noise_the_apparent_auc_of_crh_is_high_and_that_of_new_patients_is_not() -> (
    None
):
    sizes = {Block.CLINICAL: 5, Block.RADIOMICS: 200, Block.HABITAT: 300}
    everybody = drawn(3, sizes, patients=900)
    cohort = everybody.take(np.arange(100))
    crh = fit_ladder(cohort, SETTINGS)["crh"]
    assert auc(crh, cohort) > 0.8
    assert 0.4 < auc(crh, everybody.take(np.arange(100, 900))) < 0.6


def test_a_true_effect_is_found() -> None:
    everybody = drawn(4, effect=1.5, patients=700)
    crh = fit_ladder(everybody.take(np.arange(200)), SETTINGS)["crh"]
    assert auc(crh, everybody.take(np.arange(200, 700))) > 0.85


def test_the_same_cohort_gives_the_same_bytes() -> None:
    cohort = drawn(5)
    assert bytes_of(fit_ladder(cohort, SETTINGS)) == bytes_of(
        fit_ladder(cohort, SETTINGS)
    )


@pytest.mark.parametrize("seed", [6, 7, 8])
def test_the_order_of_patients_and_variables_makes_no_difference(seed: int) -> None:
    cohort = drawn(seed)
    draw = np.random.default_rng(seed)
    rows, columns = draw.permutation(80), draw.permutation(len(cohort.names))
    shuffled = Cohort(
        patients=tuple(cohort.patients[i] for i in rows),
        names=tuple(cohort.names[j] for j in columns),
        blocks=tuple(cohort.blocks[j] for j in columns),
        values=cohort.values[np.ix_(rows, columns)],
        outcome=cohort.outcome[rows],
        event=cohort.event,
    )
    assert bytes_of(fit_ladder(cohort, SETTINGS)) == bytes_of(
        fit_ladder(shuffled, SETTINGS)
    )


@pytest.mark.parametrize("seed", [9, 10, 11])
def test_resamples_with_copies_can_be_learned_from(seed: int) -> None:
    cohort = drawn(seed)
    rows = np.random.default_rng(seed).integers(0, 80, size=80)
    ladder = fit_ladder(cohort.take(rows), SETTINGS)
    for model in ladder.values():
        assert np.isfinite(model.log_odds(cohort)).all()
    again = fit_ladder(cohort.take(rows[::-1]), SETTINGS)
    assert bytes_of(again) == bytes_of(ladder)


def test_constant_and_empty_columns_do_no_harm() -> None:
    cohort = drawn(12, effect=1.5)
    values = cohort.values.copy()
    for block in Block:
        constant, empty, gaps = cohort.columns(block)[1:4]
        values[:, constant] = 3.0
        values[:, empty] = np.nan
        values[::10, gaps] = np.nan
    harmed = Cohort(
        cohort.patients,
        cohort.names,
        cohort.blocks,
        values,
        cohort.outcome,
        cohort.event,
    )
    ladder = fit_ladder(harmed, SETTINGS)
    unusable = {f"{b.value}{i:03d}" for b in Block for i in (1, 2)}
    assert not unusable & set(ladder["crh"].variables)
    assert np.isfinite(ladder["crh"].log_odds(harmed)).all()


@pytest.mark.parametrize("events", [1, 2, 4])
def test_twenty_patients_with_few_events_can_be_learned_from(events: int) -> None:
    cohort = drawn(13, patients=20)
    outcome = np.zeros(20, dtype=np.int8)
    outcome[:events] = 1
    few = Cohort(
        cohort.patients,
        cohort.names,
        cohort.blocks,
        cohort.values,
        outcome,
        cohort.event,
    )
    for model in fit_ladder(few, SETTINGS).values():
        risk = model.risk(few)
        assert ((risk > 0) & (risk < 1)).all()


def test_one_outcome_for_everybody_is_refused() -> None:
    cohort = drawn(14)
    responders = cohort.take(np.flatnonzero(cohort.outcome == 1))
    with pytest.raises(TableError, match=r"events \(response = OR\)") as caught:
        fit_ladder(responders, SETTINGS)
    assert "with and without" in caught.value.fix
    with pytest.raises(TableError, match="0 variables"):
        select_on_all(drawn(14, {}), SETTINGS)


def test_the_counts_are_those_of_the_models() -> None:
    cohort = drawn(15, effect=1.0)
    counts = {b: s.counts for b, (_, s) in select_on_all(cohort, SETTINGS).items()}
    assert list(counts) == [
        "Clinical variables",
        "Radiomic features",
        "Habitat features",
    ]
    ladder = fit_ladder(cohort, SETTINGS)
    sizes = [0] + [len(model.variables) for model in ladder.values()]
    assert [steps[-1][1] for steps in counts.values()] == list(np.diff(sizes))
    assert [steps[0][1] for steps in counts.values()] == [5, 40, 60]
    words = ladder["crh"].notes[2]
    assert words.startswith("Habitat features left after each step: candidates: 60; ")


def test_learning_can_be_sent_to_a_worker() -> None:
    fit = partial(fit_ladder, settings=SETTINGS)
    cohort = drawn(16, {Block.CLINICAL: 3, Block.RADIOMICS: 25})
    copied = pickle.loads(pickle.dumps(fit))  # noqa: S301 (our own bytes)
    assert bytes_of(copied(cohort)) == bytes_of(fit(cohort))


def test_importing_the_module_does_not_load_the_heavy_libraries() -> None:
    program = (
        "import sys, radhabitat.learning;"
        "assert not {'numba', 'sklearn'} & set(sys.modules), 'loaded'"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603
    assert done.returncode == 0
