"""JSON and YAML documents. Numbers stay the text that was published."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines.errors import InputError
from pipelines.readers.tables import Mapping, Raw


def read_json(path: Path, file: str) -> Raw:
    """A document; the objects of a list know their number in it."""
    try:
        tree = json.loads(
            path.read_text(encoding="utf-8-sig"),
            object_pairs_hook=Mapping,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    # also bad UTF-8 and endless nesting
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not JSON: {error}") from None
    for number, record in enumerate(tree if isinstance(tree, list) else [], start=1):
        if isinstance(record, Mapping):
            record.line = number
    return Raw(file, tree=tree)


def read_yaml(path: Path, file: str) -> Raw:
    """A document; mappings know their line."""
    import yaml

    # the base loader keeps every scalar as text and makes no objects
    class Loader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
        pass

    def mapping(loader: Loader, node: yaml.MappingNode) -> Mapping:
        found = Mapping(loader.construct_mapping(node, deep=True))
        found.line = node.start_mark.line + 1
        return found

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    content = path.read_bytes()
    try:
        # a few lines of aliases of aliases stand for more values than memory holds
        if b"*" in content and any(
            isinstance(event, yaml.AliasEvent) for event in yaml.parse(content, Loader)
        ):
            raise InputError(f"{file}: aliases in YAML are not read")
        return Raw(file, tree=yaml.load(content, Loader))
    # also unhashable keys and endless nesting
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{file}: not YAML: {' '.join(str(error).split())}") from None
