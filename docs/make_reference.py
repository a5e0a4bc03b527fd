"""Write docs/reference/settings.md and features.md from what the code says itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from radhabitat.features import DEFINITIONS
from radhabitat.settings import FilterSettings, StudySettings

FOLDER = Path(__file__).parent / "reference"
SETTINGS_HEAD = """# Settings of study.toml

Everything that changes a number in the report. A name that is not in this list is
refused with the nearest one that is. Defaults are the published protocol where it
was stated. This page is written by `docs/make_reference.py`.
"""
FEATURES_HEAD = """# The 107 features

Names, definitions and values are those of PyRadiomics 3.1 (van Griethuysen et al.,
Cancer Research 2017), to 1e-9; in mode `ibsi` those of IBSI 1 (Zwanenburg et al.,
Radiology 2020; reference manual arXiv:1612.07003): `radhabitat selftest` compares
all that have a value in the column *phantom*. This page is written by
`docs/make_reference.py` from `features/definitions.csv`.

*IBSI* is the identifier in IBSI's manual. *Phantom* is IBSI's consensus value on its
digital phantom, with its tolerance (none: equal as printed). *Unit*: I is the unit
of the image, 1 is none. *0 means* is empty where a feature cannot be 0.

**Missing (NaN, an empty cell)** is never a 0 or 1 by convention:

| missing | when |
|---|---|
| every feature but volume and proportion | the habitat has no voxel |
| Elongation, Flatness (mode `ibsi`: all axis lengths) | a single voxel |
| Skewness, Kurtosis | all intensities are equal |
| RobustMeanAbsoluteDeviation | no voxel lies between the percentiles |
| Entropy, Uniformity, all texture | one gray level in the region |
| GLCM (mode `ibsi`: NGTDM, too) | no two voxels are neighbors |
| Correlation, Imc1 | every direction meets one gray level only |
| GLRLM | no line meets the region twice |
| Coarseness, Strength | no voxel differs from its neighbors |
| Busyness | its denominator is 0 |

`radhabitat.features.why_missing` tells the reason of each missing value of a row.
"""
FAMILY_WORDS = {
    "shape": "The mask alone; mesh by marching cubes (Lorensen and Cline 1987). "
    "IBSI 3.1 (HCUG).",
    "firstorder": "The intensities, wherever they lie. IBSI 3.3 (UHIW), Entropy and "
    "Uniformity of gray levels 3.4 (ZVCW). Energy, TotalEnergy and RootMeanSquared "
    "take x + `intensity_shift`.",
    "glcm": "Gray levels i, j of neighboring voxels: p(i,j) is the share of each "
    "pair, counted both ways, px(i) its sum over j; the mean over the 13 directions. "
    "Haralick et al. 1973. IBSI 3.6 (LFYI), 3D averaged (IAZD).",
    "gldm": "P(l,s) voxels of gray level l of whose 26 neighbors s - 1 have the same "
    "level; n voxels in all, p = P / n. Sun and Wee 1983. IBSI 3.11 (REK0), 3D.",
    "glrlm": "P(l,s) runs of s voxels of gray level l in a direction; n runs in all, "
    "p = P / n; the mean over the 13 directions. Galloway 1975. IBSI 3.7 (TP0I), 3D "
    "averaged.",
    "glszm": "P(l,s) connected zones of s voxels of gray level l; n zones in all, "
    "p = P / n. Thibault et al. 2009. IBSI 3.8 (9SAK), 3D.",
    "ngtdm": "d(l) is the sum, over the voxels of gray level l, of the difference to "
    "the mean level of their neighbors; p(l) the share of these voxels, L the number "
    "of levels that occur, n voxels in all. Amadasun and King 1989. IBSI 3.10 (IPET), "
    "3D.",
}


def settings_page() -> str:
    """Return the page of settings, one table per section."""
    top: list[str] = []
    sections: list[str] = []
    for name, field in StudySettings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            sections.append(_section(f"[{name}]", model))
        else:
            top.append(_row(name, field))
        if name == "features":
            sections.append(_section("[[features.filters]]", FilterSettings))
    head = ("setting", "default", "meaning")
    return "\n".join([SETTINGS_HEAD, _table(head, top), *sections])


def features_page() -> str:
    """Return the page of features, one table per family."""
    parts = [FEATURES_HEAD]
    head = ("feature", "IBSI", "phantom", "unit", "range", "0 means", "formula")
    for family, words in FAMILY_WORDS.items():
        rows = [
            _cells(
                f"`{d.feature}`",
                d.ibsi,
                d.phantom + (f" ± {d.tolerance}" if d.tolerance > "0" else ""),
                d.unit,
                d.range,
                d.zero,
                d.formula.replace("|", "\\|"),
            )
            for d in DEFINITIONS
            if d.family == family
        ]
        parts.append(f"## {family}\n\n{words}\n\n{_table(head, rows)}")
    return "\n".join(parts)


def _section(title: str, model: type[BaseModel]) -> str:
    rows = [_row(n, f) for n, f in model.model_fields.items()]
    head = ("setting", "default", "meaning")
    return f"## {title}\n\n{model.__doc__}\n\n{_table(head, rows)}"


def _table(head: tuple[str, ...], rows: Iterable[str]) -> str:
    return "\n".join([_cells(*head), "|" + "---|" * len(head), *rows, ""])


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _row(name: str, field: FieldInfo) -> str:
    meaning = field.description or ""
    choices = get_args(field.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        named = f"One of {', '.join(map(repr, choices))}."
        meaning = f"{meaning}. {named}" if meaning else named
    required = field.is_required() or field.default is None
    default = "" if required else f"`{_toml(field.default)}`"
    return _cells(f"`{name}`", default, meaning)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value)


if __name__ == "__main__":
    for name, page in (("settings", settings_page()), ("features", features_page())):
        (FOLDER / f"{name}.md").write_text(page, encoding="utf-8")
