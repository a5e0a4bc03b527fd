"""The works that the Methods cite, as BibTeX; the Methods as Markdown."""

from __future__ import annotations

import re

from radhabitat.report.content import ReportContent
from radhabitat.report.sections.methods import CITATION, WORKS, methods_text
from radhabitat.report.wording import RESEARCH_ONLY

_WORK = re.compile(
    r"(?P<author>.+?[A-Z]|.+?et al)\. (?P<title>.+?)\. (?P<journal>[^.]+?) "
    r"(?P<year>\d{4});(?P<volume>[\w() ]+)(?::(?P<pages>[\w-]+))?\. doi:(?P<doi>\S+)"
)


def methods_markdown(content: ReportContent) -> str:
    """Return the Methods with citations as pandoc reads them ([@key])."""
    words = "\n\n".join(methods_text(content))
    return (
        f"# Methods\n\n{words}\n\nAnalyses were done with RadHabitat "
        f"{content.version}. {RESEARCH_ONLY}\n\n<!-- pandoc methods.md --citeproc "
        "--bibliography references.bib -o methods.docx -->\n\n# References\n"
    )


def bibliography(content: ReportContent) -> str:
    """Return an entry per work that the Methods cite, in the order of citation."""
    cited = dict.fromkeys(CITATION.findall(" ".join(methods_text(content))))
    return "\n".join(_entry(key) for key in cited)


def _entry(key: str) -> str:
    found = _WORK.fullmatch(WORKS[key])
    if found is None:
        return f"@misc{{{key},\n  note = {{{WORKS[key]}}}\n}}\n"
    parts = {k: v for k, v in found.groupdict().items() if v}
    parts["author"] = _authors(parts["author"])
    if "pages" in parts:
        parts["pages"] = parts["pages"].replace("-", "--")
    parts["title"] = f"{{{parts['title']}}}"
    lines = (f"  {name} = {{{value}}}" for name, value in parts.items())
    return f"@article{{{key},\n" + ",\n".join(lines) + "\n}\n"


def _authors(names: str) -> str:
    """Return "Efron B, Tibshirani R" as BibTeX wants it."""
    each = names.split(", ")
    turned = []
    for one in each:
        family, _, initials = one.rpartition(" ")
        if one == "et al":
            turned.append("others")
        elif not family:
            turned.append(one)
        else:
            turned.append(f"{family}, {'. '.join(initials)}.")
    return " and ".join(turned)
