import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "make_reference.py"))


@pytest.mark.parametrize("name", ["settings", "features"])
def test_the_reference_pages_say_what_the_code_is(name):
    page = PAGES[f"{name}_page"]()
    assert (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8") == page


def test_every_feature_has_a_formula_a_unit_and_a_range():
    definitions = PAGES["DEFINITIONS"]
    assert len(definitions) == 107
    assert all(d.formula and d.unit and d.range for d in definitions)
    assert sum(bool(d.ibsi) for d in definitions) == 102
