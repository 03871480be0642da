"""The nouns of a report: verdicts, figures, tables, interactives, sections; and `write`, which turns one into a folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scaling.errors import InputError
from scaling.reporting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

Status = Literal["supported", "contradicted", "not identified", "measured"]
"""What the evidence says about a verdict's claim; `measured` is a number without a claim."""

STATUS_LEGEND = (
    "*Measured* is a number without a claim; *supported* and *contradicted* are what the evidence says of a claim; "
    "*not identified* means that these data cannot tell."
)
"""What the words of a status mean, for the reader of a report."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Verdict:
    """One answer, in a sentence."""

    text: str
    """The sentence, with its numbers and intervals; prose markup as in `Section.prose`."""
    status: Status
    """What the evidence says."""
    on_top: bool = True
    """Whether it is repeated on top of the report."""


@dataclass(frozen=True)
class Figure:
    """A drawing with the numbers behind it."""

    name: str
    """File name without ending; lower-case letters, digits, - and _; unique in its report."""
    caption: str
    """What to see in it; prose markup as in `Section.prose`."""
    draw: Callable[[Axes], None]
    """Draws on the axes that it is given, mostly with the layers of `plots`."""
    data: DataFrame
    """The numbers that are drawn; published as CSV beside the figure."""
    alt: str
    """A sentence for those who cannot see the figure."""
    height: int = style.HEIGHT
    """Pixels, at a width of 680."""


@dataclass(frozen=True)
class Table:
    """Rows to read, published in full precision as CSV."""

    name: str
    """As for `Figure.name`; tables and figures share their names' space."""
    caption: str
    """What it lists; prose markup as in `Section.prose`."""
    frame: DataFrame
    """The rows; its index is not shown."""
    headings: Mapping[str, str] = field(default_factory=dict)
    """Column to heading; a column's own name where none is given."""
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    """Column to a function of its value, such as `numbers.quantity`; four digits where none is given."""
    estimates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Column to its (low, high) columns: the three are shown as one, `0.514 [0.475, 0.553]`."""
    rows_shown: int = 40
    """Longer tables are cut here on the page, which says so; the CSV has every row."""


@dataclass(frozen=True)
class Interactive:
    """A picture that a script draws in the page and that the reader can move."""

    name: str
    """As for `Figure.name`; shares its space of names with figures and tables."""
    caption: str
    """What to see in it; prose markup as in `Section.prose`."""
    script: str
    """JavaScript that needs nothing from elsewhere. A page runs each distinct text once, after its content:
    `document.currentScript.dataset.script` is then the `data-script` of the elements to fill, and the data of
    the element `interactive-<name>` is the JSON text of the element `data-<name>`. The element's child
    `.fallback` is for print; on a screen the script hides it once it has drawn."""
    data: Mapping[str, Any]
    """What it draws: nested mappings, sequences, numbers, strings, None; published as JSON."""
    alt: str
    """A sentence that names it for those who cannot see it."""
    fallback: str
    """What it shows, in words, where no script runs: in Markdown, in print, without JavaScript."""


@dataclass(frozen=True)
class Section:
    """A part of a report under one heading."""

    title: str
    """The heading."""
    prose: tuple[str, ...] = ()
    """Paragraphs. Markup: `code`, **strong**, *emphasis*; lines that start with "- " make a list, a paragraph
    whose lines start with four spaces is shown as it is."""
    verdicts: tuple[Verdict, ...] = ()
    """Answers that this section proves."""
    figures: tuple[Figure, ...] = ()
    """Shown after the prose."""
    tables: tuple[Table, ...] = ()
    """Shown after the figures."""
    interactives: tuple[Interactive, ...] = ()
    """Shown after the tables."""


@dataclass(frozen=True)
class Report:
    """A question, its answers and their evidence."""

    title: str
    """The heading of the page."""
    question: str
    """What the report answers, in a sentence."""
    sections: tuple[Section, ...]
    """In reading order."""
    provenance: Mapping[str, str]
    """Where the numbers come from: data hashes, versions, commands; shown at the end."""
    results: Mapping[str, Any]
    """Numbers for machines; nested mappings, sequences, numbers, strings, None."""

    def __post_init__(self) -> None:
        names = [figure.name for section in self.sections for figure in section.figures]
        names += [table.name for section in self.sections for table in section.tables]
        names += [moved.name for section in self.sections for moved in section.interactives]
        if wrong := [name for name in names if not _NAME.fullmatch(name)]:
            raise InputError(
                f"figure, table or interactive name {wrong[0]!r}: use lower-case letters, digits, - and _"
            )
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(
                f"figure, table or interactive name {twice[0]!r} occurs twice: names are file names"
            )

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts on top, in reading order."""
        return tuple(one for section in self.sections for one in section.verdicts if one.on_top)


def write(report: Report, directory: Path | str) -> Path:
    """Write a report as `index.html`, `index.md`, `figures/*.svg`, `tables/*.csv|json` and `results.json`.

    The same report gives the same bytes whatever the folder, time zone, locale or hash seed. An older report
    in the folder is replaced once the new one is complete; files that are not a report's stay.

    Returns:
        The path of `index.html`.

    Raises:
        InputError: the path is a file, the folder holds something other than a report, or cannot be written.
    """
    from scaling.reporting import folder, page

    directory = Path(directory)
    folder.check(directory)
    return folder.replace(directory, page.files(report)) / "index.html"
