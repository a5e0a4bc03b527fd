import numpy as np
import pytest

from radhabitat.evaluation.resampling import Resamples
from radhabitat.files.resamples import forget_others, remember_block


def block():
    risks = np.array([[0.25, np.nan], [np.nan, 1 / 3]])
    return Resamples(
        copies=np.array([[0, 2], [2, 0]], dtype=np.int16),
        risks={"clinical": risks, "cr": risks / 2},
        variables={"clinical": ((), ("年龄",)), "cr": (("a", "b"), ("a",))},
        failed=3,
    )


def same(one, other):
    for name, risks in one.risks.items():
        np.testing.assert_array_equal(risks, other.risks[name])
    np.testing.assert_array_equal(one.copies, other.copies)
    return (one.variables, one.failed) == (other.variables, other.failed)


def test_a_block_is_learned_once_and_read_back_as_it_was(tmp_path):
    calls = []

    def learn(numbers):
        calls.append(numbers)
        return block()

    first = remember_block(learn, tmp_path / "key", range(20, 40))
    again = remember_block(learn, tmp_path / "key", range(20, 40))
    assert calls == [range(20, 40)]
    assert same(first, again)


@pytest.mark.parametrize("size", [0, 10, 200])
def test_a_damaged_block_is_learned_again(tmp_path, size):
    remember_block(lambda numbers: block(), tmp_path / "key", range(20))
    path = next((tmp_path / "key").iterdir())
    path.write_bytes(path.read_bytes()[:size])
    calls = []

    def learn(numbers):
        calls.append(numbers)
        return block()

    assert same(remember_block(learn, tmp_path / "key", range(20)), block())
    assert len(calls) == 1


def test_blocks_of_earlier_settings_are_removed(tmp_path):
    for key in ("old", "new"):
        remember_block(lambda numbers: block(), tmp_path / key, range(20))
    forget_others(tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["new"]
