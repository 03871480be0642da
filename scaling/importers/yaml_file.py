"""YAML as data: tags that would build an object give its plain parts, and nothing is imported or called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scaling.errors import InputError


def load_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping of a YAML file, empty for an empty file.

    Raises ``InputError`` for another content, and where PyYAML, of the extra ``importers``, is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path} is YAML, which needs PyYAML: pip install 'scaling-suite[importers]'"
        ) from error

    plain: Any = type("Plain", (yaml.SafeLoader,), {})  # of our own, since constructors belong to the class

    def parts(loader: Any, node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return loader.construct_sequence(node, deep=True)
        return loader.construct_scalar(node)

    plain.add_constructor(None, parts)
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), plain)
    except yaml.YAMLError as error:
        why = " ".join(str(error).split())[:120]
        raise InputError(f"{path} is no readable YAML ({why}); correct it, or move it away") from error
    if not isinstance(found, dict | None):
        raise InputError(f"{path} holds a {type(found).__name__}, expected names with values; move it away")
    return found or {}
