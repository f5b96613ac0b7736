"""Words from data on a terminal: nothing in them is obeyed."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text, with a question mark for everything that a terminal would obey and not show.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a?[31mb'
    """
    return "".join(c if c.isprintable() else "?" for c in text)
