"""A report as the texts of its files: a page, its Markdown twin, drawings, tables and results."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from typing import Any

from scaling.reporting import grid, markup, style, svg
from scaling.reporting.document import Figure, Report, Section, Table
from scaling.reporting.folder import SCHEMA
from scaling.reporting.grid import Grid

_DATA_ROWS = 12
"""Rows of a figure's data that the page itself shows."""
_CONTENTS_FROM = 4
"""Sections from which a table of contents helps."""


@dataclass(frozen=True)
class Exhibit:
    """A figure or table with its number in the report and its cells."""

    number: int
    item: Figure | Table
    grid: Grid
    raw_svg: str = ""

    @property
    def svg(self) -> str:
        """The drawing for the page."""
        return svg.inline(self.raw_svg, self.item.name, getattr(self.item, "alt", ""))


@dataclass(frozen=True)
class Part:
    """A section with its exhibits."""

    anchor: str
    section: Section
    figures: tuple[Exhibit, ...]
    tables: tuple[Exhibit, ...]


def files(report: Report) -> dict[str, str]:
    """The text of every file of the report, by its path in the report's folder."""
    parts = _parts(report)
    texts = {"index.html": _html(report, parts), "index.md": _markdown(report, parts)}
    for part in parts:
        for exhibit in part.figures:
            name, alt = exhibit.item.name, getattr(exhibit.item, "alt", "")
            texts[f"figures/{name}.svg"] = svg.standalone(exhibit.raw_svg, name, alt)
            texts[f"tables/{name}.csv"] = _csv(exhibit.item)
        for exhibit in part.tables:
            texts[f"tables/{exhibit.item.name}.csv"] = _csv(exhibit.item)
    texts["results.json"] = _results(report, [*texts, "results.json"])
    return texts


def _parts(report: Report) -> list[Part]:
    parts = []
    figures = tables = 0
    for number, section in enumerate(report.sections, start=1):
        drawn = []
        for item in section.figures:
            figures += 1
            raw = style.draw_svg(item.draw, item.name, item.height)
            drawn.append(Exhibit(figures, item, grid.of_frame(item.data, _DATA_ROWS), raw))
        listed = []
        for table in section.tables:
            tables += 1
            listed.append(Exhibit(tables, table, grid.of_table(table)))
        parts.append(Part(f"section-{number}", section, tuple(drawn), tuple(listed)))
    return parts


def _html(report: Report, parts: list[Part]) -> str:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    templates = resources("scaling.reporting") / "templates"
    environment = Environment(
        loader=FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["marked"] = lambda text: Markup(markup.html(text))
    environment.filters["block"] = lambda text: Markup(markup.html_block(text))
    css = (templates / "report.css").read_text(encoding="utf-8")
    page = environment.get_template("report.html.j2")
    return page.render(report=report, parts=parts, css=Markup(css), contents=len(parts) >= _CONTENTS_FROM)


def _markdown(report: Report, parts: list[Part]) -> str:
    blocks = [f"# {markup.markdown(report.title)}", f"*{markup.markdown(report.question)}*"]
    blocks += [
        "\n".join(f"- **{v.status.capitalize()}:** {markup.markdown(v.text)}" for v in report.verdicts)
    ]
    for part in parts:
        blocks += [f"## {markup.markdown(part.section.title)}"]
        blocks += [markup.markdown(paragraph) for paragraph in part.section.prose]
        for figure in part.figures:
            name, alt = figure.item.name, markup.cell(getattr(figure.item, "alt", ""))
            caption = markup.markdown(figure.item.caption)
            blocks += [f"![{alt}](figures/{name}.svg)"]
            blocks += [f"**Figure {figure.number}.** {caption} ([data](tables/{name}.csv))"]
        for table in part.tables:
            caption = markup.markdown(table.item.caption)
            blocks += [f"**Table {table.number}.** {caption} ([CSV](tables/{table.item.name}.csv))"]
            blocks += [_pipe_table(table.grid)]
    blocks += ["## Provenance"]
    blocks += ["\n".join(f"- {markup.markdown(key)}: `{value}`" for key, value in report.provenance.items())]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _pipe_table(cells: Grid) -> str:
    lines = [cells.headings, ["---:" if numeric else ":---" for numeric in cells.numeric]]
    head = [[markup.cell(text) for text in lines[0]], lines[1]]
    body = [[markup.cell(text) for text in row] for row in cells.rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [*head, *body])
    return table + (f"\n\n… and {cells.hidden} more rows in the CSV." if cells.hidden else "")


def _csv(item: Figure | Table) -> str:
    frame = item.frame if isinstance(item, Table) else item.data
    return frame.to_csv(index=False, lineterminator="\n")


def _results(report: Report, names: list[str]) -> str:
    document = {
        "schema": SCHEMA,
        "title": report.title,
        "question": report.question,
        "verdicts": [{"text": verdict.text, "status": verdict.status} for verdict in report.verdicts],
        "provenance": dict(report.provenance),
        "results": report.results,
        "files": sorted(names),
    }
    return json.dumps(_plain(document), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Nested Python values that JSON has; numpy's become Python's, numbers that are not finite None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's arrays and scalars
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
