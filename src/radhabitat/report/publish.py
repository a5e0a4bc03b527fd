"""Write the report and all its files; make them again from what was kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from radhabitat.files.exports import export_table
from radhabitat.files.layout import ResultsLayout
from radhabitat.files.store import write_bytes, write_json, write_text
from radhabitat.report import Linked, write_report
from radhabitat.report.bibliography import bibliography, methods_markdown
from radhabitat.report.blocks import PER_PAGE, Checklist, Figure, Section
from radhabitat.report.content import ReportContent
from radhabitat.report.figures.drawing import draw_files
from radhabitat.report.inventory import manifest, software
from radhabitat.report.pdf import write_pdf
from radhabitat.report.sections import build_sections
from radhabitat.report.sections.checklists import Item
from radhabitat.report.stored import keep, picture_files, restore
from radhabitat.report.tables import exact_results, typed, workbook
from radhabitat.report.translate import Language, translator

__all__ = ["Language", "publish", "republish"]


def republish(results: ResultsLayout, *, language: Language = "en") -> Path:
    """Make the report again from results/ alone.

    Raises:
        StorageError: There are no results, or those of another version.
    """
    content = restore(results)
    publish(content, results, language=language)
    return results.report


def publish(
    content: ReportContent, results: ResultsLayout, *, language: Language = "en"
) -> None:
    """Write report.html, report.pdf, figures, tables, checklists, methods, manifest.

    Args:
        content: What the study found.
        results: Where to write.
        language: Of page, PDF and figures; file names and data stay English.

    Raises:
        StorageError: The disk is full, or the folder is read-only.
    """
    content = _with_stability(content, results)
    keep(content, results)
    sections = build_sections(content)
    pages, pngs = _write_figures(sections, results, language)
    _write_tables(content, sections, results)
    for block in _blocks(sections):
        if isinstance(block, Checklist):
            table = pd.DataFrame(block.items, columns=Item._fields)
            export_table(results.checklist(f"{block.name}.csv"), table)
    write_text(results.folder / "methods.md", methods_markdown(content))
    write_text(results.folder / "references.bib", bibliography(content))
    _write_picture_pages(content, results)
    write_json(results.folder / "sbom.json", software())
    linked = Linked(pages, frozenset(_files(results)))
    write_text(results.report, write_report(content, language=language, linked=linked))
    write_bytes(
        results.folder / "report.pdf", write_pdf(content, sections, pngs, language)
    )
    mine = results.folder / "manifest.json"
    write_json(mine, manifest(content, results.folder, mine))


def _blocks(sections: list[Section]) -> Iterator[object]:
    return (block for section in sections for block in section.blocks)


def _write_figures(
    sections: list[Section], results: ResultsLayout, language: Language
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Write every figure in every form; return its SVG for the page, and its PNG."""
    translate = translator(language)
    pages, pngs = {}, {}
    for block in _blocks(sections):
        if isinstance(block, Figure):
            drawn = draw_files(block.name, block.fill, translate)
            write_text(results.figure(block.name, "svg"), drawn.svg)
            write_bytes(results.figure(block.name, "png"), drawn.png)
            write_bytes(results.figure(block.name, "tiff"), drawn.tiff)
            export_table(results.figure(block.name, "csv"), drawn.data)
            pages[block.name], pngs[block.name] = drawn.page, drawn.png
    return pages, pngs


def _write_tables(
    content: ReportContent, sections: list[Section], results: ResultsLayout
) -> None:
    sheets = {}
    for section in sections:
        for name, table in section.tables.items():
            frame = typed(table)
            export_table(results.table(f"{name}.csv"), frame)
            sheets[f"{section.title[:8]} {table.caption}"] = frame
    if content.evaluation is not None:
        exact = exact_results(content.evaluation)
        export_table(results.table("results.csv"), exact)
        sheets = {"Results unrounded": exact, **sheets}
    write_bytes(results.table("tables.xlsx"), workbook(sheets))


def _write_picture_pages(content: ReportContent, results: ResultsLayout) -> None:
    """Write pages of pictures for a study too large for one file."""
    for kind, files in picture_files(content).items():
        listed = list(files.items())
        pages = -(-len(listed) // PER_PAGE)
        for page in range(pages):
            part = listed[page * PER_PAGE : (page + 1) * PER_PAGE]
            text = _picture_page(dict(part), page + 1, pages)
            write_text(
                results.folder / "pictures" / kind / f"page{page + 1}.html", text
            )


def _picture_page(files: Mapping[str, str], page: int, pages: int) -> str:
    from markupsafe import escape

    links = " ".join(
        f"<b>{n}</b>" if n == page else f'<a href="page{n}.html">{n}</a>'
        for n in range(1, pages + 1)
    )
    pictures = "\n".join(
        f'<figure><img loading="lazy" src="{file}" alt="{escape(patient)}" '
        f'style="max-width:100%"><figcaption>{escape(patient)}</figcaption></figure>'
        for patient, file in files.items()
    )
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Pictures</title>'
        '<body style="font-family:sans-serif;max-width:1100px;margin:2rem auto">'
        f'<p><a href="../../report.html">Report</a> | {links}</p>\n{pictures}\n'
        f"<p>{links}</p></body></html>\n"
    )


def _files(results: ResultsLayout) -> Iterator[str]:
    yield from ("report.pdf", "manifest.json")  # written after the page
    for file in results.folder.rglob("*"):
        inside = file.relative_to(results.folder)
        if file.is_file() and inside.parts[0] != "resamples":
            yield inside.as_posix()


def _with_stability(content: ReportContent, results: ResultsLayout) -> ReportContent:
    """Return a report with what `radhabitat stability` measured, where it was run."""
    if not results.stability.is_file():
        return content
    table = pd.read_csv(results.stability, index_col=0)
    found = {
        str(name): {str(m): float(v) for m, v in row.items()}
        for name, row in table.iterrows()
    }
    return replace(content, stability=found)
