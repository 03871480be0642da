"""Matplotlib's raw SVG made small, and fit to stand in a page beside others or alone."""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from scaling.reporting import style

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
"""Fonts that are on the reader's machine; none is wider than the one that the layout was measured with."""

_VARIABLES = {style.PAPER: "paper", style.INK: "ink", style.MUTED: "muted", style.GRID: "grid"}
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"#([\w.-]+)")
_FILL = re.compile(r"url\(#([^)]+)\)")
_INHERITED = {"stroke-linejoin": "round", "stroke-linecap": "butt"}


def inline(raw: str, name: str, alt: str, kind: str) -> str:
    """The SVG for a page: scales to its container, takes the page's font and its light or dark colours.

    Args:
        raw: as `style.draw_svg` returns it.
        name: prefixes every id, so that several figures in one page do not collide.
        alt: what the figure shows, for those who cannot see it.
        kind: a class for the style sheet, `wide` or `narrow`.
    """
    root = _slim(raw, f"{name}-{kind}")
    for element in root.iter():
        if paper := element.attrib.pop("fill", None):  # of a hatching; only a style can name a variable
            element.set("style", f"fill: {paper}; {element.get('style', '')}".rstrip("; "))
        if text := element.get("style"):
            element.set("style", re.sub(r"(?<!url\()#[0-9a-f]{6}\b", _as_variable, text))
    head = {"class": f"plot {kind}", "role": "img", "aria-label": alt, "viewBox": root.attrib["viewBox"]}
    root.attrib = head | _INHERITED
    return ElementTree.tostring(root, encoding="unicode")


def standalone(raw: str, name: str, alt: str) -> str:
    """The SVG as a file of its own, on white paper; `raw`, `name` and `alt` as for `inline`."""
    root = _slim(raw, name)
    box = root.attrib["viewBox"]
    _, _, width, height = box.split()
    head = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": box, "width": width, "height": height}
    root.attrib = head | {"role": "img", "aria-label": alt, "font-family": FONTS} | _INHERITED
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _slim(raw: str, name: str) -> Element:
    """The drawing without namespaces, unused ids, empty groups, fonts and needless decimals."""
    root = ElementTree.fromstring(raw)
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("style", "metadata"):
                parent.remove(child)
    used = {match for element in root.iter() for match in _references(element)}
    for element in root.iter():
        element.tag = _local(element.tag)
        element.text = element.text if element.tag == "text" else None
        element.tail = None
        element.attrib = dict(_attributes(element, name, used))
    _unwrap(root)
    return root


def _references(element: Element) -> list[str]:
    values = (value for key, value in element.attrib.items() if _local(key) in ("href", "clip-path"))
    found = [match for value in values for match in _REFERENCE.findall(value)]
    return found + _FILL.findall(element.attrib.get("style", ""))  # hatching


def _attributes(element: Element, name: str, used: set[str]) -> list[tuple[str, str]]:
    kept = []
    for key, value in element.attrib.items():
        local = _local(key)
        if local == "id":
            if value in used:
                kept.append((local, f"{name}-{value}"))
        elif local in ("href", "clip-path"):
            kept.append((local, _REFERENCE.sub(rf"#{name}-\1", value) if "#" in value[:5] else value))
        elif local in ("d", "x", "y", "width", "height", "transform"):
            if not value.startswith("rotate(-0 "):
                kept.append((local, _NUMBER.sub(_rounded, value).replace("\n", "")))
        elif local == "style":
            kept.append((local, _FILL.sub(rf"url(#{name}-\1)", re.sub(r"font-family: [^;]*;? ?", "", value))))
        else:
            kept.append((local, value))
    return kept


def _unwrap(parent: Element) -> None:
    """Put the children of groups without attributes in the groups' place; drop empty elements."""
    for child in list(parent):
        _unwrap(child)
        if child.tag in ("g", "defs") and not (child.attrib and len(child)):
            if child.tag == "defs" and len(child):
                continue
            index = list(parent).index(child)
            parent.remove(child)
            for offset, grandchild in enumerate(child):
                parent.insert(index + offset, grandchild)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _rounded(match: re.Match[str]) -> str:
    text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _as_variable(match: re.Match[str]) -> str:
    variable = _VARIABLES.get(match[0])
    return f"var(--{variable})" if variable else match[0]
