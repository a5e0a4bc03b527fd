import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_settings_page_says_what_the_settings_are():
    page = runpy.run_path(str(DOCS / "make_reference.py"))["settings_page"]()
    assert (DOCS / "reference" / "settings.md").read_text(encoding="utf-8") == page
