"""Where the real data lie, and the phantom study that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from radhabitat.phantom import write_phantom

# speed is measured in benchmarks, not tested
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROJECT = Path(__file__).parents[1]

# scripts that need PyRadiomics, which the project does not install
collect_ignore_glob = ["golden/make_*.py"]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data, or a skip that says what is missing."""
    folder = Path(os.environ.get("RADHABITAT_DATA", PROJECT / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder.name}; set RADHABITAT_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def phantom_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """study.toml of ten small phantom patients; do not change its folder."""
    folder = tmp_path_factory.mktemp("phantom")
    return write_phantom(folder, patients=10, seed=4, effect=1.0, small=True)
