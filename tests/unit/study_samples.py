"""Small studies on disk, for the tests of files/."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from radhabitat.files.volumes import write_mask, write_volume
from radhabitat.types import Grid, Mask, Volume

SHAPE = (12, 12, 10)
GRID = Grid(SHAPE, np.diag([1.5, 1.5, 2.0, 1.0]))


def image(seed: int = 0, grid: Grid = GRID) -> Volume:
    values = np.random.default_rng(seed).normal(100, 10, grid.shape)
    return Volume(values.astype(np.float32), grid)


def tumor(grid: Grid = GRID, *, size: int = 6) -> Mask:
    array = np.zeros(grid.shape, dtype=np.bool_)
    array[2 : 2 + size, 2 : 2 + size, 2 : 2 + size] = True
    return Mask(array, grid)


def write_patient(folder: Path, names: tuple[str, ...], *, seed: int = 0) -> None:
    """Write an image per name; names with "mask" get a mask."""
    for number, name in enumerate(names):
        path = folder / f"{name}.nii.gz"
        if any(word in name for word in ("mask", "seg", "tumor", "gtv")):
            write_mask(path, tumor())
        else:
            write_volume(path, image(100 * seed + number))


def write_study(root: Path, *, patients: int = 4) -> Path:
    """Write a study that has nothing to mend, except too few events."""
    subjects = ["patient,PRE,PVP,mask"]
    clinical = ["patient,age,response"]
    for n in range(1, patients + 1):
        write_patient(root / f"images/P{n}", ("pre", "pvp", "mask"), seed=n)
        cells = ",".join(f"images/P{n}/{c}.nii.gz" for c in ("pre", "pvp", "mask"))
        # the mask of each patient differs
        write_mask(root / f"images/P{n}/mask.nii.gz", tumor(size=4 + n % 4))
        subjects.append(f"P{n},{cells}")
        clinical.append(f"P{n},{50 + n},{n % 2}")
    (root / "subjects.csv").write_text("\n".join(subjects) + "\n")
    (root / "clinical.csv").write_text("\n".join(clinical) + "\n")
    (root / "study.toml").write_text('[data]\nsequences = ["PRE", "PVP"]\n')
    return root / "study.toml"
