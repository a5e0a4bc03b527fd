from __future__ import annotations

import json
import math

import numpy as np
import pytest

from radhabitat.errors import InputError
from radhabitat.models import from_json, to_json
from radhabitat.types import RiskModel

MODEL = RiskModel(
    name="crh",
    event="response = OR",
    variables=("afp", "DP_Habitat_3_proportion"),
    coefficients=np.array([-0.1 - 0.2, math.log(2.0)]),
    intercept=1 / 3,
    centers=np.array([412.7, 0.25]),
    scales=np.array([1e3 / 7, 0.1]),
    notes=("Habitat features left: 1",),
)


def stored() -> dict[str, object]:
    return json.loads(json.dumps(to_json(MODEL)))


def test_a_model_survives_the_disk_to_the_last_digit() -> None:
    back = from_json(stored())
    for entry in ("name", "event", "variables", "intercept", "notes"):
        assert getattr(back, entry) == getattr(MODEL, entry)
    for entry in ("coefficients", "centers", "scales"):
        np.testing.assert_array_equal(getattr(back, entry), getattr(MODEL, entry))


def test_the_file_says_what_it_is_and_what_it_is_not_for() -> None:
    written = stored()
    assert written["schema_version"] == 1
    assert written["research_use_only"] is True
    assert written["variables"][1]["odds_ratio_per_sd"] == pytest.approx(2.0)
    assert written["variables"][0]["name"] == "afp"


def test_a_model_without_variables_survives_too() -> None:
    nothing = np.empty(0)
    empty = RiskModel("clinical", "y = 1", (), nothing, -0.5, nothing, nothing)
    assert from_json(to_json(empty)).intercept == -0.5


def test_another_schema_is_refused() -> None:
    with pytest.raises(InputError, match="schema_version 2; wanted 1") as caught:
        from_json(stored() | {"schema_version": 2})
    assert "results/models" in caught.value.fix


@pytest.mark.parametrize("entry", ["name", "event", "intercept", "variables", "notes"])
def test_a_missing_entry_is_named(entry: str) -> None:
    written = stored()
    del written[entry]
    with pytest.raises(InputError, match=f"no usable entry '{entry}'"):
        from_json(written)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("coefficient", float("nan")),
        ("coefficient", "0.3"),
        ("center", None),
        ("center", float("inf")),
        ("scale", 0.0),
        ("scale", -1.0),
        ("scale", True),
        ("name", ""),
    ],
)
def test_a_number_that_cannot_be_right_is_refused(entry: str, value: object) -> None:
    written = stored()
    written["variables"][0][entry] = value
    with pytest.raises(InputError, match=f"no usable entry '{entry}'"):
        from_json(written)


def test_a_variable_that_occurs_twice_is_refused() -> None:
    written = stored()
    written["variables"][1]["name"] = "afp"
    with pytest.raises(InputError, match="no usable entry 'variables'"):
        from_json(written)


def test_variables_that_are_no_objects_are_refused() -> None:
    with pytest.raises(InputError, match="no usable entry 'variables'"):
        from_json(stored() | {"variables": ["afp"]})
