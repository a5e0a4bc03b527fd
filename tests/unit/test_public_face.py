import subprocess
import sys

import radhabitat


def test_there_are_at_most_thirty_public_names_and_each_is_documented():
    assert len(radhabitat.__all__) <= 30
    for name in radhabitat.__all__:
        assert getattr(radhabitat, name).__doc__, name


def loaded_by(code, *, among):
    """The libraries of `among` that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport sys\nprint(*sorted(set({among!r}) & set(sys.modules)))"
    done = subprocess.run(  # noqa: S603 (our own script)
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_importing_the_package_loads_no_heavy_library():
    heavy = ["numpy", "numba", "ants", "sklearn", "matplotlib", "distributed"]
    assert loaded_by("import radhabitat", among=heavy) == []


def test_the_functions_that_a_user_calls_first_load_no_compiler():
    code = "import radhabitat as r; r.Study, r.extract, r.align, r.evaluate"
    heavy = ["numba", "ants", "matplotlib", "distributed"]
    assert loaded_by(code, among=heavy) == []
