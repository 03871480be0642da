"""The few marks that prose may carry, to HTML and to GitHub's Markdown."""

import re
from html import escape

_CODE = re.compile(r"`([^`]+)`")
_MARKS = ((re.compile(r"\*\*(\S(?:.*?\S)?)\*\*"), r"<strong>\1</strong>"),
          (re.compile(r"(?<![\w*])\*(\S(?:.*?\S)?)\*(?![\w*])"), r"<em>\1</em>"))  # fmt: skip
_INDENT = "    "


def html_block(paragraph: str) -> str:
    """A paragraph, a list or a preformatted block as HTML; everything else in it is escaped."""
    lines = paragraph.rstrip("\n").split("\n")
    if all(line.startswith(_INDENT) for line in lines):
        code = "\n".join(line.removeprefix(_INDENT) for line in lines)
        return f'<pre tabindex="0"><code>{escape(code)}</code></pre>'
    if all(line.startswith("- ") for line in lines):
        items = "".join(f"<li>{html(line.removeprefix('- '))}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    return f"<p>{html(paragraph)}</p>"


def html(text: str) -> str:
    """Inline marks as HTML; everything else is escaped."""
    parts = _CODE.split(text)
    for index, part in enumerate(parts):
        shown = escape(part)
        if index % 2:
            parts[index] = f"<code>{shown}</code>"
            continue
        for pattern, replacement in _MARKS:
            shown = pattern.sub(replacement, shown)
        parts[index] = shown
    return "".join(parts)


def markdown(text: str) -> str:
    """The same text for GitHub: marks stay, what would be taken for HTML or mathematics is escaped."""
    if all(line.startswith(_INDENT) for line in text.rstrip("\n").split("\n")):
        return text
    parts = _CODE.split(text)
    return "".join(
        f"`{part}`" if index % 2 else part.replace("&", "&amp;").replace("<", "&lt;").replace("$", r"\$")
        for index, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A text as Markdown code, on one line."""
    return "`" + text.replace("`", "'").replace("\n", " ") + "`"


def cell(text: str) -> str:
    """A text for a cell of a Markdown table."""
    return re.sub(r"([\\`*_|$<])", r"\\\1", text).replace("\n", " ")
