"""What a build may hold in memory, and what its parts get of it.

Sizes are decimal, in bytes, and were measured (`benchmarks/scale.py`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

DEFAULT_LIMIT = 2_000_000_000
LIBRARIES = 800_000_000  # and what dbt left
EMPTIED = "50MB"
# of a training row: as it is read, and what fitting one metric takes beside
ROW, ROW_FITTED = 1_000, 2_300
SCORER = 480_000_000  # a process that scores options, beside what its models hold


def of_marts(limit: int) -> int:
    """What DuckDB gets while dbt builds: beside it there is dbt alone."""
    return limit * 2 // 5


def of_tables(limit: int) -> int:
    """What DuckDB gets while models learn and predict."""
    return limit // 5


def fits_at_once(limit: int, rows: int, threads: int) -> int:
    """How many metrics may be fitted side by side, at least one.

    Examples
    --------
    >>> fits_at_once(2_000_000_000, 1_000, threads=2), fits_at_once(2_000_000_000, 300_000, threads=2)
    (2, 1)
    """
    left = limit - LIBRARIES - ROW * rows
    return max(1, min(threads, left // (ROW_FITTED * max(rows, 1))))


def scored_at_once(limit: int, rows: Iterable[int], threads: int) -> int:
    """How many processes may score options, at least one.

    Parameters
    ----------
    rows
        What each Gaussian process is conditioned on: its factor is of so many rows and columns.

    Examples
    --------
    >>> scored_at_once(2_000_000_000, [1_000], threads=16), scored_at_once(9_000_000_000, [5_000], 16)
    (1, 9)
    """
    left = limit - LIBRARIES - of_tables(limit)
    return max(1, min(threads, left // (SCORER + sum(8 * each**2 for each in rows))))


def shortfall(limit: int, rows: int) -> int:
    """Bytes by which fitting one metric would exceed the limit; none where it fits."""
    return max(0, LIBRARIES + (ROW + ROW_FITTED) * rows - limit)


def give_back(con: duckdb.DuckDBPyConnection | None = None) -> None:
    """Return to the system what was freed: glibc keeps it, and the next stage needs other sizes.

    Parameters
    ----------
    con
        Whose cache is emptied first.
    """
    if con is not None:
        ((limit,),) = con.execute("select current_setting('memory_limit')").fetchall()
        for each in (EMPTIED, limit):
            con.execute("set memory_limit = $limit", {"limit": each})
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def in_words(size: int) -> str:
    """A size as DuckDB reads it.

    Examples
    --------
    >>> in_words(400_000_000)
    '400MB'
    """
    return f"{size // 1_000_000}MB"
