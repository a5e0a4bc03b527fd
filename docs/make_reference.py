"""Write docs/reference/settings.md from the settings themselves."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from radhabitat.settings import StudySettings

PAGE = Path(__file__).parent / "reference" / "settings.md"
HEAD = """# Settings of study.toml

Everything that changes a number in the report. A name that is not in this list is
refused with the nearest one that is. Defaults are the published protocol where it
was stated. This page is written by `docs/make_reference.py`.
"""


def settings_page() -> str:
    """Return the page, one table per section."""
    top: list[str] = []
    sections: list[str] = []
    for name, field in StudySettings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            sections.append(_section(name, model))
        else:
            top.append(_row(name, field))
    return "\n".join([HEAD, _table(top), *sections])


def _section(name: str, model: type[BaseModel]) -> str:
    rows = [_row(n, f) for n, f in model.model_fields.items()]
    return f"## [{name}]\n\n{model.__doc__}\n\n{_table(rows)}"


def _table(rows: list[str]) -> str:
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    kind = str(field.annotation).removeprefix("<class '").removesuffix("'>")
    if kind.startswith("typing.Literal"):
        choices = kind.removeprefix("typing.Literal").strip("[]")
        meaning = " ".join(filter(None, [field.description, f"One of {choices}."]))
    else:
        meaning = field.description or ""
    default = "" if field.default is None else f"`{_toml(field.default)}`"
    return f"| `{name}` | {default} | {meaning} |"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value)


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
