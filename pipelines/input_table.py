"""Tables that users hand to a command: every complaint names file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import InputError
from pipelines.readers import TABULAR, open_raw
from pipelines.readers.tables import PROBLEM
from pipelines.sources.benchmart import require

MOST = 2**53


class InputRow(NamedTuple):
    """One row as it was written.

    Attributes
    ----------
    where
        File and line, for messages.
    """

    where: str
    payload: dict[str, str | None]

    def text(self, name: str, required: bool = False) -> str | None:
        """What a column says; None where it says nothing."""
        text = (self.payload.get(name) or "").strip()
        if not text and required:
            raise InputError(f"{self.where}, column {name}: a value is required")
        return text or None

    def whole(self, name: str, lowest: int) -> int | None:
        """A whole number of at least `lowest`, or None."""
        value = self._number(name)
        if value is None:
            return None
        if not (value.is_integer() and lowest <= value < MOST):
            raise self._unexpected(name, f"a whole number of at least {lowest}")
        return int(value)

    def counts(self, names: Iterable[str]) -> dict[str, int | None]:
        """Whole numbers by column; only an output may have no length."""
        return {name: self.whole(name, 0 if name == "output_length" else 1) for name in names}

    def positive(self, name: str, zero: bool = False) -> float | None:
        """A number above zero, or from zero on; or None."""
        value = self._number(name)
        if value is None:
            return None
        if not (0 <= value < MOST and (value or zero)):
            raise self._unexpected(name, "a number of at least 0" if zero else "a number above 0")
        return value

    def _number(self, name: str) -> float | None:
        text = self.text(name)
        try:
            return None if text is None else float(text)
        except ValueError:
            return float("nan")

    def _unexpected(self, name: str, expected: str) -> InputError:
        got = self.text(name)
        return InputError(f"{self.where}, column {name}: expected {expected}, got {got!r}")


def read_input(source: Path, required: Sequence[str]) -> tuple[Sequence[str], list[InputRow]]:
    """Columns and rows of a file.

    Raises
    ------
    InputError
        For a file that cannot be read, lacks a required column or has no rows.
    """
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    if source.suffix not in TABULAR:
        raise InputError(f"{source}: expected one of {', '.join(TABULAR)}")
    (table,) = open_raw(source, str(source)).tables
    require(str(source), table.columns, required)
    read = list(table.rows)
    if not read:
        raise InputError(f"{source}: the file has a header but no rows")
    for row in read:
        if PROBLEM in row.payload:
            raise InputError(f"{source}: line {row.line}: {row.payload[PROBLEM]}")
    return table.columns, [InputRow(f"{source}: line {row.line}", row.payload) for row in read]
