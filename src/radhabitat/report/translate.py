"""Words of the report in another language, from a catalog; English where it is silent.

The catalog is a CSV of pairs. `{}` in the English stands for anything and comes back,
translated itself, in the place of `{}` (or `{0}`, `{1}` ...) of the other language.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Literal

Language = Literal["en", "zh"]
_HOLE = re.compile(r"\\\{\\\}")
_SENTENCE = re.compile(r"(?<=[.:;])\s+(?=\S)")


def translator(language: Language) -> Callable[[str], str]:
    """Return the function that puts words into a language."""
    return str if language == "en" else _catalog(language).translate


class Catalog:
    """Pairs of words, and of sentences with holes.

    Attributes:
        words: English -> the other language.
        patterns: Sentences with holes, the longest first.
    """

    def __init__(self, pairs: dict[str, str]) -> None:
        self.words = {e: o for e, o in pairs.items() if "{}" not in e}
        holed = sorted((e for e in pairs if "{}" in e), key=len, reverse=True)
        self.patterns = [
            (re.compile(_HOLE.sub("(.+?)", re.escape(e)), re.DOTALL), pairs[e])
            for e in holed
        ]

    def translate(self, text: str) -> str:
        """Return a text in the other language, sentence by sentence where need be."""
        whole = self._whole(" ".join(text.split()))
        if whole is not None:
            return whole
        for parts, glue in (
            (text.split("\n"), "\n"),
            (_SENTENCE.split(text), " "),
        ):
            if len(parts) > 1:
                return glue.join(self.translate(part) for part in parts)
        return text

    def _whole(self, text: str) -> str | None:
        if text in self.words:
            return self.words[text]
        for pattern, other in self.patterns:
            found = pattern.fullmatch(text)
            if found:
                inner = [self.translate(part) for part in found.groups()]
                return other.format(*inner)
        return None


@cache
def _catalog(language: str) -> Catalog:
    folder = resources.files("radhabitat.report").joinpath("translations")
    text = folder.joinpath(f"{language}.csv").read_text(encoding="utf-8")
    return Catalog({row[0]: row[1] for row in csv.reader(text.splitlines()) if row})
