"""The tables of a Markdown document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipelines.errors import InputError
from pipelines.readers.tables import Raw, Row, Table, table_of
from pipelines.readers.tabular import unique_names


def read_markdown(path: Path, file: str) -> Raw:
    """Every table under the heading it follows; emphasis and links are read as plain text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: {error}") from None
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    tables, heading, start = [], "", 0
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _plain(tokens[position + 1])
        elif token.type == "table_open":
            start = position
        elif token.type == "table_close":
            tables.append(_table(tokens[start:position], heading))
    return Raw(file, tuple(tables))


def _table(tokens: Sequence[Token], heading: str) -> Table:
    rows: list[tuple[int, list[str]]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append((token.map[0] + 1, []))
        elif token.type == "inline":
            rows[-1][1].append(_plain(token))
    columns = unique_names(rows[0][1])
    body = (Row(line, dict(zip(columns, cells, strict=False))) for line, cells in rows[1:])
    return table_of(body, columns, heading)


def _plain(token: Token) -> str:
    """Text without marks; line breaks, also those written as HTML, are blanks."""
    parts = []
    for child in token.children or []:
        if child.type in ("softbreak", "hardbreak") or child.content.lower().startswith("<br"):
            parts.append(" ")
        elif child.type in ("text", "code_inline"):
            parts.append(child.content)
    return " ".join("".join(parts).split())
