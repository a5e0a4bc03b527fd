import numpy as np
import pytest

from radhabitat.evaluation.draw import Kind, Task
from radhabitat.evaluation.resampling import Resamples
from radhabitat.files.resamples import forget_others, remember_block
from radhabitat.models import to_json
from radhabitat.types import RiskModel

BLOCK = Task(Kind.BOOTSTRAP, 20, 40)


def formula(*names):
    numbers = np.arange(1.0, len(names) + 1) / 3
    return RiskModel("m", "e = 1", names, numbers, 0.1, numbers, numbers)


def block():
    risks = np.array([[0.25, np.nan], [np.nan, 1 / 3]])
    return Resamples(
        copies=np.array([[0, 2], [2, 0]], dtype=np.int16),
        risks={"clinical": risks, "cr": risks / 2},
        models={
            "clinical": (formula(), formula("年龄")),
            "cr": (formula("a", "b"), formula("a")),
        },
        numbers=np.array([20, 21]),
        failed=3,
    )


def same(one, other):
    for name, risks in one.risks.items():
        np.testing.assert_array_equal(risks, other.risks[name])
    np.testing.assert_array_equal(one.copies, other.copies)
    np.testing.assert_array_equal(one.numbers, other.numbers)
    for name, models in one.models.items():
        stored = [to_json(m) for m in other.models[name]]
        assert [to_json(m) for m in models] == stored
    return one.failed == other.failed


def test_a_block_is_learned_once_and_read_back_as_it_was(tmp_path):
    calls = []

    def learn(task):
        calls.append(task)
        return block()

    first = remember_block(learn, tmp_path / "key", BLOCK)
    again = remember_block(learn, tmp_path / "key", BLOCK)
    assert calls == [BLOCK]
    assert same(first, again)


@pytest.mark.parametrize("size", [0, 10, 200])
def test_a_damaged_block_is_learned_again(tmp_path, size):
    remember_block(lambda task: block(), tmp_path / "key", BLOCK)
    path = next((tmp_path / "key").iterdir())
    path.write_bytes(path.read_bytes()[:size])
    calls = []

    def learn(task):
        calls.append(task)
        return block()

    assert same(remember_block(learn, tmp_path / "key", BLOCK), block())
    assert len(calls) == 1


def test_blocks_of_earlier_settings_are_removed(tmp_path):
    for key in ("old", "new"):
        remember_block(lambda task: block(), tmp_path / key, BLOCK)
    forget_others(tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["new"]
