"""A report as the texts of its files: a page, its Markdown twin, drawings, tables and results."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files as resources
from itertools import count, islice
from typing import TYPE_CHECKING

from scaling.reporting import grid, markup, style, svg
from scaling.reporting.document import STATUS_LEGEND, Figure, Report, Section, Table
from scaling.reporting.embedded import Embedded, embedded, plain, scripts
from scaling.reporting.folder import SCHEMA
from scaling.reporting.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas import DataFrame

    from scaling.reporting.document import Verdict

_DATA_ROWS = 12
"""Rows of a figure's data that the page itself shows."""
_CONTENTS_FROM = 4
"""Sections from which a table of contents helps."""


@dataclass(frozen=True)
class Drawn:
    """A figure with its number in the report, its drawings and the first rows of its data."""

    number: int
    item: Figure
    grid: Grid
    raw: str
    raw_narrow: str

    def on_page(self) -> str:
        """The drawings for wide and for narrow pages; the style sheet shows one of them."""
        wide = svg.inline(self.raw, self.item.name, self.item.alt, "wide")
        return wide + svg.inline(self.raw_narrow, self.item.name, self.item.alt, "narrow")


@dataclass(frozen=True)
class Listed:
    """A table with its number in the report and its cells."""

    number: int
    item: Table
    grid: Grid


@dataclass(frozen=True)
class Part:
    """A section with what it shows."""

    anchor: str
    section: Section
    figures: tuple[Drawn, ...]
    tables: tuple[Listed, ...]
    interactives: tuple[Embedded, ...]


def files(report: Report) -> dict[str, str]:
    """The text of every file of the report, by its path in the report's folder."""
    parts = _parts(report)
    texts = {"index.html": _html(report, parts), "index.md": _markdown(report, parts)}
    for part in parts:
        for drawn in part.figures:
            figure = drawn.item
            texts[f"figures/{figure.name}.svg"] = svg.standalone(drawn.raw, figure.name, figure.alt)
            texts[f"tables/{figure.name}.csv"] = _csv(figure.data)
        for listed in part.tables:
            texts[f"tables/{listed.item.name}.csv"] = _csv(listed.item.frame)
        for moved in part.interactives:
            texts[f"tables/{moved.item.name}.json"] = moved.file()
    texts["results.json"] = _results(report, [*texts, "results.json"])
    return texts


def _parts(report: Report) -> list[Part]:
    figures, tables = count(1), count(1)
    moved = iter(embedded([item for section in report.sections for item in section.interactives]))
    return [
        Part(
            f"section-{number}",
            section,
            tuple(_drawn(next(figures), figure) for figure in section.figures),
            tuple(Listed(next(tables), table, grid.of_table(table)) for table in section.tables),
            tuple(islice(moved, len(section.interactives))),
        )
        for number, section in enumerate(report.sections, start=1)
    ]


def _drawn(number: int, figure: Figure) -> Drawn:
    wide, narrow = (
        style.draw_svg(figure.draw, figure.name, width, figure.height)
        for width in (style.WIDTH, style.NARROW)
    )
    return Drawn(number, figure, grid.of_frame(figure.data, _DATA_ROWS), wide, narrow)


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
    run = scripts([moved.item for part in parts for moved in part.interactives])
    if run:
        css += (templates / "interactive.css").read_text(encoding="utf-8")
    page = environment.get_template("report.html.j2")
    return page.render(
        report=report,
        parts=parts,
        css=Markup(css),
        contents=len(parts) >= _CONTENTS_FROM,
        legend=STATUS_LEGEND,
        scripts=[Markup(text) for text in run],
    )


def _markdown(report: Report, parts: list[Part]) -> str:
    blocks = [f"# {markup.markdown(report.title)}", f"> {markup.markdown(report.question)}"]
    blocks += [_bullets(report.verdicts)]
    blocks += [markup.markdown(STATUS_LEGEND)] if report.verdicts else []
    for part in parts:
        blocks += [f"## {markup.markdown(part.section.title)}"]
        blocks += [_bullets([one for one in part.section.verdicts if not one.on_top])]
        blocks += [markup.markdown(paragraph) for paragraph in part.section.prose]
        for drawn in part.figures:
            name, caption = drawn.item.name, markup.markdown(drawn.item.caption)
            blocks += [f"![{markup.cell(drawn.item.alt)}](figures/{name}.svg)"]
            blocks += [f"**Figure {drawn.number}.** {caption} ([data](tables/{name}.csv))"]
        for listed in part.tables:
            name, caption = listed.item.name, markup.markdown(listed.item.caption)
            blocks += [f"**Table {listed.number}.** {caption} ([CSV](tables/{name}.csv))"]
            blocks += [_pipe_table(listed.grid)]
        for moved in part.interactives:
            name, caption = moved.item.name, markup.markdown(moved.item.caption)
            blocks += [f"**Interactive {moved.number}.** {caption} ([data](tables/{name}.json))"]
            blocks += [markup.markdown(moved.item.fallback)]
    blocks += ["## Provenance"]
    origins = report.provenance.items()
    blocks += ["\n".join(f"- {markup.markdown(key)}: {markup.code(value)}" for key, value in origins)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _bullets(verdicts: Iterable[Verdict]) -> str:
    return "\n".join(f"- **{one.status.capitalize()}:** {markup.markdown(one.text)}" for one in verdicts)


def _pipe_table(cells: Grid) -> str:
    lines = [cells.headings, ["---:" if numeric else ":---" for numeric in cells.numeric]]
    head = [[markup.cell(text) for text in lines[0]], lines[1]]
    body = [[markup.cell(text) for text in row] for row in cells.rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [*head, *body])
    return table + (f"\n\n… and {cells.hidden} more rows in the CSV." if cells.hidden else "")


def _csv(frame: DataFrame) -> str:
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
    return json.dumps(plain(document), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
