"""Names in SQL that are not known when the SQL is written."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A name as SQL takes it, whatever is in it.

    Examples
    --------
    >>> print(identifier('a "name"; drop'))
    "a ""name""; drop"
    """
    return '"' + name.replace('"', '""') + '"'
